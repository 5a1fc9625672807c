import type { Cost } from '../../costs/cost.ts'
import type { Decision, Surface } from '../../telemetry/attempt-record.ts'

export type Metadata = Readonly<Record<string, string | number | boolean | null>>

/** A record as it is kept, without its bodies. */
export interface StoredRecord {
  id: string
  event: string
  request: string
  gateway: string
  /** Milliseconds since 1970. */
  at: number
  /** Milliseconds, to a tenth, as the two below. */
  duration: number
  firstByte?: number
  firstWord?: number
  method: string
  path: string
  surface: Surface
  provider?: string
  model?: string
  asked?: string
  step?: number
  attempt: number
  status: number
  /** The status is below 400. */
  success: boolean
  stream: boolean
  cached: boolean
  token?: string
  key?: { of: 'caller' | 'house' | 'store'; alias?: string }
  userAgent?: string
  /** Content types. */
  requestType?: string
  answerType?: string
  /** `text-generation`, `text-embeddings`, … and `chat`, `completion`, … as far as the path tells. */
  modelType?: string
  requestKind?: string
  tokensIn?: number
  tokensOut?: number
  tokensCached?: number
  tokensWritten?: number
  tokensReasoning?: number
  /** The tokens were counted here, because the provider told none. */
  estimated: boolean
  /** Picodollars. */
  cost?: number
  customCost: boolean
  metadata?: Metadata
  feedback?: number
  score?: number
  requestSize: number
  answerSize: number
  error?: { code: string; number?: number }
  trace?: { traceId?: string; parentSpanId?: string; traceparent?: string }
}

/** Which of the bodies. `explain` is ours: an {@link Explained} as JSON. */
export type BodyName = 'request' | 'upstream-request' | 'answer' | 'upstream-answer' | 'explain'

export interface Explained {
  decisions?: readonly Decision[]
  cost?: Cost
}

export interface StoredBody {
  bytes: Uint8Array<ArrayBuffer>
  /** Bytes that it had when it passed. */
  size: number
  /** It was longer than what is kept. */
  cut?: boolean
  /** A stream that was put together into one reply. */
  assembled?: boolean
  /** Secrets, pictures or sound in it were replaced. */
  replaced?: number
}

export const FILTER_KEYS = [
  'id',
  'created_at',
  'request_content_type',
  'response_content_type',
  'request_type',
  'success',
  'cached',
  'provider',
  'model',
  'model_type',
  'cost',
  'tokens',
  'tokens_in',
  'tokens_out',
  'duration',
  'feedback',
  'event_id',
  'metadata.key',
  'metadata.value',
  'authentication',
  'wholesale',
  'compatibilityMode',
  'dlp_action',
  'user_agent',
  // Not of Cloudflare's.
  'status_code',
  'error',
  'path',
  'token',
  'key',
] as const
export type FilterKey = (typeof FILTER_KEYS)[number]

export const OPERATORS = ['eq', 'neq', 'contains', 'lt', 'gt'] as const
export type Operator = (typeof OPERATORS)[number]

/** One of several that all must hold; of its values one suffices, and `neq` is none of them (contract section 8.2). */
export interface RecordFilter {
  key: FilterKey
  operator: Operator
  /** As they came: they are read by what the key is. */
  value: readonly (string | number | boolean | null)[]
}

export const ORDERS = [
  'created_at',
  'provider',
  'model',
  'model_type',
  'success',
  'cached',
  'cost',
  'tokens_in',
  'tokens_out',
  'duration',
  'feedback',
] as const
export type Order = (typeof ORDERS)[number]

export interface Selection {
  filters?: readonly RecordFilter[]
  /** Text within the metadata, in small or capital letters. */
  search?: string
  /** `created_at` when left out. What has no such value comes last. */
  orderBy?: Order
  /** `desc` when left out. */
  direction?: 'asc' | 'desc'
}

export interface RecordQuery extends Selection {
  /** From 1. */
  page?: number
  /** 20 when left out. */
  perPage?: number
  /** Whether the least and the most of the numbers are wanted. */
  metaInfo?: boolean
}

export interface Extent {
  min: number
  max: number
}

/** Picodollars and milliseconds; what no record has is left out. */
export type MetaInfo = Partial<Record<'cost' | 'duration' | 'tokensIn' | 'tokensOut' | 'tokens', Extent>>

export interface RecordPage {
  records: StoredRecord[]
  /** All that the filters let through. */
  total: number
  metaInfo?: MetaInfo
}

/** What a client may change of a record; null takes it away, and what is left out stays. */
export interface RecordChange {
  feedback?: number | null
  score?: number | null
  metadata?: Metadata | null
}

/** A filter that makes no sense; the message names it and tells nothing of its values. */
export class RecordQueryFault extends Error {
  override readonly name = 'RecordQueryFault'
  /** Which filter, from 0. */
  readonly index: number

  constructor(index: number, message: string) {
    super(message)
    this.index = index
  }
}
