import type { Effort } from '../conversation/conversation.ts'

/**
 * How many tokens of thinking an effort stands for where a target wants a number. The shares follow common practice
 * (a fifth for low, half for medium, four fifths for high) of the answer's bound, and fixed sizes where there is none.
 */
const SHARE: Record<Exclude<Effort, 'none'>, number> = {
  minimal: 0.1,
  low: 0.2,
  medium: 0.5,
  high: 0.8,
  xhigh: 0.9,
  max: 0.95,
}
const FIXED: Record<Exclude<Effort, 'none'>, number> = {
  minimal: 1_024,
  low: 2_048,
  medium: 8_192,
  high: 16_384,
  xhigh: 24_576,
  max: 32_768,
}

/** @returns tokens; 0 for `none`. Targets clamp it to their own bounds. */
export function budgetOf(effort: Effort, maxTokens?: number): number {
  if (effort === 'none') return 0
  return maxTokens === undefined ? FIXED[effort] : Math.floor(maxTokens * SHARE[effort])
}

/** The effort that a budget of thinking tokens comes nearest to. */
export function effortOf(budget: number): Effort {
  if (budget <= 0) return 'none'
  if (budget < 1_536) return 'minimal'
  if (budget < 4_096) return 'low'
  if (budget < 12_288) return 'medium'
  return 'high'
}
