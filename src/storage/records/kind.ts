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
export type Free = Record<'model' | 'path' | 'asked' | 'userAgent' | 'requestType' | 'answerType', string>

const LONGEST = 300
/** Stands between the members of a kind's text. */
const UNIT = '\u001f'

/** Headers and addresses may be long; what is cut off says so. */
function short(text: string | undefined): string {
  if (text === undefined) return ''
  const cut = text.length > LONGEST ? `${text.slice(0, LONGEST - 1)}…` : text
  return cut.includes(UNIT) ? cut.replaceAll(UNIT, ' ') : cut
}

/** As text, in which what is not there is empty. It tells one kind from another, and is written once for each. */
export function kindText(record: AttemptRecord, free: Free): string {
  const { key, error, provider = '', token = '', status, cached, surface, method, stream, customCost, usage } = record
  const { model, path, asked, userAgent, requestType, answerType } = free
  const about = `${provider}${UNIT}${model}${UNIT}${token}${UNIT}${status}${UNIT}${cached ? 1 : 0}${UNIT}${surface}${UNIT}${method}${UNIT}${path}${UNIT}${asked}`
  const by = `${key?.of ?? ''}${UNIT}${key?.alias ?? ''}${UNIT}${userAgent}${UNIT}${requestType}${UNIT}${answerType}`
  const how = `${stream ? 1 : 0}${UNIT}${customCost ? 1 : 0}${UNIT}${usage?.source === 'estimated' ? 1 : 0}`
  return `${about}${UNIT}${by}${UNIT}${how}${UNIT}${short(error?.code)}${UNIT}${error?.number ?? ''}`
}

export const freeOf = (record: AttemptRecord): Free => ({
  model: short(record.model),
  path: short(record.path),
  asked: short(record.asked),
  userAgent: short(record.userAgent),
  requestType: short(record.requestType),
  answerType: short(record.answerType),
})

export const NOT_FREE: Free = { model: '', path: '', asked: '', userAgent: '', requestType: '', answerType: '' }

const TRUTHS = new Set<string>(['cached', 'stream', 'customCost', 'estimated'])
const NUMBERS = new Set<string>(['status', 'errorNumber'])

export function kindOf(text: string): Kind {
  const values = text.split(UNIT)
  const kind: Record<string, unknown> = {}
  for (const [index, name] of MEMBERS.entries()) {
    const value = values[index] || null
    if (TRUTHS.has(name)) kind[name] = value === '1'
    else kind[name] = NUMBERS.has(name) && value !== null ? Number(value) : value
  }
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
