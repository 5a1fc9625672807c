import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { WireUsage } from './types.ts'
import { unknownIn } from './unknown-members.ts'
import { KNOWN_DETAILS, readInputDetails, readOthers, readOutputDetails, writeDetails } from './usage-details.ts'

const count = (value: unknown): number => (typeof value === 'number' && value > 0 ? value : 0)

/** Members that {@link Usage} has a name for. */
const KNOWN = new Set([
  'prompt_tokens',
  'completion_tokens',
  'total_tokens',
  'prompt_tokens_details',
  'completion_tokens_details',
])

/**
 * @param tier `service_tier`, which stands beside the usage
 * @returns undefined while the numbers are not there yet (some servers send nulls until the end)
 */
export function readUsage(wire: WireUsage | null | undefined, tier?: unknown): Usage | undefined {
  if (!wire || (typeof wire.prompt_tokens !== 'number' && typeof wire.completion_tokens !== 'number')) return undefined
  if (wire.completion_tokens === null) return undefined
  const usage: Usage = {
    input: count(wire.prompt_tokens),
    output: count(wire.completion_tokens),
    source: 'reported',
  }
  const { prompt_tokens_details: input, completion_tokens_details: output } = wire
  let native = unknownIn(wire, KNOWN)
  if (input) {
    readInputDetails(input, usage)
    const rest = unknownIn(input, KNOWN_DETAILS)
    if (rest) native = { ...native, prompt_tokens_details: rest }
  }
  if (output) {
    readOutputDetails(output, usage)
    const rest = unknownIn(output, KNOWN_DETAILS)
    if (rest) native = { ...native, completion_tokens_details: rest }
  }
  if (typeof tier === 'string') usage.tier = tier
  if (native) {
    readOthers(native, usage)
    usage.native = native
  }
  return usage
}

/** Usage in OpenAI's convention, in which the parts always add up to `total_tokens` (T94); absent details stay absent (T77). */
export function writeUsage(usage: Usage): JsonObject {
  const { prompt_tokens_details, completion_tokens_details, ...native } = usage.native ?? {}
  const [input, output] = writeDetails(
    usage,
    prompt_tokens_details as JsonObject | undefined,
    completion_tokens_details as JsonObject | undefined,
  )
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
