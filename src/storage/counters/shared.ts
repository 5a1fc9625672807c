import type { Database, Sql } from '../database.ts'
import { StorageError } from '../errors.ts'
import { type Corrections, corrections } from './corrections.ts'
import { type Counter, correct, newCounter } from './counter.ts'
import type { Counters, FailurePolicy, Limit, OnStoreFailure, Refused, Taken } from './counters.ts'
import { changeOf, type Reserved, reserve, usedOf, wholeAmounts } from './reserve.ts'
import { sweeper } from './sweeper.ts'
import { lockCounters, MOST_KEYS_READ, readCounters, writeCounters } from './table.ts'
import { unavailable } from './unavailable.ts'
import { counterKey } from './window.ts'

export interface SharedOptions {
  /** What becomes of a request when the database cannot be written; `deny` unless told. */
  on_shared_store_failure?: FailurePolicy
  onFailure?: OnStoreFailure
}

/** A request that waits for its turn. */
interface Asked {
  limits: readonly Limit[]
  now: number
  answer(said: Taken | Refused): void
}

/** Beyond this many the database cannot follow, and requests are answered as if it could not be reached. */
const MOST_WAITING = 20_000
const MOST_CORRECTIONS = 100_000
/** Of one request: with the corrections they are no more than what can be read at once. */
const MOST_LIMITS = MOST_KEYS_READ / 2
/** Corrections made in one transaction. */
const MOST_CORRECTED = MOST_KEYS_READ / 2
/** When corrections could not be made and nobody asks meanwhile. */
const RETRY_MS = 1_000

/**
 * Counters that several processes have together, in one SQLite file or one PostgreSQL. Whoever asks while a transaction
 * is under way waits for the next, which answers all who wait: it locks the counters, counts as memory does, and writes
 * them. What is settled is written with the next transaction.
 */
export function sharedCounters(database: Database, options: SharedOptions = {}): Counters {
  const { on_shared_store_failure: policy = 'deny', onFailure } = options
  const waiting: Asked[] = []
  const toCorrect: Corrections = corrections(MOST_CORRECTIONS, () => failed('more to correct than can be kept'))
  const sweep = sweeper(database)
  let running = false
  let ended = Promise.resolve()
  let retry: ReturnType<typeof setTimeout> | undefined
  let up = true

  function failed(reason: string): void {
    if (up) onFailure?.(false, reason)
    up = false
  }

  const start = () => {
    if (running) return
    running = true
    ended = run()
  }

  async function run(): Promise<void> {
    // Let those come along who ask in the same moment.
    await Promise.resolve()
    let well = true
    // After a fault corrections can wait, and requests cannot: who asks meanwhile is answered in the next round.
    while (waiting.length || (well && toCorrect.size)) well = await runOnce()
    running = false
    if (!toCorrect.size) return
    clearTimeout(retry)
    retry = setTimeout(start, RETRY_MS)
    retry.unref()
  }

  /** @returns whether the database could be written */
  async function runOnce(): Promise<boolean> {
    const changes = toCorrect.next(MOST_CORRECTED)
    const keys = new Set(changes.map(({ key }) => key))
    const asked = nextAsked(waiting, keys)
    let said: (Reserved | Refused)[] = []
    try {
      const work = async (sql: Sql) => {
        const counters = await lockCounters(sql, database.kind, [...keys])
        const changed = new Set<Counter>()
        for (const { key, start, change } of changes) {
          const counter = counters.get(key)
          const bucket = counter?.buckets.find(bucket => bucket.start === start)
          if (counter && correct(counter, bucket, change)) changed.add(counter)
        }
        said = asked.map(({ limits, now }) => {
          const reserved = reserve(limits, now, key => counterIn(counters, key))
          if (reserved.ok) for (const { counter } of reserved.shares) changed.add(counter)
          return reserved
        })
        await writeCounters(sql, [...changed])
      }
      await database.transaction(work, { locks: 'own' })
    } catch (fault) {
      for (const { key, start, change } of changes) toCorrect.add(key, start, change)
      failed(fault instanceof Error ? fault.message : 'the database cannot be written')
      for (const { limits, answer } of asked) answer(unavailable(policy, limits))
      for (const { limits, answer } of waiting.splice(0)) answer(unavailable(policy, limits))
      return false
    }
    if (!up) onFailure?.(true, 'the database can be written again')
    up = true
    for (let at = 0; at < asked.length; at++) {
      const reserved = said[at]!
      asked[at]!.answer(reserved.ok ? taken(reserved) : reserved)
    }
    return true
  }

  function taken({ shares, remaining, resets }: Reserved): Taken {
    let open = true
    return {
      ok: true,
      remaining,
      resets,
      settle(actual) {
        if (!open) return
        open = false
        for (let which = 0; which < shares.length; which++) {
          const { counter, bucket, amount } = shares[which]!
          const change = changeOf(amount, actual[which])
          if (change !== 0) toCorrect.add(counter.key, bucket.start, change)
        }
        if (toCorrect.size) start()
      },
    }
  }

  return {
    take(limits, now = Date.now()) {
      // Here and not in the transaction, where it would be everyone's fault.
      wholeAmounts(limits)
      if (limits.length > MOST_LIMITS)
        throw new RangeError(`cannot take of ${limits.length} limits at once, at most ${MOST_LIMITS}`)
      if (waiting.length >= MOST_WAITING) {
        failed('more requests wait for the database than it can follow')
        return unavailable(policy, limits)
      }
      const { promise, resolve } = Promise.withResolvers<Taken | Refused>()
      waiting.push({ limits, now, answer: resolve })
      start()
      return promise
    },
    used: (limits, now = Date.now()) => usedIn(database, limits, now),
    async close() {
      sweep.stop()
      if (toCorrect.size) start()
      await ended
      // What could not be corrected now stays as it was taken: `onFailure` was told.
      clearTimeout(retry)
    },
  }
}

/** Takes out as many as one transaction can read the counters of, and adds their keys. */
function nextAsked(waiting: Asked[], keys: Set<string>): Asked[] {
  let count = 0
  for (; count < waiting.length; count++) {
    const { limits } = waiting[count]!
    if (keys.size + limits.length > MOST_KEYS_READ) break
    for (const { key, window } of limits) keys.add(counterKey(key, window))
  }
  return waiting.splice(0, count)
}

function counterIn(counters: Map<string, Counter>, key: string): Counter {
  let counter = counters.get(key)
  if (!counter) {
    counter = newCounter(key)
    counters.set(key, counter)
  }
  return counter
}

async function usedIn(sql: Sql, limits: readonly Limit[], now: number): Promise<number[]> {
  const keys = limits.map(({ key, window }) => counterKey(key, window))
  try {
    const counters = await readCounters(sql, keys)
    return limits.map((limit, which) => usedOf(counters.get(keys[which]!), limit, now))
  } catch (fault) {
    throw new StorageError(
      'use',
      `storage.database: cannot read the counters: ${fault instanceof Error ? fault.message : 'unknown error'}`,
    )
  }
}
