import type { Conversation, Effort, JsonObject } from '../../conversation/conversation.ts'
import type { WrittenRequest } from '../dialect.ts'
import { effortOf } from '../effort.ts'
import { leftOut, passUnknown, plainSchema, type Word } from '../left-out.ts'
import { writeMessages } from './messages.ts'
import { writeTools } from './tools.ts'

/** Fields of the chat request that have a place in it. */
const WORDS: readonly Word[] = ['seed', 'presence_penalty', 'frequency_penalty']

/** Members of its request that OpenAI's does not have, and some that newer models take as OpenAI has them. */
const OWN = new Set(['raw', 'lora', 'repetition_penalty', 'chat_template_kwargs', 'guided_json'])

/**
 * Workers AI cuts answers at 256 tokens unless told otherwise, mostly without saying so. This bound leaves half of the
 * smallest context windows in its catalogue (8k) to the prompt.
 */
const MAX_TOKENS = 4_096

/**
 * The body of `POST …/ai/run/{model}`; the model stands in the address.
 * @throws Unsupported naming what Workers AI cannot express
 */
export function writeRequest(conversation: Conversation): WrittenRequest {
  const { sampling, stop, maxTokens = MAX_TOKENS, output } = conversation
  const dropped = leftOut(conversation, 'Workers AI', WORDS)
  const written = writeMessages(conversation)
  const tools = writeTools(conversation)
  const body: JsonObject = {
    messages: written.messages,
    ...tools.fields,
    ...(output.type === 'json' && { response_format: { type: 'json_object' } }),
    // The schema itself, without OpenAI's wrapper with a name.
    ...(output.type === 'schema' && {
      response_format: { type: 'json_schema', json_schema: plainSchema(output.schema) },
    }),
    ...writeEffort(conversation),
    max_tokens: maxTokens,
    ...(sampling.temperature !== undefined && { temperature: sampling.temperature }),
    ...(sampling.topP !== undefined && { top_p: sampling.topP }),
    ...(sampling.topK !== undefined && { top_k: sampling.topK }),
    ...(sampling.seed !== undefined && { seed: sampling.seed }),
    ...(sampling.presencePenalty !== undefined && { presence_penalty: sampling.presencePenalty }),
    ...(sampling.frequencyPenalty !== undefined && { frequency_penalty: sampling.frequencyPenalty }),
    ...(stop?.length && { stop }),
    stream: conversation.stream,
  }
  dropped.push(...written.dropped, ...tools.dropped, ...passUnknown(conversation, OWN, body))
  return { body, dropped, memory: {} }
}

/** Models that think take three levels, and null for none at all. */
function writeEffort({ reasoning }: Conversation): JsonObject {
  const { effort: wished, budget } = reasoning ?? {}
  if (wished === undefined && budget === undefined) return {}
  const effort: Effort = wished ?? effortOf(budget!)
  if (effort === 'none') return { reasoning_effort: null }
  if (effort === 'minimal') return { reasoning_effort: 'low' }
  return { reasoning_effort: effort === 'xhigh' || effort === 'max' ? 'high' : effort }
}
