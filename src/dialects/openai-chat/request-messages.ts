import type { Turn } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import type { CacheMark, Part, Source } from '../../conversation/parts.ts'
import { mediaTypeOf } from '../media-types.ts'
import { argumentsText } from './call-tracker.ts'
import { readDetails } from './reasoning.ts'
import type { ContentPart, Message } from './types.ts'

const ROLES: Record<string, Turn['role']> = {
  system: 'system',
  developer: 'system',
  user: 'user',
  assistant: 'assistant',
  tool: 'tool',
  function: 'tool',
}

/** Reads the messages of a chat request into turns. @throws Unsupported naming the message that has no meaning here */
export function readMessages(messages: readonly Message[]): Turn[] {
  /** The id made for the last legacy `function_call`, which the `function` message after it answers by name only. */
  let legacy = { id: '', count: 0 }
  return messages.map((message, at) => {
    const path = `messages[${at}]`
    const role = ROLES[message.role ?? '']
    if (!role) throw new Unsupported(`${path}.role`, `there is no role "${String(message.role).slice(0, 40)}"`)
    const mark = readMark(message.cache_control)
    let parts: Part[]
    if (role === 'tool') {
      const id = message.tool_call_id ?? legacy.id
      const content = readContent(message.content, `${path}.content`)
      const name = message.name
      parts = [{ type: 'tool-result', id, content, ...(name && { name }), ...cacheOf(content) }]
    } else if (role === 'assistant') {
      if (message.function_call) legacy = { id: `call_function_${legacy.count}`, count: legacy.count + 1 }
      parts = readAssistant(message, path, legacy.id)
    } else parts = readContent(message.content, `${path}.content`)
    const last = parts.at(-1)
    if (mark && last && 'type' in last && last.type !== 'reasoning' && last.type !== 'refusal') last.cache = mark
    return { role, parts, ...(message.name && role !== 'tool' && { name: message.name }) }
  })
}

/** A breakpoint on the content of a tool message belongs to the result as a whole (T67). */
function cacheOf(content: readonly Part[]): { cache?: CacheMark } {
  const marked = content.findLast(part => 'cache' in part && part.cache)
  return marked && 'cache' in marked ? { cache: marked.cache } : {}
}

function readMark(mark: ContentPart['cache_control']): CacheMark | undefined {
  if (!mark) return undefined
  return mark.ttl === '1h' || mark.ttl === '5m' ? { ttl: mark.ttl } : {}
}

/** Reasoning first, then text, then calls: the order that every provider wants back (T17). */
function readAssistant(message: Message, path: string, legacyId: string): Part[] {
  const parts: Part[] = []
  if (message.audio) throw new Unsupported(`${path}.audio`, 'spoken answers exist only at OpenAI')
  if (message.reasoning_details?.length) parts.push(...readDetails(message.reasoning_details))
  else if (message.reasoning_content) parts.push({ type: 'reasoning', text: message.reasoning_content })
  // An empty text beside calls or reasoning is only a way to write that there is none.
  if (message.content !== '') parts.push(...readContent(message.content, `${path}.content`))
  if (message.refusal) parts.push({ type: 'refusal', text: message.refusal })
  const signature = message.extra_content?.google?.thought_signature
  if (signature) {
    const text = parts.findLast(part => part.type === 'text')
    if (text) text.signature = signature
    else parts.push({ type: 'text', text: '', signature })
  }
  for (const [at, call] of (message.tool_calls ?? []).entries()) {
    if (call.type && call.type !== 'function')
      throw new Unsupported(
        `${path}.tool_calls[${at}].type`,
        `calls of type "${call.type.slice(0, 40)}" exist only at OpenAI`,
      )
    const mark = call.extra_content?.google?.thought_signature
    parts.push({
      type: 'tool-call',
      id: call.id ?? '',
      name: call.function?.name ?? '',
      arguments: argumentsText(call.function?.arguments),
      ...(mark && { signature: mark }),
    })
  }
  if (message.function_call)
    parts.push({
      type: 'tool-call',
      id: legacyId,
      name: message.function_call.name ?? '',
      arguments: message.function_call.arguments ?? '',
    })
  return parts
}

function readContent(content: Message['content'], path: string): Part[] {
  if (content === null || content === undefined) return []
  if (typeof content === 'string') return [{ type: 'text', text: content }]
  return content.map((part, at) => {
    const read = readPart(part, `${path}[${at}]`)
    const mark = readMark(part.cache_control) ?? (part.prompt_cache_breakpoint ? {} : undefined)
    return mark && read.type !== 'refusal' && read.type !== 'reasoning' ? { ...read, cache: mark } : read
  })
}

function readPart(part: ContentPart, path: string): Part {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text ?? '' }
    case 'refusal':
      return { type: 'refusal', text: part.refusal ?? '' }
    case 'image_url': {
      const { url, detail } = typeof part.image_url === 'string' ? { url: part.image_url } : (part.image_url ?? {})
      if (!url) throw new Unsupported(`${path}.image_url.url`, 'an image needs an address or a data: URL')
      return { type: 'image', source: readUrl(url), ...(detail && { detail }) }
    }
    case 'input_audio': {
      const format = part.input_audio?.format ?? 'wav'
      const mediaType = format === 'mp3' ? 'audio/mpeg' : `audio/${format}`
      return { type: 'audio', source: { kind: 'base64', mediaType, data: part.input_audio?.data ?? '' }, format }
    }
    case 'file': {
      const { file_id, file_data, filename } = part.file ?? {}
      const name = filename ? { filename } : {}
      if (file_data) {
        const source = readUrl(file_data)
        // Some clients leave out the `data:` prefix; the name then tells the kind.
        if (source.kind === 'url' && !/^https?:/.test(file_data))
          return {
            type: 'file',
            source: { kind: 'base64', mediaType: mediaTypeOf(filename ?? '') ?? 'application/pdf', data: file_data },
            ...name,
          }
        return { type: 'file', source, ...name }
      }
      if (!file_id) throw new Unsupported(`${path}.file`, 'a file needs file_data or file_id')
      return { type: 'file', source: { kind: 'file-id', id: file_id }, ...name }
    }
    default:
      throw new Unsupported(
        `${path}.type`,
        `parts of type "${String(part.type).slice(0, 40)}" have no counterpart at this provider`,
      )
  }
}

/** A `data:` URL as its bytes, any other address as an address. Base64 may hold line breaks, which no provider takes. */
export function readUrl(url: string): Source {
  const comma = url.indexOf(',')
  if (!url.startsWith('data:') || comma < 0) return { kind: 'url', url }
  const [mediaType = '', ...parameters] = url.slice(5, comma).split(';')
  const data = url.slice(comma + 1)
  if (parameters.includes('base64'))
    return {
      kind: 'base64',
      mediaType: mediaType || 'application/octet-stream',
      data: /\s/.test(data) ? data.replace(/\s+/g, '') : data,
    }
  return { kind: 'text', text: percentDecoded(data), mediaType: mediaType || 'text/plain' }
}

/** Text whose signs of per cent stand for nothing is itself. */
function percentDecoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}
