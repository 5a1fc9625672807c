import { type Static, type TLiteral, type TProperties, type TSchema, Type } from '@sinclair/typebox'
import { open } from './open.ts'

/**
 * Dynamic routes (contract section 7): a graph of elements that leads a request to a model. What is answered keeps to
 * the current names strictly. What is sent or stands in the file is read leniently by `gateway/routes/read-graph.ts`,
 * which knows the older names and tells every fault at once; here it is only documented, so that the schema does not
 * speak first and say less.
 */

// Not from gateway.ts, whose settings hold these.
const optional = Type.Optional
const choice = <const T extends string>(words: readonly T[], about: Record<string, unknown> = {}) =>
  Type.Union(words.map(word => Type.Literal(word)) as TLiteral<T>[], about)
const closed = <P extends TProperties>(properties: P, about: Record<string, unknown> = {}) =>
  Type.Object(properties, { additionalProperties: false, ...about })

const Id = Type.String({ minLength: 1, maxLength: 128, description: 'Your name for the element.', examples: ['big'] })
const Target = closed({ elementId: Type.String({ minLength: 1, description: 'The id of the element that follows.' }) })
/** In the file the id alone will do. */
const Towards = Type.Union([Target, Type.String({ minLength: 1, description: 'The id of the element that follows.' })])

const SHARE = '^(?:\\d+(?:\\.\\d+)?%|else)$'
const FIELD = 'body.…, headers.… or metadata.…'

const Conditions = Type.Record(Type.String(), Type.Unknown(), {
  description:
    'A query over body.*, headers.* and metadata.*: $eq $ne $gt $gte $lt $lte $in $nin $and $or $not $exists $regex $contains; a bare value means $eq.',
  examples: [{ 'metadata.plan': { $eq: 'paid' } }],
})
const Sticky = Type.String({
  description: `The same branch for the same value of this field (${FIELD}).`,
  examples: ['metadata.user_id'],
})
const LimitType = choice(['count', 'cost'], { description: 'count: requests; cost: USD.' })
const Key = Type.String({
  description: `Each value of this field has a counter of its own (${FIELD}); empty: one for all.`,
  examples: ['metadata.user_id'],
})
const Limit = Type.Number({ exclusiveMinimum: 0, description: 'Requests or USD per window.', examples: [100] })
const Window = Type.Integer({ minimum: 1, description: 'Seconds.', examples: [86_400] })
const Technique = choice(['fixed', 'sliding'], { default: 'sliding' })
const Provider = Type.String({ minLength: 1, description: 'A provider’s slug.', examples: ['anthropic'] })
const Model = Type.String({ minLength: 1, description: 'The provider’s own id.', examples: ['claude-sonnet-4-5'] })
const Timeout = Type.Integer({
  minimum: 0,
  maximum: 2_147_483_647,
  description: 'Milliseconds to the first byte; 0: no limit of its own.',
  examples: [20_000],
})
const Retries = Type.Integer({
  minimum: 0,
  maximum: 5,
  description: 'How often the model is asked at most; 0: as the gateway’s settings say.',
})

const Nothing = closed({})
const Branches = <S extends TSchema>(to: S) =>
  Type.Record(Type.String({ pattern: SHARE }), to, {
    additionalProperties: false,
    expected: 'a share such as "10%"',
    description: 'At most five shares, which come to 100%; `else` takes what is left.',
    examples: [{ '20%': { elementId: 'big' }, '80%': { elementId: 'small' } }],
  })

/** One kind of element. */
const element = <T extends string, P extends TProperties>(
  type: T,
  title: string,
  description: string,
  properties: P,
  $id?: string,
) => closed({ id: Id, type: Type.Literal(type), ...properties }, { title, description, ...($id && { $id }) })

const meaning = {
  start: 'Where a request begins; there is exactly one.',
  conditional: 'Asks the request a question.',
  percentage: 'Draws one of its branches by weight.',
  rate: 'Lets a number of requests, or a sum of money, through per window.',
  model: 'Asks a model.',
  end: 'The last good answer goes out, or the last error.',
}

/** An element as it is answered: current names, everything there. */
export const RouteElement = Type.Union(
  [
    element('start', 'Start', meaning.start, { outputs: closed({ next: Target }) }, 'RouteStart'),
    element(
      'conditional',
      'Condition',
      meaning.conditional,
      { properties: closed({ conditions: Conditions }), outputs: closed({ true: Target, false: Target }) },
      'RouteConditional',
    ),
    element(
      'percentage',
      'Percentages',
      meaning.percentage,
      { properties: optional(closed({ sticky: optional(Sticky) })), outputs: Branches(Target) },
      'RoutePercentage',
    ),
    element(
      'rate',
      'Rate or budget',
      meaning.rate,
      {
        properties: closed({
          limitType: LimitType,
          key: Key,
          limit: Limit,
          window: Window,
          technique: optional(Technique),
        }),
        outputs: closed({ success: Target, fallback: Target }),
      },
      'RouteRate',
    ),
    element(
      'model',
      'Model',
      meaning.model,
      {
        properties: closed({ provider: Provider, model: Model, timeout: Timeout, retries: Retries }),
        outputs: closed({ success: Target, fallback: Target }),
      },
      'RouteModel',
    ),
    element('end', 'End', meaning.end, { outputs: Nothing }, 'RouteEnd'),
  ],
  { $id: 'RouteElement' },
)
export type RouteElement = Static<typeof RouteElement>

