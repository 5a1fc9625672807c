import { type Static, type TLiteral, type TSchema, Type } from '@sinclair/typebox'
import { FilePolicies } from './policy.ts'
import { FileRoutes } from './route.ts'

/** The schema, or null: how Cloudflare's API spells "not set". */
export const nullable = <T extends TSchema>(schema: T) => Type.Union([schema, Type.Null()])

/** One of a few words. */
export const choice = <const T extends string>(words: readonly T[], options: Record<string, unknown> = {}) =>
  Type.Union(words.map(word => Type.Literal(word)) as TLiteral<T>[], options)

/** An object whose members may all be left out, and that has no others. */
export const settings = <T extends Parameters<typeof Type.Object>[0]>(
  properties: T,
  options: Record<string, unknown> = {},
) => Type.Partial(Type.Object(properties, { additionalProperties: false, ...options }))

const optional = Type.Optional

/** Llama Guard's categories and P1, prompt injection (contract section 10.1). */
const categories = [
  ['S1', 'violent crime'],
  ['S2', 'non-violent crime'],
  ['S3', 'sex-related crime'],
  ['S4', 'child sexual exploitation'],
  ['S5', 'defamation'],
  ['S6', 'specialised advice'],
  ['S7', 'privacy'],
  ['S8', 'intellectual property'],
  ['S9', 'indiscriminate weapons'],
  ['S10', 'hate'],
  ['S11', 'suicide and self-harm'],
  ['S12', 'sexual content'],
  ['S13', 'elections'],
  ['P1', 'prompt injection and jailbreak'],
] as const

const Action = (description: string) => choice(['FLAG', 'BLOCK'], { description })

const Categories = (description: string) =>
  settings(Object.fromEntries(categories.map(([code, meaning]) => [code, Action(`What happens on ${meaning}.`)])), {
    description,
  })

export const Guardrails = settings(
  {
    prompt: Categories('What is done when a prompt falls into a category; a category that is left out is ignored.'),
    response: Categories('What is done when an answer falls into a category.'),
  },
  {
    description: 'Content checks by category: FLAG marks the log, BLOCK refuses.',
    examples: [{ prompt: { P1: 'BLOCK' } }],
  },
)

const Profiles = Type.Array(Type.String({ minLength: 1 }), { description: 'Ids of the profiles to look for.' })

const DlpPolicy = Type.Object(
  {
    id: Type.String({ minLength: 1, description: 'Your name for the policy; shown in the header cf-aig-dlp.' }),
    enabled: optional(Type.Boolean({ default: true })),
    action: Action('FLAG marks the reply, BLOCK refuses it.'),
    check: Type.Array(choice(['REQUEST', 'RESPONSE']), { description: 'Which side is looked at.' }),
    profiles: Profiles,
  },
  { additionalProperties: false },
)

/** Data loss prevention in either of the two shapes that the API takes (contract section 10.2). */
export const Dlp = Type.Union(
  [
    Type.Object(
      { enabled: optional(Type.Boolean()), action: Action('What happens on a finding.'), profiles: Profiles },
      { additionalProperties: false },
    ),
    Type.Object(
      { enabled: optional(Type.Boolean()), policies: Type.Array(DlpPolicy) },
      { additionalProperties: false },
    ),
  ],
  { description: 'Data loss prevention: one action for all profiles, or a list of policies.' },
)

const Filter = Type.Object(
  {
    mode: choice(['filter', 'partition'], {
      description: 'filter: only the listed values; partition: a counter of its own for every value.',
    }),
    values: optional(Type.Array(Type.String())),
  },
  { additionalProperties: false },
)

const SpendRule = Type.Object(
  {
    id: optional(
      Type.String({
        pattern: '^[0-9a-f]{8}$',
        expected: '8 hexadecimal characters',
        description: 'Assigned when left out.',
      }),
    ),
    limitType: optional(choice(['cost'])),
    limit: Type.Number({ minimum: 0, description: 'USD.', examples: [100] }),
    window: Type.Integer({ minimum: 1, description: 'Seconds.', examples: [604_800] }),
    technique: optional(choice(['fixed', 'sliding'], { default: 'sliding' })),
    enabled: optional(Type.Boolean({ default: true })),
    provider: optional(Filter),
    model: optional(Filter),
    metadata: optional(Type.Record(Type.String(), Filter, { description: 'By key of the request’s metadata.' })),
  },
  { additionalProperties: false },
)

export const SpendLimits = settings(
  {
    enabled: Type.Boolean({ default: false, description: 'Nothing is limited until this is true.' }),
    rules: Type.Array(SpendRule, { maxItems: 20 }),
  },
  { description: 'Budgets in USD; a request past one is answered 429, code 2041.' },
)

/** One receiver of traces (contract section 8.6). */
export const OtelReceiver = Type.Object(
  {
    url: Type.String({
      pattern: '^https?://',
      expected: 'an address that begins with http:// or https://',
      description: 'Where traces are posted.',
      examples: ['http://127.0.0.1:4318/v1/traces'],
    }),
    headers: optional(Type.Record(Type.String(), Type.String(), { description: 'Headers sent along.' })),
    authorization: optional(Type.String({ description: 'The Authorization header sent along.' })),
    content_type: optional(choice(['json', 'protobuf'], { default: 'json' })),
  },
  { additionalProperties: false },
)

