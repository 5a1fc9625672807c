import { type Static, type TLiteral, type TProperties, Type } from '@sinclair/typebox'

/**
 * Policies of a gateway (contract section 5.3; https://developers.cloudflare.com/ai-gateway/features/policies/): who may
 * use which models, and how much they may spend. One shape serves the file, the management API and its documentation.
 * What a schema cannot say of an actor or a condition, `gateway/policies/compile.ts` does.
 */

// Not from gateway.ts, whose settings hold these.
const optional = Type.Optional
const closed = <P extends TProperties>(properties: P, about: Record<string, unknown> = {}) =>
  Type.Object(properties, { additionalProperties: false, ...about })
const choice = <const T extends string>(words: readonly T[], about: Record<string, unknown> = {}) =>
  Type.Union(words.map(word => Type.Literal(word)) as TLiteral<T>[], about)

/** Of one gateway, those of the file and those of the database each. */
export const MOST_POLICIES = 200

const Names = (text: string, examples: unknown[]) => {
  const Name = Type.String({ minLength: 1, maxLength: 256 })
  return Type.Union([Name, Type.Array(Name, { minItems: 1, maxItems: 100 })], { description: text, examples })
}

const Models = Names(
  'Model ids such as openai/gpt-5.5, with or without the provider; `*` stands for anything but a slash.',
  ['openai/gpt-*', ['gpt-5.5-mini', 'anthropic/claude-haiku-*']],
)
const Providers = Names('Slugs of providers, without wildcards.', ['anthropic'])

export const PolicyResource = Type.Union(
  [
    Type.Literal('*'),
    closed({ model: Models, provider: optional(Providers) }, { title: 'Models' }),
    closed({ provider: Providers }, { title: 'Providers' }),
  ],
  { description: 'The models and providers that the policy covers; `"*"` for all.', default: '*' },
)
export type PolicyResource = Static<typeof PolicyResource>

export const policyPeriods = ['hourly', 'daily', 'weekly', 'monthly'] as const

export const PolicyAction = Type.Union(
  [
    closed({ type: Type.Literal('no-limit') }, { title: 'Allow without a cap' }),
    closed(
      {
        type: Type.Literal('block'),
        except: optional(
          Type.Boolean({ default: false, description: 'Block everything but what the resource covers.' }),
        ),
      },
      { title: 'Block' },
    ),
    closed(
      {
        type: Type.Literal('limit'),
        amount: Type.Number({
          minimum: 0.000_001,
          maximum: 9_000_000,
          description: 'USD. Requests whose price is not known are let through, and not counted.',
          examples: [25],
        }),
        period: choice(policyPeriods, { description: 'Of the calendar in UTC; weeks begin on Monday.' }),
        technique: Type.Literal('named-interval'),
      },
      { title: 'Allow until capped' },
    ),
  ],
  { description: 'What happens to a request that the policy matches.' },
)
export type PolicyAction = Static<typeof PolicyAction>

const name = Type.String({ minLength: 1, maxLength: 128, description: 'For people.', examples: ['Interns'] })
const actor = Type.String({
  minLength: 1,
  maxLength: 256,
  default: '*',
  description:
    'Names the budget that matching requests share; fields in braces give each value one of its own: {cf.user.id}, {cf.user.email}, {cf.user.groups}, {cf.custom.<claim>}, {cf.country}, {metadata.<key>}. Whom the policy is about is a matter of its condition.',
  examples: ['team:research', 'user:{cf.user.id}'],
})
const condition = Type.String({
  minLength: 1,
  maxLength: 2_048,
  default: 'true',
  description:
    'An expression in CEL over cf.user.id, cf.user.email, cf.user.groups, cf.custom.<claim>, cf.country and metadata.<key>.',
  examples: ['"contractors" in cf.user.groups'],
})
const enabled = Type.Boolean({ default: true, description: 'Off: as if the policy were not there.' })

const written = {
  name: optional(name),
  actor: optional(actor),
  resource: optional(PolicyResource),
  condition: optional(condition),
  action: PolicyAction,
  enabled: optional(enabled),
}

/** One of the file. */
export const FilePolicy = closed({
  id: optional(
    Type.String({
      pattern: '^[A-Za-z0-9_.-]{1,64}$',
      expected: 'a name of 1 to 64 letters, digits, "_", "." and "-"',
      description: 'Your name for it in answers of the API; file:<place in the list> when left out.',
    }),
  ),
  ...written,
})
export type FilePolicy = Static<typeof FilePolicy>

