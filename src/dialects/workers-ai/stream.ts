import type { Event } from '../../conversation/events.ts'
import { type ArgumentText, argumentText } from '../argument-text.ts'
import type { ReadContext, Reader } from '../dialect.ts'
import { reader as completionReader } from '../openai-chat/stream-reader.ts'
import { asCompletion } from './completion.ts'
import { withStatus } from './errors.ts'

type FinishEvent = Extract<Event, { type: 'finish' }>

/**
 * Reads both kinds of chunks by way of the reader of OpenAI's, and mends what Workers AI does in its own way: the reason
 * to stop may be missing until `[DONE]` (wire-formats 22.3), come before the last tool call, or say `stop` for calls.
 */
export function reader(context: ReadContext): Reader {
  const inner = completionReader({ ...context, quirks: [...context.quirks, ...asCompletion] })
  const calls = new Map<number, ArgumentText>()
  let finish: FinishEvent | undefined
  let over = false

  const settle = (): Event[] => {
    const events: Event[] = []
    const { native } = finish ?? {}
    let word = finish?.finish ?? 'stop'
    if (word === 'stop' && calls.size > 0) word = 'tool-calls'
    for (const [call, text] of calls) events.push(...said(call, word === 'length' ? text.cut() : text.close()))
    events.push({ type: 'finish', choice: 0, finish: word, ...(native && { native }) })
    return events
  }

  const mend = (event: Event): Event[] => {
    switch (event.type) {
      case 'tool-call':
        calls.set(event.call, argumentText())
        return [event]
      case 'tool-arguments': {
        const text = calls.get(event.call)
        return text ? said(event.call, text.push(event.text)) : []
      }
      case 'finish':
        finish ??= event
        return []
      case 'end':
        over = true
        return [...settle(), event]
      case 'error':
        over = true
        return [{ type: 'error', error: withStatus(event.error) }]
      default:
        return [event]
    }
  }

  const mendAll = (events: Event[]): Event[] => {
    const mended: Event[] = []
    for (const event of events) {
      if (over) break
      mended.push(...mend(event))
    }
    return mended
  }

  return {
    read: frame => (over ? [] : mendAll(inner.read(frame))),
    end() {
      if (over) return []
      const events = mendAll(inner.end())
      // Without `[DONE]` only the provider's own reason tells that the answer is whole.
      return finish && !over ? [...events, ...settle()] : events
    },
  }
}

const said = (call: number, text: string): Event[] => (text ? [{ type: 'tool-arguments', choice: 0, call, text }] : [])
