import { EventStreamCodec } from '@smithy/eventstream-codec'
import { type Frame, type Framer, StreamFault } from './frame.ts'

const decoder = new TextDecoder()
const encoder = new TextEncoder()
/** The library checks both checksums of each frame. */
const codec = new EventStreamCodec(
  input => (typeof input === 'string' ? input : decoder.decode(input as Uint8Array)),
  input => encoder.encode(input),
)
/** Lengths (8 bytes), their checksum and the frame's own: the smallest frame there can be. */
const SMALLEST = 16

/**
 * Cuts AWS's binary event stream (`application/vnd.amazon.eventstream`), in which a failure after the status line is a
 * frame of type `exception` or `error`.
 * @see https://docs.aws.amazon.com/AmazonS3/latest/API/RESTSelectObjectAppendix.html
 * @param limit the largest frame in bytes
 */
export function awsEventStreamFramer(limit: number): Framer {
  let held = new Uint8Array(0)
  return {
    push(bytes) {
      if (held.length) {
        const joined = new Uint8Array(held.length + bytes.length)
        joined.set(held)
        joined.set(bytes, held.length)
        held = joined
      } else held = new Uint8Array(bytes)
      const frames: Frame[] = []
      let at = 0
      while (held.length - at >= 4) {
        const size = new DataView(held.buffer, held.byteOffset + at, 4).getUint32(0)
        // Checked before waiting for the rest: an error page read as a length would be gigabytes (T59).
        if (size < SMALLEST || size > limit)
          throw new StreamFault('the provider sent bytes that are not an AWS event stream')
        if (held.length - at < size) break
        frames.push(read(held.subarray(at, at + size)))
        at += size
      }
      held = held.subarray(at)
      return frames
    },
    end() {
      if (held.length) throw new StreamFault('the provider closed the stream in the middle of a frame')
      return []
    },
  }
}

function read(bytes: Uint8Array): Frame {
  let message: ReturnType<typeof codec.decode>
  try {
    message = codec.decode(bytes)
  } catch {
    throw new StreamFault('the provider sent a damaged frame (its checksum does not fit)')
  }
  const header = (name: string) => {
    const value = message.headers[name]?.value
    return typeof value === 'string' ? value : undefined
  }
  const kind = header(':message-type')
  const data = decoder.decode(message.body)
  if (kind === 'exception') return { event: header(':exception-type') ?? 'exception', data, exception: true }
  if (kind === 'error')
    return {
      event: header(':error-code') ?? 'error',
      data: data || JSON.stringify({ message: header(':error-message') ?? 'the provider reported an error' }),
      exception: true,
    }
  return { event: header(':event-type'), data }
}
