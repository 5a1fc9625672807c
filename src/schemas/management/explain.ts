import { type Static, Type } from '@sinclair/typebox'
import { open, word } from '../open.ts'
import { enveloped } from './envelope.ts'

/** What happened to a request, as `postern explain` and `GET …/logs/{id}/explain` tell it. Not of Cloudflare's. */

const text = (description: string) => Type.String({ description })
const milliseconds = (description: string) => Type.Number({ description: `${description}, in milliseconds.` })
const maybe = Type.Optional

const Setting = open({
  name: text('As the gateway’s settings call it.'),
  value: Type.Union([Type.String(), Type.Number(), Type.Boolean()]),
  from: word(['header', 'step', 'config', 'route', 'file', 'api', 'default'], {
    description:
      'A header of the request, a header or the `config` of a step, an element of a route, the configuration file, the management API, or nobody.',
  }),
  at: maybe(text('The header, or the file and line.')),
  instead_of: maybe(
    Type.Union([Type.String(), Type.Number(), Type.Boolean()], { description: 'What the gateway says.' }),
  ),
})

const Turn = open({
  node: text('The id of the element.'),
  type: Type.String(),
  output: text('The output that was taken; `end` where the route ended.'),
  why: Type.String(),
})

const Cache = open({
  hit: Type.Boolean(),
  why: maybe(text('Why it was not asked.')),
  key: maybe(text('Under which the answer is kept.')),
  ttl: maybe(Type.Integer({ description: 'Seconds that the answer is kept.' })),
  named: maybe(Type.Boolean({ description: 'The caller named the key; nothing else counts then.' })),
  parts: maybe(
    Type.Array(open({ name: Type.String(), value: Type.String() }), {
      description: 'What the key is made of; the body counts too, whatever the order of its members.',
    }),
  ),
})

const Limit = open({
  key: text('The counter.'),
  counts: text('`requests`, `tokens` or `cost`.'),
  taken: text('What was taken before the provider was asked; corrected to what was used.'),
  limit: Type.String(),
  window: Type.String(),
})

const Attempt = open({
  log_id: Type.String(),
  step: maybe(Type.Integer({ description: 'Of a list or a route, from 0.' })),
  attempt: Type.Integer({ description: 'Of the step, from 1.' }),
  provider: maybe(Type.String()),
  model: maybe(Type.String()),
  status: Type.Integer(),
  error: maybe(open({ code: Type.String(), number: maybe(Type.Integer()) })),
  cached: Type.Boolean({ description: 'From our own cache.' }),
  answered: Type.Boolean({ description: 'This is what the client got.' }),
  key: maybe(text('Whose key was used.')),
  pool_member: maybe(text('Which of several keys or deployments was chosen.')),
  started: milliseconds('From the beginning of the request'),
  first_byte: maybe(milliseconds('The provider’s status line, from the beginning of the request')),
  first_word: maybe(milliseconds('The first piece of a stream to the client, from the beginning of the request')),
  ended: milliseconds('From the beginning of the request'),
  tokens_in: maybe(Type.Integer()),
  tokens_out: maybe(Type.Integer()),
  cost: maybe(text('US dollars, exactly.')),
  limits: Type.Array(Limit),
})

const Change = open({
  change: word(['kept', 'changed', 'moved', 'dropped', 'added']),
  path: text('Where in the client’s body, or in the provider’s for what was added: `messages[0].content`.'),
  to: maybe(text('Where in the provider’s body, where that is another place.')),
  before: maybe(text('What the client wrote, as JSON; long values are cut.')),
  after: maybe(text('What the provider got, as JSON; long values are cut.')),
})

const Bodies = open({
  kept: Type.Boolean(),
  note: text('In a sentence: what became of the body, or why it is not known.'),
  from: maybe(text('The dialect of the client.')),
  to: maybe(text('The dialect of the provider.')),
  dropped: Type.Array(Type.String(), { description: 'What the header `postern-dropped` told of.' }),
  changes: Type.Array(Change),
  omitted: Type.Integer({ description: 'Further changes, which are too many to be told.' }),
})

const CostLine = open({
  what: text('`input`, `output`, `cacheRead`, …'),
  units: Type.Number(),
  each: text('US dollars for one, exactly.'),
  amount: text('US dollars, exactly: units × each.'),
})

const Cost = open({
  amount: maybe(text('US dollars; left out where no price is known.')),
  lines: Type.Array(CostLine),
  note: text('Where the prices come from, or why there are none.'),
  source: maybe(word(['file', 'list', 'file and list', 'header'])),
  tier: maybe(text('The service tier whose price was taken.')),
  estimated: Type.Boolean({ description: 'The tokens were counted here, because the provider told none.' }),
  unpriced: Type.Array(Type.String(), { description: 'What was used and has no price.' }),
  all_attempts: maybe(text('US dollars of all attempts together, where there are several.')),
})

const Answer = open({
  note: maybe(text('Why nothing is known of it.')),
  text: maybe(text('Its beginning.')),
  finish: maybe(Type.String()),
  model: maybe(text('Which model says that it answered.')),
  tool_calls: Type.Array(Type.String()),
  error: maybe(Type.String()),
  assembled: Type.Boolean({ description: 'It was a stream, put together.' }),
})

export const LogExplanation = open(
  {
    summary: text('In one sentence.'),
    log_id: text('The attempt that bodies, cost and answer are told of.'),
    request_id: Type.String(),
    event_id: maybe(text('The caller’s own word for what the request is part of.')),
    other_requests: Type.Array(Type.String(), { description: 'Of the same event, where that was asked for.' }),
    at: Type.String({ format: 'date-time' }),
    duration: milliseconds('Of all attempts'),
    status: Type.Integer(),
    token: Type.Union([Type.String(), Type.Null()], { description: 'The name of the caller’s token.' }),
    authentication: text('In a few words.'),
    user_agent: maybe(Type.String()),
    gateway: Type.String(),
    method: Type.String(),
    path: Type.String(),
    surface: Type.String(),
    asked: maybe(text('The model’s name in the client’s words.')),
    metadata: maybe(
      Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])),
    ),
    settings: Type.Array(Setting),
    ignored_headers: maybe(text('Headers that have no effect.')),
    route: Type.Array(Turn),
    cache: Cache,
    attempts: Type.Array(Attempt),
    bodies: Bodies,
    answer: Answer,
    cost: Cost,
  },
  { $id: 'LogExplanation' },
)
export type LogExplanation = Static<typeof LogExplanation>
export type BodyChange = Static<typeof Change>

export const LogExplanationAnswer = enveloped('LogExplanationAnswer', LogExplanation)
