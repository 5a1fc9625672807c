import { createParser } from 'eventsource-parser'
import { type Frame, type Framer, StreamFault, withoutHalves } from './frame.ts'

/**
 * Cuts server-sent events: LF, CR and CRLF, a BOM, comments, several `data:` lines, no space after the colon, and a
 * last event without its blank line.
 * @param limit the largest single event in characters; a longer one is a {@link StreamFault}
 */
export function sseFramer(limit: number): Framer {
  const decoder = new TextDecoder()
  const standard = errorFields()
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
    },
  })
  const take = () => {
    const taken = frames
    frames = []
    return taken
  }
  return {
    push(bytes) {
      parser.feed(standard(decoder.decode(bytes, { stream: true })))
      return take()
    },
    end() {
      parser.feed(standard(`${decoder.decode()}\n\n`))
      return withoutHalves(take())
    },
  }
}

const FIELD = 'error:'

/**
 * llama.cpp reports failures in a field of its own, `error:`, which the standard knows nothing of and the parser skips:
 * it becomes an event of that name (wire-formats 21).
 * @returns what makes standard text of a stream's text, piece by piece
 */
function errorFields(): (text: string) => string {
  let held = ''
  /** Whether the text so far ended at the beginning of a line. */
  let fresh = true
  return piece => {
    let text = held + piece
    held = ''
    if (!text) return text
    const start = Math.max(text.lastIndexOf('\n'), text.lastIndexOf('\r')) + 1
    const last = text.slice(start, start + FIELD.length)
    if (last && last.length < FIELD.length && FIELD.startsWith(last)) {
      held = last
      text = text.slice(0, start)
    }
    const begins = fresh
    if (text) fresh = start === text.length
    if (!text.includes(FIELD)) return text
    return text.replace(/(^|[\n\r])error:/g, (line, end: string) =>
      end || begins ? `${end}event: error\ndata:` : line,
    )
  }
}
