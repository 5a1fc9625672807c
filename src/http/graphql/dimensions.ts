import type { Dimension } from '../../storage/records/analytics.ts'
import type { StoredRecord } from '../../storage/records/types.ts'

/** What tells logs apart in the GraphQL datasets (contract 9.2). Truth is 0 or 1, as with Cloudflare. */

export type Scalar = string | number | null

/** What of a cell a dimension is made of: its time, and the dimensions of the sums or the log itself. */
export interface Told {
  /** Milliseconds since 1970. */
  at: number
  sums: Partial<Record<Dimension, string | number | boolean | null>>
  record?: StoredRecord
}

interface Said {
  type: 'Time' | 'Date' | 'string' | 'uint8' | 'uint16' | 'uint64' | 'float64'
  /** How long a step of time is, in milliseconds. */
  step?: number
  /** What it is made of in the sums of hours; left out where only the logs themselves tell. */
  of?: readonly Dimension[]
  value(told: Told): Scalar
}

const MINUTE = 60_000
export const HOUR = 60 * MINUTE
export const DAY = 24 * HOUR

const secondsOf = (at: number) => `${new Date(at).toISOString().slice(0, 19)}Z`
const time = (step: number): Said => ({ type: 'Time', step, value: ({ at }) => secondsOf(at - (at % step)) })
const truth = (value: unknown): Scalar => (value === true ? 1 : 0)
const text = (value: string | number | boolean | null | undefined): Scalar => (value == null ? '' : String(value))

export const dimensions = {
  date: { type: 'Date', step: DAY, value: ({ at }) => new Date(at).toISOString().slice(0, 10) },
  datetime: time(1_000),
  datetimeMinute: time(MINUTE),
  datetimeFiveMinutes: time(5 * MINUTE),
  datetimeFifteenMinutes: time(15 * MINUTE),
  datetimeHour: time(HOUR),
  gateway: { type: 'string', of: ['gateway'], value: ({ sums }) => text(sums.gateway) },
  provider: { type: 'string', of: ['provider'], value: ({ sums }) => text(sums.provider) },
  // Told with their provider since September 2026 (contract 9.1).
  model: { type: 'string', of: ['provider', 'model'], value: ({ sums }) => modelOf(sums.provider, sums.model) },
  cached: { type: 'uint8', of: ['cached'], value: ({ sums }) => truth(sums.cached) },
  error: { type: 'uint8', of: ['status'], value: ({ sums }) => truth(Number(sums.status) >= 400) },
  rateLimited: { type: 'uint8', of: ['status'], value: ({ sums }) => truth(sums.status === 429) },
  statusCode: { type: 'uint16', of: ['status'], value: ({ sums }) => Number(sums.status) },
  wholesale: { type: 'uint8', of: [], value: () => 0 },
  token: { type: 'string', of: ['token'], value: ({ sums }) => text(sums.token) },
  cacheStatus: { type: 'string', of: ['cached'], value: ({ sums }) => (sums.cached ? 'HIT' : 'MISS') },
  cost: { type: 'float64', value: ({ record }) => (record?.cost ?? 0) / 1e12 },
  durationMs: { type: 'float64', value: ({ record }) => record?.duration ?? 0 },
  tokensIn: { type: 'uint64', value: ({ record }) => record?.tokensIn ?? 0 },
  tokensOut: { type: 'uint64', value: ({ record }) => record?.tokensOut ?? 0 },
  userAgent: { type: 'string', value: ({ record }) => text(record?.userAgent) },
  metadataRaw: { type: 'string', value: ({ record }) => (record?.metadata ? JSON.stringify(record.metadata) : '') },
} as const satisfies Record<string, Said>

export type DimensionName = keyof typeof dimensions
export const dimensionNames = Object.keys(dimensions) as DimensionName[]
export const dimension = (name: DimensionName): Said => dimensions[name]

/** The sums' own values of a log. */
export const sumsOf = (record: StoredRecord): Told['sums'] => ({
  gateway: record.gateway,
  provider: record.provider ?? null,
  model: record.model ?? null,
  token: record.token ?? null,
  status: record.status,
  cached: record.cached,
})

function modelOf(provider: Told['sums']['provider'], model: Told['sums']['model']): string {
  if (model == null) return ''
  return provider == null ? String(model) : `${provider}/${model}`
}
