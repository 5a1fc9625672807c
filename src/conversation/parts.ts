/** What a message is made of, in the neutral form that every dialect is read into and written from. */

/** Where the bytes of an image, a sound or a document are. `data` is plain base64, without a `data:` prefix. */
export type Source =
  | { kind: 'base64'; mediaType: string; data: string }
  | { kind: 'url'; url: string; mediaType?: string }
  | { kind: 'file-id'; id: string }
  | { kind: 'text'; text: string; mediaType?: string }

/** A prompt-cache breakpoint set by the caller behind a part or a tool. */
export interface CacheMark {
  ttl?: '5m' | '1h'
}

/** A source that the model cites for a piece of its text. Offsets count UTF-16 units of the whole reply text. */
export interface Citation {
  url?: string
  title?: string
  start?: number
  end?: number
  /** The passage quoted, where the provider gives it. */
  quote?: string
  /** The provider's own citation object, for what the neutral form has no word for. */
  native?: unknown
}

/** Which provider family made a reasoning part: signatures and encrypted parts can only go back to the same family. */
export type ReasoningFormat = 'anthropic' | 'google' | 'openai' | 'bedrock' | 'unknown'

export interface TextPart {
  type: 'text'
  text: string
  citations?: Citation[]
  cache?: CacheMark
  /** Gemini puts a thought signature on text parts too, even on empty ones (T46). */
  signature?: string
}
export interface ReasoningPart {
  type: 'reasoning'
  text: string
  /** Opaque proof that must come back unchanged in the next turn (T17). */
  signature?: string
  /** Opaque encrypted reasoning without readable text; must come back byte for byte. */
  redacted?: string
  format?: ReasoningFormat
  /** The provider's own `reasoning_details` entry or block, where it had one. */
  native?: unknown
}
export interface ImagePart {
  type: 'image'
  source: Source
  detail?: string
  cache?: CacheMark
}
export interface AudioPart {
  type: 'audio'
  source: Source
  /** OpenAI's short name of the encoding: `wav`, `mp3`, … */
  format?: string
  cache?: CacheMark
}
export interface FilePart {
  type: 'file'
  source: Source
  filename?: string
  cache?: CacheMark
}
export interface ToolCallPart {
  type: 'tool-call'
  id: string
  name: string
  /** The text as the model wrote it, even cut short (T63). Never parsed and written again in the same dialect. */
  arguments: string
  /** Gemini's thought signature of this call. */
  signature?: string
  cache?: CacheMark
}
export interface ToolResultPart {
  type: 'tool-result'
  /** The id of the call that this answers. */
  id: string
  /** The tool's name, where the caller gave it; otherwise looked up in the history. */
  name?: string
  content: Part[]
  failed?: boolean
  cache?: CacheMark
}
export interface RefusalPart {
  type: 'refusal'
  text: string
}

export type Part =
  | TextPart
  | ReasoningPart
  | ImagePart
  | AudioPart
  | FilePart
  | ToolCallPart
  | ToolResultPart
  | RefusalPart
