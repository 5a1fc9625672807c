import type { JsonObject } from '../../conversation/conversation.ts'

/** Cohere's Chat API, version 2. @see https://docs.cohere.com/reference/chat */
export interface ToolCall {
  id?: string
  type?: string
  function?: { name?: string; arguments?: string | JsonObject | null }
}

export interface Source {
  type?: string
  id?: string
  document?: JsonObject
  tool_output?: JsonObject
}

export interface WireCitation {
  /** Offsets within one content block, or within the plan or the thinking, as `type` says. */
  start?: number
  end?: number
  text?: string
  sources?: Source[]
  content_index?: number
  type?: string
}

export interface Content {
  type?: string
  text?: string
  thinking?: string
}

export interface WireUsage extends JsonObject {
  billed_units?: { input_tokens?: number; output_tokens?: number; search_units?: number }
  tokens?: { input_tokens?: number; output_tokens?: number; reasoning_tokens?: number }
  cached_tokens?: number
}

export interface LogprobItem {
  text?: string
  token_ids?: number[]
  logprobs?: number[]
}

export interface ChatReply extends JsonObject {
  id?: string
  message?:
    | {
        role?: string
        content?: Content[] | string | null
        tool_calls?: ToolCall[] | null
        tool_plan?: string | null
        citations?: WireCitation[] | null
      }
    | string
  finish_reason?: string
  usage?: WireUsage
  logprobs?: LogprobItem[] | null
  error?: unknown
}

export interface StreamEvent extends JsonObject {
  type?: string
  id?: string
  index?: number
  delta?: {
    message?: {
      content?: Content
      tool_plan?: string
      tool_calls?: ToolCall | ToolCall[]
      citations?: WireCitation | WireCitation[]
    }
    finish_reason?: string
    usage?: WireUsage
    error?: string
  }
  logprobs?: LogprobItem
}

export type WireContent = string | JsonObject[]

export interface WireMessage {
  role: 'system' | 'user' | 'assistant' | 'tool'
  content?: WireContent
  tool_calls?: { id: string; type: 'function'; function: { name: string; arguments: string } }[]
  tool_plan?: string
  tool_call_id?: string
}
