import type { Frame } from '../stream/frame.ts'

type Json = Record<string, unknown>

/**
 * Each makes one answer of the frames of a stream, in the words of the stream's own format, as far as it came.
 * @returns nothing for an error. @throws for frames that are not what the format says
 */
export type Assembler = (frames: readonly Frame[]) => unknown

const objectsIn = (frames: readonly Frame[]): Json[] =>
  frames.flatMap(({ data, comment }) => {
    if (comment || data === '[DONE]') return []
    const value: unknown = JSON.parse(data)
    return typeof value === 'object' && value !== null ? [value as Json] : []
  })

const textIn = (value: unknown): string => (typeof value === 'string' ? value : '')
const listIn = (value: unknown): Json[] => (Array.isArray(value) ? (value as Json[]) : [])

/** The last message holds the whole answer. */
export const responses: Assembler = frames => objectsIn(frames).findLast(({ response }) => response)?.response

/** @see https://docs.anthropic.com/en/docs/build-with-claude/streaming */
export function messages(frames: readonly Frame[]): unknown {
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
export function geminiAnswer(frames: readonly Frame[]): unknown {
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

export function ollama(frames: readonly Frame[]): unknown {
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
