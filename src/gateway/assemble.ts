import { Collector } from '../conversation/collect.ts'
import type { UpstreamDialect } from '../dialects/dialect.ts'
import { dialects } from '../dialects/index.ts'
import { openaiChat } from '../dialects/openai-chat/index.ts'
import type { Frame, Framing } from '../stream/frame.ts'
import { framer } from '../stream/framer.ts'
import { type Assembler, geminiAnswer, messages, ollama, responses } from './assemblers.ts'

const byName: Partial<Record<string, UpstreamDialect>> = dialects

/** Formats whose streams are put together in their own words. */
const own: Partial<Record<string, { framing: Framing; assemble: Assembler }>> = {
  'openai-responses': { framing: 'sse', assemble: responses },
  'anthropic-messages': { framing: 'sse', assemble: messages },
  gemini: { framing: 'sse', assemble: geminiAnswer },
  'ollama-chat': { framing: 'ndjson', assemble: ollama },
  'ollama-generate': { framing: 'ndjson', assemble: ollama },
}

/**
 * Puts a stream together into one answer, for the records (contract 8.3): in the words of its own format, in which a
 * client would have got it whole, or in OpenAI's where that is not known. What was cut off is put together as far as it
 * came.
 * @param about what the record says of the model, where the stream does not
 * @returns nothing for a format that is not read here, errors, and bytes that are not what the format says
 */
export function assemble(format: string, bytes: Uint8Array, about: { model?: string } = {}): string | undefined {
  const { framing, assemble: inOwnWords } = own[format] ?? { framing: byName[format]?.framing }
  if (!framing) return undefined
  try {
    const cutter = framer(framing)
    const frames = [...cutter.push(bytes), ...cutter.end()]
    const whole = inOwnWords ? inOwnWords(frames) : inOpenaiWords(byName[format]!, frames, about.model)
    return whole === undefined ? undefined : JSON.stringify(whole)
  } catch {
    return undefined
  }
}

/** What reads an answer that {@link assemble} has put together; nothing for one that no dialect reads. */
export const readerOfAssembled = (format: string): UpstreamDialect | undefined =>
  own[format] || !byName[format] ? byName[format] : openaiChat

function inOpenaiWords(dialect: UpstreamDialect, frames: readonly Frame[], model = ''): unknown {
  const collector = new Collector()
  const reader = dialect.reader({ memory: {}, quirks: [] })
  for (const frame of frames) for (const event of reader.read(frame)) collector.add(event)
  for (const event of reader.end()) collector.add(event)
  const reply = collector.reply()
  return reply.choices.length
    ? openaiChat.writeReply(reply, { model: reply.model ?? model, includeUsage: true })
    : undefined
}
