import { type Frame, type Framer, StreamFault, withoutHalves } from './frame.ts'

/**
 * Cuts newline-delimited JSON. Split on LF only, since other line ends may stand inside strings of lenient writers; a
 * last line without its LF still counts (trap 13).
 * @param limit the longest line in characters
 */
export function ndjsonFramer(limit: number): Framer {
  const decoder = new TextDecoder()
  let pieces: string[] = []
  let length = 0
  const frame = (line: string): Frame[] => (line.trim() ? [{ data: line.trim() }] : [])
  const feed = (text: string): Frame[] => {
    const frames: Frame[] = []
    let start = 0
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', start)) {
      const line = pieces.length ? pieces.join('') + text.slice(start, at) : text.slice(start, at)
      pieces = []
      length = 0
      start = at + 1
      frames.push(...frame(line))
    }
    if (start < text.length) {
      pieces.push(start ? text.slice(start) : text)
      length += text.length - start
      if (length > limit) throw new StreamFault(`the provider sent a line of over ${limit} characters`)
    }
    return frames
  }
  return {
    push: bytes => feed(decoder.decode(bytes, { stream: true })),
    end: () => withoutHalves(feed(`${decoder.decode()}\n`)),
  }
}
