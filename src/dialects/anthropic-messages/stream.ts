import type { JsonObject } from '../../conversation/conversation.ts'
import type { ProviderError } from '../../conversation/errors.ts'
import type { Event } from '../../conversation/events.ts'
import type { Frame } from '../../stream/frame.ts'
import { contentBlocks } from '../content-blocks.ts'
import type { ReadContext, Reader } from '../dialect.ts'
import { readCitation } from './citations.ts'
import { readStreamError } from './errors.ts'
import { finishOf } from './finish-reason.ts'
import { sayings } from './response.ts'
import type { Answer, AnswerBlock, StreamMessage, WireUsage } from './types.ts'
import { mergeUsage, readUsage } from './usage.ts'

const broken = (message: string): ProviderError => ({ status: 502, message, type: 'server_error', code: null })

/** Reads Anthropic's events; all of them belong to choice 0. */
export function reader({ memory, quirks }: ReadContext): Reader {
  const correctors = quirks.flatMap(quirk => quirk.chunks?.() ?? [])
  const blocks = contentBlocks(memory, 'toolu_', readCitation)
  let id: string | undefined
  let started = false
  let finished = false
  let ended = false
  let usage: WireUsage = {}

  const fail = (error: ProviderError): Event[] => {
    ended = true
    return [{ type: 'error', error }]
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
      events.push(...openBlock(-1 - at, block), ...blocks.close(-1 - at))
    return events
  }

  function openBlock(index: number, block: AnswerBlock): Event[] {
    switch (block.type) {
      case 'text':
        blocks.textAt(index).citations.push(...(block.citations ?? []))
        return blocks.text(block.text)
      case 'thinking': {
        const number = blocks.reasoningAt(index)
        if (!block.thinking && !block.signature) return []
        return [thought(number, { text: block.thinking ?? '', ...(block.signature && { signature: block.signature }) })]
      }
      case 'redacted_thinking':
        return [thought(blocks.reasoning(), { redacted: block.data ?? '' })]
      case 'tool_use':
        return blocks.openCall(index, block.id, block.name ?? '', block.input)
      default:
        // What ran at the provider itself is no call of the client's (trap 32); its deltas find no open block.
        return []
    }
  }

  function grow(index: number, delta: NonNullable<StreamMessage['delta']>): Event[] {
    switch (delta.type) {
      case 'text_delta':
        return blocks.text(delta.text)
      case 'citations_delta':
        if (delta.citation) blocks.textAt(index).citations.push(delta.citation)
        return []
      case 'thinking_delta':
        return delta.thinking ? [thought(blocks.reasoningAt(index), { text: delta.thinking })] : []
      case 'signature_delta':
        return delta.signature ? [thought(blocks.reasoningAt(index), { signature: delta.signature })] : []
      case 'input_json_delta':
        return blocks.growCall(index, delta.partial_json)
      default:
        return []
    }
  }

  function finish({ delta, usage: more }: StreamMessage): Event[] {
    const events: Event[] = []
    usage = mergeUsage(usage, more)
    const reason = delta?.stop_reason
    if (reason && !finished) {
      finished = true
      const how = finishOf(reason, blocks.called())
      if (how !== 'length') events.push(...blocks.completeAll())
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
        return blocks.close(message.index ?? 0)
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
