import type { Conversation } from '../../conversation/conversation.ts'
import type { Reply } from '../../conversation/reply.ts'

/** What was said, in the neutral form, for the messages of a span. */
export interface Understood {
  conversation?: Conversation
  reply?: Reply
}
