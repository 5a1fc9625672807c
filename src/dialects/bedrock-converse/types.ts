/**
 * Bedrock's Converse on the wire, as far as we read and write it.
 * @see https://docs.aws.amazon.com/bedrock/latest/APIReference/API_runtime_Converse.html
 */

export type WireSource = { bytes: string } | { s3Location: { uri: string } }

export type ResultContent =
  | { text: string }
  | { image: { format: string; source: WireSource } }
  | { document: { format: string; name: string; source: WireSource } }

/** A block of a request. */
export type Block =
  | ResultContent
  | { cachePoint: { type: 'default'; ttl?: '5m' | '1h' } }
  | { toolUse: { toolUseId: string; name: string; input: Record<string, unknown> } }
  | { toolResult: { toolUseId: string; content: ResultContent[]; status?: 'success' | 'error' } }
  | { reasoningContent: { reasoningText: { text: string; signature?: string } } }
  | { reasoningContent: { redactedContent: string } }

export interface WireReasoning {
  reasoningText?: { text?: string; signature?: string }
  redactedContent?: string
}

export interface WireCitation {
  title?: string | null
  source?: string | null
  sourceContent?: { text?: string }[] | null
  location?: { web?: { url?: string } } | null
}

/** A block of an answer: one of the members is set, or one that we do not know. */
export interface AnswerBlock {
  text?: string
  toolUse?: { toolUseId?: string; name?: string; input?: unknown; type?: string }
  reasoningContent?: WireReasoning
  citationsContent?: { content?: { text?: string }[]; citations?: WireCitation[] }
}

export interface WireUsage {
  inputTokens?: number
  outputTokens?: number
  cacheReadInputTokens?: number
  cacheWriteInputTokens?: number
  /** The same two under other names, which Bedrock sends beside them or instead. */
  cacheReadInputTokenCount?: number
  cacheWriteInputTokenCount?: number
  cacheDetails?: { ttl?: string; inputTokens?: number }[] | null
}

/** Which tier served the request. */
export interface WireTier {
  type?: string
}

export interface Answer {
  output?: { message?: { role?: string; content?: AnswerBlock[] | null } }
  stopReason?: string
  usage?: WireUsage
  serviceTier?: WireTier
  message?: unknown
}

/** The payload of one stream event, of whichever type. */
export interface StreamPayload {
  contentBlockIndex?: number
  start?: { toolUse?: AnswerBlock['toolUse'] }
  delta?: {
    text?: string
    toolUse?: { input?: string }
    reasoningContent?: { text?: string; signature?: string; redactedContent?: string }
    citation?: WireCitation
  }
  stopReason?: string
  usage?: WireUsage
  serviceTier?: WireTier
}
