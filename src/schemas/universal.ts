import { type Static, Type } from '@sinclair/typebox'
import { open } from './open.ts'

/** One step of the universal endpoint (contract 6.2). */
export const Step = open(
  {
    provider: Type.String({
      minLength: 1,
      description: 'A provider’s slug, `compat`, or `custom-…`.',
      examples: ['openai'],
    }),
    endpoint: Type.String({
      description: 'The path behind the slug; may carry a query.',
      examples: ['chat/completions'],
    }),
    headers: Type.Optional(
      Type.Union([
        Type.Record(Type.String(), Type.Unknown(), {
          description:
            'Headers for the provider, and `cf-aig-*` for this step. Values that are no strings are written as text.',
        }),
        Type.Null(),
      ]),
    ),
    query: Type.Optional(Type.Unknown({ description: 'The body for the provider, as JSON.' })),
    config: Type.Optional(
      Type.Union([
        open({
          requestTimeout: Type.Optional(
            Type.Integer({ minimum: 0, maximum: 2_147_483_647, description: 'Milliseconds to the first byte.' }),
          ),
          maxAttempts: Type.Optional(
            Type.Integer({ minimum: 1, maximum: 5, description: 'How often this provider is asked.' }),
          ),
          retryDelay: Type.Optional(
            Type.Integer({ minimum: 0, maximum: 5_000, description: 'Milliseconds before the second attempt.' }),
          ),
          backoff: Type.Optional(
            Type.Union([Type.Literal('constant'), Type.Literal('linear'), Type.Literal('exponential')], {
              description: 'How the delay grows from attempt to attempt.',
            }),
          ),
        }),
        Type.Null(),
      ]),
    ),
    authorization: Type.Optional(
      Type.String({ description: 'The same as `headers.Authorization`, in the oldest clients.' }),
    ),
  },
  { $id: 'UniversalStep' },
)

/** A list of steps, or a single one. */
export const UniversalRequest = Type.Union([Type.Array(Step, { minItems: 1, maxItems: 100 }), Step], {
  $id: 'UniversalRequest',
})

export type Step = Static<typeof Step>
/** A step, and its query as the client wrote it. */
export type WrittenStep = Step & { text: string }
export type UniversalRequest = Static<typeof UniversalRequest>
