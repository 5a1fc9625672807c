import type { Frame, Framing } from './frame.ts'

const encoder = new TextEncoder()

/** A frame as the client's framing writes it. Data must hold no line break, which JSON text never does. */
function text(frame: Frame, framing: Framing): string {
  if (framing === 'ndjson') return frame.comment ? '' : `${frame.data}\n`
  // A comment is one bare line: with a blank line behind it some clients dispatch an empty event (T31).
  if (frame.comment) return `: ${frame.data}\n`
  return frame.event ? `event: ${frame.event}\ndata: ${frame.data}\n\n` : `data: ${frame.data}\n\n`
}

/** The text of the frames of one read together, so that they go out in one write. */
export function textOfFrames(frames: readonly Frame[], framing: Framing): string {
  if (frames.length === 1) return text(frames[0]!, framing)
  let all = ''
  for (const frame of frames) all += text(frame, framing)
  return all
}

/** The same as bytes. */
export function encodeFrames(frames: readonly Frame[], framing: Framing): Uint8Array {
  return encoder.encode(textOfFrames(frames, framing))
}
