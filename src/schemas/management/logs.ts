import { type Static, Type } from '@sinclair/typebox'
import { ORDERS } from '../../storage/records/types.ts'
import { nullable, open, word } from '../open.ts'
import { enveloped, Paging, ResultInfo } from './envelope.ts'

/** Logs: a record for each attempt (contract 8.1 and 8.2). */

const count = (description: string) => Type.Integer({ description })
const flag = (description: string) => Type.Boolean({ description })
const said = (description: string) => Type.Optional(Type.String({ description }))
const milliseconds = (description: string) => Type.Number({ description: `${description}, in milliseconds.` })
const tokens = (description: string) => nullable(Type.Integer(), { description })
const feedback = nullable(Type.Integer({ minimum: -1, maximum: 1 }), {
  description: 'Thumbs: 1 is up; -1, or 0, down.',
})
const score = nullable(Type.Number({ minimum: 0, maximum: 100 }))

export const Log = open(
  {
    id: Type.String({ description: 'A UUID of version 7; answers tell it as `cf-aig-log-id`.' }),
    created_at: Type.String({ format: 'date-time' }),
    provider: Type.String({ description: 'Empty where none was chosen.' }),
    model: Type.String({ description: 'Empty where none was asked for.' }),
    path: Type.String(),
    duration: milliseconds('To the end'),
    success: flag('The status is below 400.'),
    cached: flag('From the gateway’s own cache.'),
    tokens_in: tokens('Those that the provider had in its cache count, too.'),
    tokens_out: tokens('Reasoning counts, too.'),
    cost: Type.Optional(Type.Number({ description: 'USD.' })),
    custom_cost: flag('The caller said what it costs.'),
    metadata: said('A JSON object, as text.'),
    model_type: said('What the model does: `text-generation`, `text-embeddings`, …'),
    request_type: said('`chat`, `embeddings`, …'),
    request_content_type: said(''),
    response_content_type: said(''),
    status_code: count('499: the client left.'),
    step: Type.Optional(count('Of a list of steps or of a route, from 0.')),
    event_id: Type.String({ description: 'The caller’s own word, or the request’s id.' }),
    usage_metadata: Type.Optional(
      open({
        input_tokens: Type.Optional(Type.Integer()),
        output_tokens: Type.Optional(Type.Integer()),
        total_tokens: Type.Optional(Type.Integer()),
        output_reasoning_tokens: Type.Optional(Type.Integer()),
        input_cached_tokens: Type.Optional(Type.Integer()),
        input_cache_write_tokens: Type.Optional(Type.Integer()),
        estimated: Type.Optional(flag('Counted by the gateway, because the provider told nothing.')),
      }),
    ),
    timings: open({
      total: milliseconds('To the end'),
      latency: Type.Optional(milliseconds('To the first byte of the answer')),
      first_word: Type.Optional(milliseconds('To the first byte of a stream that went to the client')),
    }),
    feedback,
    score,
    user_agent: said(''),
    authentication: flag('There was a token.'),
    wholesale: flag('Never: a gateway of one’s own sells nothing.'),
    byok: flag('The provider’s key was a stored or declared one.'),
    compatibilityMode: flag('It came to the address in OpenAI’s form.'),
    request_id: Type.String({ description: 'One for all steps and attempts of a request.' }),
    attempt: count('From 1.'),
    method: Type.String(),
    stream: flag('The answer came as events.'),
    asked_model: said('The model as the client named it, where it is another: `dynamic/support`.'),
    token: said('The name of the caller’s token.'),
    key: said('The alias of the provider’s key.'),
    error: Type.Optional(open({ code: Type.String(), number: Type.Optional(Type.Integer()) })),
  },
  { $id: 'Log' },
)

const head = (of: string) => said(`The beginning of the ${of}; left out where none is on record.`)
const whole = Type.Optional(flag('That is all of it.'))
const size = count('Bytes, as they passed.')

export const LogDetail = open(
  {
    ...Log.properties,
    request_head: head('request'),
    request_head_complete: whole,
    request_size: size,
    response_head: head('answer'),
    response_head_complete: whole,
    response_size: size,
  },
  { $id: 'LogDetail' },
)

