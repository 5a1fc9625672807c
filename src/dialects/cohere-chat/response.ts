import type { JsonObject } from '../../conversation/conversation.ts'
import { ProviderFailure } from '../../conversation/errors.ts'
import type { Part, TextPart } from '../../conversation/parts.ts'
import type { Logprobs, Reply } from '../../conversation/reply.ts'
import { wholeArguments } from '../argument-text.ts'
import type { ReadContext } from '../dialect.ts'
import { mintId } from '../openai-chat/identity.ts'
import { readCitation } from './citations.ts'
import { failure, readError } from './errors.ts'
import { readFinish } from './finish-reason.ts'
import type { ChatReply, Content, LogprobItem } from './types.ts'
import { readUsage } from './usage.ts'

const REPLY = new Set(['id', 'message', 'finish_reason', 'usage', 'logprobs'])

/** @throws ProviderFailure for an error under HTTP 200 and for an answer that ended in one */
export function readReply(body: unknown, context: ReadContext): Reply {
  const wire = (body ?? {}) as ChatReply
  for (const quirk of context.quirks) quirk.reply?.(wire)
  const { message } = wire
  // An error body has a `message` too, but it is a sentence.
  if (!message || typeof message !== 'object') throw new ProviderFailure(readError(502, body))
  const calls = message.tool_calls ?? []
  const finish = readFinish(wire.finish_reason, calls.length > 0)
  if (finish === 'error') {
    const said = typeof wire.error === 'string' ? wire.error : undefined
    throw new ProviderFailure(failure(wire.finish_reason, said))
  }
  const parts = readContent(message.content)
  if (message.tool_plan) parts.push({ type: 'reasoning', text: message.tool_plan })
  cite(parts, message.citations ?? [], message.content)
  const taken = new Set<string>()
  for (const call of calls) {
    const name = call.function?.name || 'unknown'
    const id = call.id && !taken.has(call.id) ? call.id : mintId('call_')
    taken.add(id)
    const text = wholeArguments(call.function?.arguments)
    parts.push({ type: 'tool-call', id, name: context.memory.toolNames?.get(name) ?? name, arguments: text })
  }
  const usage = readUsage(wire.usage)
  const unknown: JsonObject = {}
  for (const [name, value] of Object.entries(wire)) if (!REPLY.has(name) && value !== null) unknown[name] = value
  return {
    id: wire.id,
    choices: [
      {
        index: 0,
        parts,
        finish,
        ...(wire.finish_reason && { nativeFinish: wire.finish_reason }),
        ...(wire.logprobs?.length && { logprobs: readLogprobs(wire.logprobs) }),
      },
    ],
    ...(usage && { usage }),
    ...(Object.keys(unknown).length > 0 && { unknown }),
  }
}

function readContent(content: Content[] | string | null | undefined): Part[] {
  if (typeof content === 'string') return content ? [{ type: 'text', text: content }] : []
  return (content ?? []).map(
    (block): Part =>
      block.type === 'thinking'
        ? { type: 'reasoning', text: block.thinking ?? '' }
        : { type: 'text', text: block.text ?? '' },
  )
}

/** Hangs each citation on the text that it cites; `content_index` counts all content blocks, thinking too. */
function cite(
  parts: Part[],
  citations: NonNullable<Exclude<ChatReply['message'], string | undefined>['citations']>,
  content: unknown,
): void {
  for (const citation of citations) {
    const named =
      Array.isArray(content) && citation.content_index !== undefined ? parts[citation.content_index] : undefined
    let text = named?.type === 'text' ? named : parts.find((part): part is TextPart => part.type === 'text')
    if (!text) {
      text = { type: 'text', text: '' }
      parts.push(text)
    }
    let base = 0
    for (const part of parts) {
      if (part === text) break
      if (part.type === 'text') base += part.text.length
    }
    text.citations = [...(text.citations ?? []), ...readCitation(citation, text.text, base)]
  }
}

/** Cohere gives pieces of text of one or more tokens; the probability of a piece is the product, so its logarithm the sum. */
export function readLogprobs(items: readonly LogprobItem[]): Logprobs {
  return {
    content: items.map(({ text = '', logprobs = [] }) => ({
      token: text,
      logprob: logprobs.reduce((sum, value) => sum + value, 0),
      bytes: [...new TextEncoder().encode(text)],
      top_logprobs: [],
    })),
  }
}
