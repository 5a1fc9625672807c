import { type Static, Type } from '@sinclair/typebox'
import { anyObject, open } from './open.ts'

/** The bodies of Cloudflare's REST plane (contract 1.7, 11.1). */

/** A model and its input, whatever the input of that model looks like. */
export const RunRequest = open(
  {
    model: Type.String({
      minLength: 1,
      description: 'The author and the model as `<author>/<model>`, or `@cf/<author>/<model>` for Workers AI.',
      examples: ['openai/gpt-5-mini', '@cf/meta/llama-3.3-70b-instruct-fp8-fast'],
    }),
    input: anyObject({
      description:
        'What the model is asked: for conversations a request of OpenAI Chat Completions without its `model`, for Anthropic’s models one of Anthropic Messages, for `@cf/…` the model’s own input.',
      examples: [{ messages: [{ role: 'user', content: 'What is a postern?' }] }],
    }),
  },
  { $id: 'RunRequest' },
)

const Notice = open({ code: Type.Integer(), message: Type.String() })

/** An answer in the envelope of Cloudflare's REST API. */
export const RunReply = open(
  {
    result: Type.Unknown({
      description:
        'The model’s answer: an object of OpenAI Chat Completions, for Anthropic’s models one of Anthropic Messages, for `@cf/…` the model’s own.',
    }),
    success: Type.Literal(true),
    errors: Type.Array(Notice),
    messages: Type.Array(Type.Unknown()),
  },
  { $id: 'RunReply', description: 'An answer in Cloudflare’s envelope.' },
)

/** A refusal in the same envelope; `errors` is in the plural here. */
export const RestError = open(
  {
    result: Type.Null(),
    success: Type.Literal(false),
    errors: Type.Array(Notice, { minItems: 1 }),
    messages: Type.Array(Type.Unknown()),
    error: Type.Optional(
      open(
        {
          message: Type.String(),
          type: Type.String(),
          param: Type.Union([Type.String(), Type.Null()]),
          code: Type.String(),
        },
        { description: 'The same in OpenAI’s shape, below `/ai/v1` alone, whose clients look for it there.' },
      ),
    ),
  },
  { $id: 'RestError', description: 'An error in Cloudflare’s envelope.' },
)

export type RunRequest = Static<typeof RunRequest>
export type RunReply = Static<typeof RunReply>
export type RestError = Static<typeof RestError>
