import type { JsonObject } from '../../conversation/conversation.ts'

/**
 * The wire of `generateContent` and `streamGenerateContent`, as Google AI Studio and Vertex AI speak it. Every member
 * may be missing.
 * @see https://ai.google.dev/api/generate-content
 */
export interface GenerateContentRequest {
  contents: Content[]
  systemInstruction?: Content
  tools?: JsonObject[]
  toolConfig?: JsonObject
  generationConfig?: JsonObject
  [member: string]: unknown
}

export interface Content {
  role?: string
  parts?: WirePart[]
}

export interface Blob {
  mimeType?: string
  data?: string
}

export interface FileData {
  mimeType?: string
  fileUri?: string
}

/** A piece of an argument, where the caller asked for streamed arguments (trap 31). */
export interface PartialArgument {
  jsonPath?: string
  stringValue?: string
  numberValue?: number
  boolValue?: boolean
  nullValue?: unknown
  willContinue?: boolean
}

export interface FunctionCall {
  id?: string
  name?: string
  args?: JsonObject | null
  partialArgs?: PartialArgument[]
  willContinue?: boolean
}

export interface FunctionResponse {
  id?: string
  name?: string
  response?: JsonObject
  parts?: WirePart[]
}

/** One part; which member is set says what it is. */
export interface WirePart {
  text?: string
  thought?: boolean
  thoughtSignature?: string
  inlineData?: Blob
  fileData?: FileData
  functionCall?: FunctionCall
  functionResponse?: FunctionResponse
  [member: string]: unknown
}

export interface TokenDetail {
  modality?: string
  tokenCount?: number
}

export interface UsageMetadata {
  promptTokenCount?: number
  cachedContentTokenCount?: number
  candidatesTokenCount?: number
  thoughtsTokenCount?: number
  toolUsePromptTokenCount?: number
  totalTokenCount?: number
  promptTokensDetails?: TokenDetail[]
  /** The same of embeddings. */
  promptTokenDetails?: TokenDetail[]
  toolUsePromptTokensDetails?: TokenDetail[]
  cacheTokensDetails?: TokenDetail[]
  candidatesTokensDetails?: TokenDetail[]
  trafficType?: string
  serviceTier?: string
}

export interface GroundingSource {
  uri?: string
  title?: string
  text?: string
}

/** Offsets of a segment count bytes of UTF-8. */
export interface Segment {
  partIndex?: number
  startIndex?: number
  endIndex?: number
  text?: string
}

export interface GroundingMetadata {
  webSearchQueries?: string[]
  groundingChunks?: Record<string, GroundingSource | undefined>[]
  groundingSupports?: { segment?: Segment; groundingChunkIndices?: number[] }[]
  [member: string]: unknown
}

export interface CitationSource {
  startIndex?: number
  endIndex?: number
  uri?: string
  title?: string
}

/** AI Studio says `citationSources`, Vertex `citations`. */
export interface CitationMetadata {
  citationSources?: CitationSource[]
  citations?: CitationSource[]
}

export interface TokenLogprob {
  token?: string
  tokenId?: number
  logProbability?: number
}

export interface LogprobsResult {
  chosenCandidates?: TokenLogprob[]
  topCandidates?: { candidates?: TokenLogprob[] }[]
}

export interface Candidate {
  index?: number
  content?: Content
  finishReason?: string
  finishMessage?: string
  citationMetadata?: CitationMetadata
  groundingMetadata?: GroundingMetadata
  logprobsResult?: LogprobsResult
  [member: string]: unknown
}

/** A whole answer, and also each chunk of a stream. */
export interface GenerateContentResponse {
  candidates?: Candidate[]
  promptFeedback?: { blockReason?: string; blockReasonMessage?: string; [member: string]: unknown }
  usageMetadata?: UsageMetadata
  modelVersion?: string
  responseId?: string
  createTime?: string
  error?: unknown
}
