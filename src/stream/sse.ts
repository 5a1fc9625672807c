import { createParser } from 'eventsource-parser'
import { type Frame, type Framer, StreamFault } from './frame.ts'

/**
 * Cuts server-sent events: LF, CR and CRLF, a BOM, comments, several `data:` lines, no space after the colon, and a
 * last event without its blank line.
 * @param limit the largest single event in characters; a longer one is a {@link StreamFault}
 */
export function sseFramer(limit: number): Framer {
  const decoder = new TextDecoder()
  let frames: Frame[] = []
  const parser = createParser({
    maxBufferSize: limit,
    onEvent: ({ event, data }) => {
      // An event without data says nothing: some servers keep the line alive that way.
      if (!data.trim()) frames.push({ data: '', comment: true })
      else frames.push(event ? { event, data } : { data })
    },
    onComment: () => frames.push({ data: '', comment: true }),
    onError: fault => {
      if (fault.type === 'max-buffer-size-exceeded')
        throw new StreamFault(`the provider sent an event of over ${limit} characters`)
      // llama.cpp reports failures in a field of its own, which the standard knows nothing of.
      if (fault.type === 'unknown-field' && fault.field === 'error' && fault.value)
        frames.push({ event: 'error', data: fault.value })
    },
  })
  const take = () => {
    const taken = frames
    frames = []
    return taken
  }
  return {
    push(bytes) {
      parser.feed(decoder.decode(bytes, { stream: true }))
      return take()
    },
    end() {
      parser.feed(`${decoder.decode()}\n\n`)
      return take()
    },
  }
}
