import type { Conversation, JsonObject, Turn } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import type { ImagePart, Part, ToolCallPart, ToolResultPart } from '../../conversation/parts.ts'
import { textOf } from '../../conversation/turns.ts'
import { objectText } from '../argument-text.ts'
import { ANY_ID, fitToolIds } from '../tool-ids.ts'
import type { WireContent, WireMessage } from './types.ts'

/** @throws Unsupported for audio, files, and images that are only an id */
export function writeMessages(conversation: Conversation): { messages: WireMessage[]; dropped: string[] } {
  const messages: WireMessage[] = []
  const dropped = new Set<string>()
  fitToolIds(conversation, ANY_ID).turns.forEach((turn, at) => {
    if (turn.role === 'assistant') {
      const message = writeAssistant(turn, dropped)
      if (message) messages.push(message)
      return
    }
    const results = turn.parts.filter((part): part is ToolResultPart => part.type === 'tool-result')
    for (const result of results) messages.push(writeResult(result, at, dropped))
    if (turn.role === 'tool' || results.length === turn.parts.length) return
    messages.push({ role: turn.role, content: writeContent(turn.parts, at) })
  })
  return { messages, dropped: [...dropped] }
}

/**
 * What the model thought before it called tools goes back as the plan, which every model takes; other reasoning is not
 * replayed, because models without it refuse `thinking` blocks. An empty message would be refused too (T52).
 */
function writeAssistant(turn: Turn, dropped: Set<string>): WireMessage | undefined {
  const calls = turn.parts.filter((part): part is ToolCallPart => part.type === 'tool-call')
  const content = textOf(turn.parts)
  let plan = ''
  for (const part of turn.parts) if (part.type === 'reasoning') plan += part.text
  if (plan && !calls.length) dropped.add('messages[].reasoning_content')
  if (!content && !calls.length) return undefined
  return {
    role: 'assistant',
    ...(content && { content }),
    ...(calls.length > 0 && {
      ...(plan && { tool_plan: plan }),
      tool_calls: calls.map(({ id, name, arguments: text }) => ({
        id,
        type: 'function' as const,
        function: { name, arguments: objectText(text) },
      })),
    }),
  }
}

function writeResult(result: ToolResultPart, at: number, dropped: Set<string>): WireMessage {
  result.content.forEach((part, place) => {
    if (part.type !== 'text')
      throw new Unsupported(`messages[${at}].content[${place}]`, 'Cohere takes only text as the result of a tool')
  })
  if (result.failed) dropped.add('messages[].is_error')
  return { role: 'tool', tool_call_id: result.id, content: textOf(result.content) }
}

function writeContent(parts: readonly Part[], at: number): WireContent {
  if (parts.every(part => part.type === 'text' || part.type === 'refusal')) return textOf(parts)
  return parts.flatMap((part, place): JsonObject[] => {
    if (part.type === 'text') return part.text ? [{ type: 'text', text: part.text }] : []
    if (part.type === 'image')
      return [{ type: 'image_url', image_url: writeImage(part, `messages[${at}].content[${place}]`) }]
    if (part.type === 'audio' || part.type === 'file')
      throw new Unsupported(
        `messages[${at}].content[${place}]`,
        `Cohere does not take ${part.type === 'audio' ? 'audio' : 'files'}`,
      )
    return []
  })
}

/** @see https://docs.cohere.com/v2/docs/image-inputs */
function writeImage({ source, detail }: ImagePart, field: string): { url: string; detail?: string } {
  const rest = detail !== undefined ? { detail } : {}
  if (source.kind === 'url') return { url: source.url, ...rest }
  if (source.kind === 'base64') return { url: `data:${source.mediaType};base64,${source.data}`, ...rest }
  throw new Unsupported(field, 'Cohere takes images as an address or as data')
}
