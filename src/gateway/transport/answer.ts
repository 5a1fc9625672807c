import type { ByteSource, Bytes } from '../../stream/byte-source.ts'
import type { AnswerHeaders } from './head.ts'

/** What comes back from a server, once its head has come. */
export interface Answer {
  readonly status: number
  readonly headers: AnswerHeaders
  /** Decoded bytes, whatever the content encoding was; null for an answer that has none. Taken once. */
  readonly body: ByteSource | null
  /** The whole body at once, in place of {@link body}: cheaper for what is known to be small. */
  bytes(): Promise<Bytes>
}
