import type { Conversation, Effort, JsonObject } from '../conversation/conversation.ts'
import type { ReasoningPart } from '../conversation/parts.ts'
import type { Claude } from './claude.ts'
import { budgetOf, effortOf } from './effort.ts'

/** How much Claude is to think, in the words of its API, and what that does to the rest of the request. */
export interface ThinkingPlan {
  thinking?: JsonObject
  /** The value of `output_config.effort`. */
  effort?: string
  /** Whether the answer will begin with thinking as far as the request decides it: temperature is then not taken. */
  on: boolean
  /** The bound on the answer: the caller's own, or one that leaves room beside the thinking. */
  maxTokens?: number
  dropped: string[]
}

const LEAST = 1_024

/** Whether a part of reasoning can go back to Claude: only what it signed or encrypted itself (T17). */
export function replayable(part: ReasoningPart): boolean {
  if (part.format === 'google' || part.format === 'openai') return false
  return Boolean(part.signature || part.redacted)
}

/**
 * Budget models refuse a tool loop whose assistant turn does not begin with its thinking, which clients of OpenAI's
 * format cannot always give back. Adaptive models take it either way.
 * @see https://platform.claude.com/docs/en/build-with-claude/extended-thinking#preserving-thinking-blocks
 */
function loopWithoutThinking({ turns }: Conversation): boolean {
  if (turns.at(-1)?.role !== 'tool') return false
  const start = turns.findLastIndex(turn => turn.role === 'user')
  return turns
    .slice(start + 1)
    .some(
      turn =>
        turn.parts.some(part => part.type === 'tool-call') &&
        !turn.parts.some(part => part.type === 'reasoning' && replayable(part)),
    )
}

function effortFor(effort: Effort, claude: Claude): string {
  if (effort === 'minimal') return 'low'
  return effort === 'xhigh' && !claude.xhigh ? 'high' : effort
}

/** The budget of tokens that fits below the bound, or nothing where there is no room for one (T71). */
function fit(budget: number, maxTokens: number): number | undefined {
  if (maxTokens <= LEAST) return undefined
  const room = budget < maxTokens ? budget : Math.floor(maxTokens * 0.8)
  return Math.max(room, LEAST)
}

/**
 * Decides on thinking for a Claude model.
 * @param forced whether a tool is forced, which excludes thinking
 */
export function planThinking(conversation: Conversation, claude: Claude, forced: boolean): ThinkingPlan {
  const { reasoning, maxTokens } = conversation
  const native = conversation.unknown.thinking
  if (native && typeof native === 'object') return nativePlan(native as JsonObject, maxTokens, claude)
  const plain = (dropped: string[] = []): ThinkingPlan => ({ on: false, maxTokens, dropped })
  if (!reasoning || (reasoning.effort === undefined && reasoning.budget === undefined)) return plain()
  if (reasoning.budget === undefined ? reasoning.effort === 'none' : reasoning.budget <= 0) {
    if (claude.thinking === 'none') return plain()
    if (claude.thinkingOff === 'low-effort') return { ...plain(), effort: 'low' }
    return { ...plain(), thinking: { type: claude.thinkingOff === 'disabled' ? 'disabled' : 'between_tools' } }
  }
  if (claude.thinking === 'none' || forced) return plain(['reasoning_effort'])
  if (claude.thinking === 'adaptive') {
    const effort = reasoning.budget === undefined ? reasoning.effort! : effortOf(reasoning.budget)
    const display = reasoning.visible === undefined ? {} : { display: reasoning.visible ? 'summarized' : 'omitted' }
    return { ...plain(), on: true, thinking: { type: 'adaptive', ...display }, effort: effortFor(effort, claude) }
  }
  if (loopWithoutThinking(conversation)) return plain(['reasoning_effort'])
  const wish = reasoning.budget ?? budgetOf(reasoning.effort!, maxTokens)
  const bound = maxTokens ?? roomFor(wish, claude)
  const budget = fit(wish, bound)
  if (budget === undefined) return plain(['reasoning_effort'])
  // Budget models show what they think; only adaptive ones can be told not to.
  const dropped = reasoning.visible === false ? ['reasoning.exclude'] : []
  return { on: true, thinking: { type: 'enabled', budget_tokens: budget }, maxTokens: bound, dropped }
}

/** A bound that holds the thinking and an answer as long as usual, where the caller set none. */
function roomFor(budget: number, claude: Claude): number {
  return Math.min(Math.max(budget, LEAST) + claude.defaultMaxTokens, claude.maxTokens ?? Number.POSITIVE_INFINITY)
}

/** The caller wrote Anthropic's own `thinking`: it goes on as it is. */
function nativePlan(thinking: JsonObject, maxTokens: number | undefined, claude: Claude): ThinkingPlan {
  const on = thinking.type === 'enabled' || thinking.type === 'adaptive'
  const budget = typeof thinking.budget_tokens === 'number' ? thinking.budget_tokens : undefined
  const bound = maxTokens ?? (budget === undefined ? undefined : roomFor(budget, claude))
  return { thinking, on, maxTokens: bound, dropped: [] }
}
