import type { Factor, Price, Tier } from './price.ts'

type Factors = NonNullable<Price['factors']>

const HALF: Factor = [1, 2]
const SAME: Factor = [1, 1]

/**
 * What the bundled price list does not say: the part of the usual price that a service tier costs, by the list's
 * provider ids. Where a provider has no figure for a tier, the usual price is taken.
 * @see https://platform.openai.com/docs/pricing
 * @see https://docs.anthropic.com/en/docs/build-with-claude/batch-processing
 * @see https://ai.google.dev/gemini-api/docs/batch-api
 * @see https://aws.amazon.com/bedrock/pricing/
 * @see https://console.groq.com/docs/service-tiers
 */
const FACTORS: Readonly<Record<string, Factors>> = {
  openai: { batch: HALF, flex: HALF, priority: [2, 1] },
  azure: { batch: HALF },
  anthropic: { batch: HALF },
  google: { batch: HALF, flex: HALF },
  aws: { batch: HALF, flex: HALF, priority: [7, 4] },
  groq: { batch: HALF, flex: SAME },
  mistral: { batch: HALF },
  together: { batch: HALF },
  fireworks: { batch: HALF },
}

/** OpenAI's models whose priority price is not twice the usual one, the longer names first. @see https://openai.com/api-priority-processing/ */
const OPENAI_PRIORITY: readonly (readonly [start: string, factor: Factor])[] = [
  ['gpt-5-mini', [9, 5]],
  ['gpt-4.1-nano', [2, 1]],
  ['gpt-4.1', [7, 4]],
  ['gpt-4o-mini', [5, 3]],
  ['gpt-4o-2024-05-13', [7, 4]],
  ['gpt-4o', [17, 10]],
  ['o4-mini', [20, 11]],
  ['o3', [7, 4]],
]

/** @param provider the id in the price list */
export function factorsOf(provider: string, model: string): Factors | undefined {
  const factors = FACTORS[provider]
  if (provider !== 'openai') return factors
  const own = OPENAI_PRIORITY.find(([start]) => model.startsWith(start))
  return own ? { ...factors, priority: own[1] } : factors
}

/** The words of OpenAI, Anthropic, Groq and Bedrock (`service_tier`), and of Gemini (`trafficType`). */
const WORDS: ReadonlyMap<unknown, Tier> = new Map<unknown, Tier>([
  ['batch', 'batch'],
  ['flex', 'flex'],
  ['priority', 'priority'],
  ['ON_DEMAND_FLEX', 'flex'],
  ['ON_DEMAND_PRIORITY', 'priority'],
])

/** @returns undefined for the usual tier, and for words that nobody here knows */
export const tierOf = (word: unknown): Tier | undefined => WORDS.get(word)
