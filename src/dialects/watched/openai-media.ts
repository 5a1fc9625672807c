import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { Watch } from '../dialect.ts'
import type { WireUsage } from '../openai-chat/types.ts'
import { readUsage } from '../openai-chat/usage.ts'
import { readTokenUsage } from './token-usage.ts'

interface Message extends JsonObject {
  type?: string
  usage?: unknown
  error?: unknown
  /** Pictures, in a whole answer. */
  data?: unknown
  /** Seconds of speech, in a transcription at length; some say it as a text. */
  duration?: number | string
}

/**
 * @param members what `usage` looks at, beside the usage itself
 * @param ends the types of the message that ends a stream
 */
const media = (
  members: string[],
  ends: string[],
  usage: (message: Message, ended: boolean) => Usage | undefined,
): Watch => {
  const isEnd = (type: string | undefined) => type !== undefined && ends.includes(type)
  return {
    members: ['usage', 'model', ...members],
    depth: 1,
    mention: '"usage"',
    model: ({ model }) => (typeof model === 'string' ? model : undefined),
    usage: (message: Message) => usage(message, isEnd(message.type)),
    end({ type, usage, error }: Message) {
      // The type stands in front of a picture, where it may be lost; only a last message has counts.
      if (type === undefined) return error ? 'marked' : usage ? 'finished' : undefined
      return type === 'error' || isEnd(type) ? 'marked' : undefined
    },
  }
}

/**
 * Reads along with pictures: the counts stand behind them, or before. What is written are pictures, unless the details say
 * more. How many there are is known only while the answer is small enough to be kept.
 */
export const openaiImages = media([], ['image_generation.completed', 'image_edit.completed'], (message, ended) => {
  const { data } = message
  const images = Array.isArray(data) ? data.length : ended ? 1 : 0
  const usage = readTokenUsage(message.usage)
  if (!usage) return images ? { input: 0, output: 0, images, source: 'reported' } : undefined
  usage.imageOutput ??= usage.output
  if (images) usage.images = images
  return usage
})

/** Reads along with transcriptions and translations of speech, which count tokens, seconds or both. */
export const openaiTranscriptions = media(
  ['duration'],
  ['transcript.text.done', 'transcription.done'],
  ({ usage, duration }) =>
    readTokenUsage(usage) ?? readUsage(usage as WireUsage | undefined) ?? readSeconds(usage, duration),
)

/** The models that are paid by the second of what they hear; there are no tokens to be counted. */
function readSeconds(usage: unknown, duration: number | string | undefined): Usage | undefined {
  const said = (usage as { seconds?: number } | null | undefined)?.seconds ?? duration
  const seconds = typeof said === 'string' && said.trim() ? Number(said) : said
  if (typeof seconds !== 'number' || !Number.isFinite(seconds)) return undefined
  return { input: 0, output: 0, seconds, source: 'reported' }
}

/** Reads along with speech, which counts only where it is streamed as messages. What is written is sound. */
export const openaiSpeech = media([], ['speech.audio.done'], message => {
  const usage = readTokenUsage(message.usage)
  if (usage) usage.audioOutput ??= usage.output
  return usage
})
