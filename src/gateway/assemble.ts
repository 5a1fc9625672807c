import { Collector } from '../conversation/collect.ts'
import type { UpstreamDialect } from '../dialects/dialect.ts'
import { dialects } from '../dialects/index.ts'
import { openaiChat } from '../dialects/openai-chat/index.ts'
import { framer } from '../stream/framer.ts'

/**
 * Puts a stream together into one answer, for the records (contract 8.3): in OpenAI's words, whatever the dialect, since
 * that is what people and programs read.
 * @returns nothing for a format that is not read here, or bytes that are not what it says
 */
export function assemble(format: string, bytes: Uint8Array): string | undefined {
  const dialect = (dialects as Partial<Record<string, UpstreamDialect>>)[format]
  if (!dialect) return undefined
  try {
    const collector = new Collector()
    const reader = dialect.reader({ memory: {}, quirks: [] })
    for (const frame of framer(dialect.framing).push(bytes))
      for (const event of reader.read(frame)) collector.add(event)
    for (const event of reader.end()) collector.add(event)
    const reply = collector.reply()
    return reply.choices.length
      ? JSON.stringify(openaiChat.writeReply(reply, { model: reply.model ?? '', includeUsage: true }))
      : undefined
  } catch {
    return undefined
  }
}
