import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { Watch } from '../dialect.ts'
import { readTokenUsage } from './token-usage.ts'

interface Duration extends JsonObject {
  type?: string
  seconds?: number
}

/** The models that are paid by the second of what they hear; there are no tokens to be counted. */
function readDuration(usage: unknown): Usage | undefined {
  const { type, seconds } = (usage ?? {}) as Duration
  if (type !== 'duration' || typeof seconds !== 'number') return undefined
  return { input: 0, output: 0, source: 'reported', native: { type, seconds } }
}

const usageOf = ({ usage }: JsonObject) => readTokenUsage(usage) ?? readDuration(usage)

/** @param ends the types of the message that ends a stream */
const media = (...ends: string[]): Watch => ({
  members: ['usage', 'model'],
  depth: 1,
  mention: '"usage"',
  model: ({ model }) => (typeof model === 'string' ? model : undefined),
  usage: usageOf,
  end(message) {
    const { type, usage, error } = message as { type?: string; usage?: unknown; error?: unknown }
    // The type stands in front of a picture, where it may be lost; only a last message has counts.
    if (type === undefined) return error ? 'marked' : usage ? 'finished' : undefined
    return type === 'error' || ends.includes(type) ? 'marked' : undefined
  },
})

/** Reads along with pictures: the counts stand behind them, or before. */
export const openaiImages = media('image_generation.completed', 'image_edit.completed')

/** Reads along with transcriptions and translations of speech, which count tokens or seconds. */
export const openaiTranscriptions = media('transcript.text.done')

/** Reads along with speech, which counts only where it is streamed as messages. */
export const openaiSpeech = media('speech.audio.done')
