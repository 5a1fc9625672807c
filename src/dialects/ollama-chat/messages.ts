import type { Conversation } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import type { Part, ToolCallPart } from '../../conversation/parts.ts'
import { argumentsObject, callNames, textOf } from '../../conversation/turns.ts'
import { ANY_ID, fitToolIds } from '../tool-ids.ts'
import type { WireMessage } from './types.ts'

/**
 * Messages with one string of content each, images beside it. Results name their tool, since servers before 0.12 know
 * no ids (trap 30); newer ones take the id too and older ones pass over it.
 * @throws Unsupported for images that are not bytes, audio and files
 */
export function writeMessages(given: Conversation): { messages: WireMessage[]; dropped: string[] } {
  const { turns } = fitToolIds(given, ANY_ID)
  const names = callNames({ turns })
  const messages: WireMessage[] = []
  const dropped = new Set<string>()
  turns.forEach(({ role, parts }, at) => {
    for (const part of parts) {
      if (part.type !== 'tool-result') continue
      part.content.forEach((inner, place) => {
        if (inner.type !== 'text')
          throw new Unsupported(`messages[${at}].content[${place}]`, 'Ollama takes only text as the result of a tool')
      })
      if (part.failed) dropped.add('messages[].is_error')
      const name = part.name ?? names.get(part.id)
      const about = { ...(name !== undefined && { tool_name: name }), tool_call_id: part.id }
      messages.push({ role: 'tool', content: textOf(part.content), ...about })
    }
    if (role === 'tool' || (parts.length > 0 && parts.every(part => part.type === 'tool-result'))) return
    const calls = parts.filter((part): part is ToolCallPart => part.type === 'tool-call')
    const images = parts.flatMap((part, place) => imageOf(part, `messages[${at}].content[${place}]`))
    let thinking = ''
    for (const part of parts) if (part.type === 'reasoning') thinking += part.text
    const content = textOf(parts)
    if (role === 'assistant' && !content && !thinking && !calls.length) return
    messages.push({
      role,
      content,
      ...(images.length > 0 && { images }),
      ...(thinking && { thinking }),
      ...(calls.length > 0 && {
        tool_calls: calls.map(call => ({
          id: call.id,
          function: { name: call.name, arguments: argumentsObject(call.arguments) },
        })),
      }),
    })
  })
  return { messages, dropped: [...dropped] }
}

function imageOf(part: Part, field: string): string[] {
  if (part.type === 'audio' || part.type === 'file')
    throw new Unsupported(field, `Ollama does not take ${part.type === 'audio' ? 'audio' : 'files'}`)
  if (part.type !== 'image') return []
  if (part.source.kind !== 'base64')
    throw new Unsupported(field, 'Ollama takes images only as data, so send a data: URL')
  return [part.source.data]
}
