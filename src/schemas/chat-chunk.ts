import { type Static, Type } from '@sinclair/typebox'
import { ChatLogprobs, FinishReason, replyMembers } from './chat-reply.ts'
import { ChatToolCallDelta } from './chat-tools.ts'
import { ChatUsage } from './chat-usage.ts'
import { nullable, open, optional } from './open.ts'

/** @see https://platform.openai.com/docs/api-reference/chat/streaming */

const Delta = open(
  {
    role: optional(Type.Literal('assistant'), { description: 'In the first piece of a choice.' }),
    ...replyMembers,
    tool_calls: optional(Type.Array(ChatToolCallDelta)),
  },
  { $id: 'ChatDelta', description: 'A piece of the answer: append each text to what came before.' },
)

const ChunkChoice = open(
  {
    index: Type.Integer({ minimum: 0 }),
    delta: Delta,
    logprobs: optional(ChatLogprobs),
    finish_reason: Type.Optional(nullable(FinishReason, { description: 'In the last piece of the choice.' })),
  },
  { $id: 'ChatChunkChoice' },
)

export const ChatCompletionChunk = open(
  {
    id: Type.String({ description: 'The same in every chunk of a stream.' }),
    object: Type.Literal('chat.completion.chunk'),
    created: Type.Integer({ description: 'Seconds since 1970.' }),
    model: Type.String(),
    choices: Type.Array(ChunkChoice, { description: 'Empty in the chunk that brings the usage.' }),
    usage: optional(ChatUsage, { description: 'In the last chunk, when `stream_options.include_usage` asked for it.' }),
    service_tier: optional(Type.String()),
    system_fingerprint: optional(Type.String()),
  },
  {
    $id: 'ChatCompletionChunk',
    description:
      'The data of one server-sent event of a stream. The stream ends with `data: [DONE]`. Where it fails on the way, an event holds an `ErrorResponse` instead.',
  },
)

export type ChatCompletionChunk = Static<typeof ChatCompletionChunk>
