import type { JsonObject } from '../../conversation/conversation.ts'
import type { Watch } from '../dialect.ts'
import type { ChatReply, StreamEvent } from './types.ts'
import { readUsage } from './usage.ts'

/** Reads along with Cohere's chat, whose answers do not name their model. */
export const watch: Watch = {
  members: ['usage', 'type'],
  depth: 2,
  mention: 'usage',
  usage: (message: JsonObject) => readUsage((message as ChatReply).usage ?? (message as StreamEvent).delta?.usage),
  end: ({ type, error }) => (type === 'message-end' || type === 'error' || error ? 'marked' : undefined),
}
