import type { JsonObject } from '../../conversation/conversation.ts'
import type { ProviderError } from '../../conversation/errors.ts'
import type { Event } from '../../conversation/events.ts'
import type { Frame } from '../../stream/frame.ts'
import { contentBlocks } from '../content-blocks.ts'
import type { ReadContext, Reader } from '../dialect.ts'
import { readCitation } from './citations.ts'
import { readException } from './errors.ts'
import { finishOf, isFailure } from './finish-reason.ts'
import { asides, malformed } from './response.ts'
import type { AnswerBlock, StreamPayload } from './types.ts'
import { readUsage } from './usage.ts'

/** Reads the events of ConverseStream; all of them belong to choice 0. Usage follows the stop (trap 12). */
export function reader({ memory, quirks }: ReadContext): Reader {
  const correctors = quirks.flatMap(quirk => quirk.chunks?.() ?? [])
  const blocks = contentBlocks(memory, 'tooluse_', readCitation)
  let started = false
  let finished = false
  let ended = false

  const fail = (error: ProviderError): Event[] => {
    ended = true
    return [{ type: 'error', error }]
  }

  function begin(): Event[] {
    if (started) return []
    started = true
    return [{ type: 'start' }]
  }

  /** Blocks of text and of reasoning open with their first delta; only tools have a start of their own. */
  function openCall(index: number, use: NonNullable<AnswerBlock['toolUse']>): Event[] {
    // A tool that runs at Bedrock itself carries a type; it is no call of the client's (trap 32).
    return use.type ? [] : blocks.openCall(index, use.toolUseId, use.name ?? '')
  }

  function grow(index: number, delta: NonNullable<StreamPayload['delta']>): Event[] {
    if (delta.citation) {
      blocks.textAt(index).citations.push(delta.citation)
      return []
    }
    if (delta.text !== undefined) {
      blocks.textAt(index)
      return blocks.text(delta.text)
    }
    if (delta.reasoningContent) {
      const { text: thought, signature, redactedContent } = delta.reasoningContent
      if (!thought && !signature && !redactedContent) return []
      const more = { ...(signature && { signature }), ...(redactedContent && { redacted: redactedContent }) }
      const block = blocks.reasoningAt(index)
      return [{ type: 'reasoning', choice: 0, block, text: thought ?? '', ...more, format: 'bedrock' }]
    }
    return blocks.growCall(index, delta.toolUse?.input)
  }

  function finish(reason: string): Event[] {
    if (finished) return []
    if (isFailure(reason)) return fail(malformed(reason))
    finished = true
    const how = finishOf(reason, blocks.called())
    // A call that the bound cut off stays as it is, however little came of its arguments (T61).
    const events = how === 'length' ? [] : blocks.completeAll()
    return [...events, { type: 'finish', choice: 0, finish: how, native: reason }]
  }

  function read(frame: Frame): Event[] {
    if (ended) return []
    if (frame.comment) return [{ type: 'ping' }]
    let parsed: unknown
    try {
      parsed = JSON.parse(frame.data || '{}')
    } catch {
      if (frame.exception) return fail(readException(frame.event, frame.data))
      return fail({
        status: 502,
        message: 'the provider sent a frame that is not JSON',
        type: 'server_error',
        code: null,
      })
    }
    if (frame.exception) return fail(readException(frame.event, parsed))
    if (!parsed || typeof parsed !== 'object') return []
    for (const correct of correctors) correct(parsed as JsonObject)
    const payload = parsed as StreamPayload
    const index = payload.contentBlockIndex ?? 0
    switch (frame.event) {
      case 'messageStart':
        return begin()
      case 'contentBlockStart':
        return payload.start?.toolUse ? [...begin(), ...openCall(index, payload.start.toolUse)] : []
      case 'contentBlockDelta':
        return [...begin(), ...grow(index, payload.delta ?? {})]
      case 'contentBlockStop':
        return blocks.close(index)
      case 'messageStop':
        return [...begin(), ...finish(payload.stopReason ?? 'end_turn')]
      case 'metadata': {
        const events: Event[] = []
        const more = asides(payload)
        if (more) events.push({ type: 'unknown', at: 'reply', choice: 0, fields: more })
        if (payload.usage) events.push({ type: 'usage', usage: readUsage(payload.usage, payload.serviceTier) })
        if (!finished) return events
        ended = true
        return [...events, { type: 'end' }]
      }
      default:
        return []
    }
  }

  // The message was whole at its stop; only the counts are missing where the metadata never came.
  const end = (): Event[] => {
    if (ended || !finished) return []
    ended = true
    return [{ type: 'end' }]
  }
  return { read, end }
}
