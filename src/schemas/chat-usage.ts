import { type Static, Type } from '@sinclair/typebox'
import { open, optional } from './open.ts'

const tokens = (description?: string) => Type.Integer({ minimum: 0, description })

/** Tokens in OpenAI's convention: what was cached is inside `prompt_tokens`, reasoning inside `completion_tokens`. */
export const ChatUsage = open(
  {
    prompt_tokens: tokens('Tokens of the prompt, those read from or written to a cache included.'),
    completion_tokens: tokens('Tokens of the answer, reasoning included.'),
    total_tokens: tokens(),
    estimated: Type.Optional(
      Type.Boolean({ description: 'True where the provider told no usage and the gateway counted itself.' }),
    ),
    prompt_tokens_details: optional(
      open({
        cached_tokens: optional(tokens('Read from the provider’s prompt cache.')),
        cache_write_tokens: optional(tokens('Written to the provider’s prompt cache.')),
        audio_tokens: optional(tokens()),
      }),
    ),
    completion_tokens_details: optional(
      open({
        reasoning_tokens: optional(tokens('Spent on reasoning.')),
        audio_tokens: optional(tokens()),
        accepted_prediction_tokens: optional(tokens()),
        rejected_prediction_tokens: optional(tokens()),
      }),
    ),
  },
  { $id: 'ChatUsage', description: 'How many tokens the call took.' },
)

export type ChatUsage = Static<typeof ChatUsage>
