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
export const SPANS = [1, 24] as const
export type Span = (typeof SPANS)[number]

/** Distinct values of one key in one hour and gateway; the others are counted together under `…`. */
const MOST_VALUES = 1_000
const LONGEST_VALUE = 200
const OTHERS = '…'

/** A sum of money may be more than a number can hold. */
interface Row {
  key: Value[]
  cost: bigint
  sums: number[]
}

/** The sums of one batch, which are added to the tables together. */
export class Sums {
  readonly #rows = new Map<string, Row>()
  readonly #byMetadata = new Map<string, Row>()
  readonly #keys: readonly string[]
  readonly #values: MetadataValues

  /** @param keys of metadata whose values are counted */
  constructor(keys: readonly string[], values: MetadataValues) {
    this.#keys = keys
    this.#values = values
  }

  add(record: AttemptRecord, gateway: number, series: number): void {
    const hour = Math.floor(record.at / HOUR_MS)
    const measures = measuresOf(record)
    const cost = BigInt(costOf(record) ?? 0)
    for (const span of SPANS) {
      const start = Math.floor(hour / span)
      const id = `${span} ${start} ${series}`
      let row = this.#rows.get(id)
      if (!row) {
        row = rowWith([span, start, series], SUMS.length - 1)
        this.#rows.set(id, row)
      }
      addTo(row, cost, measures)
      row.sums[MEASURES.length + stepOf(record.duration)]!++
      if (record.firstByte !== undefined) row.sums[MEASURES.length + STEPS + stepOf(record.firstByte)]!++
    }
    if (record.metadata) for (const key of this.#keys) this.#addValue(record, key, gateway, hour, cost, measures)
  }

  async write(sql: Sql, kind: Database['kind']): Promise<void> {
    await addUp(sql, kind, 'record_sums', KEYS, SUMS, valuesOf(this.#rows))
    const sums = ['cost', ...MEASURES, 'errors', 'cached']
    await addUp(sql, kind, 'record_sums_by_metadata', METADATA_KEYS, sums, valuesOf(this.#byMetadata))
  }

  #addValue(record: AttemptRecord, key: string, gateway: number, hour: number, cost: bigint, measures: number[]): void {
    const value = record.metadata?.[key]
    if (value === undefined) return
    const text = this.#values.bounded(hour, gateway, key, String(value).slice(0, LONGEST_VALUE))
    const more = [record.status >= 400 ? 1 : 0, record.cached ? 1 : 0]
    for (const span of SPANS) {
      const place = [span, Math.floor(hour / span), gateway, key, text]
      const row = this.#byMetadata.getOrInsertComputed(JSON.stringify(place), () =>
        rowWith(place, MEASURES.length + more.length),
      )
      addTo(row, cost, [...measures, ...more])
    }
  }
}

const rowWith = (key: Value[], sums: number): Row => ({ key, cost: 0n, sums: Array<number>(sums).fill(0) })

function addTo(row: Row, cost: bigint, measures: readonly number[]): void {
  row.cost += cost
  for (let i = 0; i < measures.length; i++) row.sums[i]! += measures[i]!
}

const valuesOf = (rows: Map<string, Row>) =>
  [...rows.values()].map(({ key, cost, sums }) => [...key, cost, ...sums] satisfies Value[])

/** A request of a client counts once, however many steps and attempts it takes (contract section 9.3). */
function measuresOf({ usage, duration, firstByte, attempt, step = 0 }: AttemptRecord): number[] {
  return [
    attempt === 1 && step === 0 ? 1 : 0,
    1,
    count(usage?.input) ?? 0,
    count(usage?.output) ?? 0,
    count(usage?.cacheRead) ?? 0,
    count(duration * TENTHS) ?? 0,
    firstByte === undefined ? 0 : 1,
    count((firstByte ?? 0) * TENTHS) ?? 0,
  ]
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
