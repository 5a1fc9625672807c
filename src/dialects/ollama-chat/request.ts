import type { Conversation, Effort, JsonObject } from '../../conversation/conversation.ts'
import type { Target, WrittenRequest } from '../dialect.ts'
import { effortOf } from '../effort.ts'
import { leftOut, passUnknown, plainSchema, type Word } from '../left-out.ts'
import { writeMessages } from './messages.ts'
import { writeTools } from './tools.ts'

/** Fields of the chat request that have a place in it. */
const WORDS: readonly Word[] = ['logprobs', 'min_p', 'seed', 'presence_penalty', 'frequency_penalty']

/** Members of Ollama's request that OpenAI's does not have. */
const OWN = new Set(['keep_alive', 'think', 'format', 'truncate', 'shift'])

/** Its options, which callers often write beside the others. @see https://docs.ollama.com/modelfile */
const OPTIONS = new Set([
  'num_ctx',
  'num_batch',
  'num_gpu',
  'num_keep',
  'num_predict',
  'num_thread',
  'main_gpu',
  'use_mmap',
  'top_k',
  'min_p',
  'typical_p',
  'repeat_last_n',
  'repeat_penalty',
  'mirostat',
  'mirostat_eta',
  'mirostat_tau',
  'penalize_newline',
  'draft_num_predict',
])

/**
 * The body of `POST /api/chat`.
 * @throws Unsupported naming what Ollama cannot express
 */
export function writeRequest(conversation: Conversation, target: Target): WrittenRequest {
  const { sampling, stop, maxTokens, output } = conversation
  const dropped = leftOut(conversation, 'Ollama', WORDS)
  const written = writeMessages(conversation)
  const tools = writeTools(conversation)
  const options: JsonObject = {
    ...(maxTokens !== undefined && { num_predict: maxTokens }),
    ...(sampling.temperature !== undefined && { temperature: sampling.temperature }),
    ...(sampling.topP !== undefined && { top_p: sampling.topP }),
    ...(sampling.topK !== undefined && { top_k: sampling.topK }),
    ...(sampling.minP !== undefined && { min_p: sampling.minP }),
    ...(sampling.seed !== undefined && { seed: sampling.seed }),
    ...(stop?.length && { stop }),
    ...(sampling.presencePenalty !== undefined && { presence_penalty: sampling.presencePenalty }),
    ...(sampling.frequencyPenalty !== undefined && { frequency_penalty: sampling.frequencyPenalty }),
  }
  const think = writeThink(conversation, target.model)
  const body: JsonObject = {
    model: target.model,
    messages: written.messages,
    ...tools.fields,
    ...(output.type === 'json' && { format: 'json' }),
    ...(output.type === 'schema' && { format: plainSchema(output.schema) }),
    ...(think !== undefined && { think }),
    ...(sampling.logprobs && { logprobs: true }),
    ...(sampling.logprobs && sampling.topLogprobs !== undefined && { top_logprobs: sampling.topLogprobs }),
    // Ollama streams unless told otherwise.
    stream: conversation.stream,
  }
  const rest: JsonObject = {}
  for (const [name, value] of Object.entries(conversation.unknown)) {
    if (OPTIONS.has(name) && value !== null) options[name] = value
    else if (name === 'options' && value && typeof value === 'object') Object.assign(options, value)
    else rest[name] = value
  }
  dropped.push(...written.dropped, ...tools.dropped, ...passUnknown({ ...conversation, unknown: rest }, OWN, body))
  if (Object.keys(options).length > 0) body.options = options
  return { body, dropped, memory: {} }
}

/**
 * gpt-oss knows levels and nothing else, and cannot stop thinking; all others think or do not.
 * @see https://docs.ollama.com/capabilities/thinking
 */
function writeThink({ reasoning }: Conversation, model: string): boolean | string | undefined {
  const { effort: wished, budget } = reasoning ?? {}
  if (wished === undefined && budget === undefined) return undefined
  const effort: Effort = wished ?? effortOf(budget!)
  if (!/(^|\/)gpt-oss/i.test(model)) return effort !== 'none'
  if (effort === 'none' || effort === 'minimal') return 'low'
  return effort === 'xhigh' || effort === 'max' ? 'high' : effort
}
