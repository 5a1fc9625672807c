import type { Database, Value } from '../database.ts'
import type { Column } from './columns.ts'
import { planOf } from './filter.ts'
import type { Kind } from './kind.ts'
import type { RecordReader } from './read.ts'
import { TENTHS } from './row.ts'
import { segments } from './scan.ts'
import { breath, isOneOf } from './statements.ts'
import { percentile, STEPS, stepOf } from './steps.ts'
import { DURATION_STEPS, FIRST_BYTE_STEPS, HOUR_MS, MEASURES, type Span } from './sums.ts'
import type { RecordFilter } from './types.ts'

/** By what sums may be told apart and filtered. */
export const DIMENSIONS = ['gateway', 'provider', 'model', 'token', 'status', 'cached', 'success'] as const
export type Dimension = (typeof DIMENSIONS)[number]

export const PERCENTILES = [0.5, 0.9, 0.95, 0.99] as const

export interface AnalyticsQuery {
  /** Milliseconds since 1970. Hours are taken whole: from the beginning of the first to the end of the last. */
  from: number
  to: number
  /** All that the caller may see; every one when left out. */
  gateways?: readonly string[]
  /** Milliseconds of one point of the series, in UTC; a whole number of hours. One point for all when left out. */
  interval?: number
  by?: readonly Dimension[]
  /** What each dimension may be. */
  only?: Partial<Record<Dimension, readonly (string | number | boolean | null)[]>>
  /** Whether {@link Sums.percentiles} are wanted. */
  percentiles?: boolean
}

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

/** A finer series than hours, out of the rows that are still there. */
export interface FineQuery {
  gateway: string
  from: number
  to: number
  /** Milliseconds. */
  interval: number
  filters?: readonly RecordFilter[]
  by?: keyof Pick<Kind, 'provider' | 'model' | 'token' | 'status' | 'cached' | 'userAgent' | 'path' | 'errorCode'>
}

export interface MetadataQuery {
  from: number
  to: number
  gateways?: readonly string[]
  /** One of the configured keys. */
  key: string
}

export interface Analytics {
  /** Sums of hours, by time and dimensions, oldest first. They count what was deleted and what was not kept, too. */
  hours(query: AnalyticsQuery): Promise<Point[]>
  /** The same by the values of a key of the metadata. */
  metadata(query: MetadataQuery): Promise<Point[]>
  fine(query: FineQuery): Promise<Point[]>
}

const DAY = 24
/** What is read at once: so few rows that it takes a few milliseconds at most. */
const HOURS_AT_ONCE = 12
const DAYS_AT_ONCE = 7
/** Points beyond which a series is refused rather than told in part. */
const MOST_POINTS = 100_000

/** A window that would come to more points than anybody reads. */
export class TooManyPoints extends Error {
  override readonly name = 'TooManyPoints'
}

