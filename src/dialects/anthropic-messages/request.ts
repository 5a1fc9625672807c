import type { Conversation, JsonObject } from '../../conversation/conversation.ts'
import { hoistSystem } from '../../conversation/turns.ts'
import { type Claude, claudeOf } from '../claude.ts'
import { betaNames, settleSampling } from '../claude-request.ts'
import { planThinking, type ThinkingPlan } from '../claude-thinking.ts'
import type { Target, WrittenRequest } from '../dialect.ts'
import { leftOut, type Word } from '../left-out.ts'
import { fitToolIds, readableId } from '../tool-ids.ts'
import { shortenToolNames } from '../tool-names.ts'
import { refuseParts, writeMessages } from './request-messages.ts'
import { cacheControl, writeTools } from './tools.ts'

const NAMES = { pattern: /^[a-zA-Z0-9_-]{1,128}$/, max: 128 }
const IDS = { pattern: /^[a-zA-Z0-9_-]+$/, make: readableId(64) }

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

/** Members of Anthropic's own request that a client of another dialect may add; they go on under their own names. */
const OWN = ['cache_control', 'container', 'context_management', 'inference_geo', 'mcp_servers', 'speed']

/**
 * Writes a request of Anthropic's Messages.
 * @throws Unsupported for several answers, log probabilities, biases, audio, foreign file ids
 */
export function writeRequest(original: Conversation, target: Target): WrittenRequest {
  const dropped = new Set<string>(leftOut(original, 'Anthropic', WORDS))
  refuseParts(original.turns)
  const { conversation: named, names } = shortenToolNames(original, NAMES)
  const conversation = fitToolIds(named, IDS)
  const claude = claudeOf(target.model)
  const tools = writeTools(conversation, claude)
  const plan = planThinking(conversation, claude, tools.forced)
  for (const name of [...tools.dropped, ...plan.dropped]) dropped.add(name)
  const { system, rest } = hoistSystem(conversation.turns)
  const format = tools.format && { format: tools.format }
  const output = { ...ownOutput(conversation), ...(plan.effort && { effort: plan.effort }), ...format }

  const body: JsonObject = {
    model: target.model,
    max_tokens: boundOf(plan.maxTokens, claude, dropped),
    ...(system.length > 0 && {
      system: system.map(part => ({ type: 'text', text: part.text, ...cacheControl(part.cache) })),
    }),
    messages: writeMessages(rest, dropped),
    ...(tools.tools && { tools: tools.tools }),
    ...(tools.toolChoice && { tool_choice: tools.toolChoice }),
    ...(plan.thinking && { thinking: plan.thinking }),
    ...(Object.keys(output).length > 0 && { output_config: output }),
    ...writeSampling(conversation, claude, plan, dropped),
    ...writeStop(conversation, dropped),
    ...(conversation.user !== undefined && { metadata: { user_id: conversation.user } }),
    ...writeTier(conversation, dropped),
    ...(conversation.stream && { stream: true }),
  }
  if (conversation.metadata) dropped.add('metadata')
  const betas: string[] = []
  for (const [name, value] of Object.entries(conversation.unknown)) {
    if (OWN.includes(name)) body[name] = value
    else if (name === 'anthropic_beta' || name === 'betas') betas.push(...betaNames(value))
    else if (name !== 'thinking' && name !== 'output_config') dropped.add(name)
  }
  if (hasFileId(original)) betas.push('files-api-2025-04-14')
  return {
    body,
    dropped: [...dropped],
    memory: { ...(names && { toolNames: names }), ...(tools.jsonTool && { jsonTool: tools.jsonTool }) },
    ...(betas.length > 0 && { headers: { 'anthropic-beta': [...new Set(betas)].join(',') } }),
  }
}

const hasFileId = ({ turns }: Conversation) =>
  turns.some(({ parts }) => parts.some(part => 'source' in part && part.source.kind === 'file-id'))

function ownOutput({ unknown }: Conversation): JsonObject {
  const own = unknown.output_config
  return own && typeof own === 'object' && !Array.isArray(own) ? (own as JsonObject) : {}
}

/** A bound above what the model can give is refused by Anthropic, and the answer would be no longer for it. */
function boundOf(wish: number | undefined, claude: Claude, dropped: Set<string>): number {
  const bound = wish ?? claude.defaultMaxTokens
  if (claude.maxTokens === undefined || bound <= claude.maxTokens) return bound
  dropped.add('max_completion_tokens')
  return claude.maxTokens
}

function writeSampling(
  conversation: Conversation,
  claude: Claude,
  plan: ThinkingPlan,
  dropped: Set<string>,
): JsonObject {
  const { temperature, topP, topK } = settleSampling(conversation, claude, plan, dropped)
  return {
    ...(temperature !== undefined && { temperature }),
    ...(topP !== undefined && { top_p: topP }),
    ...(topK !== undefined && { top_k: topK }),
  }
}

/** Anthropic refuses sequences of whitespace alone. */
function writeStop({ stop }: Conversation, dropped: Set<string>): JsonObject {
  const kept = stop?.filter(sequence => sequence.trim())
  if (stop && kept!.length < stop.length) dropped.add('stop')
  return kept?.length ? { stop_sequences: kept } : {}
}

/** @see https://platform.claude.com/docs/en/api/service-tiers */
function writeTier({ serviceTier }: Conversation, dropped: Set<string>): JsonObject {
  if (serviceTier === undefined) return {}
  if (serviceTier === 'auto' || serviceTier === 'standard_only') return { service_tier: serviceTier }
  if (serviceTier === 'default') return { service_tier: 'standard_only' }
  dropped.add('service_tier')
  return {}
}
