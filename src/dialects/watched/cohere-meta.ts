import type { JsonObject } from '../../conversation/conversation.ts'
import type { WireUsage } from '../cohere-chat/types.ts'
import { readUsage } from '../cohere-chat/usage.ts'
import type { Watch } from '../dialect.ts'
import { readInputOnly } from './openai-embeddings.ts'

interface Message extends JsonObject {
  event_type?: string
  meta?: WireUsage
  /** The whole answer, in the last message of a stream. */
  response?: { meta?: WireUsage }
  /** In its place with those who rank at the same address as Cohere: Voyage, Jina, Together. */
  usage?: unknown
}

/** Reads along with what Cohere counts in `meta`: embeddings, rankings, and version 1 of its chat. */
export const cohereMeta: Watch = {
  members: ['meta', 'usage', 'model', 'event_type'],
  depth: 2,
  mention: '"meta"',
  model: ({ model }) => (typeof model === 'string' ? model : undefined),
  usage(message: Message) {
    if (message.usage) return readInputOnly(message.usage)
    const { tokens, billed_units, cached_tokens } = message.response?.meta ?? message.meta ?? {}
    return readUsage({
      ...(tokens && { tokens }),
      ...(billed_units && { billed_units }),
      ...(cached_tokens !== undefined && { cached_tokens }),
    })
  },
  end: ({ event_type }: Message) => (event_type === 'stream-end' ? 'marked' : undefined),
}
