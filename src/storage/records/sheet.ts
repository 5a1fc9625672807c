import { TENTHS } from './row.ts'
import { percentile, STEPS } from './steps.ts'

export const PERCENTILES = [0.5, 0.9, 0.95, 0.99] as const

export interface Sums {
  /** Of clients; retries and further steps of one are no more requests. */
  requests: number
  attempts: number
  errors: number
  cached: number
  tokensIn: number
  tokensOut: number
  tokensCached: number
  /** Tokens of answers from our own cache, which nobody charged. */
  tokensInFromCache: number
  tokensOutFromCache: number
  /** Picodollars. */
  cost: bigint
  /** Milliseconds on average. */
  duration?: number
  firstByte?: number
  /** Milliseconds, in the order of {@link PERCENTILES}. */
  percentiles?: { duration: (number | undefined)[]; firstByte: (number | undefined)[] }
}

export interface Point extends Sums {
  /** When it begins; that of the whole when there is no interval. */
  at: number
  /** In the order of `by`. */
  by: (string | number | boolean | null)[]
}

/** Points beyond which a series is refused rather than told in part. */
const MOST_POINTS = 100_000

/** A window that would come to more points than anybody reads. */
export class TooManyPoints extends Error {
  override readonly name = 'TooManyPoints'
}

/** A sum that is being made. Times in tenths of milliseconds. */
export interface Sum {
  at: number
  by: (string | number | boolean | null)[]
  requests: number
  attempts: number
  errors: number
  cached: number
  tokensIn: number
  tokensOut: number
  tokensCached: number
  tokensInFromCache: number
  tokensOutFromCache: number
  cost: bigint
  duration: number
  firstBytes: number
  firstByte: number
  durations: number[]
  firstByteSteps: number[]
}

const newSum = (at: number, by: Sum['by']): Sum => ({
  at,
  by,
  requests: 0,
  attempts: 0,
  errors: 0,
  cached: 0,
  tokensIn: 0,
  tokensOut: 0,
  tokensCached: 0,
  tokensInFromCache: 0,
  tokensOutFromCache: 0,
  cost: 0n,
  duration: 0,
  firstBytes: 0,
  firstByte: 0,
  durations: Array(STEPS).fill(0),
  firstByteSteps: Array(STEPS).fill(0),
})

function told(sum: Sum, percentiles: boolean): Point {
  const { duration, firstByte, firstBytes, durations, firstByteSteps, ...rest } = sum
  const point: Point = rest
  if (sum.attempts) point.duration = duration / TENTHS / sum.attempts
  if (firstBytes) point.firstByte = firstByte / TENTHS / firstBytes
  if (percentiles)
    point.percentiles = {
      duration: PERCENTILES.map(part => percentile(durations, part)),
      firstByte: PERCENTILES.map(part => percentile(firstByteSteps, part)),
    }
  return point
}

/** Sums by time and dimensions, as many as anybody may ask for. */
export class Sheet {
  readonly #sums = new Map<string, Sum>()

  at(at: number, by: Sum['by']): Sum {
    const id = `${at} ${JSON.stringify(by)}`
    const known = this.#sums.get(id)
    if (known) return known
    if (this.#sums.size >= MOST_POINTS)
      throw new TooManyPoints(
        `more than ${MOST_POINTS} points: ask for a shorter time, longer intervals or fewer dimensions`,
      )
    const sum = newSum(at, by)
    this.#sums.set(id, sum)
    return sum
  }

  points(percentiles: boolean): Point[] {
    return [...this.#sums.values()].sort((a, b) => a.at - b.at).map(sum => told(sum, percentiles))
  }
}

export type SumRow = Record<string, number | string | null>

/** Of a statement about `h`. */
export const summed = (names: readonly string[]) => names.map(name => `SUM(h.${name}) AS ${name}`).join(', ')
export const COST = 'CAST(SUM(h.cost) AS TEXT) AS cost'

export function addTo(sum: Sum, row: SumRow, isError: boolean, isCached: boolean): void {
  const number = (name: string) => Number(row[name] ?? 0)
  const [tokensIn, tokensOut] = [number('tokens_in'), number('tokens_out')]
  sum.requests += number('requests')
  sum.attempts += number('attempts')
  sum.tokensIn += tokensIn
  sum.tokensOut += tokensOut
  sum.tokensCached += number('tokens_cached')
  sum.cost += BigInt(row.cost ?? 0)
  sum.duration += number('duration')
  sum.firstBytes += number('first_bytes')
  sum.firstByte += number('first_byte')
  if (isError) sum.errors += number('attempts')
  if (isCached) {
    sum.cached += number('attempts')
    sum.tokensInFromCache += tokensIn
    sum.tokensOutFromCache += tokensOut
  }
}
