import type { Effort, JsonObject, Reasoning } from '../../conversation/conversation.ts'
import { budgetOf, effortOf } from '../effort.ts'
import type { ModelTraits } from './model.ts'

/**
 * The `thinkingConfig` for a wish, in the words that the model takes: levels from Gemini 3 on, budgets for 2.5. The two
 * exclude each other. Older models do not think.
 *
 * @returns undefined where the model takes no such setting
 * @see https://ai.google.dev/gemini-api/docs/thinking
 */
export function thinkingConfig(reasoning: Reasoning, traits: ModelTraits, maxTokens?: number): JsonObject | undefined {
  const { generation } = traits
  if (traits.media || traits.gemma || (generation !== undefined && generation < 2.5)) return undefined
  const { effort, budget } = reasoning
  const off = budget === undefined ? effort === 'none' : budget === 0
  const asked = effort !== undefined || budget !== undefined
  // Summaries must be asked for, and callers who ask for reasoning expect to see it unless they say otherwise.
  const visible = { includeThoughts: reasoning.visible ?? (asked && !off) }
  if (!asked) return visible
  if (generation !== undefined && generation >= 3) {
    return {
      thinkingLevel: levelOf(budget === undefined || budget < 0 ? (effort ?? 'high') : effortOf(budget), traits),
      ...visible,
    }
  }
  // A name without a generation (`gemini-flash-latest`) gets a budget, which Gemini 3 still takes and 2.5 must have.
  const tokens = budget ?? budgetOf(effort ?? 'medium', maxTokens)
  return { thinkingBudget: withinBounds(tokens, traits), ...visible }
}

/**
 * Levels differ by model: Pro models know no MINIMAL, nor does Flash since 3.7, and the first 3 Pro knew no MEDIUM
 * either. No Gemini 3 model can be kept from thinking, so `none` becomes the lowest level.
 */
function levelOf(effort: Effort, { generation = 3, pro }: ModelTraits): string {
  if (effort === 'none' || effort === 'minimal') return pro || generation > 3.5 ? 'LOW' : 'MINIMAL'
  if (effort === 'low') return 'LOW'
  if (effort === 'medium') return pro && generation === 3 ? 'HIGH' : 'MEDIUM'
  return 'HIGH'
}

/** 2.5 Pro thinks 128 to 32,768 tokens and never not at all; Flash 1 to 24,576, Flash-Lite from 512; -1 lets the model decide. */
function withinBounds(tokens: number, { pro, lite }: ModelTraits): number {
  if (tokens < 0) return -1
  if (pro) return Math.min(Math.max(tokens, 128), 32_768)
  if (tokens === 0) return 0
  return Math.min(Math.max(tokens, lite ? 512 : 1), 24_576)
}
