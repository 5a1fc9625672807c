import type { Conversation } from '../conversation/conversation.ts'
import type { Claude } from './claude.ts'
import type { ThinkingPlan } from './claude-thinking.ts'

/** Betas as a list or as the header's comma-separated text (T102). */
export function betaNames(value: unknown): string[] {
  const list = typeof value === 'string' ? value.split(',') : Array.isArray(value) ? value : []
  return list.filter(name => typeof name === 'string' && name.trim()).map(name => (name as string).trim())
}

/** What of temperature, top_p and top_k this model takes beside this thinking (T72); the others are named. */
export function settleSampling(
  { sampling }: Conversation,
  claude: Claude,
  plan: ThinkingPlan,
  dropped: Set<string>,
): { temperature?: number; topP?: number; topK?: number } {
  let { temperature, topP, topK } = sampling
  const leave = (name: string) => {
    dropped.add(name)
    return undefined
  }
  if (claude.sampling === 'none') {
    // 1 is the habit of both: leaving it out loses nothing.
    if (temperature !== undefined) temperature = temperature === 1 ? undefined : leave('temperature')
    if (topP !== undefined) topP = topP === 1 ? undefined : leave('top_p')
    if (topK !== undefined) topK = leave('top_k')
  }
  if (plan.on) {
    if (temperature !== undefined && temperature !== 1) temperature = leave('temperature')
    if (topK !== undefined) topK = leave('top_k')
    if (topP !== undefined && (topP < 0.95 || temperature !== undefined)) topP = leave('top_p')
  }
  if (temperature !== undefined && temperature > 1) {
    dropped.add('temperature')
    temperature = 1
  }
  if (claude.sampling === 'one' && temperature !== undefined && topP !== undefined) topP = leave('top_p')
  return { temperature, topP, topK }
}
