import { StorageError } from '../errors.ts'
import { corrections } from './corrections.ts'
import { countOf, digits, plus } from './count.ts'
import { type Counter, fitsIn, newCounter, secondsUntil } from './counter.ts'
import type { Counters, FailurePolicy, Limit, OnStoreFailure, Refused, Taken } from './counters.ts'
import { redisLink, runScript } from './redis-link.ts'
import { correctScript, takeScript } from './redis-scripts.ts'
import { changeOf, usedOf, wholeAmounts } from './reserve.ts'
import { unavailable } from './unavailable.ts'
import { counterKey, type Frame, frameOf } from './window.ts'

export interface RedisOptions {
  /** What becomes of a request while Redis cannot be reached; `deny` unless told. */
  on_shared_store_failure?: FailurePolicy
  /** How long Redis may be silent while it is asked, 250 unless told. */
  timeoutMilliseconds?: number
  onFailure?: OnStoreFailure
}

const PREFIX = 'postern:counter:'
const MOST_CORRECTIONS = 100_000
const MOST_CORRECTED = 200

/**
 * Counters that several machines have together in one Redis (6.2 or later, not a cluster: the keys of one request lie
 * in different slots). Every key expires with its window. The moment is that of the machine that asks: clocks that
 * differ by less than the window take from the later one's.
 *
 * An answer that comes too late is not lost: what it took is given back, or settled with the request that went on
 * without it. What was settled while Redis was away is corrected when it is back; a correction under way while Redis
 * went is made again only if it adds, so that an unknown outcome may leave too much counted and never too little.
 */
export function redisCounters(url: string, options: RedisOptions = {}): Counters {
  const { on_shared_store_failure: policy = 'deny', timeoutMilliseconds, onFailure } = options
  let lost = 0
  const toCorrect = corrections(MOST_CORRECTIONS, () => lost++)
  const link = redisLink(url, {
    timeoutMilliseconds,
    onFailure(up, reason) {
      onFailure?.(up, up && lost ? `${reason}; ${lost} corrections were lost, those amounts stay as taken` : reason)
      if (!up) return
      lost = 0
      correctSoon()
    },
  })
  let correcting: Promise<void> | undefined

  function correctSoon(): void {
    correcting ??= correctAll().finally(() => {
      correcting = undefined
      if (toCorrect.size && link.isUp()) correctSoon()
    })
  }

  async function correctAll(): Promise<void> {
    await Promise.resolve()
    while (toCorrect.size && link.isUp()) {
      const changes = toCorrect.next(MOST_CORRECTED)
      const again = changes.filter(({ change }) => change > 0)
      const keys = changes.map(({ key }) => PREFIX + key)
      const values = changes.flatMap(({ start, change }) => [String(start), digits(change)])
      const late = () => {
        for (const { key, start, change } of again) toCorrect.add(key, start, -change)
      }
      try {
        await link.call(client => runScript(client, correctScript, keys, values), late)
      } catch {
        for (const { key, start, change } of again) toCorrect.add(key, start, change)
      }
    }
  }

  async function ask(limits: readonly Limit[], amounts: readonly number[], now: number): Promise<Taken | Refused> {
    const frames = limits.map(({ window }) => frameOf(window, now))
    const names = limits.map(({ key, window }) => counterKey(key, window))
    const settlement = settlementOf(amounts, (which, start, change) => {
      toCorrect.add(names[which]!, start, change)
      if (link.isUp()) correctSoon()
    })
    const keys = names.map(name => PREFIX + name)
    const values = limits.flatMap(({ limit }, which) => argumentsOf(amounts[which]!, limit, frames[which]!, now))
    try {
      const reply = await link.call(
        client => runScript(client, takeScript, keys, values),
        reply => {
          const said = readReply(reply)
          if (said.ok) settlement.counted(said.starts)
        },
      )
      const said = readReply(reply)
      if (!said.ok) return refused(said, limits, amounts, frames, now)
      settlement.counted(said.starts)
      return {
        ok: true,
        remaining: limits.map(({ limit }, which) => Math.max(0, Math.floor(limit) - said.used[which]!)),
        resets: frames.map(({ span }, which) => secondsUntil(said.firsts[which]! + span, now)),
        settle: settlement.settle,
      }
    } catch {
      const answer = unavailable(policy, limits)
      if (answer.ok) answer.settle = settlement.settle
      else settlement.settle(limits.map(() => 0))
      return answer
    }
  }

  return {
    take(limits, now = Date.now()) {
      const amounts = wholeAmounts(limits)
      return link.isUp() ? ask(limits, amounts, now) : unavailable(policy, limits)
    },
    async used(limits, now = Date.now()) {
      try {
        const hashes = await link.call(client =>
          Promise.all(limits.map(({ key, window }) => client.hgetall(PREFIX + counterKey(key, window)))),
        )
        return limits.map((limit, which) => usedOf(counterOf(Object.entries(hashes[which]!)), limit, now))
      } catch (fault) {
        throw new StorageError('use', `storage.redis: ${fault instanceof Error ? fault.message : 'redis failed'}`)
      }
    },
    async close() {
      correctSoon()
      while (correcting) await correcting
      link.close()
    },
  }
}

