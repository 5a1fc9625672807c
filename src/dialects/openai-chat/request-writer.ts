import type { Conversation, JsonObject, Reasoning, ToolChoice, Turn } from '../../conversation/conversation.ts'
import type { Part, Source } from '../../conversation/parts.ts'
import { textOf } from '../../conversation/turns.ts'
import type { Target, WrittenRequest } from '../dialect.ts'
import { writeMessage } from './response.ts'

/** Writes the neutral form as a chat request, for clients of other dialects whose target speaks OpenAI's. */
export function writeRequest(conversation: Conversation, target: Target): WrittenRequest {
  const { sampling, reasoning } = conversation
  const body: JsonObject = {
    model: target.model,
    messages: conversation.turns.flatMap(writeTurn),
    ...(conversation.tools.length > 0 && {
      tools: conversation.tools.map(({ name, description, parameters, strict, cache }) => ({
        type: 'function',
        function: { name, description, parameters, strict },
        ...cacheOf(cache),
      })),
      tool_choice: writeChoice(conversation.toolChoice, conversation.allowedTools),
      parallel_tool_calls: conversation.parallelToolCalls,
    }),
    response_format: writeOutput(conversation),
    temperature: sampling.temperature,
    top_p: sampling.topP,
    top_k: sampling.topK,
    min_p: sampling.minP,
    seed: sampling.seed,
    presence_penalty: sampling.presencePenalty,
    frequency_penalty: sampling.frequencyPenalty,
    logit_bias: sampling.logitBias,
    logprobs: sampling.logprobs,
    top_logprobs: sampling.topLogprobs,
    n: conversation.count,
    stop: conversation.stop,
    max_completion_tokens: conversation.maxTokens,
    reasoning_effort: reasoning?.effort,
    reasoning: writeReasoning(reasoning),
    user: conversation.user,
    metadata: conversation.metadata,
    service_tier: conversation.serviceTier,
    prompt_cache_key: conversation.promptCacheKey,
    verbosity: conversation.verbosity,
    ...(conversation.stream && {
      stream: true,
      ...(conversation.includeUsage && { stream_options: { include_usage: true } }),
    }),
    ...conversation.unknown,
  }
  for (const name in body) if (body[name] === undefined) delete body[name]
  return { body, dropped: [], memory: {} }
}

const cacheOf = (cache: { ttl?: string } | undefined) =>
  cache ? { cache_control: { type: 'ephemeral', ...cache } } : {}

function writeTurn(turn: Turn): JsonObject[] {
  const name = turn.name ? { name: turn.name } : {}
  if (turn.role === 'assistant') {
    const { refusal, ...message } = writeMessage(turn.parts)
    return [{ ...message, ...(refusal !== null && { refusal }), ...name }]
  }
  // A result is a message of its own; what else stands in the turn follows as the user's.
  const results = turn.parts.flatMap(part =>
    part.type === 'tool-result'
      ? [{ role: 'tool', tool_call_id: part.id, content: writeContent(part.content), ...cacheOf(part.cache) }]
      : [],
  )
  const others = turn.parts.filter(part => part.type !== 'tool-result')
  if (!others.length) return results
  return [...results, { role: turn.role === 'system' ? 'system' : 'user', content: writeContent(others), ...name }]
}

function writeContent(parts: readonly Part[]): string | JsonObject[] {
  const plain = parts.every(part => part.type === 'text' && !part.cache)
  if (plain && parts.length <= 1) return textOf(parts)
  return parts.flatMap((part): JsonObject[] => {
    switch (part.type) {
      case 'text':
        return [{ type: 'text', text: part.text, ...cacheOf(part.cache) }]
      case 'image':
        return [
          {
            type: 'image_url',
            image_url: { url: writeUrl(part.source), ...(part.detail && { detail: part.detail }) },
            ...cacheOf(part.cache),
          },
        ]
      case 'audio':
        return [
          {
            type: 'input_audio',
            input_audio: { data: 'data' in part.source ? part.source.data : '', format: part.format ?? 'wav' },
            ...cacheOf(part.cache),
          },
        ]
      case 'file':
        return [
          {
            type: 'file',
            file: { ...writeFile(part.source), ...(part.filename && { filename: part.filename }) },
            ...cacheOf(part.cache),
          },
        ]
      default:
        return []
    }
  })
}

function writeFile(source: Source): JsonObject {
  return source.kind === 'file-id' ? { file_id: source.id } : { file_data: writeUrl(source) }
}

function writeUrl(source: Source): string {
  if (source.kind === 'url') return source.url
  if (source.kind === 'file-id') return source.id
  if (source.kind === 'text') return `data:${source.mediaType ?? 'text/plain'},${encodeURIComponent(source.text)}`
  return `data:${source.mediaType};base64,${source.data}`
}

function writeChoice(choice: ToolChoice | undefined, allowed: string[] | undefined): unknown {
  if (allowed) {
    const tools = allowed.map(name => ({ type: 'function', function: { name } }))
    return { type: 'allowed_tools', allowed_tools: { mode: choice?.type === 'required' ? 'required' : 'auto', tools } }
  }
  if (!choice) return undefined
  return choice.type === 'named' ? { type: 'function', function: { name: choice.name } } : choice.type
}

/** What OpenRouter's form of it says beyond the effort. */
function writeReasoning(reasoning: Reasoning | undefined): JsonObject | undefined {
  if (reasoning?.budget === undefined && reasoning?.visible === undefined) return undefined
  return {
    ...(reasoning.budget !== undefined && { max_tokens: reasoning.budget }),
    ...(reasoning.visible !== undefined && { exclude: !reasoning.visible }),
  }
}

function writeOutput({ output }: Conversation): JsonObject | undefined {
  if (output.type === 'text') return undefined
  if (output.type === 'json') return { type: 'json_object' }
  const { type: _, ...schema } = output
  return { type: 'json_schema', json_schema: schema }
}
