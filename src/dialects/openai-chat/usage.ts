import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { WireUsage } from './types.ts'
import { unknownIn } from './unknown-members.ts'

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)

/** Members that {@link Usage} has a name for. */
const KNOWN = new Set([
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'prompt_tokens_details',
  'completion_tokens_details',
])
const KNOWN_DETAILS = new Set(['cached_tokens', 'cache_write_tokens', 'audio_tokens', 'reasoning_tokens'])

/** @returns undefined while the numbers are not there yet (some servers send nulls until the end) */
export function readUsage(wire: WireUsage | null | undefined): Usage | undefined {
  if (!wire || (typeof wire.prompt_tokens !== 'number' && typeof wire.completion_tokens !== 'number')) return undefined
  if (wire.completion_tokens === null) return undefined
  const input = wire.prompt_tokens_details ?? {}
  const output = wire.completion_tokens_details ?? {}
  const inputRest = unknownIn(input, KNOWN_DETAILS)
  const outputRest = unknownIn(output, KNOWN_DETAILS)
  let native = unknownIn(wire, KNOWN)
  if (inputRest) native = { ...native, prompt_tokens_details: inputRest }
  if (outputRest) native = { ...native, completion_tokens_details: outputRest }
  return {
    input: count(wire.prompt_tokens),
    output: count(wire.completion_tokens),
    source: 'reported',
    ...(typeof input.cached_tokens === 'number' && { cacheRead: input.cached_tokens }),
    ...(typeof input.cache_write_tokens === 'number' && { cacheWrite: input.cache_write_tokens }),
    ...(typeof input.audio_tokens === 'number' && { audioInput: input.audio_tokens }),
    ...(typeof output.reasoning_tokens === 'number' && { reasoning: output.reasoning_tokens }),
    ...(typeof output.audio_tokens === 'number' && { audioOutput: output.audio_tokens }),
    ...(native && { native }),
  }
}

/** Usage in OpenAI's convention, in which the parts always add up to `total_tokens` (T94); absent details stay absent (T77). */
export function writeUsage(usage: Usage): JsonObject {
  const { prompt_tokens_details, completion_tokens_details, ...native } = usage.native ?? {}
  const input = {
    ...(usage.cacheRead !== undefined && { cached_tokens: usage.cacheRead }),
    ...(usage.cacheWrite !== undefined && { cache_write_tokens: usage.cacheWrite }),
    ...(usage.audioInput !== undefined && { audio_tokens: usage.audioInput }),
    ...(prompt_tokens_details as JsonObject | undefined),
  }
  const output = {
    ...(usage.reasoning !== undefined && { reasoning_tokens: usage.reasoning }),
    ...(usage.audioOutput !== undefined && { audio_tokens: usage.audioOutput }),
    ...(completion_tokens_details as JsonObject | undefined),
  }
  return {
    prompt_tokens: usage.input,
    completion_tokens: usage.output,
    total_tokens: usage.input + usage.output,
    ...(Object.keys(input).length > 0 && { prompt_tokens_details: input }),
    ...(Object.keys(output).length > 0 && { completion_tokens_details: output }),
    ...native,
    // Nobody should take a guess for a measurement (T96).
    ...(usage.source === 'estimated' && { estimated: true }),
  }
}
