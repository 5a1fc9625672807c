import type { Database } from '../database.ts'
import type { Counter } from './counter.ts'
import type { OnStoreFailure } from './counters.ts'
import { sweeper } from './sweeper.ts'
import { liveCounters, writeCounters } from './table.ts'

/** Writes the counters of one process to its database, off the way of requests. */
export interface WriteBehind {
  /** The counters that were written and still count. */
  load(now: number, most: number): Promise<Counter[]>
  /** Notes that a counter has to be written. */
  changed(counter: Counter): void
  /**
   * Writes what is left.
   * @throws what the database throws
   */
  close(): Promise<void>
}

const WRITE_AFTER_MS = 200
/** In one transaction: SQLite writes while nothing else runs, and this many take about five milliseconds. */
const MOST_WRITTEN = 1_000

/**
 * What waits is one key for each counter that changed, so that it is bounded by the number of counters.
 *
 * @param current the counter of a key as it is now; one that was let go of meanwhile is not written
 */
export function writeBehind(
  database: Database,
  current: (key: string) => Counter | undefined,
  onFailure?: OnStoreFailure,
): WriteBehind {
  const waiting = new Set<string>()
  const sweep = sweeper(database)
  let timer: ReturnType<typeof setTimeout> | undefined
  let writing = Promise.resolve()
  let up = true
  let closed = false

  const later = () => {
    if (timer !== undefined || closed) return
    timer = setTimeout(() => {
      timer = undefined
      writing = write().then(
        () => {
          if (!up) onFailure?.(true, 'the database can be written again')
          up = true
          if (waiting.size) later()
        },
        (fault: unknown) => {
          if (up) onFailure?.(false, fault instanceof Error ? fault.message : 'the database cannot be written')
          up = false
          later()
        },
      )
    }, WRITE_AFTER_MS)
    timer.unref()
  }

  async function write(): Promise<void> {
    const keys: string[] = []
    for (const key of waiting) {
      if (keys.length === MOST_WRITTEN) break
      keys.push(key)
      waiting.delete(key)
    }
    try {
      // Read within, because others may have the database first.
      await database.transaction(
        sql =>
          writeCounters(
            sql,
            keys.map(current).filter(counter => counter !== undefined),
          ),
        { locks: 'own' },
      )
    } catch (fault) {
      for (const key of keys) waiting.add(key)
      throw fault
    }
  }

  return {
    load: (now, most) => liveCounters(database, now, most),
    changed({ key }) {
      waiting.add(key)
      if (timer === undefined) later()
    },
    async close() {
      closed = true
      clearTimeout(timer)
      sweep.stop()
      await writing
      while (waiting.size) await write()
    },
  }
}
