import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { InputDetails, OutputDetails } from '../openai-chat/types.ts'
import { unknownIn } from '../openai-chat/unknown-members.ts'
import { KNOWN_DETAILS, readInputDetails, readOthers, readOutputDetails } from '../openai-chat/usage-details.ts'

interface WireUsage extends JsonObject {
  input_tokens?: number
  output_tokens?: number
  input_tokens_details?: InputDetails | null
  /** Transcriptions spell it so. */
  input_token_details?: InputDetails | null
  output_tokens_details?: OutputDetails | null
  output_token_details?: OutputDetails | null
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

/**
 * The counts of OpenAI's later surfaces: responses, images, transcriptions and speech. Cached tokens are inside the input.
 * @param tier `service_tier`, which stands beside the usage
 */
export function readTokenUsage(wire: unknown, tier?: unknown): Usage | undefined {
  if (!wire || typeof wire !== 'object') return undefined
  const counts = wire as WireUsage
  if (typeof counts.input_tokens !== 'number' && typeof counts.output_tokens !== 'number') return undefined
  const usage: Usage = { input: counts.input_tokens ?? 0, output: counts.output_tokens ?? 0, source: 'reported' }
  const input = counts.input_tokens_details ?? counts.input_token_details
  const output = counts.output_tokens_details ?? counts.output_token_details
  let native = unknownIn(counts, KNOWN)
  if (input) {
    readInputDetails(input, usage)
    const rest = unknownIn(input, KNOWN_DETAILS)
    if (rest) native = { ...native, input_tokens_details: rest }
  }
  if (output) {
    readOutputDetails(output, usage)
    const rest = unknownIn(output, KNOWN_DETAILS)
    if (rest) native = { ...native, output_tokens_details: rest }
  }
  if (typeof tier === 'string') usage.tier = tier
  if (native) {
    readOthers(native, usage)
    usage.native = native
  }
  return usage
}
