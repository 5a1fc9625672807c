import type { Database } from '../database.ts'
import { type Counter, correct, newCounter } from './counter.ts'
import type { Counters, Limit, OnStoreFailure, Refused, Taken } from './counters.ts'
import { changeOf, reserve, type Share, usedOf } from './reserve.ts'
import { counterKey } from './window.ts'
import { type WriteBehind, writeBehind } from './write-behind.ts'

/** Counters that answer at once. */
export interface MemoryCounters extends Counters {
  take(limits: readonly Limit[], now?: number): Taken | Refused
  used(limits: readonly Limit[], now?: number): number[]
}

export interface MemoryOptions {
  /**
   * How many counters are kept, 100,000 unless told. When there are more, those that count nothing any more go; if that
   * makes too little room, so do those that were taken of longest ago: they begin anew, and `onForgotten` is told.
   */
  mostKeys?: number
  onForgotten?: (count: number) => void
  /** Told when the database cannot be written; what changed is kept and tried again. */
  onFailure?: OnStoreFailure
}

/** A counter and when it was last taken of. */
interface Held extends Counter {
  seen: number
}

const MOST_KEYS = 100_000

/**
 * Counters of one process. With a database they begin with what is there, and what changes is written a fifth of a
 * second later and at the end, so that a killed process forgets no more than its last moment. Two processes must not
 * use one database in this way: they would overwrite each other's counters (see shared.ts).
 *
 * @throws what the database throws when it cannot be read
 */
export async function memoryCounters(database?: Database, options: MemoryOptions = {}): Promise<MemoryCounters> {
  const { mostKeys = MOST_KEYS, onForgotten, onFailure } = options
  const held = new Map<string, Held>()
  let kept: WriteBehind | undefined
  if (database) {
    kept = writeBehind(database, key => held.get(key), onFailure)
    for (const counter of await kept.load(Date.now(), mostKeys)) held.set(counter.key, { ...counter, seen: 0 })
  }

  let now = 0
  const counterOf = (key: string): Held => {
    let counter = held.get(key)
    if (!counter) {
      if (held.size >= mostKeys) makeRoom(held, mostKeys, now, onForgotten)
      counter = { ...newCounter(key), seen: now }
      held.set(key, counter)
    }
    counter.seen = now
    return counter
  }

  const settled = (shares: readonly Share[], actual: readonly number[]) => {
    for (let which = 0; which < shares.length; which++) {
      const { counter, bucket, amount } = shares[which]!
      const change = changeOf(amount, actual[which])
      if (change !== 0 && correct(counter, bucket, change)) kept?.changed(counter)
    }
  }

  return {
    take(limits, at = Date.now()) {
      now = at
      const reserved = reserve(limits, at, counterOf)
      if (!reserved.ok) return reserved
      const { shares, remaining, resets } = reserved
      if (kept) for (let which = 0; which < shares.length; which++) kept.changed(shares[which]!.counter)
      let open = true
      return {
        ok: true,
        remaining,
        resets,
        settle(actual) {
          if (!open) return
          open = false
          settled(shares, actual)
        },
      }
    },
    used: (limits, at = Date.now()) =>
      limits.map(limit => usedOf(held.get(counterKey(limit.key, limit.window)), limit, at)),
    close: async () => kept?.close(),
  }
}

/** Makes room for a sixteenth, so that a flood of new keys does not look through all of them each time. */
function makeRoom(
  held: Map<string, Held>,
  mostKeys: number,
  now: number,
  onForgotten: MemoryOptions['onForgotten'],
): void {
  for (const [key, { until }] of held) if (until <= now) held.delete(key)
  const tooMany = held.size - Math.floor(mostKeys * (15 / 16))
  if (tooMany <= 0) return
  const oldest = [...held.values()].sort((a, b) => a.seen - b.seen).slice(0, tooMany)
  for (const { key } of oldest) held.delete(key)
  onForgotten?.(oldest.length)
}
