import type { AttemptRecord, Surface } from '../../telemetry/attempt-record.ts'
import type { StoredRecord } from './types.ts'

/**
 * What many records have in common: it is kept once, and a record names it by a number. So a row is small, and a filter
 * on any of these looks at the kinds instead of the rows.
 */
export interface Kind {
  provider: string | null
  model: string | null
  token: string | null
  status: number
  cached: boolean
  surface: Surface
  method: string
  path: string | null
  asked: string | null
  keyOf: 'caller' | 'house' | 'store' | null
  keyAlias: string | null
  userAgent: string | null
  requestType: string | null
  answerType: string | null
  stream: boolean
  customCost: boolean
  estimated: boolean
  errorCode: string | null
  errorNumber: number | null
}

/** In the order in which they stand in the text of a kind; only ever added to. */
const MEMBERS = [
  'provider',
  'model',
  'token',
  'status',
  'cached',
  'surface',
  'method',
  'path',
  'asked',
  'keyOf',
  'keyAlias',
  'userAgent',
  'requestType',
  'answerType',
  'stream',
  'customCost',
  'estimated',
  'errorCode',
  'errorNumber',
] as const satisfies (keyof Kind)[]

/** What callers write as they like, and what would make a kind of each record if every one wrote something else. */
export type Free = Pick<Kind, 'model' | 'path' | 'asked' | 'userAgent' | 'requestType' | 'answerType'>

const LONGEST = 300

/** Headers and addresses may be long; what is cut off says so. */
const short = (text: string | undefined) =>
  text === undefined ? null : text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text

/** As text: a list, which is also what tells one kind from another. */
export function kindText(record: AttemptRecord, free: Free): string {
  const { key, error } = record
  return JSON.stringify([
    record.provider ?? null,
    free.model,
    record.token ?? null,
    record.status,
    record.cached ? 1 : 0,
    record.surface,
    record.method,
    free.path,
    free.asked,
    key?.of ?? null,
    key?.alias ?? null,
    free.userAgent,
    free.requestType,
    free.answerType,
    record.stream ? 1 : 0,
    record.customCost ? 1 : 0,
    record.usage?.source === 'estimated' ? 1 : 0,
    short(error?.code),
    error?.number ?? null,
  ])
}

export const freeOf = (record: AttemptRecord): Free => ({
  model: short(record.model),
  path: short(record.path),
  asked: short(record.asked),
  userAgent: short(record.userAgent),
  requestType: short(record.requestType),
  answerType: short(record.answerType),
})

export const NOT_FREE: Free = {
  model: null,
  path: null,
  asked: null,
  userAgent: null,
  requestType: null,
  answerType: null,
}

const TRUTHS = new Set<string>(['cached', 'stream', 'customCost', 'estimated'])

export function kindOf(text: string): Kind {
  const values = JSON.parse(text) as unknown[]
  const kind: Record<string, unknown> = {}
  for (const [index, name] of MEMBERS.entries())
    kind[name] = TRUTHS.has(name) ? values[index] === 1 : (values[index] ?? null)
  return kind as unknown as Kind
}

/** A kind as a record says it. */
export function saidBy(kind: Kind): Partial<StoredRecord> {
  const said: Partial<StoredRecord> = {
    method: kind.method,
    path: kind.path ?? '',
    surface: kind.surface,
    status: kind.status,
    success: kind.status < 400,
    stream: kind.stream,
    cached: kind.cached,
    estimated: kind.estimated,
    customCost: kind.customCost,
    ...taskOf(kind.path),
  }
  for (const name of ['provider', 'model', 'asked', 'token', 'userAgent', 'requestType', 'answerType'] as const)
    if (kind[name] !== null) said[name] = kind[name]
  if (kind.keyOf) said.key = { of: kind.keyOf, ...(kind.keyAlias !== null && { alias: kind.keyAlias }) }
  if (kind.errorCode !== null)
    said.error = { code: kind.errorCode, ...(kind.errorNumber !== null && { number: kind.errorNumber }) }
  return said
}

/** By the end of the path, in the words of Workers AI's task names; the first that fits. */
const TASKS: readonly [RegExp, modelType: string, requestKind: string][] = [
  [/embed/i, 'text-embeddings', 'embeddings'],
  [/images?\/|imagen|:predict\b|text-to-image/i, 'text-to-image', 'image'],
  [/transcriptions|translations|speech-to-text|listen/i, 'automatic-speech-recognition', 'transcription'],
  [/speech|text-to-speech|speak/i, 'text-to-speech', 'speech'],
  [/rerank/i, 'text-ranking', 'rerank'],
  [/moderations/i, 'text-classification', 'moderation'],
  [/realtime/i, 'text-generation', 'realtime'],
  [/responses$/i, 'text-generation', 'response'],
  [/chat|messages|generateContent|converse|invoke|predictions|compat$/i, 'text-generation', 'chat'],
  [/completions?$|generate$/i, 'text-generation', 'completion'],
]

/** What is asked of a model, as far as the address tells. */
export function taskOf(path: string | null): { modelType?: string; requestKind?: string } {
  if (path === null) return {}
  const found = TASKS.find(([pattern]) => pattern.test(path))
  return found ? { modelType: found[1], requestKind: found[2] } : {}
}
