import type { Usage } from '../../conversation/reply.ts'
import type { GenerateContentResponse, TokenDetail, UsageMetadata } from './types.ts'

/**
 * Gemini counts thoughts apart from the answer and what its own tools read apart from the prompt; cached tokens are
 * inside the prompt (T89). A count of zero is left out of the wire.
 *
 * @param searches from {@link searchesIn}
 * @returns undefined where there is no count yet: Vertex sends chunks with nothing but a `trafficType`
 */
export function readUsage(wire: UsageMetadata, searches = 0): Usage | undefined {
  const { promptTokenCount, candidatesTokenCount, totalTokenCount } = wire
  if (promptTokenCount === undefined && candidatesTokenCount === undefined && totalTokenCount === undefined)
    return undefined
  const thoughts = wire.thoughtsTokenCount ?? 0
  const usage: Usage = {
    input: (promptTokenCount ?? 0) + (wire.toolUsePromptTokenCount ?? 0),
    output: (candidatesTokenCount ?? 0) + thoughts,
    ...(wire.cachedContentTokenCount !== undefined && { cacheRead: wire.cachedContentTokenCount }),
    ...(wire.thoughtsTokenCount !== undefined && { reasoning: thoughts }),
    source: 'reported',
    ...(wire.serviceTier && { tier: wire.serviceTier }),
    ...(wire.trafficType && { native: { trafficType: wire.trafficType } }),
  }
  addUp(usage, wire.promptTokensDetails ?? wire.promptTokenDetails, INPUT)
  addUp(usage, wire.toolUsePromptTokensDetails, INPUT)
  addUp(usage, wire.candidatesTokensDetails, OUTPUT)
  addUp(usage, wire.cacheTokensDetails, CACHED)
  if (searches) usage.webSearches = searches
  return usage
}

type Count =
  | 'audioInput'
  | 'imageInput'
  | 'videoInput'
  | 'audioOutput'
  | 'imageOutput'
  | 'videoOutput'
  | 'audioCacheRead'
  | 'imageCacheRead'
type Counts = ReadonlyMap<string | undefined, Count>

/** The pages of a document are pictures to Gemini, and charged as such. */
const INPUT: Counts = new Map([
  ['AUDIO', 'audioInput'],
  ['IMAGE', 'imageInput'],
  ['DOCUMENT', 'imageInput'],
  ['VIDEO', 'videoInput'],
])
const OUTPUT: Counts = new Map([
  ['AUDIO', 'audioOutput'],
  ['IMAGE', 'imageOutput'],
  ['VIDEO', 'videoOutput'],
])
const CACHED: Counts = new Map([
  ['AUDIO', 'audioCacheRead'],
  ['IMAGE', 'imageCacheRead'],
  ['DOCUMENT', 'imageCacheRead'],
])

function addUp(usage: Usage, details: TokenDetail[] | undefined, names: Counts): void {
  if (!Array.isArray(details)) return
  for (const { modality, tokenCount } of details) {
    const name = names.get(modality)
    if (name && tokenCount) usage[name] = (usage[name] ?? 0) + tokenCount
  }
}

/**
 * How many searches Google charges for an answer that rests on them: each query from Gemini 3 on, the prompt as a whole
 * before that.
 * @see https://ai.google.dev/gemini-api/docs/google-search#pricing
 */
export function searchesIn({ candidates, modelVersion }: GenerateContentResponse): number {
  if (!Array.isArray(candidates)) return 0
  let queries = 0
  for (const candidate of candidates)
    for (const query of candidate?.groundingMetadata?.webSearchQueries ?? []) if (query) queries++
  return queries && /^gemini-[12]\b/.test(modelVersion ?? '') ? 1 : queries
}
