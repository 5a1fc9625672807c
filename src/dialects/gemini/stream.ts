import type { ProviderError } from '../../conversation/errors.ts'
import type { Event } from '../../conversation/events.ts'
import type { Frame } from '../../stream/frame.ts'
import type { ReadContext, Reader } from '../dialect.ts'
import { answerReader } from './answer.ts'
import { isObject } from './schema-nodes.ts'

/**
 * Reads a `streamGenerateContent` stream: each frame is a whole GenerateContentResponse. Nothing marks the end but the
 * connection's, so a stream is complete when every choice in it has said why it stopped.
 */
export function reader(context: ReadContext): Reader {
  const answer = answerReader(context)
  const correctors = context.quirks.flatMap(quirk => quirk.chunks?.() ?? [])
  let ended = false

  return {
    read(frame: Frame): Event[] {
      if (frame.comment) return [{ type: 'ping' }]
      if (ended) return []
      const data = frame.data.trim()
      if (!data) return []
      // Proxies in front of Gemini like to end in OpenAI's way.
      if (data === '[DONE]') return end()
      const events: Event[] = []
      for (const message of messagesOf(data)) {
        if (!isObject(message)) {
          events.push({ type: 'error', error: NOT_JSON })
        } else {
          for (const correct of correctors) correct(message)
          events.push(...answer.read(message))
        }
        if (events.at(-1)?.type === 'error') {
          ended = true
          break
        }
      }
      return events
    },
    end,
  }

  function end(): Event[] {
    if (ended || !answer.complete()) return []
    ended = true
    return [{ type: 'end' }]
  }
}

const NOT_JSON: ProviderError = {
  status: 502,
  message: 'the provider sent a frame that is not JSON',
  type: 'server_error',
  code: null,
  param: null,
}

/** The messages of a frame; an array where the stream was asked for without `alt=sse`. */
function messagesOf(data: string): unknown[] {
  try {
    const value: unknown = JSON.parse(data)
    return Array.isArray(value) ? value : [value]
  } catch {
    return [undefined]
  }
}
