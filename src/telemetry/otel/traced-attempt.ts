import type { Conversation } from '../../conversation/conversation.ts'
import type { Reply } from '../../conversation/reply.ts'
import type { AttemptRecord } from '../attempt-record.ts'
import type { AskedTrace } from './trace.ts'

/** An attempt with what only its span tells. */
export interface TracedAttempt extends AttemptRecord {
  /** With the ids that were made before the provider was asked; where there are none, they are made with the span. */
  trace?: AskedTrace & { spanId?: string; sampled?: boolean }
  /** The model that the provider says has answered. */
  answeredBy?: string
  /** Where the provider was asked. */
  server?: { address: string; port?: number }
  /** Why each choice of the answer ended. */
  finish?: readonly string[]
}

/** What was said, in the neutral form, for the messages of a span. */
export interface Understood {
  conversation?: Conversation
  reply?: Reply
}
