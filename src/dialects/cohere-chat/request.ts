import type { Conversation, JsonObject } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import type { Target, WrittenRequest } from '../dialect.ts'
import { budgetOf } from '../effort.ts'
import { leftOut, passUnknown, plainSchema, type Word } from '../left-out.ts'
import { writeMessages } from './messages.ts'
import { writeTools } from './tools.ts'

/** Fields of the chat request that have a place in it, or are dealt with below. */
const WORDS: readonly Word[] = [
  'logprobs',
  'seed',
  'presence_penalty',
  'frequency_penalty',
  'messages[].content[].image_url.detail',
]

/** Members of Cohere's request that OpenAI's does not have. */
const OWN = new Set([
  'documents',
  'citation_options',
  'safety_mode',
  'k',
  'p',
  'strict_tools',
  'thinking',
  'priority',
  'raw_prompting',
])

/**
 * The body of `POST /v2/chat`.
 * @throws Unsupported naming what Cohere cannot express
 */
export function writeRequest(conversation: Conversation, target: Target): WrittenRequest {
  const { sampling, maxTokens, stop } = conversation
  if (sampling.topLogprobs)
    throw new Unsupported('top_logprobs', 'Cohere gives the log probability of the chosen tokens only')
  const dropped = leftOut(conversation, 'Cohere', WORDS)
  const written = writeMessages(conversation)
  const tools = writeTools(conversation)
  const body: JsonObject = {
    model: target.model,
    messages: written.messages,
    ...tools.fields,
    ...writeOutput(conversation),
    ...writeThinking(conversation),
    ...(maxTokens !== undefined && { max_tokens: maxTokens }),
    ...(stop?.length && { stop_sequences: stop }),
    ...(sampling.temperature !== undefined && { temperature: sampling.temperature }),
    // 1 means "no limit" and is refused: Cohere's largest value is 0.99.
    ...(sampling.topP !== undefined && { p: Math.min(sampling.topP, 0.99) }),
    ...(sampling.topK !== undefined && { k: sampling.topK }),
    ...(sampling.seed !== undefined && { seed: sampling.seed }),
    ...(sampling.logprobs && { logprobs: true }),
    stream: conversation.stream,
  }
  const penalties = { frequency_penalty: sampling.frequencyPenalty, presence_penalty: sampling.presencePenalty }
  for (const [name, value] of Object.entries(penalties)) {
    if (value === undefined) continue
    // OpenAI's range is -2 to 2, Cohere's 0 to 1; a value outside would refuse the whole request.
    if (value >= 0 && value <= 1) body[name] = value
    else dropped.push(name)
  }
  dropped.push(...written.dropped, ...tools.dropped, ...passUnknown(conversation, OWN, body))
  return { body, dropped, memory: {} }
}

/** A schema rides on `json_object`. @see https://docs.cohere.com/v2/docs/structured-outputs */
function writeOutput({ output }: Conversation): JsonObject {
  if (output.type === 'text') return {}
  const schema = output.type === 'schema' ? { json_schema: plainSchema(output.schema) } : {}
  return { response_format: { type: 'json_object', ...schema } }
}

/** Models that think do so unless told otherwise; the effort becomes a bound on it. @see https://docs.cohere.com/v2/docs/reasoning */
function writeThinking({ reasoning, maxTokens }: Conversation): JsonObject {
  const { effort, budget } = reasoning ?? {}
  if (effort === undefined && budget === undefined) return {}
  const tokens = budget ?? budgetOf(effort!, maxTokens)
  if (tokens <= 0 || effort === 'none') return { thinking: { type: 'disabled' } }
  return { thinking: { type: 'enabled', token_budget: tokens } }
}
