/** Steps of time, each 1.6 times the one before: from a millisecond to nine minutes, with a last one for all that is longer. */
export const STEPS = 28
const RATIO = 1.6
const LOG = Math.log(RATIO)

/** @param milliseconds zero or more */
export const stepOf = (milliseconds: number): number =>
  milliseconds < 1 ? 0 : Math.min(STEPS - 1, 1 + Math.floor(Math.log(milliseconds) / LOG))

/** Where a step begins, in milliseconds. */
const startOf = (step: number) => (step === 0 ? 0 : RATIO ** (step - 1))

/**
 * The time that so large a part did not exceed, as well as the steps tell: within a step the times are taken to lie
 * evenly, so that the error is a fraction of a step's width.
 * @param counts how many there were in each step
 * @param part 0.5 for the median
 * @returns milliseconds, or nothing when there were none
 */
export function percentile(counts: readonly number[], part: number): number | undefined {
  let total = 0
  for (const count of counts) total += count
  if (total === 0) return undefined
  const wanted = part * total
  let before = 0
  for (const [step, count] of counts.entries()) {
    if (count > 0 && before + count >= wanted) {
      const [from, to] = [startOf(step), startOf(step + 1)]
      return from + ((to - from) * Math.max(0, wanted - before)) / count
    }
    before += count
  }
  return startOf(STEPS - 1)
}
