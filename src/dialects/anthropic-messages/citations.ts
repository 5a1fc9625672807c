import type { Citation } from '../../conversation/parts.ts'
import type { WireCitation } from './types.ts'

/**
 * @param start where the cited text begins in the text of the reply
 * @param end where it ends
 */
export function readCitation(citation: WireCitation, start: number, end: number): Citation {
  const url = citation.url ?? (citation.type === 'search_result_location' ? citation.source : undefined)
  const title = citation.title ?? citation.document_title
  return {
    ...(url && { url }),
    ...(title && { title }),
    start,
    end,
    ...(citation.cited_text && { quote: citation.cited_text }),
    native: citation,
  }
}
