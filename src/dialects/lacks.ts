import type { Conversation } from '../conversation/conversation.ts'
import { Unsupported } from '../conversation/errors.ts'

/**
 * What neither Anthropic's Messages nor Converse has a word for.
 *
 * @returns the names of fields whose loss is harmless
 * @throws Unsupported for those whose loss would change the answer's meaning
 */
export function lacking(conversation: Conversation, api: string): string[] {
  const { sampling, count } = conversation
  if (count !== undefined && count > 1) throw new Unsupported('n', `${api} gives one answer a request`)
  if (sampling.logprobs) throw new Unsupported('logprobs', `${api} gives no log probabilities`)
  if (sampling.topLogprobs) throw new Unsupported('top_logprobs', `${api} gives no log probabilities`)
  if (sampling.logitBias && Object.keys(sampling.logitBias).length > 0)
    throw new Unsupported('logit_bias', `${api} has no bias on tokens`)
  const fields: [string, unknown][] = [
    ['min_p', sampling.minP],
    ['seed', sampling.seed],
    ['presence_penalty', sampling.presencePenalty],
    ['frequency_penalty', sampling.frequencyPenalty],
    ['verbosity', conversation.verbosity],
    ['prompt_cache_key', conversation.promptCacheKey],
    ['messages[].name', conversation.turns.find(turn => turn.name !== undefined)],
  ]
  return fields.filter(([, value]) => value !== undefined).map(([name]) => name)
}