/**
 * The settings of a gateway under the names, bounds and meaning of Cloudflare's management API (contract section
 * 11.2), so that one schema serves the YAML file, the REST body, the OpenAPI document and `postern schema`. Every
 * member is optional in the file; `id` is the key that the settings stand under.
 */
export const GatewaySettings = settings(
  {
    authentication: Type.Boolean({
      default: true,
      description: 'Whether a token is demanded. Off: anyone who reaches the port may call.',
    }),
    byok_only: Type.Boolean({
      default: false,
      description: 'Serve only callers who bring a provider key, or for whom one is stored.',
    }),
    cache_ttl: nullable(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Seconds that an answer is kept, 60 to 2592000; 0 or null: no cache.',
        examples: [300],
      }),
    ),
    cache_coalesce: Type.Boolean({
      default: false,
      description:
        'Whether identical requests at the same time share one call to the provider, where answers are kept. Not of Cloudflare’s.',
    }),
    cache_replay: choice(['at_once', 'recorded'], {
      default: 'at_once',
      description: 'How fast a stream is given again: all of it, or at the pace that it came in. Not of Cloudflare’s.',
    }),
    cache_invalidate_on_update: Type.Boolean({
      default: false,
      description: 'Whether a change of the settings empties the cache.',
    }),
    collect_logs: Type.Boolean({ default: true, description: 'Whether requests are recorded.' }),
    collect_log_payload: Type.Boolean({
      default: true,
      description: 'Whether records keep the bodies of requests and answers. Not of Cloudflare’s.',
    }),
    rate_limiting_limit: nullable(
      Type.Integer({
        minimum: 0,
        default: 0,
        description: 'Requests per interval; 0 or null: no limit.',
        examples: [600],
      }),
    ),
    rate_limiting_interval: nullable(Type.Integer({ minimum: 0, default: 0, description: 'Seconds.', examples: [60] })),
    rate_limiting_tokens: nullable(
      Type.Integer({
        minimum: 0,
        default: 0,
        description:
          'Tokens, in and out, per interval (a minute where there is none); 0 or null: no limit. Not of Cloudflare’s.',
        examples: [1_000_000],
      }),
    ),
    rate_limiting_technique: nullable(
      choice(['fixed', 'sliding'], {
        description: 'fixed: counted from the start of each interval; sliding: over the interval that ends now.',
      }),
    ),
    retry_max_attempts: nullable(
      Type.Integer({
        minimum: 1,
        maximum: 5,
        description: 'How often a provider is asked before the answer is a failure.',
      }),
    ),
    retry_delay: nullable(
      Type.Integer({
        minimum: 0,
        maximum: 60_000,
        description: 'Milliseconds before the second attempt.',
        examples: [500],
      }),
    ),
    retry_backoff: nullable(
      choice(['constant', 'linear', 'exponential'], { description: 'How the delay grows from attempt to attempt.' }),
    ),
    stream_idle_timeout: Type.Number({
      minimum: 0,
      maximum: 86_400,
      default: 0,
      description:
        'Seconds that a provider may be silent in the middle of an answer; 0: as long as it likes. Not of Cloudflare’s.',
      examples: [120],
    }),
    log_management: nullable(
      Type.Integer({ minimum: 10_000, maximum: 10_000_000, description: 'How many log rows are kept.' }),
    ),
    log_management_strategy: nullable(
      choice(['STOP_INSERTING', 'DELETE_OLDEST'], { description: 'What happens when that many rows are there.' }),
    ),
    log_classification: Type.Boolean({
      default: false,
      description: 'Whether prompts are labelled by topic and intent.',
    }),
    logpush: Type.Boolean({ default: false, description: 'Whether records are pushed to a receiver.' }),
    logpush_public_key: nullable(
      Type.String({
        minLength: 16,
        maxLength: 1_024,
        description: 'PEM of the RSA key that prompts, answers and metadata are encrypted for.',
      }),
    ),
    otel: nullable(Type.Array(OtelReceiver, { description: 'Receivers of OpenTelemetry traces.' })),
    guardrails: nullable(Guardrails),
    dlp: nullable(Dlp),
    spend_limits: nullable(SpendLimits),
    zdr: Type.Boolean({ default: false, description: 'Ask providers that offer it to keep nothing.' }),
    store_id: nullable(Type.String({ description: 'Cloudflare’s secrets store; kept for clients of its API.' })),
    stripe: nullable(
      Type.Object(
        {
          authorization: Type.String({ description: 'Stripe’s key.' }),
          usage_events: Type.Array(Type.Object({ payload: Type.String() }, { additionalProperties: false })),
        },
        { additionalProperties: false, description: 'Usage events sent to Stripe.' },
      ),
    ),
    workers_ai_billing_mode: choice(['postpaid', 'unified'], {
      default: 'postpaid',
      description: 'Cloudflare’s billing of Workers AI; kept for clients of its API.',
    }),
    policies: FilePolicies,
    routes: FileRoutes,
  },
  { description: 'Settings of a gateway, as in Cloudflare’s management API.' },
)
export type GatewaySettings = Partial<Static<typeof GatewaySettings>>
