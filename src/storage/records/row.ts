import type { AttemptRecord } from '../../telemetry/attempt-record.ts'
import type { Value } from '../database.ts'
import { bytesOfUuid, uuidOf } from './ids.ts'
import { type Free, type Kind, saidBy, taskOf } from './kind.ts'
import type { Metadata, StoredRecord } from './types.ts'

/** The columns of a row, in the order of {@link rowValues}. */
export const ROW_COLUMNS = [
  'seq',
  'id',
  'gateway',
  'kind',
  'at',
  'duration',
  'first_byte',
  'first_word',
  'tokens_in',
  'tokens_out',
  'tokens_cached',
  'tokens_written',
  'tokens_reasoning',
  'cost',
  'metadata',
  'request_size',
  'answer_size',
  'step',
  'attempt',
  'request',
  'event',
  'more',
] as const

/** What the database gives of a row. */
export interface Row {
  seq: number
  id: Uint8Array
  gateway: number
  kind: number
  at: number
  duration: number
  first_byte: number | null
  first_word: number | null
  tokens_in: number | null
  tokens_out: number | null
  tokens_cached: number | null
  tokens_written: number | null
  tokens_reasoning: number | null
  cost: number | null
  metadata: number
  request_size: number
  answer_size: number
  step: number | null
  attempt: number
  feedback: number | null
  score: number | null
  request: Uint8Array | null
  event: string | null
  more: string | null
}

/** What few records have. */
interface More {
  trace?: AttemptRecord['trace']
  /** An id of the request that is no UUID. */
  request?: string
  /** What else was used: sound, pictures, searches, another service tier than the usual, as the usage names it. */
  usage?: Record<string, unknown>
  /** What did not go into a kind, because there were too many of them. */
  free?: Partial<Free>
}

/** What is not a count and not kept in a column of its own. */
const IN_COLUMNS = new Set(['input', 'output', 'cacheRead', 'cacheWrite', 'reasoning', 'source', 'native'])

/** Times are kept in tenths of a millisecond. */
export const TENTHS = 10

/** Counts are whole numbers that a column of 32 bits holds; the last of them means none. */
export const MOST_COUNT = 0xffff_fffe

export const count = (value: number | undefined): number | null =>
  value === undefined || !(value >= 0) ? null : Math.min(MOST_COUNT, Math.round(value))

/** Picodollars. */
export function costOf({ cost }: AttemptRecord): number | null {
  return cost && Number.isSafeInteger(cost.pico) && cost.pico >= 0 ? cost.pico : null
}

const timeOf = (milliseconds: number | undefined) => (milliseconds === undefined ? null : count(milliseconds * TENTHS))

/** The place of the number that is known only when the batch is written. */
export const METADATA_PLACE = ROW_COLUMNS.indexOf('metadata')

/**
 * Adds a row's values to those of others.
 * @param placed where the row stands: the numbers of the row, its gateway, kind and metadata
 */
export function addRow(
  values: Value[],
  record: AttemptRecord,
  id: Uint8Array,
  placed: { seq: number; gateway: number; kind: number; metadata: number },
  free?: Free,
): void {
  const { usage, request, event } = record
  const requestId = request === record.id ? undefined : bytesOfUuid(request)
  values.push(
    placed.seq,
    id,
    placed.gateway,
    placed.kind,
    Math.round(record.at),
    count(record.duration * TENTHS) ?? 0,
    timeOf(record.firstByte),
    timeOf(record.firstWord),
    count(usage?.input),
    count(usage?.output),
    count(usage?.cacheRead),
    count(usage?.cacheWrite),
    count(usage?.reasoning),
    costOf(record),
    placed.metadata,
    count(record.requestSize) ?? 0,
    count(record.answerSize) ?? 0,
    record.step ?? null,
    record.attempt,
    requestId ?? null,
    event === request ? null : event,
    moreOf(record, requestId !== undefined, free),
  )
}

function moreOf({ trace, usage, request, id }: AttemptRecord, hasRequest: boolean, free?: Free): string | null {
  let more: More | undefined
  if (trace) more = { trace }
  if (free) more = { ...more, free }
  if (request !== id && !hasRequest) more = { ...more, request }
  for (const name in usage) {
    if (IN_COLUMNS.has(name)) continue
    const value: unknown = usage[name as keyof typeof usage]
    if (value !== undefined && value !== 0 && value !== 'default')
      more = { ...more, usage: { ...more?.usage, [name]: value } }
  }
  return more ? JSON.stringify(more) : null
}

/** The record that a row stands for. */
export function recordOf(row: Row, kind: Kind, gateway: string, metadata: Metadata | undefined): StoredRecord {
  const more = row.more ? (JSON.parse(row.more) as More) : {}
  const id = uuidOf(row.id)
  const request = more.request ?? (row.request ? uuidOf(row.request) : id)
  const record: Record<string, unknown> = {
    id,
    event: row.event ?? request,
    request,
    gateway,
    at: Number(row.at),
    duration: Number(row.duration) / TENTHS,
    ...saidBy(kind),
    attempt: Number(row.attempt),
    requestSize: Number(row.request_size),
    answerSize: Number(row.answer_size),
    ...(metadata && { metadata }),
    ...(more.trace && { trace: more.trace }),
  }
  const put = (name: keyof StoredRecord, value: number | null, by = 1) => {
    if (value !== null) record[name] = Number(value) / by
  }
  put('firstByte', row.first_byte, TENTHS)
  put('firstWord', row.first_word, TENTHS)
  put('tokensIn', row.tokens_in)
  put('tokensOut', row.tokens_out)
  put('tokensCached', row.tokens_cached)
  put('tokensWritten', row.tokens_written)
  put('tokensReasoning', row.tokens_reasoning)
  put('cost', row.cost)
  put('step', row.step)
  put('feedback', row.feedback)
  put('score', row.score)
  for (const [name, value] of Object.entries(more.free ?? {})) if (value) record[name] = value
  if (more.free?.path) Object.assign(record, taskOf(more.free.path))
  return record as unknown as StoredRecord
}
