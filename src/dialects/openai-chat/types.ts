import type { JsonObject } from '../../conversation/conversation.ts'

/**
 * OpenAI Chat Completions on the wire, as far as it is read here. Every member may be missing or null: many servers
 * call their format OpenAI's.
 * @see https://platform.openai.com/docs/api-reference/chat
 */
export interface ContentPart {
  type?: string
  text?: string
  refusal?: string
  image_url?: string | { url?: string; detail?: string }
  input_audio?: { data?: string; format?: string }
  file?: { file_id?: string; file_data?: string; filename?: string }
  cache_control?: { type?: string; ttl?: string } | null
  prompt_cache_breakpoint?: { mode?: string } | null
}

export interface ToolCall {
  index?: number
  id?: string | null
  type?: string
  function?: { name?: string | null; arguments?: string | JsonObject | null }
  extra_content?: ExtraContent
}

/** Google's place for thought signatures in OpenAI's format. */
export interface ExtraContent {
  google?: { thought_signature?: string }
}

/** OpenRouter's shape for reasoning that must come back in the next turn. */
export interface ReasoningDetail {
  type?: string
  text?: string | null
  summary?: string | null
  data?: string | null
  signature?: string | null
  format?: string | null
  index?: number
  id?: string | null
}

export interface Message {
  role?: string
  content?: string | ContentPart[] | null
  refusal?: string | null
  name?: string
  tool_calls?: ToolCall[] | null
  tool_call_id?: string
  function_call?: { name?: string; arguments?: string } | null
  audio?: { id?: string } | null
  reasoning_content?: string | null
  reasoning_details?: ReasoningDetail[] | null
  annotations?: Annotation[] | null
  extra_content?: ExtraContent
  cache_control?: { type?: string; ttl?: string } | null
}

export interface Annotation {
  type?: string
  url_citation?: { url?: string; title?: string; start_index?: number; end_index?: number; content?: string }
}

export interface WireUsage extends JsonObject {
  prompt_tokens?: number | null
  completion_tokens?: number | null
  total_tokens?: number | null
  prompt_tokens_details?: InputDetails | null
  completion_tokens_details?: OutputDetails | null
}

/** Parts of the prompt; OpenAI's later surfaces tell them in the same words. */
export interface InputDetails extends JsonObject {
  cached_tokens?: number
  cache_write_tokens?: number
  audio_tokens?: number
  image_tokens?: number
  video_tokens?: number
  cached_tokens_details?: { audio_tokens?: number; image_tokens?: number } | null
}

/** Parts of the answer. */
export interface OutputDetails extends JsonObject {
  reasoning_tokens?: number
  audio_tokens?: number
  image_tokens?: number
  video_tokens?: number
  citation_tokens?: number
}

export interface WireChoice extends JsonObject {
  index?: number
  delta?: (Message & JsonObject) | null
  message?: (Message & JsonObject) | null
  finish_reason?: string | null
  logprobs?: { content?: unknown[] | null; refusal?: unknown[] | null } | null
}

/** A chunk of a stream and a whole answer differ only in `delta` and `message`. */
export interface Completion extends JsonObject {
  id?: string
  object?: string
  created?: number
  model?: string
  choices?: WireChoice[] | null
  usage?: WireUsage | null
  /** Which of OpenAI's tiers served the request. */
  service_tier?: string | null
  error?: unknown
}
