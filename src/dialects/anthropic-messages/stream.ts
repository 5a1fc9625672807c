import type { JsonObject } from '../../conversation/conversation.ts'
import type { ProviderError } from '../../conversation/errors.ts'
import type { Event } from '../../conversation/events.ts'
import type { Frame } from '../../stream/frame.ts'
import type { ReadContext, Reader } from '../dialect.ts'
import { uniqueIds } from '../tool-ids.ts'
import { readCitation } from './citations.ts'
import { readStreamError } from './errors.ts'
import { finishOf } from './finish-reason.ts'
import { sayings } from './response.ts'
import type { Answer, AnswerBlock, StreamMessage, WireCitation, WireUsage } from './types.ts'
import { mergeUsage, readUsage } from './usage.ts'

/** A block that is open. `given` is what its start brought, for tools whose input came without deltas. */
type Open =
  | { kind: 'text'; start: number; citations: WireCitation[] }
  | { kind: 'reasoning'; block: number }
  | { kind: 'call'; call: number; streamed: boolean; given: unknown }
  | { kind: 'json'; streamed: boolean; given: unknown }

const broken = (message: string): ProviderError => ({ status: 502, message, type: 'server_error', code: null })

/** Reads Anthropic's events; all of them belong to choice 0. */
export function reader({ memory, quirks }: ReadContext): Reader {
  const correctors = quirks.flatMap(quirk => quirk.chunks?.() ?? [])
  const open = new Map<number, Open>()
  const uniqueId = uniqueIds('toolu_')
  let id: string | undefined
  let started = false
  let finished = false
  let ended = false
  let calls = 0
  let reasonings = 0
  let length = 0
  let usage: WireUsage = {}

  const fail = (error: ProviderError): Event[] => {
    ended = true
    return [{ type: 'error', error }]
  }

  const text = (said: string | undefined): Event[] => {
    if (!said) return []
    length += said.length
    return [{ type: 'text', choice: 0, text: said }]
  }
  const thought = (block: number, fields: { text?: string; signature?: string; redacted?: string }): Event => ({
    type: 'reasoning',
    choice: 0,
    block,
    text: '',
    ...fields,
    format: 'anthropic',
  })

  function begin(message: Answer): Event[] {
    if (started && message.id !== id) return fail(broken('the provider began a second message in one stream'))
    if (started) return []
    started = true
    id = message.id
    usage = mergeUsage(usage, message.usage)
    const events: Event[] = [{ type: 'start', id: message.id, model: message.model }]
    if (message.usage) events.push({ type: 'usage', usage: readUsage(usage) })
    // Usually empty; a message that goes on after a pause brings what it had already.
    for (const [at, block] of (message.content ?? []).entries())
      events.push(...openBlock(-1 - at, block), ...close(-1 - at))
    return events
  }

  function openBlock(index: number, block: AnswerBlock): Event[] {
    switch (block.type) {
      case 'text':
        open.set(index, { kind: 'text', start: length, citations: [...(block.citations ?? [])] })
        return text(block.text)
      case 'thinking': {
        const number = reasonings++
        open.set(index, { kind: 'reasoning', block: number })
        if (!block.thinking && !block.signature) return []
        return [thought(number, { text: block.thinking ?? '', ...(block.signature && { signature: block.signature }) })]
      }
      case 'redacted_thinking':
        return [thought(reasonings++, { redacted: block.data ?? '' })]
      case 'tool_use': {
        const name = block.name ?? ''
        if (name === memory.jsonTool) {
          open.set(index, { kind: 'json', streamed: false, given: block.input })
          return []
        }
        const call = calls++
        open.set(index, { kind: 'call', call, streamed: false, given: block.input })
        return [
          { type: 'tool-call', choice: 0, call, id: uniqueId(block.id), name: memory.toolNames?.get(name) ?? name },
        ]
      }
      default:
        // What ran at the provider itself is no call of the client's (trap 32); its deltas find no open block.
        return []
    }
  }

  function grow(index: number, delta: NonNullable<StreamMessage['delta']>): Event[] {
    const block = open.get(index)
    if (!block) return delta.type === 'text_delta' ? text(delta.text) : []
    if (block.kind === 'text') {
      if (delta.citation) block.citations.push(delta.citation)
      return text(delta.text)
    }
    if (block.kind === 'reasoning') {
      if (delta.signature) return [thought(block.block, { signature: delta.signature })]
      return delta.thinking ? [thought(block.block, { text: delta.thinking })] : []
    }
    // The first piece is nearly always empty; what a block's start gave as its input is no prefix (T04).
    if (!delta.partial_json) return []
    block.streamed = true
    if (block.kind === 'json') return text(delta.partial_json)
    return [{ type: 'tool-arguments', choice: 0, call: block.call, text: delta.partial_json }]
  }

  function close(index: number): Event[] {
    const block = open.get(index)
    open.delete(index)
    if (block?.kind === 'text')
      return block.citations.map(each => ({
        type: 'citation',
        choice: 0,
        citation: readCitation(each, block.start, length),
      }))
    return block ? complete(block) : []
  }

  /** A tool without arguments never streams any: they are an empty object (T03). */
  function complete(block: Open): Event[] {
    if ((block.kind !== 'call' && block.kind !== 'json') || block.streamed) return []
    const input = JSON.stringify(block.given ?? {})
    block.streamed = true
    return block.kind === 'json' ? text(input) : [{ type: 'tool-arguments', choice: 0, call: block.call, text: input }]
  }

  function finish({ delta, usage: more }: StreamMessage): Event[] {
    const events: Event[] = []
    usage = mergeUsage(usage, more)
    const reason = delta?.stop_reason
    if (reason && !finished) {
      finished = true
      const how = finishOf(reason, calls > 0)
      if (how !== 'length') for (const block of open.values()) events.push(...complete(block))
      const said = sayings(delta)
      if (said) events.push({ type: 'unknown', at: 'choice', choice: 0, fields: said })
      events.push({ type: 'finish', choice: 0, finish: how, native: reason })
    }
    if (more) events.push({ type: 'usage', usage: readUsage(usage) })
    return events
  }

  function read(frame: Frame): Event[] {
    if (ended) return []
    if (frame.comment) return [{ type: 'ping' }]
    if (!frame.data.trim()) return []
    if (frame.data === '[DONE]') {
      ended = true
      return finished ? [{ type: 'end' }] : []
    }
    let message: StreamMessage
    try {
      message = JSON.parse(frame.data)
    } catch {
      return fail(broken('the provider sent a frame that is not JSON'))
    }
    if (!message || typeof message !== 'object') return []
    for (const correct of correctors) correct(message as JsonObject)
    switch (message.type ?? frame.event) {
      case 'message_start':
        return begin(message.message ?? {})
      case 'content_block_start':
        return openBlock(message.index ?? 0, message.content_block ?? {})
      case 'content_block_delta':
        return grow(message.index ?? 0, message.delta ?? {})
      case 'content_block_stop':
        return close(message.index ?? 0)
      case 'message_delta':
        return finish(message)
      case 'message_stop':
        ended = true
        return [{ type: 'end' }]
      case 'ping':
        return [{ type: 'ping' }]
      case 'error':
        return fail(readStreamError(message as JsonObject))
      default:
        return message.error ? fail(readStreamError(message as JsonObject)) : []
    }
  }

  // A stream that was cut off has nothing more to say: the missing end is what tells of it.
  return { read, end: () => [] }
}
