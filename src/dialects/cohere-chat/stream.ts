import type { Event } from '../../conversation/events.ts'
import type { Frame } from '../../stream/frame.ts'
import { type ArgumentText, argumentText } from '../argument-text.ts'
import type { ReadContext, Reader } from '../dialect.ts'
import { frameParser, notJson } from '../frame-json.ts'
import { mintId } from '../openai-chat/identity.ts'
import { readCitation } from './citations.ts'
import { failure, readError } from './errors.ts'
import { readFinish } from './finish-reason.ts'
import { readLogprobs } from './response.ts'
import type { Content, StreamEvent, ToolCall, WireCitation } from './types.ts'
import { readUsage } from './usage.ts'

interface OpenCall {
  call: number
  text: ArgumentText
  closed: boolean
}

const first = <T>(value: T | T[] | undefined): T | undefined => (Array.isArray(value) ? value[0] : value)
const list = <T>(value: T | T[] | undefined): T[] => (value === undefined ? [] : Array.isArray(value) ? value : [value])

/** Reads Cohere's typed events. `message-end` closes the answer; the `[DONE]` behind it says nothing more. */
export function reader(context: ReadContext): Reader {
  const parse = frameParser(context)
  const state = new Answer(context)
  return {
    read(frame: Frame): Event[] {
      if (state.over) return []
      if (frame.comment) return [{ type: 'ping' }]
      if (frame.data === '[DONE]') return []
      const event = parse(frame)
      if (!event) {
        state.over = true
        return [notJson()]
      }
      return state.read(event as StreamEvent)
    },
    // Nothing is open that could still be told: a call without its end was cut off, and so was the stream.
    end: () => [],
  }
}

class Answer {
  over = false
  readonly #context: ReadContext
  readonly #calls = new Map<number, OpenCall>()
  readonly #ids = new Set<string>()
  /** The text of each content block so far, in order of appearance: citations count within one. */
  readonly #texts = new Map<number, string>()
  readonly #blocks = new Map<number | 'plan', number>()

  constructor(context: ReadContext) {
    this.#context = context
  }

  read(event: StreamEvent): Event[] {
    const { message } = event.delta ?? {}
    switch (event.type) {
      case 'message-start':
        return [{ type: 'start', id: event.id }]
      case 'content-start':
      case 'content-delta':
        return [
          ...this.#content(event.index ?? 0, message?.content),
          ...(event.logprobs
            ? [{ type: 'logprobs' as const, choice: 0, logprobs: readLogprobs([event.logprobs]) }]
            : []),
        ]
      case 'tool-plan-delta':
        return message?.tool_plan ? [this.#reason('plan', message.tool_plan)] : []
      case 'citation-start':
        return list(message?.citations).flatMap(citation => this.#cite(citation))
      case 'tool-call-start':
        return this.#open(event.index ?? this.#calls.size, first(message?.tool_calls))
      case 'tool-call-delta':
        return this.#arguments(event.index, first(message?.tool_calls))
      case 'tool-call-end':
        return this.#close(event.index)
      case 'message-end':
        return this.#end(event)
    }
    // An error body, from the server or a proxy, in place of an event.
    if ((event.type === undefined || event.type === 'error') && (typeof event.message === 'string' || event.error)) {
      this.over = true
      return [{ type: 'error', error: readError(502, event) }]
    }
    return []
  }

  #content(index: number, content: Content | undefined): Event[] {
    const events: Event[] = []
    if (content?.thinking) events.push(this.#reason(index, content.thinking))
    if (content?.text) {
      this.#texts.set(index, (this.#texts.get(index) ?? '') + content.text)
      events.push({ type: 'text', choice: 0, text: content.text })
    }
    return events
  }

  #reason(at: number | 'plan', text: string): Event {
    const block = this.#blocks.get(at) ?? this.#blocks.size
    this.#blocks.set(at, block)
    return { type: 'reasoning', choice: 0, block, text }
  }

  #cite(citation: WireCitation): Event[] {
    const index = citation.content_index ?? [...this.#texts.keys()][0] ?? 0
    let base = 0
    for (const [at, text] of this.#texts) {
      if (at === index) break
      base += text.length
    }
    return readCitation(citation, this.#texts.get(index) ?? '', base).map(citation => ({
      type: 'citation',
      choice: 0,
      citation,
    }))
  }

  #open(index: number, wire: ToolCall | undefined): Event[] {
    const name = wire?.function?.name
    if (!name) return []
    const id = wire.id && !this.#ids.has(wire.id) ? wire.id : mintId('call_')
    this.#ids.add(id)
    const call = this.#ids.size - 1
    this.#calls.set(index, { call, text: argumentText(), closed: false })
    const shown = this.#context.memory.toolNames?.get(name) ?? name
    return [{ type: 'tool-call', choice: 0, call, id, name: shown }, ...this.#arguments(index, wire)]
  }

  #arguments(index: number | undefined, wire: ToolCall | undefined): Event[] {
    const open = this.#find(index)
    const value = wire?.function?.arguments
    return open
      ? said(open.call, open.text.push(value && typeof value === 'object' ? JSON.stringify(value) : value))
      : []
  }

  #close(index: number | undefined): Event[] {
    const open = this.#find(index)
    if (!open || open.closed) return []
    open.closed = true
    return said(open.call, open.text.close())
  }

  #find(index: number | undefined): OpenCall | undefined {
    return index === undefined ? [...this.#calls.values()].at(-1) : this.#calls.get(index)
  }

  #end({ delta }: StreamEvent): Event[] {
    this.over = true
    const reason = delta?.finish_reason
    const finish = readFinish(reason, this.#ids.size > 0)
    if (finish === 'error' || delta?.error) return [{ type: 'error', error: failure(reason, delta?.error) }]
    const events: Event[] = []
    for (const open of this.#calls.values())
      if (!open.closed) events.push(...said(open.call, finish === 'tool-calls' ? open.text.close() : open.text.cut()))
    events.push({ type: 'finish', choice: 0, finish, ...(reason && { native: reason }) })
    const usage = readUsage(delta?.usage)
    if (usage) events.push({ type: 'usage', usage })
    events.push({ type: 'end' })
    return events
  }
}

const said = (call: number, text: string): Event[] => (text ? [{ type: 'tool-arguments', choice: 0, call, text }] : [])
