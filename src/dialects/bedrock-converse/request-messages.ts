import type { Turn } from '../../conversation/conversation.ts'
import { Unsupported } from '../../conversation/errors.ts'
import type { CacheMark, FilePart, ImagePart, Part, ReasoningPart, ToolResultPart } from '../../conversation/parts.ts'
import { argumentsObject } from '../../conversation/turns.ts'
import { replayable } from '../claude-thinking.ts'
import { FILLER, twoRoleTurns } from '../two-role-turns.ts'
import { documentFormat, documentNamer, imageFormat, writeSource } from './documents.ts'
import type { Block, ResultContent } from './types.ts'

export interface WireMessage {
  role: 'user' | 'assistant'
  content: Block[]
}

/**
 * Refuses parts that Converse has no form for, while the places are still those of the caller's messages.
 * @throws Unsupported
 */
export function refuseParts(turns: readonly Turn[]): void {
  const refuse = (parts: readonly Part[], path: string): void => {
    for (const [at, part] of parts.entries()) {
      const here = `${path}[${at}]`
      if (part.type === 'audio') throw new Unsupported(here, 'Converse takes no audio')
      if (part.type === 'tool-result') refuse(part.content, path)
      if (part.type !== 'image' && part.type !== 'file') continue
      if (!writeSource(part.source))
        throw new Unsupported(here, 'Bedrock takes the bytes of images and files, no addresses and no file ids')
      if (part.type === 'image' && !imageFormat(part))
        throw new Unsupported(here, 'Bedrock takes images as PNG, JPEG, GIF or WebP')
      if (part.type === 'file' && !imageFormat(part) && !documentFormat(part))
        throw new Unsupported(here, 'Bedrock does not take files of this kind')
    }
  }
  for (const [at, turn] of turns.entries()) refuse(turn.parts, `messages[${at}].content`)
}

/** A cache breakpoint is an element of its own behind what it closes (T55). */
export function cachePoint(mark: CacheMark | undefined): { cachePoint: { type: 'default'; ttl?: '5m' | '1h' } }[] {
  return mark ? [{ cachePoint: { type: 'default', ...(mark.ttl && { ttl: mark.ttl }) } }] : []
}

/**
 * Writes the turns without the system's.
 * @param caches whether the model knows cache points
 * @param claude whether it is Claude, who alone takes reasoning back that Anthropic's own API gave
 * @param dropped is told what had to be left out
 */
export function writeMessages(
  turns: readonly Turn[],
  caches: boolean,
  claude: boolean,
  dropped: Set<string>,
): WireMessage[] {
  const name = documentNamer()
  const mark = (cache: CacheMark | undefined) => {
    if (cache && !caches) dropped.add('cache_control')
    return caches ? cachePoint(cache) : []
  }
  const goesBack = (part: ReasoningPart) => replayable(part) && (claude || part.format === 'bedrock')
  return twoRoleTurns(turns, goesBack, dropped).map(({ role, parts }) => {
    const content = parts.flatMap(part => [...writePart(part, name), ...mark('cache' in part ? part.cache : undefined)])
    // A document may not stand alone: Converse wants a text beside it.
    const lonely = content.some(block => 'document' in block) && !content.some(block => 'text' in block)
    return { role, content: lonely ? [...content, { text: FILLER }] : content }
  })
}

type Namer = (filename: string | undefined) => string

function writeMedia(part: ImagePart | FilePart, name: Namer): ResultContent[] {
  const source = writeSource(part.source)
  if (!source) return []
  const image = imageFormat(part)
  if (image) return [{ image: { format: image, source } }]
  const format = part.type === 'file' ? documentFormat(part) : undefined
  return format ? [{ document: { format, name: name(part.type === 'file' ? part.filename : undefined), source } }] : []
}

function writeResult(part: ToolResultPart, name: Namer): Block {
  const content = part.content.flatMap((inner): ResultContent[] => {
    if (inner.type === 'text' || inner.type === 'refusal') return inner.text.trim() ? [{ text: inner.text }] : []
    return inner.type === 'image' || inner.type === 'file' ? writeMedia(inner, name) : []
  })
  return { toolResult: { toolUseId: part.id, content, ...(part.failed && { status: 'error' as const }) } }
}

/** Bedrock's blob is base64 of the text that Anthropic's own API gives (trap 38). */
function writeReasoning(part: ReasoningPart): Block {
  if (part.redacted) {
    const blob = part.format === 'anthropic' ? Buffer.from(part.redacted, 'utf8').toString('base64') : part.redacted
    return { reasoningContent: { redactedContent: blob } }
  }
  const signature = part.signature ? { signature: part.signature } : {}
  return { reasoningContent: { reasoningText: { text: part.text, ...signature } } }
}

function writePart(part: Part, name: Namer): Block[] {
  switch (part.type) {
    case 'text':
    case 'refusal':
      return [{ text: part.text }]
    case 'reasoning':
      return [writeReasoning(part)]
    case 'image':
    case 'file':
      return writeMedia(part, name)
    case 'tool-call':
      // What is no object is none for Bedrock either (T57, T64).
      return [{ toolUse: { toolUseId: part.id, name: part.name, input: argumentsObject(part.arguments) } }]
    case 'tool-result':
      return [writeResult(part, name)]
    case 'audio':
      return []
  }
}
