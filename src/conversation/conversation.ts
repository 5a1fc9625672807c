import type { CacheMark, Part } from './parts.ts'

/** One turn. Results of tools stand in turns of role `tool`; a dialect without that role merges them (see turns.ts). */
export interface Turn {
  role: 'system' | 'user' | 'assistant' | 'tool'
  parts: Part[]
  /** OpenAI's participant name. */
  name?: string
}

export type JsonObject = Record<string, unknown>

export interface Tool {
  name: string
  description?: string
  /** JSON Schema of the arguments, as the caller wrote it; dialects clean it for their target. */
  parameters?: JsonObject
  strict?: boolean
  cache?: CacheMark
}

export type ToolChoice = { type: 'auto' | 'none' | 'required' } | { type: 'named'; name: string }

/** The form of answer that the caller wants. */
export type Output =
  | { type: 'text' }
  | { type: 'json' }
  | { type: 'schema'; name: string; description?: string; schema: JsonObject; strict?: boolean }

export interface Sampling {
  temperature?: number
  topP?: number
  topK?: number
  minP?: number
  seed?: number
  presencePenalty?: number
  frequencyPenalty?: number
  logitBias?: Record<string, number>
  logprobs?: boolean
  topLogprobs?: number
}

export type Effort = 'none' | 'minimal' | 'low' | 'medium' | 'high' | 'xhigh' | 'max'

/** How much the model may think. Where both are given, `budget` (tokens) is the more exact wish. */
export interface Reasoning {
  effort?: Effort
  budget?: number
  /** Whether the caller wants to read the reasoning; undefined means the target's habit. */
  visible?: boolean
}

/** A whole request in the neutral form: what the client said, whichever dialect it said it in. */
export interface Conversation {
  turns: Turn[]
  tools: Tool[]
  toolChoice?: ToolChoice
  /** The names that `allowed_tools` leaves usable; the tools themselves stay declared. */
  allowedTools?: string[]
  parallelToolCalls?: boolean
  output: Output
  sampling: Sampling
  reasoning?: Reasoning
  /** Upper bound on the tokens of the answer, reasoning included. */
  maxTokens?: number
  stop?: string[]
  /** How many answers (OpenAI's `n`). */
  count?: number
  stream: boolean
  /** Only meaningful for a stream: send usage as a last chunk. */
  includeUsage: boolean
  user?: string
  metadata?: Record<string, string>
  serviceTier?: string
  promptCacheKey?: string
  verbosity?: string
  /** Fields of the request that the reader does not know, under their own names: passed on or named as dropped. */
  unknown: JsonObject
}
