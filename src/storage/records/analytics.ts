import type { Database } from '../database.ts'
import { type FineQuery, fine } from './fine.ts'
import type { RecordReader } from './read.ts'
import { addTo, COST, type Point, Sheet, type SumRow, summed } from './sheet.ts'
import { breath, isOneOf } from './statements.ts'
import { STEPS } from './steps.ts'
import { DURATION_STEPS, FIRST_BYTE_STEPS, HOUR_MS, MEASURES, type Span } from './sums.ts'

/** By what sums may be told apart and filtered. */
export const DIMENSIONS = ['gateway', 'provider', 'model', 'token', 'status', 'cached', 'success'] as const
export type Dimension = (typeof DIMENSIONS)[number]

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
  only: readonly unknown[] | undefined,
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

export type { FineQuery } from './fine.ts'
export { PERCENTILES, type Point, type Sums, TooManyPoints } from './sheet.ts'