const outcomes = closed({ success: Towards, fallback: optional(Towards) })
const rateProperties = { limitType: LimitType, key: optional(Key), limit: Limit, technique: optional(Technique) }

/** The same as a person may write it: older names, what has a default left out. */
const written = [
  element('start', 'Start', meaning.start, { properties: optional(Nothing), outputs: closed({ next: Towards }) }),
  element('conditional', 'Condition', meaning.conditional, {
    properties: closed({ conditions: optional(Conditions), condition: optional(Conditions) }),
    outputs: closed({ true: Towards, false: Towards }),
  }),
  element('percentage', 'Percentages', meaning.percentage, {
    properties: optional(closed({ sticky: optional(Sticky) })),
    outputs: Branches(Towards),
  }),
  element('rate', 'Rate or budget', meaning.rate, {
    properties: closed({ ...rateProperties, window: optional(Window), interval: optional(Window) }),
    outputs: outcomes,
  }),
  element('rate_limit', 'Rate or budget (older name)', meaning.rate, {
    properties: closed({ ...rateProperties, window: optional(Window), interval: optional(Window) }),
    outputs: outcomes,
  }),
  element('model', 'Model', meaning.model, {
    properties: closed({ provider: Provider, model: Model, timeout: optional(Timeout), retries: optional(Retries) }),
    outputs: outcomes,
  }),
  element('end', 'End', meaning.end, { properties: optional(Nothing), outputs: optional(Nothing) }),
]

export const RouteElements = Type.Array(RouteElement, { description: 'The graph, in any order.' })

/** What a client sends: any list passes, and the routes' own reader says what is wrong with it. */
export const SentElements = Type.Array(Type.Unknown({ anyOf: [RouteElement] }), {
  description: 'The graph, in any order. Older names are understood as well.',
})

/** A route of the file: any list passes, and the routes' own reader says what is wrong with it. */
export const FileRoute = closed(
  {
    elements: Type.Array(Type.Unknown({ anyOf: written }), { description: 'The graph, in any order.' }),
  },
  { description: 'A dynamic route, called as the model dynamic/<name>.' },
)

/** It stands behind `dynamic/` in a model's name, where "/" and "@" mean something else. */
export const RouteName = Type.String({
  pattern: '^[^\\s/@](?:[^/@\\x00-\\x1f\\x7f]{0,126}[^\\s/@])?$',
  expected: 'a name of 1 to 128 characters without "/" and "@"',
  description: 'Called as the model dynamic/<name>.',
  examples: ['support'],
})

/** The routes of a gateway in the file, by name. */
export const FileRoutes = Type.Record(RouteName, FileRoute, {
  additionalProperties: false,
  expected: RouteName.expected,
  description: 'Dynamic routes by name, called as the model dynamic/<name>. Not of Cloudflare’s.',
})
export type FileRoutes = Static<typeof FileRoutes>

export const CreateRoute = open({ name: RouteName, elements: SentElements }, { $id: 'CreateRoute' })
export const RenameRoute = open({ name: RouteName }, { $id: 'RenameRoute' })
export const CreateRouteVersion = open({ elements: SentElements }, { $id: 'CreateRouteVersion' })
export const CreateRouteDeployment = open({ version_id: Type.String({ minLength: 1 }) }, { $id: 'CreateDeployment' })

const Moment = Type.String({ format: 'date-time', examples: ['2026-01-31T12:00:00Z'] })

/** Which version was live from when on. */
export const RouteDeployment = closed(
  { deployment_id: Type.String(), version_id: Type.String(), created_at: Moment },
  { $id: 'RouteDeployment' },
)
export type RouteDeployment = Static<typeof RouteDeployment>

const versionMembers = {
  version_id: Type.String(),
  active: choice(['true', 'false'], { description: 'Whether it is live; a string, as in Cloudflare’s API.' }),
  data: Type.String({ description: 'The graph as the text of JSON.' }),
  is_valid: optional(Type.Boolean()),
  created_at: Moment,
}

/** A graph that never changes once it is there. */
export const RouteVersion = closed(versionMembers, { $id: 'RouteVersion' })
export type RouteVersion = Static<typeof RouteVersion>

/** What every answer about a route holds. */
const routeMembers = {
  id: Type.String(),
  name: Type.String(),
  gateway_id: Type.String(),
  elements: RouteElements,
  created_at: Moment,
  modified_at: Moment,
}

/** The answer to a call that deletes a route, or adds a version or a deployment. */
export const ShortRoute = closed(routeMembers, { $id: 'ShortRoute' })
export type ShortRoute = Static<typeof ShortRoute>

export const Route = closed(
  {
    ...routeMembers,
    account_tag: optional(Type.String({ description: 'The account; only in lists, and when a route is renamed.' })),
    deployment: RouteDeployment,
    version: RouteVersion,
  },
  { $id: 'Route' },
)
export type Route = Static<typeof Route>

/** The answer about one version: that of its route, and its own. */
export const RouteVersionDetail = closed({ ...routeMembers, ...versionMembers }, { $id: 'RouteVersionDetail' })
export type RouteVersionDetail = Static<typeof RouteVersionDetail>
