import { type Count, countOf, digits, minus, plus } from './count.ts'
import type { Frame } from './window.ts'

/** A piece of time and what was taken in it. */
export interface Bucket {
  /** Milliseconds since 1970. */
  readonly start: number
  used: Count
}

/** One counter: the buckets that count, oldest first. A fixed window has one bucket, a sliding one up to 65. */
export interface Counter {
  readonly key: string
  buckets: Bucket[]
  /** What the buckets hold together. */
  used: Count
  /** When its last bucket stops to count, in milliseconds since 1970. */
  until: number
}

export const newCounter = (key: string): Counter => ({ key, buckets: [], used: 0, until: 0 })

/**
 * Lets go of the buckets that count no more. A bucket that begins later than now is from another machine's clock, or
 * from before the clock was set back: it counts as long as the difference is within the window. Beyond that, it would
 * hold everyone up until the clock has caught up, so it goes too.
 */
export function bringTo(counter: Counter, frame: Frame, now: number): void {
  const { buckets } = counter
  while (buckets.length && buckets[0]!.start < frame.from) counter.used = minus(counter.used, buckets.shift()!.used)
  while (buckets.length && buckets[buckets.length - 1]!.start > now + frame.span)
    counter.used = minus(counter.used, buckets.pop()!.used)
}

/** Nothing fits once the limit is reached, not even the amount 0. */
export const fits = (used: Count, amount: number, limit: number): boolean =>
  amount === 0 ? used < limit : plus(used, amount) <= limit

/** Adds to the bucket of this moment, of a counter that was brought to it, and gives that bucket. */
export function add(counter: Counter, frame: Frame, amount: number): Bucket {
  const { buckets } = counter
  let bucket = buckets[buckets.length - 1]
  if (!bucket || bucket.start < frame.bucket) {
    bucket = { start: frame.bucket, used: 0 }
    buckets.push(bucket)
    counter.until = Math.max(counter.until, frame.bucket + frame.span)
  }
  bucket.used = plus(bucket.used, amount)
  counter.used = plus(counter.used, amount)
  return bucket
}

/**
 * Adds to, or with a negative change takes from, a bucket that may have stopped to count since.
 * @returns whether it still does
 */
export function correct(counter: Counter, bucket: Bucket | undefined, change: Count): boolean {
  // It is looked for from the end, where it nearly always stands.
  if (!bucket || counter.buckets.lastIndexOf(bucket) < 0) return false
  const before = bucket.used
  bucket.used = plus(before, change)
  if (bucket.used < 0) bucket.used = 0
  counter.used = plus(counter.used, minus(bucket.used, before))
  return true
}

/** Seconds, at least 1, until the first of what is counted stops to count. */
export const resetsIn = (counter: Counter, frame: Frame, now: number): number =>
  secondsUntil((counter.buckets[0]?.start ?? frame.bucket) + frame.span, now)

/** Seconds, at least 1, until the amount fits; until nothing counts, when it never will. */
export function fitsIn(counter: Counter, frame: Frame, amount: number, limit: number, now: number): number {
  let used = counter.used
  let leaves = frame.bucket + frame.span
  for (const bucket of counter.buckets) {
    used = minus(used, bucket.used)
    leaves = bucket.start + frame.span
    if (fits(used, amount, limit)) break
  }
  return secondsUntil(leaves, now)
}

export const secondsUntil = (moment: number, now: number): number => Math.max(1, Math.ceil((moment - now) / 1000))

/** `[start, used, start, used, …]` as JSON; `used` is text where a number would not hold it. */
export const writeBuckets = (buckets: readonly Bucket[]): string =>
  JSON.stringify(buckets.flatMap(({ start, used }) => [start, typeof used === 'number' ? used : digits(used)]))

/** The counter that {@link writeBuckets} wrote. */
export function readCounter(key: string, buckets: string, until: number): Counter {
  const counter: Counter = { key, buckets: [], used: 0, until }
  const values = JSON.parse(buckets) as (number | string)[]
  for (let at = 0; at + 1 < values.length; at += 2) {
    const value = values[at + 1]!
    const used = typeof value === 'number' ? value : countOf(value)
    counter.buckets.push({ start: Number(values[at]), used })
    counter.used = plus(counter.used, used)
  }
  return counter
}
