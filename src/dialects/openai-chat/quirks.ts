import type { JsonObject } from '../../conversation/conversation.ts'
import type { Quirk } from '../dialect.ts'
import type { Completion, WireChoice } from './types.ts'

/**
 * The faults of servers whose format is almost OpenAI's, each with its correction, so that a provider's record can name
 * what is wrong with it. None of them belongs into the stream code.
 */

type Loose = JsonObject & { [name: string]: unknown }

/** Corrects the messages of a whole answer and the deltas of a stream alike. */
function eachMessage(name: string, correct: (message: Loose, choice: WireChoice) => void): Quirk {
  const all = (body: Completion) => {
    for (const choice of body.choices ?? []) {
      const message = choice.delta ?? choice.message
      if (message) correct(message, choice)
    }
  }
  return { name, reply: body => all(body), chunks: () => all }
}

function eachUsage(name: string, correct: (usage: Loose) => void): Quirk {
  const all = (body: Completion) => {
    if (body.usage) correct(body.usage)
  }
  return { name, reply: all, chunks: () => all }
}

/** Groq, Cerebras, OpenRouter, Ollama, newer vLLM: reasoning is called `reasoning` (trap 36). */
export const reasoningField = eachMessage('reasoning-field', message => {
  if (typeof message.reasoning !== 'string') return
  // Some send both names with the same text: one is enough.
  if (!message.reasoning_content) message.reasoning_content = message.reasoning
  delete message.reasoning
})

/** Groq puts usage of a stream into `x_groq`, whether it was asked for or not (section 10). */
export const usageInXGroq: Quirk = {
  name: 'usage-in-x-groq',
  chunks: () => (chunk: JsonObject) => {
    const extra = chunk.x_groq as { usage?: unknown } | null | undefined
    if (!extra?.usage) return
    chunk.usage ??= extra.usage
    delete extra.usage
  },
}

/** xAI and Gemini's compatible endpoint leave reasoning out of `completion_tokens`, so that the total is more than the sum (T94). */
export const usageThatAddsUp = eachUsage('usage-that-adds-up', usage => {
  const [input, output, total] = [usage.prompt_tokens, usage.completion_tokens, usage.total_tokens].map(Number)
  if (total! > input! + output!) usage.completion_tokens = total! - input!
})

/**
 * Perplexity's deep research counts what it reasoned and what it quoted beside the completion, and charges each apart
 * (section 14).
 */
export const countsBesideCompletion = eachUsage('counts-beside-completion', usage => {
  const { completion_tokens, reasoning_tokens, citation_tokens } = usage
  const details = (usage.completion_tokens_details ?? {}) as Loose
  if (typeof completion_tokens !== 'number' || details.reasoning_tokens !== undefined) return
  const [reasoning, citation] = [reasoning_tokens, citation_tokens].map(each => (typeof each === 'number' ? each : 0))
  if (!reasoning && !citation) return
  usage.completion_tokens = completion_tokens + reasoning! + citation!
  usage.completion_tokens_details = { ...details, reasoning_tokens: reasoning, citation_tokens: citation }
})

/** DeepSeek, Together, Mistral and gateways name cached tokens in places of their own (T92). */
export const cachedTokensElsewhere = eachUsage('cached-tokens-elsewhere', usage => {
  const details = (usage.prompt_tokens_details ?? {}) as Loose
  const read = usage.prompt_cache_hit_tokens ?? usage.cached_tokens ?? usage.num_cached_tokens
  const write =
    usage.cache_creation_input_tokens ?? details.cache_creation_input_tokens ?? details.cache_creation_tokens
  if (typeof read === 'number') details.cached_tokens ??= read
  if (typeof write === 'number') details.cache_write_tokens ??= write
  if (Object.keys(details).length) usage.prompt_tokens_details = details
})

/** Perplexity repeats the whole text so far beside each delta (section 14). */
export const cumulativeMessage: Quirk = {
  name: 'cumulative-message',
  chunks: () => (chunk: Completion) => {
    for (const choice of chunk.choices ?? []) if (choice.delta) delete choice.message
  },
}

/** Together repeats each delta as `text`, and its seeds are larger than a JSON number can hold (trap 15). */
export const duplicateText: Quirk = {
  name: 'duplicate-text',
  reply: body => dropDuplicates(body),
  chunks: () => dropDuplicates,
}
function dropDuplicates(body: Completion): void {
  for (const choice of body.choices ?? []) {
    delete choice.text
    delete choice.seed
    if (choice.delta) delete choice.delta.token_id
  }
  delete body.prompt
}

interface MistralPart {
  type?: string
  text?: string
  thinking?: { text?: string }[] | string
}

/** Mistral's reasoning models answer with lists of thinking and text, changing between list and string in one stream. */
export const contentParts = eachMessage('content-parts', message => {
  if (!Array.isArray(message.content)) return
  let text = ''
  let thinking = ''
  const others: MistralPart[] = []
  for (const part of message.content as MistralPart[]) {
    if (part.type === 'text') text += part.text ?? ''
    else if (part.type === 'thinking')
      thinking +=
        typeof part.thinking === 'string' ? part.thinking : (part.thinking ?? []).map(each => each.text ?? '').join('')
    else others.push(part)
  }
  message.content = text
  if (thinking) message.reasoning_content = thinking
  if (others.length) message.content_parts = others
})

/** Workers AI answers a JSON schema with an object instead of its text (trap 59). */
export const contentObject = eachMessage('content-object', message => {
  if (message.content && typeof message.content === 'object' && !Array.isArray(message.content))
    message.content = JSON.stringify(message.content)
})

/**
 * Servers that end an answer with calls in `stop`, so that clients look no further: the calls decide (trap 29). Not for
 * OpenAI, which says `stop` on purpose when a tool was named (wire-formats 1.2).
 */
export const callsDecideFinish: Quirk = {
  name: 'calls-decide-finish',
  reply(body: Completion) {
    for (const choice of body.choices ?? [])
      if (choice.finish_reason === 'stop' && choice.message?.tool_calls?.length) choice.finish_reason = 'tool_calls'
  },
  chunks() {
    const called = new Set<number>()
    return (chunk: Completion) => {
      for (const choice of chunk.choices ?? []) {
        if (choice.delta?.tool_calls?.length) called.add(choice.index ?? 0)
        if (choice.finish_reason === 'stop' && called.has(choice.index ?? 0)) choice.finish_reason = 'tool_calls'
      }
    }
  },
}

/** What can be done for any server without changing what a well-behaved one says. */
export const everyHarmlessRepair: readonly Quirk[] = [
  callsDecideFinish,
  reasoningField,
  usageInXGroq,
  usageThatAddsUp,
  cachedTokensElsewhere,
  cumulativeMessage,
  contentParts,
  contentObject,
]