/** `gateways.<id>.policies` of the file. */
export const FilePolicies = Type.Array(FilePolicy, {
  maxItems: MOST_POLICIES,
  description:
    'Who may use which models, and how much they may spend. With the first policy, whatever no policy covers is refused.',
  examples: [[{ action: { type: 'limit', amount: 25, period: 'daily', technique: 'named-interval' } }]],
})

/** What a client sends for a new one. */
export const CreatePolicy = closed(written, { $id: 'CreatePolicy' })
export type CreatePolicy = Static<typeof CreatePolicy>

/** What a client sends for a change: only what is to be different. */
export const UpdatePolicy = Type.Partial(CreatePolicy, { $id: 'UpdatePolicy', additionalProperties: false })
export type UpdatePolicy = Static<typeof UpdatePolicy>

const Seconds = Type.Integer({ description: 'Seconds since 1970.', examples: [1_791_244_351] })

/** As it is answered. */
export const Policy = closed(
  {
    id: Type.String(),
    name: optional(name),
    actor,
    resource: PolicyResource,
    condition,
    action: PolicyAction,
    enabled,
    declared: optional(Type.Literal(true, { description: 'Ours: it stands in the file, and is changed there.' })),
    staging: optional(Type.Literal(true, { description: 'A draft, which is not in force.' })),
    created_at: Seconds,
    updated_at: Seconds,
  },
  { $id: 'Policy' },
)
export type Policy = Static<typeof Policy>

const Claim = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Array(Type.String(), { maxItems: 100 })])
const open = { additionalProperties: true }

export const SimulatePolicies = Type.Object(
  {
    identity: optional(
      Type.Object(
        {
          cf: optional(
            Type.Object(
              {
                user: optional(
                  Type.Object(
                    {
                      id: optional(Type.String()),
                      email: optional(Type.String()),
                      groups: optional(Type.Array(Type.String(), { maxItems: 100 })),
                    },
                    open,
                  ),
                ),
                custom: optional(Type.Record(Type.String(), Claim)),
                country: optional(Type.String()),
              },
              open,
            ),
          ),
          metadata: optional(
            Type.Record(Type.String(), Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()])),
          ),
        },
        { ...open, description: 'What is known of the caller; what is left out is missing.' },
      ),
    ),
    model: Type.String({ minLength: 1, maxLength: 256, examples: ['openai/gpt-5.5'] }),
    provider: optional(Type.String({ minLength: 1, description: 'Otherwise what the model’s name begins with.' })),
    bucketUsage: optional(
      Type.Record(Type.String(), Type.Object({ spent: Type.Number({ minimum: 0, description: 'USD.' }) }, open), {
        description: 'What is taken to be spent, by the name or id of a policy, or by bucket.',
      }),
    ),
  },
  { ...open, $id: 'SimulatePolicies' },
)
export type SimulatePolicies = Static<typeof SimulatePolicies>

const Bucket = closed({
  bucket: Type.String(),
  period: choice(policyPeriods),
  limit: Type.Number({ description: 'USD.' }),
  spent: Type.Number({ description: 'USD.' }),
  policyName: optional(Type.String()),
})

export const policyOutcomes = ['applies', 'blocks', 'other-resource', 'condition', 'missing-field', 'failed'] as const

/** What became of the request that was tried out. */
export const Simulation = closed(
  {
    evaluation: closed({
      decision: choice(['no-limit', 'block', 'check_limits']),
      buckets: Type.Array(Bucket),
      policies: Type.Array(
        closed({
          id: Type.String(),
          name: optional(Type.String()),
          outcome: choice(policyOutcomes),
          bucket: optional(Type.String()),
          reason: optional(Type.String()),
        }),
        { description: 'Ours: what each policy came to.' },
      ),
    }),
    enforcement: closed({
      allowed: Type.Boolean(),
      reason: optional(choice(['blocked', 'limit_exceeded'])),
      bucket: optional(Type.String()),
      spent: optional(Type.Number()),
      limit: optional(Type.Number()),
      policyName: optional(Type.String()),
    }),
    policiesEvaluated: Type.Integer(),
  },
  { $id: 'PolicySimulation' },
)
export type Simulation = Static<typeof Simulation>

/** The two answers to requests whose `error` is an object (contract section 2.5). */
export const PolicyDenied = closed(
  { success: Type.Literal(false), error: closed({ message: Type.String({ examples: ['Access denied by policy'] }) }) },
  { $id: 'PolicyDenied' },
)
export const PolicyLimitExceeded = closed(
  {
    success: Type.Literal(false),
    error: closed({
      message: Type.String({ examples: ['Spending limit exceeded'] }),
      bucket: Type.String(),
      spent: Type.Number({ description: 'USD.' }),
      limit: Type.Number({ description: 'USD.' }),
    }),
  },
  { $id: 'PolicyLimitExceeded' },
)
