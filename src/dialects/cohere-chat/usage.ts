import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { WireUsage } from './types.ts'

/**
 * `tokens` counts what the model read and wrote, Cohere's own preamble included; `billed_units` only what is charged.
 * The first is what the other providers report too; the second is what costs are reckoned by, and stays beside it under
 * its own name. Rankings are charged by the search.
 */
export function readUsage(wire: WireUsage | undefined): Usage | undefined {
  const counts = wire?.tokens ?? wire?.billed_units
  if (!wire || !counts) return undefined
  const { input_tokens, output_tokens, reasoning_tokens } = counts as NonNullable<WireUsage['tokens']>
  const { tokens, cached_tokens, ...rest } = wire
  // Where nothing else was counted, what is charged is the count itself.
  const billed = tokens ? (wire.billed_units ?? undefined) : undefined
  const search_units = wire.billed_units?.search_units
  const native: JsonObject = {}
  for (const [name, value] of Object.entries(rest)) if (value !== null && value !== undefined) native[name] = value
  return {
    input: input_tokens ?? 0,
    output: output_tokens ?? 0,
    ...(cached_tokens !== undefined && cached_tokens !== null && { cacheRead: cached_tokens }),
    ...(reasoning_tokens !== undefined && { reasoning: reasoning_tokens }),
    ...(billed?.input_tokens !== undefined && { billedInput: billed.input_tokens }),
    ...(billed?.output_tokens !== undefined && { billedOutput: billed.output_tokens }),
    ...(search_units && { rerankSearches: search_units }),
    source: 'reported',
    ...(Object.keys(native).length > 0 && { native }),
  }
}
