import type { JsonObject } from '../../conversation/conversation.ts'
import type { Watch } from '../dialect.ts'
import { readTokenUsage } from './token-usage.ts'

interface Message extends JsonObject {
  type?: string
  /** The response so far, in the first messages of a stream and in the last. */
  response?: JsonObject
  usage?: unknown
}

const ENDS = new Set(['response.completed', 'response.incomplete', 'response.failed', 'error'])

/**
 * Reads along with OpenAI's Responses. The last message repeats the whole answer and the tools of the request, so that it
 * is often larger than what is kept: then its counts, which come last, are all that is known of it.
 */
export const openaiResponses: Watch = {
  members: ['usage', 'model'],
  depth: 2,
  mention: '"usage"',
  model: ({ model, response }: Message) => (response?.model ?? model) as string | undefined,
  usage: ({ usage, response }: Message) => readTokenUsage(response?.usage ?? usage),
  end({ type, usage }: Message) {
    if (type === undefined) return usage ? 'finished' : undefined
    return ENDS.has(type) ? 'marked' : undefined
  },
}
