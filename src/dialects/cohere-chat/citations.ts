import type { Citation } from '../../conversation/parts.ts'
import type { Source, WireCitation } from './types.ts'

const text = (value: unknown): string | undefined => (typeof value === 'string' && value ? value : undefined)

/**
 * A citation of the answer's text, once for each of its sources. Offsets are Cohere's within the block; they are moved
 * by `base` to count in the whole reply, and from code points to UTF-16 units where the quoted text shows the difference.
 * Citations of the model's plan or thinking keep no offsets, since these are not in the text.
 *
 * @param block the text of the content block so far
 * @param base UTF-16 units of text before that block
 */
export function readCitation(wire: WireCitation, block: string, base: number): Citation[] {
  const inText = wire.type === undefined || wire.type === 'TEXT_CONTENT'
  const at = inText ? place(wire, block, base) : {}
  const sources: (Source | undefined)[] = wire.sources?.length ? wire.sources : [undefined]
  return sources.map(source => {
    const about = source?.document ?? source?.tool_output
    const url = text(about?.url)
    const title = text(about?.title) ?? text(about?.id) ?? source?.id
    return {
      ...(url && { url }),
      ...(title && { title }),
      ...at,
      ...(wire.text && { quote: wire.text }),
      native: { ...wire, ...(source && { sources: [source] }) },
    }
  })
}

function place(
  { start, end, text: quote }: WireCitation,
  block: string,
  base: number,
): { start?: number; end?: number } {
  if (start === undefined || end === undefined) return {}
  if (quote && block.slice(start, end) !== quote) {
    const points = [...block]
    if (points.slice(start, end).join('') === quote) {
      const before = points.slice(0, start).join('').length
      return { start: base + before, end: base + before + quote.length }
    }
  }
  return { start: base + start, end: base + end }
}
