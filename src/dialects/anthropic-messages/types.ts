/** Anthropic's Messages on the wire, as far as we read and write it. @see https://platform.claude.com/docs/en/api/messages */

export interface CacheControl {
  type: 'ephemeral'
  ttl?: '5m' | '1h'
}

export type WireSource =
  | { type: 'base64'; media_type: string; data: string }
  | { type: 'url'; url: string }
  | { type: 'file'; file_id: string }
  | { type: 'text'; media_type: 'text/plain'; data: string }

/** A block of a request. */
export type Block = (
  | { type: 'text'; text: string }
  | { type: 'image'; source: WireSource }
  | { type: 'document'; source: WireSource; title?: string }
  | { type: 'thinking'; thinking: string; signature: string }
  | { type: 'redacted_thinking'; data: string }
  | { type: 'tool_use'; id: string; name: string; input: Record<string, unknown> }
  | { type: 'tool_result'; tool_use_id: string; content?: string | Block[]; is_error?: true }
) & { cache_control?: CacheControl }

export interface WireCitation {
  type?: string
  url?: string | null
  title?: string | null
  source?: string | null
  cited_text?: string | null
  document_title?: string | null
}

/** A block of an answer: any member may be missing, and there are types that we do not know. */
export interface AnswerBlock {
  type?: string
  text?: string
  citations?: WireCitation[] | null
  thinking?: string
  signature?: string
  data?: string
  id?: string
  name?: string
  input?: unknown
}

export interface WireUsage {
  input_tokens?: number | null
  output_tokens?: number | null
  cache_read_input_tokens?: number | null
  cache_creation_input_tokens?: number | null
  cache_creation?: { ephemeral_5m_input_tokens?: number | null; ephemeral_1h_input_tokens?: number | null } | null
  output_tokens_details?: { thinking_tokens?: number | null } | null
  server_tool_use?: { web_search_requests?: number | null } | null
  /** Each time that the model was asked, where a request took several. */
  iterations?: WireUsage[] | null
  [more: string]: unknown
}

export interface Answer {
  type?: string
  id?: string
  model?: string
  content?: AnswerBlock[] | null
  stop_reason?: string | null
  stop_sequence?: string | null
  stop_details?: unknown
  usage?: WireUsage | null
  container?: unknown
  context_management?: unknown
  error?: { type?: string; message?: string }
}

/** One message of a stream. */
export interface StreamMessage {
  type?: string
  message?: Answer
  index?: number
  content_block?: AnswerBlock
  delta?: {
    type?: string
    text?: string
    partial_json?: string
    thinking?: string
    signature?: string
    citation?: WireCitation
    stop_reason?: string | null
    stop_sequence?: string | null
    stop_details?: unknown
  }
  usage?: WireUsage | null
  error?: { type?: string; message?: string }
}
