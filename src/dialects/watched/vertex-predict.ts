import type { JsonObject } from '../../conversation/conversation.ts'
import type { Watch } from '../dialect.ts'

interface Statistics {
  token_count?: number
}

interface Prediction {
  embeddings?: { statistics?: Statistics }
  /** A picture, in place or in Google's storage. */
  bytesBase64Encoded?: string
  gcsUri?: string
  mimeType?: string
}

interface Message extends JsonObject {
  predictions?: (Prediction | null)[]
  metadata?: { billableCharacterCount?: number }
  /** Of an answer too large to be kept: those of its last prediction, and the sum of all characters. */
  statistics?: Statistics
  billableCharacterCount?: number
}

/** As Google reckons its own models' tokens. */
const CHARACTERS_PER_TOKEN = 4

/**
 * Reads along with Vertex's `:predict`, which counts each text that it embeds, and makes pictures.
 * @see https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/text-embeddings-api
 */
export const vertexPredict: Watch = {
  members: ['statistics', 'billableCharacterCount'],
  depth: 4,
  usage({ predictions, metadata, statistics, billableCharacterCount }: Message) {
    if (!Array.isArray(predictions)) {
      if (!statistics && billableCharacterCount === undefined) return undefined
      // There may have been more texts than the last; their characters tell roughly how long they were.
      const guess = Math.ceil((billableCharacterCount ?? 0) / CHARACTERS_PER_TOKEN)
      return {
        input: Math.max(guess, statistics?.token_count ?? 0),
        output: 0,
        ...(billableCharacterCount !== undefined && { characters: billableCharacterCount }),
        source: 'estimated',
      }
    }
    let input: number | undefined
    let images = 0
    for (const prediction of predictions) {
      const tokens = prediction?.embeddings?.statistics?.token_count
      if (tokens !== undefined) input = (input ?? 0) + tokens
      else if (prediction?.mimeType?.startsWith('image/') && (prediction.bytesBase64Encoded || prediction.gcsUri))
        images++
    }
    const characters = metadata?.billableCharacterCount
    if (input === undefined && characters === undefined && !images) return undefined
    return {
      input: input ?? 0,
      output: 0,
      ...(characters !== undefined && { characters }),
      ...(images > 0 && { images }),
      source: 'reported',
    }
  },
}
