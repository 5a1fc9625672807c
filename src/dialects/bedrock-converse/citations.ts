import type { Citation } from '../../conversation/parts.ts'
import type { WireCitation } from './types.ts'

/**
 * @param start where the cited text begins in the text of the reply
 * @param end where it ends
 */
export function readCitation(citation: WireCitation, start: number, end: number): Citation {
  const web = citation.location?.web?.url
  const source = citation.source && /^https?:/.test(citation.source) ? citation.source : undefined
  const url = web ?? source
  const quote = citation.sourceContent?.map(each => each.text ?? '').join('')
  return {
    ...(url && { url }),
    ...(citation.title && { title: citation.title }),
    start,
    end,
    ...(quote && { quote }),
    native: citation,
  }
}
