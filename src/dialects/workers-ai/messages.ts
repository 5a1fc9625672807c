import type { Conversation, JsonObject, Turn } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import type { Part, ToolCallPart } from '../../conversation/parts.ts'
import { callNames, textOf } from '../../conversation/turns.ts'
import { objectText } from '../argument-text.ts'
import { ANY_ID, fitToolIds } from '../tool-ids.ts'
import type { WireMessage } from './types.ts'

/**
 * Messages whose content is one string, never null: most models refuse lists of parts (contract 12.1). Only images make
 * a list necessary. Ids that Kimi used twice are told apart again (trap 24).
 * @throws Unsupported for images that are no data, audio and files
 */
export function writeMessages(given: Conversation): { messages: WireMessage[]; dropped: string[] } {
  const { turns } = fitToolIds(given, ANY_ID)
  const names = callNames({ turns })
  const messages: WireMessage[] = []
  const dropped = new Set<string>()
  turns.forEach((turn, at) => {
    for (const part of turn.parts) {
      if (part.type !== 'tool-result') continue
      part.content.forEach((inner, place) => {
        if (inner.type !== 'text')
          throw new Unsupported(
            `messages[${at}].content[${place}]`,
            'Workers AI takes only text as the result of a tool',
          )
      })
      if (part.failed) dropped.add('messages[].is_error')
      const name = part.name ?? names.get(part.id)
      const content = textOf(part.content)
      messages.push({ role: 'tool', content, tool_call_id: part.id, ...(name !== undefined && { name }) })
    }
    if (turn.role === 'tool' || (turn.parts.length > 0 && turn.parts.every(part => part.type === 'tool-result'))) return
    if (turn.role === 'assistant') {
      const message = writeAssistant(turn, dropped)
      if (message) messages.push(message)
    } else messages.push({ role: turn.role, content: writeContent(turn.parts, at) })
  })
  return { messages, dropped: [...dropped] }
}

function writeAssistant({ parts }: Turn, dropped: Set<string>): WireMessage | undefined {
  const calls = parts.filter((part): part is ToolCallPart => part.type === 'tool-call')
  const content = textOf(parts)
  if (parts.some(part => part.type === 'reasoning' && part.text)) dropped.add('messages[].reasoning_content')
  if (!content && !calls.length) return undefined
  return {
    role: 'assistant',
    content,
    ...(calls.length > 0 && {
      tool_calls: calls.map(({ id, name, arguments: text }) => ({
        id,
        type: 'function' as const,
        function: { name, arguments: objectText(text) },
      })),
    }),
  }
}

function writeContent(parts: readonly Part[], at: number): string | JsonObject[] {
  const refuse = (place: number, message: string) => new Unsupported(`messages[${at}].content[${place}]`, message)
  const list = parts.flatMap((part, place): JsonObject[] => {
    if (part.type === 'audio' || part.type === 'file')
      throw refuse(place, `Workers AI does not take ${part.type === 'audio' ? 'audio' : 'files'} in a conversation`)
    if (part.type === 'text') return part.text ? [{ type: 'text', text: part.text }] : []
    if (part.type !== 'image') return []
    const { source } = part
    // "HTTP URL will not be accepted" says the schema of every model that sees.
    if (source.kind !== 'base64') throw refuse(place, 'Workers AI takes images only as data, so send a data: URL')
    return [{ type: 'image_url', image_url: { url: `data:${source.mediaType};base64,${source.data}` } }]
  })
  return parts.some(part => part.type === 'image') ? list : textOf(parts)
}
