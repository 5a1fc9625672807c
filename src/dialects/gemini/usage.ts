import type { Usage } from '../../conversation/reply.ts'
import type { TokenDetail, UsageMetadata } from './types.ts'

/**
 * Gemini counts thoughts apart from the answer and what its own tools read apart from the prompt; cached tokens are
 * inside the prompt (T89). A count of zero is left out of the wire.
 *
 * @returns undefined where there is no count yet: Vertex sends chunks with nothing but a `trafficType`
 */
export function readUsage(wire: UsageMetadata): Usage | undefined {
  const { promptTokenCount, candidatesTokenCount, totalTokenCount } = wire
  if (promptTokenCount === undefined && candidatesTokenCount === undefined && totalTokenCount === undefined)
    return undefined
  const thoughts = wire.thoughtsTokenCount ?? 0
  const audioInput = audioOf(wire.promptTokensDetails)
  const audioOutput = audioOf(wire.candidatesTokensDetails)
  return {
    input: (promptTokenCount ?? 0) + (wire.toolUsePromptTokenCount ?? 0),
    output: (candidatesTokenCount ?? 0) + thoughts,
    ...(wire.cachedContentTokenCount !== undefined && { cacheRead: wire.cachedContentTokenCount }),
    ...(wire.thoughtsTokenCount !== undefined && { reasoning: thoughts }),
    ...(audioInput && { audioInput }),
    ...(audioOutput && { audioOutput }),
    source: 'reported',
    ...(wire.trafficType && { native: { trafficType: wire.trafficType } }),
  }
}

function audioOf(details: TokenDetail[] | undefined): number {
  let tokens = 0
  for (const detail of details ?? []) if (detail.modality === 'AUDIO') tokens += detail.tokenCount ?? 0
  return tokens
}
