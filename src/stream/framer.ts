import { awsEventStreamFramer } from './aws-event-stream.ts'
import type { Frame, Framing } from './frame.ts'
import { ndjsonFramer } from './ndjson.ts'
import { sseFramer } from './sse.ts'

/** Cuts a stream of bytes into frames; where the bytes are split changes nothing (T13, T14). */
export interface Framer {
  /** @throws StreamFault when the bytes break the framing */
  push(bytes: Uint8Array): Frame[]
  /** The bytes ended: the last frame, where it lacked its end mark. */
  end(): Frame[]
}

/** The provider's bytes are not the framing that they claim to be. */
export class StreamFault extends Error {}

/** A frame larger than this is no answer of a model; images and audio in frames stay well below. */
const LARGEST_FRAME = 64 * 1024 * 1024

export function framer(framing: Framing, limit = LARGEST_FRAME): Framer {
  if (framing === 'sse') return sseFramer(limit)
  return framing === 'ndjson' ? ndjsonFramer(limit) : awsEventStreamFramer(limit)
}
