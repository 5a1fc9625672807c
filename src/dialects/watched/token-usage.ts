import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import { unknownIn } from '../openai-chat/unknown-members.ts'

interface Details extends JsonObject {
  cached_tokens?: number
  cache_write_tokens?: number
  audio_tokens?: number
  reasoning_tokens?: number
}

interface WireUsage extends JsonObject {
  input_tokens?: number
  output_tokens?: number
  input_tokens_details?: Details | null
  /** Transcriptions spell it so. */
  input_token_details?: Details | null
  output_tokens_details?: Details | null
  output_token_details?: Details | null
}

const KNOWN = new Set([
  'type',
  'input_tokens',
  'output_tokens',
  'total_tokens',
  'input_tokens_details',
  'input_token_details',
  'output_tokens_details',
  'output_token_details',
])
const KNOWN_DETAILS = new Set(['cached_tokens', 'cache_write_tokens', 'audio_tokens', 'reasoning_tokens'])

/** The counts of OpenAI's later surfaces: responses, images, transcriptions and speech. Cached tokens are inside the input. */
export function readTokenUsage(usage: unknown): Usage | undefined {
  if (!usage || typeof usage !== 'object') return undefined
  const wire = usage as WireUsage
  if (typeof wire.input_tokens !== 'number' && typeof wire.output_tokens !== 'number') return undefined
  const input = wire.input_tokens_details ?? wire.input_token_details ?? {}
  const output = wire.output_tokens_details ?? wire.output_token_details ?? {}
  const inputRest = unknownIn(input, KNOWN_DETAILS)
  const outputRest = unknownIn(output, KNOWN_DETAILS)
  let native = unknownIn(wire, KNOWN)
  // Tokens of pictures and of text have prices of their own.
  if (inputRest) native = { ...native, input_tokens_details: inputRest }
  if (outputRest) native = { ...native, output_tokens_details: outputRest }
  return {
    input: wire.input_tokens ?? 0,
    output: wire.output_tokens ?? 0,
    ...(typeof input.cached_tokens === 'number' && { cacheRead: input.cached_tokens }),
    ...(typeof input.cache_write_tokens === 'number' && { cacheWrite: input.cache_write_tokens }),
    ...(typeof input.audio_tokens === 'number' && { audioInput: input.audio_tokens }),
    ...(typeof output.audio_tokens === 'number' && { audioOutput: output.audio_tokens }),
    ...(typeof output.reasoning_tokens === 'number' && { reasoning: output.reasoning_tokens }),
    source: 'reported',
    ...(native && { native }),
  }
}
