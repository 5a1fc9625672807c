import type { Event } from '../../conversation/events.ts'
import type { Frame } from '../../stream/frame.ts'
import type { ReadContext, Reader } from '../dialect.ts'
import { frameParser, notJson } from '../frame-json.ts'
import { readError } from './errors.ts'
import { readFinish } from './finish-reason.ts'
import { callReader, seconds } from './response.ts'
import type { ChatLine } from './types.ts'
import { readUsage } from './usage.ts'

/** Reads Ollama's lines: deltas of text and thinking, whole tool calls, and a last line with `done: true`. */
export function reader(context: ReadContext): Reader {
  const parse = frameParser(context)
  const readCall = callReader(context)
  let started = false
  let over = false
  let calls = 0
  let block = 0
  let thinking = false

  const readMessage = ({ content, thinking: thought, tool_calls }: NonNullable<ChatLine['message']>): Event[] => {
    const events: Event[] = []
    if (thought) {
      events.push({ type: 'reasoning', choice: 0, block, text: thought })
      thinking = true
    }
    if (thinking && (content || tool_calls?.length)) {
      thinking = false
      block++
    }
    if (content) events.push({ type: 'text', choice: 0, text: content })
    for (const wire of tool_calls ?? []) {
      const { id, name, arguments: text } = readCall(wire)
      events.push({ type: 'tool-call', choice: 0, call: calls, id, name })
      events.push({ type: 'tool-arguments', choice: 0, call: calls++, text })
    }
    return events
  }

  return {
    read(frame: Frame): Event[] {
      if (over) return []
      if (frame.comment) return [{ type: 'ping' }]
      const line = parse(frame) as ChatLine | undefined
      if (!line || line.error) {
        over = true
        return [line ? { type: 'error', error: readError(502, line) } : notJson()]
      }
      const events: Event[] = []
      if (!started && (line.message || line.done)) {
        started = true
        events.push({ type: 'start', model: line.model, created: seconds(line.created_at) })
      }
      if (line.message) events.push(...readMessage(line.message))
      if (line.logprobs?.length) events.push({ type: 'logprobs', choice: 0, logprobs: { content: line.logprobs } })
      if (!line.done) return events
      over = true
      const native = line.done_reason ? { native: line.done_reason } : {}
      events.push({ type: 'finish', choice: 0, finish: readFinish(line.done_reason, calls > 0), ...native })
      const usage = readUsage(line)
      if (usage) events.push({ type: 'usage', usage })
      events.push({ type: 'end' })
      return events
    },
    // Calls come whole, so that nothing can be open.
    end: () => [],
  }
}
