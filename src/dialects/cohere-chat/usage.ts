import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { WireUsage } from './types.ts'

/**
 * `tokens` counts what the model read and wrote, Cohere's own preamble included; `billed_units` only what is charged.
 * The first is what the other providers report too; the second stays beside it under its own name.
 */
export function readUsage(wire: WireUsage | undefined): Usage | undefined {
  const counts = wire?.tokens ?? wire?.billed_units
  if (!wire || !counts) return undefined
  const { input_tokens, output_tokens, reasoning_tokens } = counts as NonNullable<WireUsage['tokens']>
  const { tokens: _, cached_tokens, ...rest } = wire
  const native: JsonObject = {}
  for (const [name, value] of Object.entries(rest)) if (value !== null && value !== undefined) native[name] = value
  return {
    input: input_tokens ?? 0,
    output: output_tokens ?? 0,
    ...(cached_tokens !== undefined && cached_tokens !== null && { cacheRead: cached_tokens }),
    ...(reasoning_tokens !== undefined && { reasoning: reasoning_tokens }),
    source: 'reported',
    ...(Object.keys(native).length > 0 && { native }),
  }
}
