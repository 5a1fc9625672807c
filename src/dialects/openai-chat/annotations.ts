import type { JsonObject } from '../../conversation/conversation.ts'
import type { Citation } from '../../conversation/parts.ts'
import type { Annotation } from './types.ts'

export function readAnnotation(annotation: Annotation): Citation {
  const { url, title, start_index, end_index } = annotation.url_citation ?? {}
  return {
    ...(url && { url }),
    ...(title && { title }),
    ...(start_index !== undefined && { start: start_index }),
    ...(end_index !== undefined && { end: end_index }),
    native: annotation,
  }
}

/** A citation as OpenAI's `url_citation`, also for documents, which have no address but may have a title. */
export function writeAnnotation(citation: Citation): JsonObject {
  const native = citation.native as Annotation | undefined
  if (native?.type === 'url_citation' || native?.url_citation) return native as JsonObject
  return {
    type: 'url_citation',
    url_citation: {
      url: citation.url ?? '',
      title: citation.title ?? '',
      start_index: citation.start ?? 0,
      end_index: citation.end ?? citation.start ?? 0,
      ...(citation.quote !== undefined && { content: citation.quote }),
    },
  }
}
