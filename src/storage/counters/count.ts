/**
 * A whole amount. Beyond 2^53, which is 9,007 USD in picodollars, a number would lose single units, so larger sums are
 * bigints; comparing the one with the other is exact.
 */
export type Count = number | bigint

/** The largest amount that a shared store counts to. */
export const MOST: bigint = 2n ** 63n - 1n

export function plus(a: Count, b: Count): Count {
  if (typeof a === 'number' && typeof b === 'number') {
    const sum = a + b
    if (Number.isSafeInteger(sum)) return sum
  }
  return counted(BigInt(a) + BigInt(b))
}

export const minus = (a: Count, b: Count): Count => plus(a, -b)

/** The form that a sum has, whichever way it came about. */
const counted = (sum: bigint): Count => {
  const near = Number(sum)
  return Number.isSafeInteger(near) ? near : sum
}

/** Reads what {@link digits} wrote. */
export const countOf = (text: string): Count => counted(BigInt(text))

/** In decimal digits, no more than {@link MOST}. */
export function digits(count: Count): string {
  if (typeof count === 'number' && Number.isSafeInteger(count)) return String(count)
  if (count > MOST) return String(MOST)
  return String(BigInt(count))
}

/**
 * An amount as it is counted: whole, rounded up.
 * @throws RangeError for an amount below 0, or one that is no number
 */
export function wholeAmount(amount: number, key: string): number {
  if (amount >= 0 && amount < Infinity) return Number.isInteger(amount) ? amount : Math.ceil(amount)
  throw new RangeError(`cannot take ${amount} of "${key}": an amount is a number from 0 up`)
}

/** What was really used, whole; undefined when that is not known. */
export const actualAmount = (amount: number | undefined): number | undefined =>
  amount !== undefined && amount >= 0 && amount < Infinity ? Math.ceil(amount) : undefined
