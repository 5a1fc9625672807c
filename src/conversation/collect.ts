import { ProviderFailure } from './errors.ts'
import type { Event } from './events.ts'
import type { Part } from './parts.ts'
import type { Choice, Reply, Usage } from './reply.ts'

type Slot = { choice: Choice; calls: Map<number, Extract<Part, { type: 'tool-call' }>>; blocks: Map<number, Part> }

/** Gathers a stream's events into the reply that they stand for. The inverse of {@link expand}. */
export class Collector {
  #head: Pick<Reply, 'id' | 'model' | 'created'> = {}
  #slots = new Map<number, Slot>()
  #usage?: Usage
  #ended = false
  readonly #finished = new Set<number>()
  #unknown?: Record<string, unknown>

  /** @throws ProviderFailure at an `error` event */
  add(event: Event): void {
    switch (event.type) {
      case 'start':
        this.#head = { id: event.id, model: event.model, created: event.created }
        break
      case 'text': {
        const { parts } = this.#slot(event.choice).choice
        const last = parts.at(-1)
        if (last?.type === 'text' && !last.signature) {
          last.text += event.text
          if (event.signature) last.signature = event.signature
        } else parts.push({ type: 'text', text: event.text, ...(event.signature && { signature: event.signature }) })
        break
      }
      case 'refusal': {
        const { parts } = this.#slot(event.choice).choice
        const last = parts.at(-1)
        if (last?.type === 'refusal') last.text += event.text
        else parts.push({ type: 'refusal', text: event.text })
        break
      }
      case 'reasoning': {
        const slot = this.#slot(event.choice)
        const { type: _, choice: __, block, ...rest } = event
        const open = slot.blocks.get(block)
        if (open?.type !== 'reasoning' || kindOf(open.native) !== kindOf(event.native)) {
          const part: Part = { type: 'reasoning', ...rest }
          slot.blocks.set(block, part)
          slot.choice.parts.push(part)
        } else Object.assign(open, rest, { text: open.text + event.text })
        break
      }
      case 'tool-call': {
        const slot = this.#slot(event.choice)
        const { type: _, choice: __, call, ...rest } = event
        const part = { type: 'tool-call' as const, arguments: '', ...rest }
        slot.calls.set(call, part)
        slot.choice.parts.push(part)
        // Holds where the provider never says why it stopped.
        slot.choice.finish = 'tool-calls'
        break
      }
      case 'tool-arguments': {
        const part = this.#slot(event.choice).calls.get(event.call)
        if (part) part.arguments += event.text
        break
      }
      case 'citation': {
        const { parts } = this.#slot(event.choice).choice
        let text = parts.findLast(part => part.type === 'text')
        if (!text) {
          text = { type: 'text', text: '' }
          parts.push(text)
        }
        text.citations = [...(text.citations ?? []), event.citation]
        break
      }
      case 'logprobs': {
        const { choice } = this.#slot(event.choice)
        choice.logprobs ??= {}
        for (const kind of ['content', 'refusal'] as const) {
          const more = event.logprobs[kind]
          if (more) choice.logprobs[kind] = [...(choice.logprobs[kind] ?? []), ...more]
        }
        break
      }
      case 'unknown':
        if (event.at === 'reply') this.#unknown = { ...this.#unknown, ...event.fields }
        else {
          const { choice } = this.#slot(event.choice)
          const member = event.at === 'choice' ? 'unknown' : 'unknownMessage'
          choice[member] = { ...choice[member], ...event.fields }
        }
        break
      case 'usage':
        this.#usage = event.usage
        break
      case 'finish': {
        const { choice } = this.#slot(event.choice)
        this.#finished.add(event.choice)
        choice.finish = event.finish
        if (event.native) choice.nativeFinish = event.native
        break
      }
      case 'end':
        this.#ended = true
        break
      case 'error':
        throw new ProviderFailure(event.error)
    }
  }

  /** Whether the provider said its last word: its own end mark. */
  get ended(): boolean {
    return this.#ended
  }

  /** Whether what came is the whole answer: the end mark, or a finish of every choice that began (T30). */
  get complete(): boolean {
    return this.#ended || (this.#finished.size > 0 && this.#finished.size >= this.#slots.size)
  }

  reply(): Reply {
    return {
      ...this.#head,
      choices: [...this.#slots.values()].map(slot => slot.choice).sort((a, b) => a.index - b.index),
      ...(this.#usage && { usage: this.#usage }),
      ...(this.#unknown && { unknown: this.#unknown }),
    }
  }

  #slot(index: number): Slot {
    return this.#slots.getOrInsertComputed(index, () => ({
      choice: { index, parts: [], finish: 'stop' },
      calls: new Map(),
      blocks: new Map(),
    }))
  }
}

/** Two kinds of entry may bear one number, as a summary and the encrypted reasoning behind it do. */
const kindOf = (native: unknown): unknown => (native as { type?: unknown } | undefined)?.type

/** @throws ProviderFailure when the events hold an error */
export function collect(events: Iterable<Event>): Reply {
  const collector = new Collector()
  for (const event of events) collector.add(event)
  return collector.reply()
}

/** The events that a whole reply stands for, where a client asked for a stream and the provider sent none (trap 9). */
export function expand(reply: Reply): Event[] {
  const events: Event[] = [{ type: 'start', id: reply.id, model: reply.model, created: reply.created }]
  if (reply.unknown) events.push({ type: 'unknown', at: 'reply', choice: 0, fields: reply.unknown })
  for (const { index: choice, ...rest } of reply.choices) {
    let call = 0
    let block = 0
    if (rest.unknownMessage) events.push({ type: 'unknown', at: 'message', choice, fields: rest.unknownMessage })
    for (const part of rest.parts) {
      if (part.type === 'text') {
        events.push({ type: 'text', choice, text: part.text, ...(part.signature && { signature: part.signature }) })
        for (const citation of part.citations ?? []) events.push({ type: 'citation', choice, citation })
      } else if (part.type === 'refusal') events.push({ type: 'refusal', choice, text: part.text })
      else if (part.type === 'reasoning') {
        const { type: _, ...fields } = part
        events.push({ type: 'reasoning', choice, block: block++, ...fields })
      } else if (part.type === 'tool-call') {
        const { type: _, arguments: text, cache: __, ...fields } = part
        events.push({ type: 'tool-call', choice, call, ...fields })
        events.push({ type: 'tool-arguments', choice, call: call++, text })
      }
    }
    if (rest.logprobs) events.push({ type: 'logprobs', choice, logprobs: rest.logprobs })
    if (rest.unknown) events.push({ type: 'unknown', at: 'choice', choice, fields: rest.unknown })
    events.push({
      type: 'finish',
      choice,
      finish: rest.finish,
      ...(rest.nativeFinish && { native: rest.nativeFinish }),
    })
  }
  if (reply.usage) events.push({ type: 'usage', usage: reply.usage })
  events.push({ type: 'end' })
  return events
}