interface Settlement {
  /** The buckets that it was taken in. */
  counted(starts: readonly number[]): void
  settle(actual: readonly number[]): void
}

/** Corrects once both are known, what was counted and what was used, whichever comes first. */
function settlementOf(
  amounts: readonly number[],
  change: (which: number, start: number, change: number | bigint) => void,
): Settlement {
  let starts: readonly number[] | undefined
  let used: readonly number[] | undefined
  const correct = () => {
    if (!starts || !used) return
    for (let which = 0; which < amounts.length; which++) {
      const by = changeOf(amounts[which]!, used[which])
      if (by !== 0) change(which, starts[which]!, by)
    }
  }
  return {
    counted(known) {
      starts = known
      correct()
    },
    settle(actual) {
      if (used) return
      used = actual
      correct()
    },
  }
}

const argumentsOf = (amount: number, limit: number, { bucket, from, span }: Frame, now: number): string[] => [
  digits(amount),
  limit > 0 ? digits(Math.floor(limit)) : '0',
  String(bucket),
  String(from),
  String(span),
  String(now),
]

type Said =
  | { ok: true; starts: number[]; used: number[]; firsts: number[] }
  | { ok: false; which: number; buckets: [start: string, used: string][] }

/** Reads what `takeScript` gives. */
function readReply(reply: unknown): Said {
  const values = reply as [number, ...unknown[]]
  if (values[0] !== 1) {
    const hash = values[2] as string[]
    const buckets: [string, string][] = []
    for (let at = 0; at + 1 < hash.length; at += 2) buckets.push([hash[at]!, hash[at + 1]!])
    return { ok: false, which: Number(values[1]), buckets }
  }
  const said: Said = { ok: true, starts: [], used: [], firsts: [] }
  for (let at = 1; at + 2 < values.length; at += 3) {
    said.starts.push(Number(values[at]))
    said.used.push(Number(values[at + 1]))
    said.firsts.push(Number(values[at + 2]))
  }
  return said
}

function counterOf(entries: readonly [start: string, used: string][]): Counter {
  const counter = newCounter('')
  for (const [start, digits] of entries) {
    const used = countOf(digits)
    counter.buckets.push({ start: Number(start), used })
    counter.used = plus(counter.used, used)
  }
  counter.buckets.sort((a, b) => a.start - b.start)
  return counter
}

function refused(
  { which, buckets }: Extract<Said, { ok: false }>,
  limits: readonly Limit[],
  amounts: readonly number[],
  frames: readonly Frame[],
  now: number,
): Refused {
  const counter = counterOf(buckets)
  const retryAfter = fitsIn(counter, frames[which]!, amounts[which]!, limits[which]!.limit, now)
  return { ok: false, which, used: Number(counter.used), retryAfter }
}
