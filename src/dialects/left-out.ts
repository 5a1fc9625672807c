import type { Conversation, JsonObject, Tool } from '../conversation/conversation.ts'
import { Unsupported } from '../conversation/errors.ts'

/** What a target has words for, beyond what all have. */
export interface Vocabulary {
  logprobs?: boolean
  cache?: boolean
  parallelToolCalls?: boolean
}

/**
 * The fields that the caller gave and for which targets without OpenAI's extras have no word, where the loss leaves the
 * answer's meaning alone.
 * @throws Unsupported where it would not: several answers, log probabilities, biased tokens
 */
export function leftOut(conversation: Conversation, target: Vocabulary = {}): string[] {
  const { sampling, turns, tools } = conversation
  if ((conversation.count ?? 1) > 1) throw new Unsupported('n', 'this provider gives one answer a request')
  if (!target.logprobs && sampling.logprobs)
    throw new Unsupported('logprobs', 'this provider does not give log probabilities')
  if (Object.keys(sampling.logitBias ?? {}).length > 0)
    throw new Unsupported('logit_bias', 'this provider cannot weigh single tokens')
  const dropped: string[] = []
  if (conversation.user !== undefined) dropped.push('user')
  if (conversation.metadata !== undefined) dropped.push('metadata')
  if (conversation.promptCacheKey !== undefined) dropped.push('prompt_cache_key')
  if (conversation.verbosity !== undefined) dropped.push('verbosity')
  // `auto` and `default` ask for nothing but what every provider does.
  if (!['auto', 'default', undefined].includes(conversation.serviceTier)) dropped.push('service_tier')
  if (!target.parallelToolCalls && conversation.parallelToolCalls === false && tools.length > 0)
    dropped.push('parallel_tool_calls')
  if (conversation.reasoning?.visible === false) dropped.push('reasoning.exclude')
  if (turns.some(turn => turn.name !== undefined)) dropped.push('messages[].name')
  const marked =
    tools.some(tool => tool.cache) || turns.some(turn => turn.parts.some(part => 'cache' in part && part.cache))
  if (!target.cache && marked) dropped.push('cache_control')
  return dropped
}

/** Copies the unknown fields that the target takes into the body, each under its own name, and names the others. */
export function passUnknown(conversation: Conversation, taken: ReadonlySet<string>, body: JsonObject): string[] {
  const dropped: string[] = []
  for (const [name, value] of Object.entries(conversation.unknown)) {
    if (value === null || value === undefined) continue
    if (taken.has(name)) body[name] = value
    else dropped.push(name)
  }
  return dropped
}

/**
 * The tools that the model may use, for targets whose choice is at most "one of those": a named tool is the only one
 * left, `allowed_tools` leaves its list. Without tools there is no choice either (T100).
 * @throws Unsupported when the named tool is not declared
 */
export function usableTools(conversation: Conversation): { tools: Tool[]; choice: 'auto' | 'none' | 'required' } {
  const { toolChoice, allowedTools } = conversation
  let { tools } = conversation
  if (allowedTools) tools = tools.filter(tool => allowedTools.includes(tool.name))
  if (toolChoice?.type === 'named') {
    tools = tools.filter(tool => tool.name === toolChoice.name)
    if (!tools.length) throw new Unsupported('tool_choice', 'the chosen tool is not among the tools')
    return { tools, choice: 'required' }
  }
  return { tools, choice: tools.length ? (toolChoice?.type ?? 'auto') : 'auto' }
}

/** A JSON Schema without the note of its draft, which validators of some providers refuse; a tool without one takes nothing. */
export function plainSchema(schema: JsonObject | undefined): JsonObject {
  if (!schema || Object.keys(schema).length === 0) return { type: 'object', properties: {} }
  const { $schema: _, ...rest } = schema
  return rest
}
