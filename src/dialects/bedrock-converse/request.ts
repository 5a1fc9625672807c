import type { Conversation, JsonObject } from '../../conversation/conversation.ts'
import { hoistSystem } from '../../conversation/turns.ts'
import { type Claude, claudeOf } from '../claude.ts'
import { betaNames, settleSampling } from '../claude-request.ts'
import { planThinking, type ThinkingPlan } from '../claude-thinking.ts'
import type { Target, WrittenRequest } from '../dialect.ts'
import { leftOut, type Word } from '../left-out.ts'
import { alphanumericId, fitToolIds, readableId } from '../tool-ids.ts'
import { shortenToolNames } from '../tool-names.ts'
import { type Family, familyOf, takesSchema } from './family.ts'
import { cachePoint, refuseParts, writeMessages } from './request-messages.ts'
import { writeTools } from './tools.ts'

const NAMES = { pattern: /^[a-zA-Z0-9_-]{1,64}$/, max: 64 }
const IDS = { pattern: /^[a-zA-Z0-9_-]{1,64}$/, make: readableId(64) }
const MISTRAL_IDS = { pattern: /^[a-zA-Z0-9]{9}$/, make: alphanumericId(9) }

/** Fields of the chat request that have a place in it, or are dealt with below. */
const WORDS: readonly Word[] = [
  'user',
  'metadata',
  'service_tier',
  'parallel_tool_calls',
  'reasoning.exclude',
  'cache_control',
  'messages[].content[].file.filename',
]

/** Members of Converse's own request that a client of another dialect may add; they go on under their own names. */
const OWN = ['guardrailConfig', 'performanceConfig', 'additionalModelResponseFieldPaths', 'promptVariables']
/** Members of Anthropic's request that Claude takes inside `additionalModelRequestFields`. */
const CLAUDE_OWN = ['context_management']

/** What is neither Claude's nor anyone's whose habits we know. */
const NO_PLAN: ThinkingPlan = { on: false, dropped: [] }

/**
 * Writes a request of Converse or ConverseStream: they differ in the address only.
 * @throws Unsupported for several answers, log probabilities, biases, audio, addresses, file ids
 */
export function writeRequest(original: Conversation, target: Target): WrittenRequest {
  const dropped = new Set<string>(leftOut(original, 'Bedrock', WORDS))
  refuseParts(original.turns)
  const family = familyOf(target.model)
  const { conversation: named, names } = shortenToolNames(original, NAMES)
  const conversation = fitToolIds(named, family === 'mistral' ? MISTRAL_IDS : IDS)
  const claude = family === 'claude' ? claudeOf(target.model) : undefined
  const caches = claude !== undefined || family === 'nova' || family === 'nova-2'
  const tools = writeTools(conversation, {
    // Opus 4.1 has schemas at Anthropic's own API, not at Bedrock.
    schema: claude ? claude.structured && !/opus-4-1\b/.test(target.model) : takesSchema(target.model),
    // Nova knows cache points in the system and in messages only.
    cache: claude !== undefined,
    forcedTool: claude?.forcedTool ?? true,
  })
  const plan = claude ? planThinking(conversation, claude, tools.forced) : { ...NO_PLAN, maxTokens: original.maxTokens }
  for (const name of [...tools.dropped, ...plan.dropped]) dropped.add(name)
  const { system, rest } = hoistSystem(conversation.turns)
  if (!caches && system.some(part => part.cache)) dropped.add('cache_control')

  const additional: JsonObject = {}
  const inference = writeInference(conversation, claude, plan, additional, dropped, family)
  writeReasoning(conversation, family, claude, plan, additional, dropped)
  const body: JsonObject = {
    messages: writeMessages(rest, caches, claude !== undefined, dropped),
    ...(system.length > 0 && {
      system: system.flatMap(part => [{ text: part.text }, ...(caches ? cachePoint(part.cache) : [])]),
    }),
    ...(Object.keys(inference).length > 0 && { inferenceConfig: inference }),
    ...(tools.toolConfig && { toolConfig: tools.toolConfig }),
    ...(tools.outputConfig && { outputConfig: tools.outputConfig }),
    ...writeTier(conversation, dropped),
    ...writeMetadata(conversation, dropped),
  }
  // What the caller wrote in Converse's own words holds over what we made of OpenAI's.
  const own = conversation.unknown.additionalModelRequestFields
  if (isObject(own)) Object.assign(additional, own)
  else if (own !== undefined) dropped.add('additionalModelRequestFields')
  for (const [name, value] of Object.entries(conversation.unknown)) {
    if (OWN.includes(name)) body[name] = value
    else if (claude && CLAUDE_OWN.includes(name)) additional[name] = value
    else if (claude && (name === 'anthropic_beta' || name === 'betas')) {
      const already = betaNames(additional.anthropic_beta)
      additional.anthropic_beta = [...new Set([...already, ...betaNames(value)])]
    } else if (
      name !== 'additionalModelRequestFields' &&
      !(claude && (name === 'thinking' || name === 'output_config'))
    )
      dropped.add(name)
  }
  if (Object.keys(additional).length > 0) body.additionalModelRequestFields = additional
  return {
    body,
    dropped: [...dropped],
    memory: { ...(names && { toolNames: names }), ...(tools.jsonTool && { jsonTool: tools.jsonTool }) },
  }
}

