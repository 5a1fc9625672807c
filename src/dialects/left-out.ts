import type { Conversation, JsonObject, Tool } from '../conversation/conversation.ts'
import { Unsupported } from '../conversation/errors.ts'
import type { Part } from '../conversation/parts.ts'

/** Whether the caller gave a field whose loss leaves the answer's meaning alone. */
const HARMLESS = {
  min_p: ({ sampling }) => sampling.minP !== undefined,
  seed: ({ sampling }) => sampling.seed !== undefined,
  presence_penalty: ({ sampling }) => sampling.presencePenalty !== undefined,
  frequency_penalty: ({ sampling }) => sampling.frequencyPenalty !== undefined,
  user: ({ user }) => user !== undefined,
  metadata: ({ metadata }) => metadata !== undefined,
  prompt_cache_key: ({ promptCacheKey }) => promptCacheKey !== undefined,
  verbosity: ({ verbosity }) => verbosity !== undefined,
  // `auto` and `default` ask for nothing but what every provider does.
  service_tier: ({ serviceTier }) => !['auto', 'default', undefined].includes(serviceTier),
  parallel_tool_calls: ({ parallelToolCalls, tools }) => parallelToolCalls === false && tools.length > 0,
  'reasoning.exclude': ({ reasoning }) => reasoning?.visible === false,
  'messages[].name': ({ turns }) => turns.some(turn => turn.name !== undefined),
  cache_control: conversation =>
    conversation.tools.some(tool => tool.cache) ||
    hasPart(conversation, part => 'cache' in part && Boolean(part.cache)),
  'messages[].content[].image_url.detail': conversation =>
    hasPart(conversation, part => part.type === 'image' && part.detail !== undefined && part.detail !== 'auto'),
  'messages[].content[].file.filename': conversation =>
    hasPart(conversation, part => part.type === 'file' && part.filename !== undefined),
  // Gemini's thought signatures mean nothing elsewhere.
  'messages[].extra_content': conversation =>
    hasPart(conversation, part => (part.type === 'text' || part.type === 'tool-call') && part.signature !== undefined),
} satisfies Record<string, (conversation: Conversation) => boolean>

const hasPart = ({ turns }: Conversation, is: (part: Part) => boolean): boolean =>
  turns.some(turn => turn.parts.some(is))

/** A field of the chat request that only some targets have a word for. */
export type Word = keyof typeof HARMLESS | 'n' | 'logprobs'

/**
 * The fields that the caller gave and the target has no word for, where the loss leaves the answer's meaning alone.
 * @param title the target's name, for messages
 * @param words what it has words for, or deals with by itself
 * @throws Unsupported where it would not: several answers, log probabilities, biased tokens
 */
export function leftOut(conversation: Conversation, title: string, words: readonly Word[]): string[] {
  const { sampling, count } = conversation
  if (count !== undefined && count > 1 && !words.includes('n'))
    throw new Unsupported('n', `${title} gives one answer a request`)
  if (!words.includes('logprobs'))
    for (const [name, value] of Object.entries({ logprobs: sampling.logprobs, top_logprobs: sampling.topLogprobs }))
      if (value) throw new Unsupported(name, `${title} gives no log probabilities`)
  if (sampling.logitBias && Object.keys(sampling.logitBias).length > 0)
    throw new Unsupported('logit_bias', `${title} has no bias on tokens`)
  const names = Object.keys(HARMLESS) as (keyof typeof HARMLESS)[]
  return names.filter(name => !words.includes(name) && HARMLESS[name](conversation))
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
