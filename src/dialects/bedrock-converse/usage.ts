import type { Usage } from '../../conversation/reply.ts'
import type { WireTier, WireUsage } from './types.ts'

/**
 * Converse counts what was read from or written to the cache apart from `inputTokens`.
 * @param serviceTier which stands beside the usage
 */
export function readUsage(usage: WireUsage, serviceTier?: WireTier): Usage {
  const read = usage.cacheReadInputTokens ?? usage.cacheReadInputTokenCount
  const write = usage.cacheWriteInputTokens ?? usage.cacheWriteInputTokenCount
  const hour = usage.cacheDetails?.filter(each => each.ttl === '1h')
  return {
    input: (usage.inputTokens ?? 0) + (read ?? 0) + (write ?? 0),
    output: usage.outputTokens ?? 0,
    ...(read !== undefined && { cacheRead: read }),
    ...(write !== undefined && { cacheWrite: write }),
    ...(hour?.length && { cacheWrite1h: hour.reduce((sum, each) => sum + (each.inputTokens ?? 0), 0) }),
    ...(typeof serviceTier?.type === 'string' && { tier: serviceTier.type }),
    source: 'reported',
  }
}