/** Entries of metadata that a log may have. */
export const MOST_ENTRIES = 20
export const LONGEST_ENTRY = 1_000
export const LogChange = open(
  {
    feedback: Type.Optional(feedback),
    score: Type.Optional(score),
    metadata: Type.Optional(
      nullable(
        Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]), {
          description: `In the place of what was there; at most ${MOST_ENTRIES} entries of ${LONGEST_ENTRY} characters.`,
        }),
      ),
    ),
  },
  { $id: 'LogChange', description: 'What is to be different; null takes it away.' },
)

const direction = word(['asc', 'desc'], { description: '`desc` when left out.' })
const orderBy = word([...ORDERS], { description: '`created_at` when left out. What has no such value comes last.' })
const bound = (description: string) =>
  Type.Optional(Type.Number({ deprecated: true, description: `${description}; use filters.` }))
const old = { deprecated: true, description: 'Use filters.' }

/** What narrows a list of logs beside `filters`, which stands in no schema: it may come in several forms. */
const narrowing = {
  search: Type.Optional(Type.String({ maxLength: 500, description: 'Text within the metadata.' })),
  direction: Type.Optional(word(['asc', 'desc'], { deprecated: true, description: 'Use order_by_direction.' })),
  start_date: Type.Optional(Type.String(old)),
  end_date: Type.Optional(Type.String(old)),
  feedback: Type.Optional(Type.Integer({ minimum: -1, maximum: 1, ...old })),
  cached: Type.Optional(Type.Boolean(old)),
  success: Type.Optional(Type.Boolean(old)),
  model: Type.Optional(Type.String(old)),
  model_type: Type.Optional(Type.String(old)),
  provider: Type.Optional(Type.String(old)),
  request_content_type: Type.Optional(Type.String(old)),
  response_content_type: Type.Optional(Type.String(old)),
  min_cost: bound('USD'),
  max_cost: bound('USD'),
  min_duration: bound('Milliseconds'),
  max_duration: bound('Milliseconds'),
  min_tokens_in: bound('Tokens'),
  max_tokens_in: bound('Tokens'),
  min_tokens_out: bound('Tokens'),
  max_tokens_out: bound('Tokens'),
  min_total_tokens: bound('Tokens'),
  max_total_tokens: bound('Tokens'),
}

const order = { order_by: Type.Optional(orderBy), order_by_direction: Type.Optional(direction) }

export const Narrowing = open({ ...order, ...narrowing })

export const LogsQuery = open({
  ...Paging.properties,
  meta_info: Type.Optional(Type.Boolean({ description: 'Whether `result_info` tells the least and the most.' })),
  ...order,
  ...narrowing,
})

export const DeleteLogsQuery = open({
  limit: Type.Optional(Type.Integer({ minimum: 1, description: 'How many go at most; all that fit when left out.' })),
  ...order,
})

export const ExportQuery = open({
  bodies: Type.Optional(Type.Boolean({ description: 'With `request` and `response`.' })),
  order_by_direction: Type.Optional(word(['asc', 'desc'], { description: 'By time; `asc` when left out.' })),
  ...narrowing,
})

export const LogLine = open(
  {
    ...Log.properties,
    request: said('The body; with `bodies` only.'),
    request_encoding: said('`base64` where the body is no text.'),
    response: said('The body; with `bodies` only.'),
    response_encoding: said('`base64` where the body is no text.'),
  },
  { $id: 'LogLine', description: 'One line of an export.' },
)

const extent = Type.Optional(Type.Number())
const LogResultInfo = open(
  {
    ...ResultInfo.properties,
    ...Object.fromEntries(
      ['cost', 'duration', 'tokens_in', 'tokens_out', 'total_tokens'].flatMap(name => [
        [`min_${name}`, extent],
        [`max_${name}`, extent],
      ]),
    ),
  },
  { $id: 'LogResultInfo', description: 'With `meta_info`, what no log has is left out.' },
)

export const LogAnswer = enveloped('LogAnswer', LogDetail)
export const ChangedLogAnswer = enveloped('ChangedLogAnswer', Log)
export const LogPage = open(
  { ...enveloped('', Type.Array(Log)).properties, result_info: LogResultInfo },
  { $id: 'LogPage' },
)
export const DeletedLogs = open({ success: Type.Literal(true) }, { $id: 'DeletedLogs' })

export type Log = Static<typeof Log>
export type LogDetail = Static<typeof LogDetail>
export type LogLine = Static<typeof LogLine>
export type LogChange = Static<typeof LogChange>
export type Narrowing = Static<typeof Narrowing>
