import type { Event } from '../../conversation/events.ts'
import type { Frame } from '../../stream/frame.ts'
import type { ReadContext, Reader } from '../dialect.ts'
import { frameParser, notJson } from '../frame-json.ts'
import { readAnnotation } from './annotations.ts'
import { CallTracker } from './call-tracker.ts'
import { isError, readErrorIn } from './errors.ts'
import { readFinish } from './finish-reason.ts'
import { readDetail } from './reasoning.ts'
import type { Completion, Message, WireChoice } from './types.ts'
import { MESSAGE } from './unknown-members.ts'
import { readUsage } from './usage.ts'

/** Members of a chunk that are read, and padding that goes nowhere (trap 14). */
const CHUNK = new Set(['id', 'object', 'created', 'model', 'choices', 'usage', 'error', 'obfuscation', 'p'])
const CHOICE = new Set(['index', 'delta', 'finish_reason', 'logprobs'])

/** Reads OpenAI's chunks, and those of the many servers that are like OpenAI; strict in what it gives, lenient in what it takes. */
export function reader(context: ReadContext): Reader {
  const parse = frameParser(context)
  const choices = new Map<number, ChoiceReader>()
  const said = new Map<string, unknown>()
  let named = false
  let tier: unknown
  let over = false

  const choiceOf = (index: number) => choices.getOrInsertComputed(index, () => new ChoiceReader(index, context))

  /** Unknown members of the chunk, each only when it is new or has changed: Perplexity repeats its sources on every chunk. */
  const unknown = (chunk: Completion, events: Event[]) => {
    let fields: Record<string, unknown> | undefined
    for (const name in chunk) {
      const value = chunk[name]
      if (CHUNK.has(name) || value === null || value === undefined) continue
      const mark = typeof value === 'object' ? JSON.stringify(value) : value
      if (said.get(name) === mark) continue
      said.set(name, mark)
      fields ??= {}
      fields[name] = value
    }
    if (fields) events.push({ type: 'unknown', at: 'reply', choice: 0, fields })
  }

  return {
    read(frame: Frame): Event[] {
      if (over) return []
      if (frame.comment) return [{ type: 'ping' }]
      if (frame.data.trim() === '[DONE]') {
        over = true
        const events: Event[] = []
        for (const choice of choices.values()) choice.close(events, false)
        events.push({ type: 'end' })
        return events
      }
      const chunk = parse(frame) as Completion | undefined
      if (!chunk) {
        over = true
        return [notJson()]
      }
      if (frame.event === 'error' || isError(chunk)) {
        over = true
        return [{ type: 'error', error: readErrorIn(chunk) }]
      }
      const events: Event[] = []
      // Azure opens with an empty id and no time; the first chunk with a name gives the stream its identity (trap 16).
      if (!named && chunk.id) {
        named = true
        events.push({ type: 'start', id: chunk.id, model: chunk.model || undefined, created: chunk.created })
      }
      unknown(chunk, events)
      for (const choice of chunk.choices ?? []) {
        choiceOf(choice.index ?? 0).read(choice, events)
        over = events.at(-1)?.type === 'error'
        if (over) return events
      }
      tier = chunk.service_tier ?? tier
      const usage = readUsage(chunk.usage, tier)
      if (usage) events.push({ type: 'usage', usage })
      // Usage in a chunk of its own is the last thing that a server says: some then neither finish nor say `[DONE]`.
      if (usage && choices.size && !chunk.choices?.length) events.push({ type: 'end' })
      return events
    },
    end() {
      const events: Event[] = []
      if (!over) for (const choice of choices.values()) choice.close(events, true)
      return events
    },
  }
}

/** One choice of the stream. */
class ChoiceReader {
  readonly #calls: CallTracker
  readonly #index: number
  #finished = false
  #block = 0

  constructor(index: number, context: ReadContext) {
    this.#index = index
    this.#calls = new CallTracker(index, context.memory.toolNames)
  }

  read(wire: WireChoice, events: Event[]): void {
    const choice = this.#index
    const delta = wire.delta
    if (delta) {
      this.#reason(delta, events)
      const signature = delta.extra_content?.google?.thought_signature
      const text = textIn(delta.content)
      if (text || (signature && (typeof delta.content === 'string' || !delta.tool_calls?.length)))
        events.push({ type: 'text', choice, text, ...(signature && { signature }) })
      if (delta.refusal) events.push({ type: 'refusal', choice, text: delta.refusal })
      for (const call of delta.tool_calls ?? []) if (call) this.#calls.read(call, events)
      for (const annotation of delta.annotations ?? [])
        events.push({ type: 'citation', choice, citation: readAnnotation(annotation) })
      this.#rest(delta, MESSAGE, 'message', events)
    }
    if (wire.logprobs) events.push({ type: 'logprobs', choice, logprobs: wire.logprobs })
    // OpenRouter repeats the finished choice with its usage (trap 41).
    if (!this.#finished) {
      this.#rest(wire, CHOICE, 'choice', events)
      // The provider's word holds: OpenAI itself ends a named tool with `stop` (wire-formats 1.2).
      const finish = readFinish(wire.finish_reason)
      if (finish === 'error') {
        events.push({
          type: 'error',
          error: {
            status: 502,
            message: `the provider stopped with "${wire.finish_reason}"`,
            type: 'server_error',
            code: wire.finish_reason,
          },
        })
      } else if (finish) {
        this.close(events, finish !== 'tool-calls' && finish !== 'stop')
        this.#finished = true
        events.push({ type: 'finish', choice, finish, native: wire.finish_reason! })
      }
    }
  }

  /** @param cut whether the model was stopped before its end */
  close(events: Event[], cut: boolean): void {
    this.#calls.close(events, cut)
  }

  #reason(delta: NonNullable<WireChoice['delta']>, events: Event[]): void {
    const choice = this.#index
    let text = delta.reasoning_content || ''
    for (const detail of delta.reasoning_details ?? []) {
      const { type: _, ...part } = readDetail(detail)
      if (part.text) text = ''
      this.#block = detail.index ?? this.#block
      events.push({ type: 'reasoning', choice, block: this.#block, ...part })
    }
    if (text) events.push({ type: 'reasoning', choice, block: this.#block, text })
  }

  #rest(wire: Record<string, unknown>, known: ReadonlySet<string>, at: 'choice' | 'message', events: Event[]): void {
    let fields: Record<string, unknown> | undefined
    for (const name in wire) {
      const value = wire[name]
      if (known.has(name) || value === null || value === undefined || isEmpty(value)) continue
      fields ??= {}
      fields[name] = value
    }
    if (fields) events.push({ type: 'unknown', at, choice: this.#index, fields })
  }
}

/** The text of a delta; servers that send a list of parts have it in some of them. */
function textIn(content: Message['content']): string {
  if (!content) return ''
  if (typeof content === 'string') return content
  return Array.isArray(content) ? content.map(part => part.text ?? '').join('') : ''
}

function isEmpty(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return value === ''
  for (const _ in value) return false
  return true
}
