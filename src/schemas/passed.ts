import { Type } from '@sinclair/typebox'
import { anyObject, open, optional } from './open.ts'

/**
 * Formats that pass through as they are, of which the gateway reads `model` and `stream`. What stands here is for
 * readers of the document: the provider is the one who checks it.
 */

const model = Type.String({
  minLength: 1,
  description: 'The author and the model as `<author>/<model>`, or `@cf/<author>/<model>`.',
})
const stream = optional(Type.Boolean(), { description: 'Answer piece by piece, as server-sent events.' })
const count = (description: string) => Type.Integer({ minimum: 0, description })

/** @see https://platform.openai.com/docs/api-reference/embeddings/create */
export const EmbeddingsRequest = open(
  {
    model,
    input: Type.Union([
      Type.String(),
      Type.Array(Type.String()),
      Type.Array(Type.Integer()),
      Type.Array(Type.Array(Type.Integer())),
    ]),
    dimensions: optional(Type.Integer(), {
      description: 'How long the vectors are to be, where the model can choose.',
    }),
    encoding_format: optional(Type.String(), { description: '`float` or `base64`.' }),
    user: optional(Type.String()),
  },
  {
    $id: 'EmbeddingsRequest',
    description: 'A request of OpenAI Embeddings.',
    examples: [{ model: 'openai/text-embedding-3-small', input: ['a small gate', 'a large gate'] }],
  },
)

export const EmbeddingsReply = open(
  {
    object: Type.Literal('list'),
    model: Type.String(),
    data: Type.Array(
      open({
        object: Type.Literal('embedding'),
        index: Type.Integer(),
        embedding: Type.Union([Type.Array(Type.Number()), Type.String()], {
          description: 'Numbers, or base64 of 32-bit floats where that was asked for.',
        }),
      }),
    ),
    usage: optional(
      open({
        prompt_tokens: count('Tokens of the texts.'),
        total_tokens: count('The same, in a request for vectors.'),
      }),
    ),
  },
  {
    $id: 'EmbeddingsReply',
    examples: [
      {
        object: 'list',
        model: 'text-embedding-3-small',
        data: [{ object: 'embedding', index: 0, embedding: [0.0125, -0.0125] }],
        usage: { prompt_tokens: 3, total_tokens: 3 },
      },
    ],
  },
)

/** @see https://docs.anthropic.com/en/api/messages */
export const MessagesRequest = open(
  {
    model,
    max_tokens: Type.Integer({ minimum: 1, description: 'Upper bound on the tokens of the answer.' }),
    messages: Type.Array(open({ role: Type.String(), content: Type.Union([Type.String(), Type.Array(anyObject())]) }), {
      minItems: 1,
    }),
    system: optional(Type.Union([Type.String(), Type.Array(anyObject())])),
    tools: optional(Type.Array(anyObject())),
    stream,
  },
  {
    $id: 'MessagesRequest',
    description: 'A request of Anthropic Messages.',
    examples: [
      {
        model: 'anthropic/claude-haiku-4-5',
        max_tokens: 256,
        messages: [{ role: 'user', content: 'What is a postern?' }],
      },
    ],
  },
)

export const MessagesReply = open(
  {
    id: Type.String(),
    type: Type.Literal('message'),
    role: Type.Literal('assistant'),
    model: Type.String(),
    content: Type.Array(open({ type: Type.String({ description: '`text`, `thinking`, `tool_use`, …' }) })),
    stop_reason: optional(Type.String()),
    usage: open({
      input_tokens: count('What was not read from the cache.'),
      output_tokens: count('Thinking included.'),
    }),
  },
  {
    $id: 'MessagesReply',
    description: 'An answer of Anthropic Messages.',
    examples: [
      {
        id: 'msg_01',
        type: 'message',
        role: 'assistant',
        model: 'claude-haiku-4-5',
        content: [{ type: 'text', text: 'A small gate at the back of a fortress.' }],
        stop_reason: 'end_turn',
        usage: { input_tokens: 12, output_tokens: 10 },
      },
    ],
  },
)

/** @see https://platform.openai.com/docs/api-reference/responses/create */
export const ResponsesRequest = open(
  {
    model,
    input: optional(Type.Union([Type.String(), Type.Array(anyObject())])),
    instructions: optional(Type.String(), { description: 'What the model is told before all else.' }),
    previous_response_id: optional(Type.String()),
    max_output_tokens: optional(Type.Integer()),
    tools: optional(Type.Array(anyObject())),
    stream,
  },
  {
    $id: 'ResponsesRequest',
    description: 'A request of OpenAI Responses.',
    examples: [{ model: 'openai/gpt-5-mini', input: 'What is a postern?' }],
  },
)

export const ResponsesReply = open(
  {
    id: Type.String(),
    object: Type.Literal('response'),
    model: Type.String(),
    status: Type.String({ description: '`completed`, `incomplete`, `failed`, `in_progress`, …' }),
    output: Type.Array(open({ type: Type.String({ description: '`message`, `reasoning`, `function_call`, …' }) })),
    usage: optional(open({ input_tokens: count('What was cached too.'), output_tokens: count('Reasoning included.') })),
  },
  {
    $id: 'ResponsesReply',
    description: 'An answer of OpenAI Responses.',
    examples: [
      {
        id: 'resp_01',
        object: 'response',
        model: 'gpt-5-mini',
        status: 'completed',
        output: [
          {
            type: 'message',
            role: 'assistant',
            content: [{ type: 'output_text', text: 'A small gate at the back of a fortress.' }],
          },
        ],
        usage: { input_tokens: 12, output_tokens: 10 },
      },
    ],
  },
)

/** Whatever a provider says when all is well. */
export const ProviderAnswer = Type.Unknown({
  $id: 'ProviderAnswer',
  description: 'The provider’s own answer, as it came. Its form is the provider’s to say.',
})

/** Whatever a provider says when it refuses. */
export const ProviderError = anyObject({
  $id: 'ProviderError',
  description: 'The provider’s own refusal, as it came.',
})
