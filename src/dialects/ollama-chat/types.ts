import type { JsonObject } from '../../conversation/conversation.ts'

/** Ollama's own chat API. @see https://docs.ollama.com/api/chat */
export interface ToolCall {
  id?: string
  function?: { index?: number; name?: string; arguments?: JsonObject | string | null }
}

/** One line of a stream and a whole answer have the same shape; the last line has `done: true` and the counts. */
export interface ChatLine extends JsonObject {
  model?: string
  created_at?: string
  message?: { role?: string; content?: string | null; thinking?: string | null; tool_calls?: ToolCall[] | null }
  done?: boolean
  done_reason?: string
  error?: unknown
  logprobs?: unknown[] | null
  prompt_eval_count?: number
  prompt_eval_cached_count?: number
  eval_count?: number
}

export interface WireMessage {
  role: 'system' | 'user' | 'assistant' | 'tool'
  content: string
  images?: string[]
  thinking?: string
  tool_calls?: { id: string; function: { name: string; arguments: JsonObject } }[]
  tool_name?: string
  tool_call_id?: string
}
