import { Collector } from '../../conversation/collect.ts'
import { openaiChat } from '../../dialects/openai-chat/index.ts'
import type { Frame, Framing } from '../../stream/frame.ts'
import { framer } from '../../stream/framer.ts'
import type { AttemptRecord } from '../../telemetry/attempt-record.ts'

type Json = Record<string, unknown>
type Assembler = (frames: readonly Frame[], record: AttemptRecord) => unknown

const objectsIn = (frames: readonly Frame[]): Json[] =>
  frames.flatMap(({ data, comment }) => {
    if (comment || data === '[DONE]') return []
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null ? [value as Json] : []
  })

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '')
const listIn = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : [])

function chat(frames: readonly Frame[], { model = '' }: AttemptRecord): unknown {
  const reader = openaiChat.reader({ memory: {}, quirks: [] })
  const collector = new Collector()
  for (const frame of frames) for (const event of reader.read(frame)) collector.add(event)
  return openaiChat.writeReply(collector.reply(), { model, includeUsage: true })
}

/** The last message holds the whole answer. */
const responses: Assembler = frames => objectsIn(frames).findLast(({ response }) => response)?.response

/** @see https://docs.anthropic.com/en/docs/build-with-claude/streaming */
function messages(frames: readonly Frame[]): unknown {
  let message: Json | undefined
  const blocks: Json[] = []
  const inputs = new Map<Json, string>()
  for (const { type, index, delta, ...event } of objectsIn(frames)) {
    const change = (delta ?? {}) as Json
    if (type === 'error') return undefined
    if (type === 'message_start') message = { ...(event.message as Json) }
    else if (type === 'content_block_start') blocks[index as number] = { ...(event.content_block as Json) }
    else if (type === 'message_delta' && message) {
      Object.assign(message, change)
      message.usage = { ...(message.usage as Json), ...(event.usage as Json) }
    } else if (type === 'content_block_delta') {
      const block = blocks[index as number]
      if (!block) return undefined
      if (change.type === 'input_json_delta') inputs.set(block, (inputs.get(block) ?? '') + textIn(change.partial_json))
      else if (change.type === 'citations_delta') block.citations = [...listIn(block.citations), change.citation]
      else
        for (const name of ['text', 'thinking', 'signature'])
          if (name in change) block[name] = textIn(block[name]) + textIn(change[name])
    }
  }
  for (const [block, text] of inputs) if (text) block.input = JSON.parse(text)
  return message && { ...message, content: blocks.filter(Boolean) }
}

/** Parts of text that follow each other are one; all else stays as it came. */
function gemini(frames: readonly Frame[]): unknown {
  const whole: Json = {}
  const candidates = new Map<unknown, Json & { content: Json & { parts: Json[] } }>()
  for (const { candidates: said, ...rest } of objectsIn(frames)) {
    if (rest.error) return undefined
    Object.assign(whole, rest)
    for (const { content, index = 0, ...more } of listIn(said)) {
      const kept = candidates.getOrInsertComputed(index, () => ({ content: { parts: [] }, index }))
      const { parts, ...about } = (content ?? {}) as Json
      Object.assign(kept, more)
      Object.assign(kept.content, about)
      for (const part of listIn(parts)) {
        const last = kept.content.parts.at(-1)
        if (last && isText(last) && isText(part) && last.thought === part.thought)
          last.text = textIn(last.text) + textIn(part.text)
        else kept.content.parts.push({ ...part })
      }
    }
  }
  return { candidates: [...candidates.values()], ...whole }
}

const isText = ({ text, thought: _, ...rest }: Json) => typeof text === 'string' && Object.keys(rest).length === 0

function ollama(frames: readonly Frame[]): unknown {
  const whole: Json = {}
  const message: Json = {}
  let response = ''
  for (const { message: said, response: more, ...rest } of objectsIn(frames)) {
    if (rest.error) return undefined
    Object.assign(whole, rest)
    response += textIn(more)
    for (const [name, value] of Object.entries((said ?? {}) as Json)) {
      if (name === 'content' || name === 'thinking') message[name] = textIn(message[name]) + textIn(value)
      else if (Array.isArray(value)) message[name] = [...listIn(message[name]), ...value]
      else message[name] = value
    }
  }
  return { ...whole, ...(Object.keys(message).length ? { message } : { response }) }
}

const assemblers: Record<string, { framing: Framing; assemble: Assembler } | undefined> = {
  'openai-chat': { framing: 'sse', assemble: chat },
  'openai-responses': { framing: 'sse', assemble: responses },
  'anthropic-messages': { framing: 'sse', assemble: messages },
  gemini: { framing: 'sse', assemble: gemini },
  'ollama-chat': { framing: 'ndjson', assemble: ollama },
  'ollama-generate': { framing: 'ndjson', assemble: ollama },
}

/**
 * One reply out of a stream's bytes, in the words of the stream's own format; what was cut off is put together as far as
 * it came. It is handed to the records by whoever composes the parts, so that they know no dialect.
 * @returns nothing for formats that are not known, errors, and bytes that are not what the format says
 */
export function assemble(format: string, bytes: Uint8Array<ArrayBuffer>, record: AttemptRecord): string | undefined {
  const known = assemblers[format]
  if (!known) return undefined
  try {
    const cutter = framer(known.framing)
    const whole = known.assemble([...cutter.push(bytes), ...cutter.end()], record)
    return whole === undefined ? undefined : JSON.stringify(whole)
  } catch {
    return undefined
  }
}