/** A sum that is being made. Times in tenths of milliseconds. */
interface Sum {
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

class Sheet {
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

type SumRow = Record<string, number | string | null>

const summed = (names: readonly string[]) => names.map(name => `SUM(h.${name}) AS ${name}`).join(', ')
const COST = 'CAST(SUM(h.cost) AS TEXT) AS cost'

function addTo(sum: Sum, row: SumRow, isError: boolean, isCached: boolean): void {
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

export function analytics(database: Database, reader: RecordReader): Analytics {
  return {
    hours: query => hours(database, query),
    metadata: query => byMetadata(database, query),
    fine: query => fine(database, reader, query),
  }
}

/** Columns of `record_series` behind the dimensions; what is success and what a gateway is called is told apart here. */
const IN_SERIES = { provider: 'provider', model: 'model', token: 'token', status: 'status', cached: 'cached' } as const

async function hours(database: Database, query: AnalyticsQuery): Promise<Point[]> {
  const { by = [], only = {}, interval, percentiles = false } = query
  const names = await gatewayNames(database)
  const wanted = wantedGateways(names, query.gateways, only.gateway)
  if (!wanted.length) return []
  const first = Math.floor(query.from / HOUR_MS)
  const last = Math.ceil(query.to / HOUR_MS)
  const step = interval === undefined ? undefined : Math.max(1, Math.round(interval / HOUR_MS))
  // Status and whether it is cached are always told apart: errors and what came from the cache are counted by them.
  const columns = new Set(['status', 'cached', ...[...by, ...Object.keys(only)].filter(name => name in IN_SERIES)])
  const list = isOneOf(wanted)
  const sheet = new Sheet()
  const grouped = ['s.gateway', ...[...columns].map(name => `s.${name}`), ...(step === undefined ? [] : ['h.start'])]
  const steps = percentiles ? [...DURATION_STEPS, ...FIRST_BYTE_STEPS] : []
  const statement = `SELECT ${grouped.join(', ')}, ${COST}, ${summed([...MEASURES, ...steps])}
    FROM record_sums h JOIN record_series s ON s.id = h.series
    WHERE h.span = ? AND h.start >= ? AND h.start < ? AND s.gateway ${list.text} GROUP BY ${grouped.join(', ')}`
  for (const { span, start, end } of await piecesOf(database, first, last, step)) {
    for (const row of await database.all<SumRow>(statement, span, start, end, ...list.values)) {
      const values = valuesOf(row, names)
      if (!DIMENSIONS.every(name => only[name]?.includes(values[name]) ?? true)) continue
      const at = step === undefined ? first : Math.floor((Number(row.start) * span) / step) * step
      const sum = sheet.at(
        at * HOUR_MS,
        by.map(name => values[name]),
      )
      addTo(sum, row, Number(row.status) >= 400, Number(row.cached) === 1)
      for (let i = 0; i < steps.length; i++) {
        const place = i < STEPS ? sum.durations : sum.firstByteSteps
        place[i % STEPS]! += Number(row[steps[i]!] ?? 0)
      }
    }
    await breath()
  }
  return sheet.points(percentiles)
}

function valuesOf(row: SumRow, names: ReadonlyMap<number, string>): Record<Dimension, Point['by'][number]> {
  const status = Number(row.status)
  return {
    gateway: names.get(Number(row.gateway))!,
    provider: row.provider ?? null,
    model: row.model ?? null,
    token: row.token ?? null,
    status,
    cached: Number(row.cached) === 1,
    success: status < 400,
  }
}

async function gatewayNames(database: Database): Promise<Map<number, string>> {
  const rows = await database.all<{ id: number; name: string }>('SELECT id, name FROM record_gateways')
  return new Map(rows.map(({ id, name }) => [Number(id), name]))
}

function wantedGateways(
  names: ReadonlyMap<number, string>,
  visible: readonly string[] | undefined,
  only: readonly Value[] | readonly unknown[] | undefined,
): number[] {
  return [...names]
    .filter(([, name]) => (visible?.includes(name) ?? true) && (only?.includes(name) ?? true))
    .map(([id]) => id)
}

interface Piece {
  span: Span
  start: number
  end: number
}

/**
 * A window in pieces that are each read within a few milliseconds, so that requests go on between them: whole days where
 * points need not be finer, hours at its ends and otherwise. A window may be as long as anybody likes; what is there is not.
 * @param step hours of a point
 */
async function piecesOf(database: Database, first: number, last: number, step?: number): Promise<Iterable<Piece>> {
  const there = await database.get<{ first: number | null; last: number | null }>(
    'SELECT MIN(start) AS first, MAX(start) AS last FROM record_sums WHERE span = 1',
  )
  if (there?.first === null || there?.first === undefined) return []
  return cut(Math.max(first, Number(there.first)), Math.min(last, Number(there.last) + 1), step)
}

function* cut(first: number, last: number, step = DAY): Generator<Piece> {
  for (let hour = first; hour < last; ) {
    const days = step % DAY === 0 && hour % DAY === 0 ? Math.min(DAYS_AT_ONCE, Math.floor((last - hour) / DAY)) : 0
    if (days > 0) {
      yield { span: 24, start: hour / DAY, end: hour / DAY + days }
      hour += days * DAY
    } else {
      const end = Math.min(last, (Math.floor(hour / HOURS_AT_ONCE) + 1) * HOURS_AT_ONCE)
      yield { span: 1, start: hour, end }
      hour = end
    }
  }
}

async function byMetadata(database: Database, { from, to, gateways, key }: MetadataQuery): Promise<Point[]> {
  const names = await gatewayNames(database)
  const wanted = wantedGateways(names, gateways, undefined)
  if (!wanted.length) return []
  const list = isOneOf(wanted)
  const first = Math.floor(from / HOUR_MS)
  const sheet = new Sheet()
  for (const { span, start, end } of await piecesOf(database, first, Math.ceil(to / HOUR_MS))) {
    const rows = await database.all<SumRow>(
      `SELECT h.value AS value, ${COST}, ${summed([...MEASURES, 'errors', 'cached'])} FROM record_sums_by_metadata h
       WHERE h.span = ? AND h.start >= ? AND h.start < ? AND h.name = ? AND h.gateway ${list.text} GROUP BY h.value`,
      span,
      start,
      end,
      key,
      ...list.values,
    )
    for (const row of rows) {
      const sum = sheet.at(first * HOUR_MS, [row.value ?? null])
      addTo(sum, row, false, false)
      sum.errors += Number(row.errors)
      sum.cached += Number(row.cached)
    }
    await breath()
  }
  return sheet.points(false)
}

const FINE_COLUMNS: ReadonlySet<Column> = new Set<Column>([
  'at',
  'kind',
  'cost',
  'duration',
  'first_byte',
  'tokens_in',
  'tokens_out',
  'tokens_cached',
])

async function fine(database: Database, reader: RecordReader, query: FineQuery): Promise<Point[]> {
  const place = await reader.place(query.gateway)
  if (!place) return []
  const { from, to, interval, filters = [], by } = query
  const plan = await planOf(database, place.gateway, place.kinds, filters, undefined)
  plan.from = Math.max(plan.from, from)
  plan.to = Math.min(plan.to, to)
  const sheet = new Sheet()
  const value = (number: number) => (Number.isNaN(number) ? 0 : number)
  for await (const { segment, mask } of segments(place, plan, FINE_COLUMNS)) {
    const { at, kind, cost, duration, first_byte, tokens_in, tokens_out, tokens_cached } = segment
    for (let i = 0; i < mask.length; i++) {
      const time = at![i]!
      if (!mask[i] || time < from || time >= to) continue
      const said = place.kinds.get(kind![i]!)
      if (!said) continue
      const sum = sheet.at(Math.floor(time / interval) * interval, by ? [said[by]] : [])
      const [tokensIn, tokensOut] = [value(tokens_in![i]!), value(tokens_out![i]!)]
      // Which of them were steps of one request stands in no column.
      sum.requests++
      sum.attempts++
      sum.tokensIn += tokensIn
      sum.tokensOut += tokensOut
      sum.tokensCached += value(tokens_cached![i]!)
      sum.cost += BigInt(value(cost![i]!))
      sum.duration += duration![i]!
      sum.durations[stepOf(duration![i]! / TENTHS)]!++
      if (said.status >= 400) sum.errors++
      if (said.cached) {
        sum.cached++
        sum.tokensInFromCache += tokensIn
        sum.tokensOutFromCache += tokensOut
      }
      const first = first_byte![i]!
      if (!Number.isNaN(first)) {
        sum.firstBytes++
        sum.firstByte += first
        sum.firstByteSteps[stepOf(first / TENTHS)]!++
      }
    }
  }
  return sheet.points(true)
}
