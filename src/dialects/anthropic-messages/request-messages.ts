import type { Turn } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import type { FilePart, ImagePart, Part, Source, ToolResultPart } from '../../conversation/parts.ts'
import { argumentsObject } from '../../conversation/turns.ts'
import { replayable } from '../claude-thinking.ts'
import { twoRoleTurns } from '../two-role-turns.ts'
import { cacheControl } from './tools.ts'
import type { Block, WireSource } from './types.ts'

export interface WireMessage {
  role: 'user' | 'assistant'
  content: Block[]
}

/**
 * Writes the turns without the system's.
 * @param dropped is told what had to be left out
 */
export function writeMessages(turns: readonly Turn[], dropped: Set<string>): WireMessage[] {
  return twoRoleTurns(turns, replayable, dropped).map(({ role, parts }) => ({
    role,
    content: parts.flatMap(writePart),
  }))
}

/**
 * Refuses parts that Anthropic has no form for, while the places are still those of the caller's messages.
 * @throws Unsupported
 */
export function refuseParts(turns: readonly Turn[]): void {
  const refuse = (parts: readonly Part[], path: string): void => {
    for (const [at, part] of parts.entries()) {
      const here = `${path}[${at}]`
      if (part.type === 'audio') throw new Unsupported(here, 'Claude takes no audio')
      if (part.type === 'tool-result') refuse(part.content, path)
      if (part.type !== 'image' && part.type !== 'file') continue
      const { source } = part
      if (source.kind === 'file-id' && !source.id.startsWith('file_'))
        throw new Unsupported(here, 'the file id is of another provider')
      if (source.kind === 'text' && part.type === 'image')
        throw new Unsupported(here, 'Claude takes images as JPEG, PNG, GIF or WebP')
      if (part.type === 'file' && source.kind === 'base64' && !isDocument(source.mediaType))
        throw new Unsupported(here, 'Claude takes documents as PDF or plain text')
    }
  }
  for (const [at, turn] of turns.entries()) refuse(turn.parts, `messages[${at}].content`)
}

const isText = (mediaType: string) => /^text\/|^application\/(json|xml|x-yaml|yaml|javascript)\b/.test(mediaType)
const isImage = (mediaType: string) => mediaType.startsWith('image/')
const isDocument = (mediaType: string) =>
  mediaType.startsWith('application/pdf') || isText(mediaType) || isImage(mediaType)

function writeSource(source: Source): WireSource {
  switch (source.kind) {
    case 'url':
      return { type: 'url', url: source.url }
    case 'file-id':
      return { type: 'file', file_id: source.id }
    case 'text':
      return { type: 'text', media_type: 'text/plain', data: source.text }
    case 'base64':
      if (!isText(source.mediaType)) return { type: 'base64', media_type: source.mediaType, data: source.data }
      return { type: 'text', media_type: 'text/plain', data: Buffer.from(source.data, 'base64').toString('utf8') }
  }
}

function writeMedia(part: ImagePart | FilePart): Block {
  const { source } = part
  const image = part.type === 'image' || (source.kind === 'base64' && isImage(source.mediaType))
  const title = part.type === 'file' && part.filename && !image ? { title: part.filename } : {}
  return {
    type: image ? 'image' : 'document',
    source: writeSource(source),
    ...title,
    ...cacheControl(part.cache),
  }
}

function writeResult(part: ToolResultPart): Block {
  const content = part.content.filter(inner => inner.type !== 'text' || inner.text.trim())
  const last = content.findLast(inner => 'cache' in inner && inner.cache)
  const cache = part.cache ?? (last && 'cache' in last ? last.cache : undefined)
  const only = content.length === 1 ? content[0] : undefined
  // The breakpoint belongs on the result, not inside it (T67).
  const inside = () => content.flatMap(inner => writePart('cache' in inner ? { ...inner, cache: undefined } : inner))
  return {
    type: 'tool_result',
    tool_use_id: part.id,
    ...(content.length > 0 && { content: only?.type === 'text' ? only.text : inside() }),
    ...(part.failed && { is_error: true as const }),
    ...cacheControl(cache),
  }
}

/** Redacted reasoning as Anthropic's own API wants it: Bedrock wraps the same text in base64 once more (trap 38). */
const redactedText = (redacted: string, format: string | undefined) =>
  format === 'bedrock' ? Buffer.from(redacted, 'base64').toString('utf8') : redacted

function writePart(part: Part): Block[] {
  switch (part.type) {
    case 'text':
      return [{ type: 'text', text: part.text, ...cacheControl(part.cache) }]
    case 'refusal':
      return [{ type: 'text', text: part.text }]
    case 'reasoning':
      if (part.redacted) return [{ type: 'redacted_thinking', data: redactedText(part.redacted, part.format) }]
      return [{ type: 'thinking', thinking: part.text, signature: part.signature ?? '' }]
    case 'image':
    case 'file':
      return [writeMedia(part)]
    case 'tool-call': {
      // What is no object is none for Anthropic either (T57, T64).
      const input = argumentsObject(part.arguments)
      return [{ type: 'tool_use', id: part.id, name: part.name, input, ...cacheControl(part.cache) }]
    }
    case 'tool-result':
      return [writeResult(part)]
    case 'audio':
      return []
  }
}