const isObject = (value: unknown): value is JsonObject =>
  value !== null && typeof value === 'object' && !Array.isArray(value)

/** Converse names four members; the rest is each maker's own (T58). */
function writeInference(
  conversation: Conversation,
  claude: Claude | undefined,
  plan: ThinkingPlan,
  additional: JsonObject,
  dropped: Set<string>,
  family: Family,
): JsonObject {
  const { stop, sampling } = conversation
  const { temperature, topP, topK } = claude
    ? settleSampling(conversation, claude, plan, dropped)
    : clamp(sampling, dropped)
  if (topK !== undefined) {
    if (family === 'claude' || family === 'mistral') additional.top_k = topK
    else if (family === 'cohere') additional.k = topK
    else if (family === 'nova' || family === 'nova-2') additional.inferenceConfig = { topK }
    else dropped.add('top_k')
  }
  const sequences = stop?.filter(sequence => sequence.trim())
  if (stop && sequences!.length < stop.length) dropped.add('stop')
  return {
    ...(plan.maxTokens !== undefined && { maxTokens: plan.maxTokens }),
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { topP }),
    ...(sequences?.length && { stopSequences: sequences }),
  }
}

/** Converse takes temperatures from 0 to 1. */
function clamp(sampling: Conversation['sampling'], dropped: Set<string>): Conversation['sampling'] {
  if (sampling.temperature === undefined || sampling.temperature <= 1) return sampling
  dropped.add('temperature')
  return { ...sampling, temperature: 1 }
}

/** @see https://docs.aws.amazon.com/nova/latest/nova2-userguide/extended-thinking.html */
function writeReasoning(
  { reasoning, unknown }: Conversation,
  family: Family,
  claude: Claude | undefined,
  plan: ThinkingPlan,
  additional: JsonObject,
  dropped: Set<string>,
): void {
  if (claude) {
    if (plan.thinking) additional.thinking = plan.thinking
    const output = {
      ...(isObject(unknown.output_config) && unknown.output_config),
      ...(plan.effort && { effort: plan.effort }),
    }
    if (Object.keys(output).length) additional.output_config = output
    return
  }
  const effort = reasoning?.effort
  if (effort === undefined) {
    if (reasoning?.budget !== undefined) dropped.add('reasoning_effort')
    return
  }
  const level = effort === 'minimal' ? 'low' : effort === 'xhigh' || effort === 'max' ? 'high' : effort
  if (family === 'nova-2')
    additional.reasoningConfig =
      level === 'none' ? { type: 'disabled' } : { type: 'enabled', maxReasoningEffort: level }
  else if (family === 'gpt-oss' && level !== 'none') additional.reasoning_effort = level
  else dropped.add('reasoning_effort')
}

/** @see https://docs.aws.amazon.com/bedrock/latest/userguide/service-tiers-inference.html */
function writeTier({ serviceTier }: Conversation, dropped: Set<string>): JsonObject {
  // `auto` asks for nothing but what Bedrock does anyway.
  if (serviceTier === undefined || serviceTier === 'auto') return {}
  if (['default', 'flex', 'priority', 'reserved'].includes(serviceTier)) return { serviceTier: { type: serviceTier } }
  dropped.add('service_tier')
  return {}
}

/** Request metadata goes into Bedrock's invocation log; its values have an alphabet. */
function writeMetadata({ metadata, user }: Conversation, dropped: Set<string>): JsonObject {
  const fits = (text: string) => /^[a-zA-Z0-9\s:_@$#=/+,.-]{1,256}$/.test(text)
  const entries: [string, string][] = []
  for (const [name, value] of Object.entries(metadata ?? {})) {
    if (typeof value === 'string' && fits(name) && fits(value)) entries.push([name, value])
    else dropped.add('metadata')
  }
  if (user !== undefined) {
    if (fits(user) && !entries.some(([name]) => name === 'user')) entries.push(['user', user])
    else dropped.add('user')
  }
  return entries.length ? { requestMetadata: Object.fromEntries(entries) } : {}
}
