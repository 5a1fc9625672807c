import { actualAmount, type Count, minus, wholeAmount } from './count.ts'
import { add, type Bucket, bringTo, type Counter, correct, fits, fitsIn, resetsIn } from './counter.ts'
import type { Limit, Refused } from './counters.ts'
import { counterKey, frameOf } from './window.ts'

/** What was taken of one limit, and where it is counted. */
export interface Share {
  counter: Counter
  bucket: Bucket
  amount: number
}

export interface Reserved {
  ok: true
  shares: Share[]
  remaining: number[]
  resets: number[]
}

/**
 * Takes of all limits or of none. A limit is counted as soon as it was looked at, so that one key that stands in the
 * list twice is taken of twice; when a later limit does not fit, what was counted is given back.
 *
 * @param counterOf finds the counter of a key, or makes it
 * @throws RangeError for an amount that is no number from 0 up; then nothing is taken
 */
export function reserve(
  limits: readonly Limit[],
  now: number,
  counterOf: (key: string) => Counter,
): Reserved | Refused {
  const reserved: Reserved = { ok: true, shares: [], remaining: [], resets: [] }
  // All of them are looked at before anything is taken.
  for (let which = 0; which < limits.length; which++) wholeAmount(limits[which]!.amount, limits[which]!.key)
  for (let which = 0; which < limits.length; which++) {
    const { key, limit, window } = limits[which]!
    const amount = wholeAmount(limits[which]!.amount, key)
    const frame = frameOf(window, now)
    const counter = counterOf(counterKey(key, window))
    bringTo(counter, frame, now)
    if (!fits(counter.used, amount, limit)) {
      const retryAfter = fitsIn(counter, frame, amount, limit, now)
      giveBack(reserved.shares)
      return { ok: false, which, used: Number(counter.used), retryAfter }
    }
    reserved.shares.push({ counter, bucket: add(counter, frame, amount), amount })
    reserved.remaining.push(Math.max(0, Math.floor(limit) - Number(counter.used)))
    reserved.resets.push(resetsIn(counter, frame, now))
  }
  return reserved
}

/** @throws RangeError for an amount that is no number from 0 up, before anything is taken */
export const wholeAmounts = (limits: readonly Limit[]): number[] =>
  limits.map(({ amount, key }) => wholeAmount(amount, key))

function giveBack(shares: readonly Share[]): void {
  for (const { counter, bucket, amount } of shares) correct(counter, bucket, -amount)
}

/** How much what was really used differs from what was taken; 0 when it is not known. */
export function changeOf(amount: number, actual: number | undefined): Count {
  const whole = actualAmount(actual)
  return whole === undefined ? 0 : minus(whole, amount)
}

/** How much of a counter is used at a moment. */
export function usedOf(counter: Counter | undefined, limit: Limit, now: number): number {
  if (!counter) return 0
  bringTo(counter, frameOf(limit.window, now), now)
  return Number(counter.used)
}
