import type { JsonObject } from '../../conversation/conversation.ts'
import type { Completion, ToolCall } from '../openai-chat/types.ts'

/**
 * `ai/run` of Cloudflare Workers AI. Older models answer in Cloudflare's own shape, newer ones with a chat completion of
 * OpenAI's, each inside the envelope of Cloudflare's API or, through a binding or a gateway, without it.
 * @see https://developers.cloudflare.com/workers-ai/models/
 */
export interface Envelope extends JsonObject {
  result?: Native | null
  success?: boolean
  errors?: { code?: number | string; message?: string }[]
  messages?: unknown[]
}

/** A call as Cloudflare's own shape has it, or as OpenAI's. */
export type NativeCall = ToolCall & { name?: string | null; arguments?: string | JsonObject | null }

/** An answer or a chunk in Cloudflare's own shape; with `choices` it is OpenAI's. */
export interface Native extends Completion {
  response?: unknown
  tool_calls?: NativeCall[] | null
  finish_reason?: string | null
  /** Padding against guesses from the length of encrypted chunks. */
  p?: string
}

export interface WireMessage {
  role: 'system' | 'user' | 'assistant' | 'tool'
  content: string | JsonObject[]
  tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[]
  tool_call_id?: string
  name?: string
}
