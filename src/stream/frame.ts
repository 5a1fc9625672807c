/** How a dialect's stream is cut into messages on the wire. */
export type Framing = 'sse' | 'ndjson' | 'aws-event-stream'

/** One message of a stream, whatever the framing was. */
export interface Frame {
  /** SSE `event:` or AWS `:event-type`; absent where the framing has none. */
  event?: string
  /** The payload as text. */
  data: string
  /** An AWS frame whose `:message-type` is `exception` or `error`; `event` then names the exception. */
  exception?: boolean
  /** A keep-alive (an SSE comment): there is no data. */
  comment?: boolean
}

/** Cuts a stream of bytes into frames; where the bytes are split changes nothing (T13, T14). */
export interface Framer {
  /** @throws StreamFault when the bytes break the framing */
  push(bytes: Uint8Array): Frame[]
  /** The bytes ended: the last frame, where it lacked its end mark. */
  end(): Frame[]
}

/**
 * Leaves out a last frame that the end of the bytes cut in half (trap 6): what stands in it was never said, and whether
 * the stream was complete without it is for others to judge.
 */
export function withoutHalves(frames: Frame[]): Frame[] {
  return frames.filter(({ data, comment }) => comment || !/^\s*[{[]/.test(data) || isJson(data))
}

function isJson(text: string): boolean {
  if (text.trim() === '[DONE]') return true
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}

/** The provider's bytes are not the framing that they claim to be. */
export class StreamFault extends Error {}
