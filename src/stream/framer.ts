import { awsEventStreamFramer } from './aws-event-stream.ts'
import type { Framer, Framing } from './frame.ts'
import { ndjsonFramer } from './ndjson.ts'
import { sseFramer } from './sse.ts'

/** A frame larger than this is no answer of a model; images and audio in frames stay well below. */
const LARGEST_FRAME = 64 * 1024 * 1024

export function framer(framing: Framing, limit = LARGEST_FRAME): Framer {
  if (framing === 'sse') return sseFramer(limit)
  return framing === 'ndjson' ? ndjsonFramer(limit) : awsEventStreamFramer(limit)
}
