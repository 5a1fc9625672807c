import type { Database } from '../database.ts'
import { removeExpired } from './table.ts'

const SWEEP_EVERY_MS = 60_000
/** While there is more to remove. */
const SWEEP_ON_MS = 1_000
const MOST_REMOVED = 500

/**
 * Removes counters that expired, now and then and few at a time, so that no request waits for it. When the database
 * cannot be reached the next turn tries again: whoever counts in it notices, and says so.
 */
export function sweeper(database: Database): { stop(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined
  let stopped = false
  const after = (milliseconds: number) => {
    if (stopped) return
    timer = setTimeout(async () => {
      const removed = await removeExpired(database, Date.now(), MOST_REMOVED).catch(() => 0)
      after(removed < MOST_REMOVED ? SWEEP_EVERY_MS : SWEEP_ON_MS)
    }, milliseconds)
    timer.unref()
  }
  after(SWEEP_EVERY_MS)
  return {
    stop() {
      stopped = true
      clearTimeout(timer)
    },
  }
}
