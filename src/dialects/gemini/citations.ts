import type { Citation } from '../../conversation/parts.ts'
import type { Candidate, CitationSource, GroundingMetadata, GroundingSource, Segment } from './types.ts'

/** Gathers the citations of one choice; it holds the text said so far, which the offsets point into. */
export interface CitationReader {
  text(piece: string): void
  /** The citations of this candidate that have not been given yet: streams repeat them from chunk to chunk. */
  read(candidate: Candidate): Citation[]
}

export function citationReader(): CitationReader {
  let text = ''
  const given = new Set<string>()
  return {
    text(piece) {
      text += piece
    },
    read({ groundingMetadata, citationMetadata }) {
      if (!groundingMetadata && !citationMetadata) return []
      const place = placer(text)
      const found = [
        ...(groundingMetadata ? grounded(groundingMetadata, place) : []),
        ...(citationMetadata?.citationSources ?? citationMetadata?.citations ?? []).map(source =>
          quoted(source, place),
        ),
      ]
      return found.filter(citation => {
        const key = JSON.stringify([citation.url, citation.title, citation.start, citation.end])
        return !given.has(key) && given.add(key)
      })
    },
  }
}

type Place = (segment: Segment) => Pick<Citation, 'start' | 'end'>

/**
 * Google counts bytes of UTF-8, and within a part; the neutral form counts UTF-16 units of the whole text. Where the
 * segment names its own text, that decides: offsets that do not fit it are looked up or left out.
 */
function placer(text: string): Place {
  const bytes = new TextEncoder().encode(text)
  const ascii = bytes.length === text.length
  const units = (at: number) => (ascii ? at : new TextDecoder().decode(bytes.subarray(0, at)).length)
  return segment => {
    if (segment.endIndex === undefined) return {}
    const start = units(segment.startIndex ?? 0)
    const end = units(segment.endIndex)
    if (segment.text === undefined || text.slice(start, end) === segment.text) return { start, end }
    const at = text.indexOf(segment.text)
    return at < 0 ? {} : { start: at, end: at + segment.text.length }
  }
}

/** One citation for every source that supports a segment; sources that support none stand without offsets. */
function grounded({ groundingChunks = [], groundingSupports = [] }: GroundingMetadata, place: Place): Citation[] {
  const citations: Citation[] = []
  const used = new Set<number>()
  for (const support of groundingSupports) {
    for (const index of support.groundingChunkIndices ?? []) {
      const chunk = groundingChunks[index]
      if (!chunk) continue
      used.add(index)
      citations.push({
        ...sourceOf(chunk),
        ...place(support.segment ?? {}),
        native: { groundingChunk: chunk, groundingSupport: support },
      })
    }
  }
  for (const [index, chunk] of groundingChunks.entries())
    if (!used.has(index)) citations.push({ ...sourceOf(chunk), native: { groundingChunk: chunk } })
  return citations
}

/** A chunk holds its source under the name of its kind: `web`, `retrievedContext`, `maps`. */
function sourceOf(chunk: Record<string, GroundingSource | undefined>): Citation {
  const source = Object.values(chunk).find(value => value && typeof value === 'object')
  return {
    ...(source?.uri && { url: source.uri }),
    ...(source?.title && { title: source.title }),
    ...(source?.text && { quote: source.text }),
  }
}

function quoted(source: CitationSource, place: Place): Citation {
  return {
    ...(source.uri && { url: source.uri }),
    ...(source.title && { title: source.title }),
    ...place(source),
    native: source,
  }
}
