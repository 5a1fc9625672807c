import type { AttemptRecord } from '../../telemetry/attempt-record.ts'
import type { Database, Sql, Value } from '../database.ts'
import { costOf, count, TENTHS } from './row.ts'
import { addUp } from './statements.ts'
import { STEPS, stepOf } from './steps.ts'

/** What is counted of each hour and day, beside the cost. Times are tenths of milliseconds. */
export const MEASURES = [
  'requests',
  'attempts',
  'tokens_in',
  'tokens_out',
  'tokens_cached',
  'duration',
  'first_bytes',
  'first_byte',
] as const

const stepsOf = (letter: string) => Array.from({ length: STEPS }, (_, step) => `${letter}${step}`)
export const DURATION_STEPS = stepsOf('d')
export const FIRST_BYTE_STEPS = stepsOf('f')
const SUMS = ['cost', ...MEASURES, ...DURATION_STEPS, ...FIRST_BYTE_STEPS]

const KEYS = ['span', 'start', 'series']
const METADATA_KEYS = ['span', 'start', 'gateway', 'name', 'value']

export const HOUR_MS = 3_600_000
/** Hours of an hour, and of a day. Days are there so that months need not be read by the hour. */
const DAY = 24
export const SPANS = [1, DAY] as const
export type Span = (typeof SPANS)[number]

/** Distinct values of one key in one hour and gateway; the others are counted together under `…`. */
const MOST_VALUES = 1_000
const LONGEST_VALUE = 200
const OTHERS = '…'

/** A sum of money may be more than a number holds: `cost` is added to `costs` before it is. */
interface Row {
  key: Value[]
  cost: number
  costs: bigint
  sums: number[]
}

/** The sums of one batch, which are added to the tables together. */
export class Sums {
  /** By hour and series. */
  readonly #rows = new Map<string, Row>()
  readonly #byMetadata = new Map<string, Row>()
  readonly #keys: readonly string[]
  readonly #values: MetadataValues
  /** Most records are counted where the one before was. */
  #last: { hour: number; series: number; row: Row } | undefined

  /** @param keys of metadata whose values are counted */
  constructor(keys: readonly string[], values: MetadataValues) {
    this.#keys = keys
    this.#values = values
  }

  add(record: AttemptRecord, gateway: number, series: number): void {
    const hour = Math.floor(record.at / HOUR_MS)
    const cost = costOf(record) ?? 0
    const row = this.#row(hour, series)
    addRecord(row, record, cost)
    row.sums[MEASURES.length + stepOf(record.duration)]!++
    if (record.firstByte !== undefined) row.sums[MEASURES.length + STEPS + stepOf(record.firstByte)]!++
    if (record.metadata) for (const key of this.#keys) this.#addValue(record, key, gateway, hour, cost)
  }

  async write(sql: Sql, kind: Database['kind']): Promise<void> {
    await addUp(sql, kind, 'record_sums', KEYS, SUMS, valuesOf(withDays(this.#rows)))
    const sums = ['cost', ...MEASURES, 'errors', 'cached']
    await addUp(sql, kind, 'record_sums_by_metadata', METADATA_KEYS, sums, valuesOf(this.#byMetadata))
  }

  #row(hour: number, series: number): Row {
    if (this.#last?.hour === hour && this.#last.series === series) return this.#last.row
    const row = this.#rows.getOrInsertComputed(`${hour} ${series}`, () => rowWith([1, hour, series], SUMS.length - 1))
    this.#last = { hour, series, row }
    return row
  }

  #addValue(record: AttemptRecord, key: string, gateway: number, hour: number, cost: number): void {
    const value = record.metadata?.[key]
    if (value === undefined) return
    const text = this.#values.bounded(hour, gateway, key, String(value).slice(0, LONGEST_VALUE))
    for (const span of SPANS) {
      const place = [span, Math.floor(hour / span), gateway, key, text]
      const row = this.#byMetadata.getOrInsertComputed(JSON.stringify(place), () => rowWith(place, MEASURES.length + 2))
      addRecord(row, record, cost)
      if (record.status >= 400) row.sums[MEASURES.length]!++
      if (record.cached) row.sums[MEASURES.length + 1]!++
    }
  }
}

const rowWith = (key: Value[], sums: number): Row => ({ key, cost: 0, costs: 0n, sums: Array<number>(sums).fill(0) })

/** The same rows, and what they come to by the day. */
function withDays(hours: Map<string, Row>): Map<string, Row> {
  const rows = new Map(hours)
  for (const { key, cost, costs, sums } of hours.values()) {
    const [, hour, series] = key as [number, number, number]
    const day = Math.floor(hour / DAY)
    const row = rows.getOrInsertComputed(`day ${day} ${series}`, () => rowWith([DAY, day, series], sums.length))
    row.costs += costs + BigInt(cost)
    for (let i = 0; i < sums.length; i++) row.sums[i]! += sums[i]!
  }
  return rows
}

const valuesOf = (rows: Map<string, Row>) =>
  [...rows.values()].map(({ key, cost, costs, sums }) => [...key, costs + BigInt(cost), ...sums] satisfies Value[])

/**
 * Adds a record to the first sums of a row, in the order of {@link MEASURES}. A request of a client counts once, however
 * many steps and attempts it takes (contract section 9.3).
 */
function addRecord(row: Row, { usage, duration, firstByte, attempt, step = 0 }: AttemptRecord, cost: number): void {
  const { sums } = row
  if (row.cost + cost > Number.MAX_SAFE_INTEGER) {
    row.costs += BigInt(row.cost)
    row.cost = 0
  }
  row.cost += cost
  if (attempt === 1 && step === 0) sums[0]!++
  sums[1]!++
  if (usage) {
    sums[2]! += count(usage.input) ?? 0
    sums[3]! += count(usage.output) ?? 0
    sums[4]! += count(usage.cacheRead) ?? 0
  }
  sums[5]! += count(duration * TENTHS) ?? 0
  if (firstByte === undefined) return
  sums[6]!++
  sums[7]! += count(firstByte * TENTHS) ?? 0
}

/** Keeps what is counted by metadata within bounds: of each key so many values in an hour, as far as this process sees. */
export class MetadataValues {
  #hour = 0
  #seen = new Map<string, Set<string>>()

  bounded(hour: number, gateway: number, key: string, value: string): string {
    if (hour > this.#hour) {
      this.#hour = hour
      this.#seen = new Map()
    }
    const seen = this.#seen.getOrInsertComputed(`${gateway} ${key}`, () => new Set())
    if (seen.has(value)) return value
    if (seen.size >= MOST_VALUES) return OTHERS
    seen.add(value)
    return value
  }
}
