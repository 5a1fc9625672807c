import type { JsonObject } from '../../conversation/conversation.ts'
import type { Watch } from '../dialect.ts'
import type { StreamMessage, WireUsage } from './types.ts'
import { mergeUsage, readUsage } from './usage.ts'

type Message = StreamMessage & { model?: string }

/** What is told in `message_start`, in `message_delta`, or in a whole answer. */
const countsOf = (message: JsonObject): WireUsage | null | undefined =>
  (message as Message).usage ?? (message as Message).message?.usage

/** Reads along with Anthropic's messages: a stream counts its input in its first message and its output in its last. */
export const watch: Watch = {
  members: ['usage', 'model'],
  depth: 2,
  mention: 'usage',
  model: message => (message as Message).model ?? (message as Message).message?.model,
  usage(message, first) {
    const counts = countsOf(message)
    if (!counts) return undefined
    return readUsage(first ? mergeUsage(countsOf(first) ?? {}, counts) : counts)
  },
  end: ({ type }) => (type === 'message_stop' || type === 'error' ? 'marked' : undefined),
}
