import type { Bytes } from '../../stream/byte-source.ts'
import type { Frame, Framing } from '../../stream/frame.ts'
import { framer } from '../../stream/framer.ts'

/** Messages in a part of a stream, and what is left of one that the part cuts in two. */

/** Larger than any part of a stream that is kept. */
const LIMIT = 1024 * 1024
const decoder = new TextDecoder()

/** The frames of the beginning of a stream, in order. */
export function framesInHead(head: Bytes, framing: Framing): Iterable<Frame> {
  return framing === 'aws-event-stream' ? decodedFrames(awsSlices(head, 0)) : frames(head, framing)
}

/**
 * The frames of the end of a stream, the last one first.
 * @param whole whether it is the beginning too
 */
export function framesInTail(tail: Bytes, framing: Framing, whole: boolean): Iterable<Frame> {
  if (framing === 'aws-event-stream') return decodedFrames(awsSlices(tail, whole ? 0 : awsBoundary(tail)).reverse())
  return frames(whole ? tail : tail.subarray(tail.indexOf(10) + 1), framing).reverse()
}

/** What stands behind the last line end of the beginning of a stream. */
export const lineCutAtEnd = (head: Bytes): string => decoder.decode(head.subarray(head.lastIndexOf(10) + 1))

/** What stands before the first line end of the end of a stream. */
export function lineCutAtStart(tail: Bytes): string {
  const end = tail.indexOf(10)
  return decoder.decode(end < 0 ? tail : tail.subarray(0, end))
}

function frames(bytes: Bytes, framing: Framing): Frame[] {
  try {
    const cut = framer(framing, LIMIT)
    return [...cut.push(bytes), ...cut.end()]
  } catch {
    // Not the framing that it claims to be.
    return []
  }
}

/** Decoded one by one, since few of them are looked at and the checksums of all would take their time. */
function* decodedFrames(slices: readonly Bytes[]): Iterable<Frame> {
  for (const slice of slices) yield* frames(slice, 'aws-event-stream')
}

const LENGTHS = 8
const PRELUDE = 12
const SMALLEST = 16

/** Cuts whole frames of AWS's event stream by their lengths; half a frame at the end is left out. */
function awsSlices(bytes: Bytes, start: number): Bytes[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  const slices: Bytes[] = []
  let at = start
  while (at + SMALLEST <= bytes.length) {
    const size = view.getUint32(at)
    if (size < SMALLEST || at + size > bytes.length) break
    slices.push(bytes.subarray(at, at + size))
    at += size
  }
  return slices
}

/** Where the first frame begins in bytes that may begin within one: where the checksum of the lengths fits. */
function awsBoundary(bytes: Bytes): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length)
  for (let at = 0; at + SMALLEST <= bytes.length; at++) {
    const size = view.getUint32(at)
    if (size < SMALLEST || size > LIMIT || view.getUint32(at + 4) > size - SMALLEST) continue
    if (Bun.hash.crc32(bytes.subarray(at, at + LENGTHS)) === view.getUint32(at + PRELUDE - 4)) return at
  }
  return bytes.length
}
