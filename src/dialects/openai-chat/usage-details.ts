import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { InputDetails, OutputDetails } from './types.ts'

/** What OpenAI's formats say of a count beside the count itself, in chat completions and in the surfaces that came later. */

/** The members of the details that {@link Usage} has a name for. */
export const KNOWN_DETAILS: ReadonlySet<string> = new Set([
  'cached_tokens',
  'cache_write_tokens',
  'audio_tokens',
  'image_tokens',
  'video_tokens',
  'reasoning_tokens',
  'citation_tokens',
])

export function readInputDetails(details: InputDetails, usage: Usage): void {
  const { cached_tokens, cache_write_tokens, audio_tokens, image_tokens, video_tokens } = details
  if (typeof cached_tokens === 'number') usage.cacheRead = cached_tokens
  if (typeof cache_write_tokens === 'number') usage.cacheWrite = cache_write_tokens
  if (typeof audio_tokens === 'number') usage.audioInput = audio_tokens
  if (typeof image_tokens === 'number') usage.imageInput = image_tokens
  if (typeof video_tokens === 'number') usage.videoInput = video_tokens
  const cached = details.cached_tokens_details
  if (!cached) return
  if (typeof cached.audio_tokens === 'number') usage.audioCacheRead = cached.audio_tokens
  if (typeof cached.image_tokens === 'number') usage.imageCacheRead = cached.image_tokens
}

export function readOutputDetails(details: OutputDetails, usage: Usage): void {
  const { reasoning_tokens, audio_tokens, image_tokens, video_tokens, citation_tokens } = details
  if (typeof reasoning_tokens === 'number') usage.reasoning = reasoning_tokens
  if (typeof audio_tokens === 'number') usage.audioOutput = audio_tokens
  if (typeof image_tokens === 'number') usage.imageOutput = image_tokens
  if (typeof video_tokens === 'number') usage.videoOutput = video_tokens
  if (typeof citation_tokens === 'number') usage.citation = citation_tokens
}

/** The details of the prompt and of the answer, with what nobody here knows of them; absent ones stay absent (T77). */
export function writeDetails(
  usage: Usage,
  moreInput: JsonObject | undefined,
  moreOutput: JsonObject | undefined,
): [input: JsonObject, output: JsonObject] {
  const input = {
    ...(usage.cacheRead !== undefined && { cached_tokens: usage.cacheRead }),
    ...(usage.cacheWrite !== undefined && { cache_write_tokens: usage.cacheWrite }),
    ...(usage.audioInput !== undefined && { audio_tokens: usage.audioInput }),
    ...(usage.imageInput !== undefined && { image_tokens: usage.imageInput }),
    ...(usage.videoInput !== undefined && { video_tokens: usage.videoInput }),
    ...moreInput,
  }
  const output = {
    ...(usage.reasoning !== undefined && { reasoning_tokens: usage.reasoning }),
    ...(usage.audioOutput !== undefined && { audio_tokens: usage.audioOutput }),
    ...(usage.imageOutput !== undefined && { image_tokens: usage.imageOutput }),
    ...(usage.videoOutput !== undefined && { video_tokens: usage.videoOutput }),
    ...(usage.citation !== undefined && { citation_tokens: usage.citation }),
    ...moreOutput,
  }
  return [input, output]
}

/** Where the servers that search by themselves count it. */
interface Searches extends JsonObject {
  /** Perplexity. */
  num_search_queries?: number
  /** xAI's Live Search, which charges each source that it read. */
  num_sources_used?: number
  /** xAI's tools. @see https://docs.x.ai/docs/guides/tools/overview */
  server_side_tool_usage_details?: Record<string, number> | null
  /** OpenRouter. */
  server_tool_use?: { web_search_requests?: number } | null
}

/** Searches and seconds of sound that stand among the counts of tokens; where there were none there is nothing to say. */
export function readOthers(wire: Searches, usage: Usage): void {
  const tools = wire.server_side_tool_usage_details ?? undefined
  const web =
    sumOf(tools?.web_search_calls, tools?.x_search_calls) ||
    sumOf(wire.num_search_queries) ||
    sumOf(wire.num_sources_used) ||
    sumOf(wire.server_tool_use?.web_search_requests)
  if (web) usage.webSearches = web
  const files = sumOf(tools?.file_search_calls, tools?.document_search_calls)
  if (files) usage.fileSearches = files
  // Mistral, beside the tokens of the same sound.
  const seconds = sumOf(wire.prompt_audio_seconds)
  if (seconds) usage.seconds = seconds
}

function sumOf(...counts: unknown[]): number {
  let sum = 0
  for (const count of counts) if (typeof count === 'number' && count > 0) sum += count
  return sum
}
