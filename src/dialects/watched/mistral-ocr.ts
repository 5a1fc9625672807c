import type { JsonObject } from '../../conversation/conversation.ts'
import type { Watch } from '../dialect.ts'

interface Message extends JsonObject {
  usage_info?: { pages_processed?: number } | null
  document_annotation?: string | null
}

/** Reads along with Mistral's reading of documents, which is charged by the page. @see https://docs.mistral.ai/api/endpoint/ocr */
export const mistralOcr: Watch = {
  members: ['usage_info', 'document_annotation', 'model'],
  depth: 1,
  model: ({ model }) => (typeof model === 'string' ? model : undefined),
  usage({ usage_info, document_annotation }: Message) {
    const pages = usage_info?.pages_processed
    if (pages === undefined) return undefined
    return { input: 0, output: 0, pages, ...(document_annotation && { annotatedPages: pages }), source: 'reported' }
  },
}
