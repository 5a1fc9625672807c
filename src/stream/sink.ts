import type { Bytes } from './byte-source.ts'

/** Takes the pieces of an answer as they go to the client. */
export interface AnswerSink {
  add(piece: Bytes | string): void
}
