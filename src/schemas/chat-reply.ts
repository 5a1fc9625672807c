import { type Static, Type } from '@sinclair/typebox'
import { ReasoningDetail } from './chat-message.ts'
import { ChatToolCall, LegacyFunctionCall } from './chat-tools.ts'
import { ChatUsage } from './chat-usage.ts'
import { anyObject, nullable, open, optional, word } from './open.ts'

/** @see https://platform.openai.com/docs/api-reference/chat/object */

/** Why the model stopped. */
export const FinishReason = word(['stop', 'length', 'tool_calls', 'content_filter', 'function_call'], {
  $id: 'FinishReason',
  description:
    'Why the model stopped: `stop`, it was done; `length`, the token limit; `tool_calls`, it calls tools; `content_filter`, the provider held the answer back.',
})

export const ChatLogprobs = open(
  { content: optional(Type.Array(anyObject())), refusal: optional(Type.Array(anyObject())) },
  { $id: 'ChatLogprobs', description: 'Log probabilities of the tokens.' },
)

export const Annotation = open(
  {
    type: Type.String({ description: '`url_citation`.' }),
    url_citation: optional(
      open({
        url: Type.String(),
        title: optional(Type.String()),
        start_index: optional(Type.Integer()),
        end_index: optional(Type.Integer()),
      }),
    ),
  },
  { $id: 'Annotation', description: 'A source that the answer cites.' },
)

/** Members that a message and a piece of one share, beside `tool_calls`. */
export const replyMembers = {
  content: optional(Type.String()),
  refusal: optional(Type.String(), { description: 'What the model says instead of an answer that it refuses.' }),
  reasoning_content: optional(Type.String(), { description: 'The model’s reasoning, where the provider shows it.' }),
  reasoning_details: optional(Type.Array(ReasoningDetail), {
    description: 'The reasoning with what the provider needs back. In a stream, join the pieces by `index`.',
  }),
  annotations: optional(Type.Array(Annotation)),
  audio: optional(anyObject(), { description: 'A spoken answer.' }),
  extra_content: optional(anyObject(), {
    description: 'What the provider needs back with this message, such as Gemini’s thought signature.',
  }),
  function_call: optional(LegacyFunctionCall, { deprecated: true }),
}

const ReplyMessage = open(
  {
    role: Type.Literal('assistant'),
    ...replyMembers,
    content: nullable(Type.String()),
    tool_calls: optional(Type.Array(ChatToolCall)),
  },
  { $id: 'ChatReplyMessage', description: 'The answer. It can stand in the next request’s `messages` as it is.' },
)

const Choice = open(
  {
    index: Type.Integer({ minimum: 0 }),
    message: ReplyMessage,
    logprobs: optional(ChatLogprobs),
    finish_reason: nullable(FinishReason),
  },
  { $id: 'ChatChoice' },
)

export const ChatCompletion = open(
  {
    id: Type.String(),
    object: Type.Literal('chat.completion'),
    created: Type.Integer({ description: 'Seconds since 1970.' }),
    model: Type.String({ description: 'The model that answered, in the provider’s words.' }),
    choices: Type.Array(Choice),
    usage: optional(ChatUsage),
    service_tier: optional(Type.String()),
    system_fingerprint: optional(Type.String()),
  },
  { $id: 'ChatCompletion', description: 'A whole answer.' },
)

export type ChatCompletion = Static<typeof ChatCompletion>
