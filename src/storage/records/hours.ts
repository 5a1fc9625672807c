import type { AttemptRecord } from '../../telemetry/attempt-record.ts'
import type { Database, Sql, Value } from '../database.ts'
import { BUCKETS, bucketOf } from './buckets.ts'
import { costOf, count, TENTHS } from './row.ts'
import { addUp } from './statements.ts'

/** What is counted of each hour, in the order of the columns. Times are tenths of milliseconds. */
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
export type Measure = (typeof MEASURES)[number]

const steps = (letter: string) => Array.from({ length: BUCKETS }, (_, index) => `${letter}${index}`)
export const DURATION_STEPS = steps('d')
export const FIRST_BYTE_STEPS = steps('f')

const SUMS = ['cost', ...MEASURES, ...DURATION_STEPS, ...FIRST_BYTE_STEPS]
const SUMS_BY_METADATA = ['cost', ...MEASURES, 'errors', 'cached']

export const HOUR_MS = 3_600_000

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
export class Hours {
  readonly #rows = new Map<string, Row>()
  readonly #byMetadata = new Map<string, Row>()
  readonly #keys: readonly string[]
  /** How many values of each key and hour this process has seen. */
  readonly #values: MetadataValues

  constructor(keys: readonly string[], values: MetadataValues) {
    this.#keys = keys
    this.#values = values
  }

  add(record: AttemptRecord, gateway: number, series: number): void {
    const hour = Math.floor(record.at / HOUR_MS)
    const measures = measuresOf(record)
    const cost = BigInt(costOf(record) ?? 0)
    const row = rowOf(this.#rows, `${hour} ${series}`, [hour, series], SUMS.length - 1)
    row.cost += cost
    for (const [index, value] of measures.entries()) row.sums[index]! += value
    row.sums[MEASURES.length + bucketOf(record.duration)]!++
    if (record.firstByte !== undefined) row.sums[MEASURES.length + BUCKETS + bucketOf(record.firstByte)]!++
    for (const key of this.#keys) {
      const value = record.metadata?.[key]
      if (value === undefined) continue
      const text = this.#values.bounded(hour, gateway, key, String(value).slice(0, LONGEST_VALUE))
      const id = JSON.stringify([hour, gateway, key, text])
      const row = rowOf(this.#byMetadata, id, [hour, gateway, key, text], SUMS_BY_METADATA.length - 1)
      row.cost += cost
      for (const [index, value] of measures.entries()) row.sums[index]! += value
      if (record.status >= 400) row.sums[MEASURES.length]!++
      if (record.cached) row.sums[MEASURES.length + 1]!++
    }
  }

  async write(sql: Sql, kind: Database['kind']): Promise<void> {
    const values = (rows: Map<string, Row>) => [...rows.values()].map(({ key, cost, sums }) => [...key, cost, ...sums])
    await addUp(sql, kind, 'record_hours', ['hour', 'series'], SUMS, values(this.#rows))
    if (this.#byMetadata.size)
      await addUp(
        sql,
        kind,
        'record_hours_by_metadata',
        ['hour', 'gateway', 'name', 'value'],
        SUMS_BY_METADATA,
        values(this.#byMetadata),
      )
  }
}

function rowOf(rows: Map<string, Row>, id: string, key: Value[], sums: number): Row {
  return rows.getOrInsertComputed(id, () => ({ key, cost: 0n, sums: Array<number>(sums).fill(0) }))
}

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

/** Keeps what is counted by metadata within bounds: of each key so many values in an hour. */
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
