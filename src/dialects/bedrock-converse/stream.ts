import type { JsonObject } from '../../conversation/conversation.ts'
import type { ProviderError } from '../../conversation/errors.ts'
import type { Event } from '../../conversation/events.ts'
import type { Frame } from '../../stream/frame.ts'
import type { ReadContext, Reader } from '../dialect.ts'
import { uniqueIds } from '../tool-ids.ts'
import { readCitation } from './citations.ts'
import { readException } from './errors.ts'
import { finishOf, isFailure } from './finish-reason.ts'
import { asides, malformed } from './response.ts'
import type { AnswerBlock, StreamPayload, WireCitation } from './types.ts'
import { readUsage } from './usage.ts'

type Open =
  | { kind: 'text'; start: number; citations: WireCitation[] }
  | { kind: 'reasoning'; block: number }
  | { kind: 'call'; call: number; streamed: boolean }
  | { kind: 'json'; streamed: boolean }

/** Reads the events of ConverseStream; all of them belong to choice 0. Usage follows the stop (trap 12). */
export function reader({ memory, quirks }: ReadContext): Reader {
  const correctors = quirks.flatMap(quirk => quirk.chunks?.() ?? [])
  const open = new Map<number, Open>()
  const uniqueId = uniqueIds('tooluse_')
  let started = false
  let finished = false
  let ended = false
  let calls = 0
  let reasonings = 0
  let length = 0

  const fail = (error: ProviderError): Event[] => {
    ended = true
    return [{ type: 'error', error }]
  }
  const text = (said: string | undefined): Event[] => {
    if (!said) return []
    length += said.length
    return [{ type: 'text', choice: 0, text: said }]
  }

  function begin(): Event[] {
    if (started) return []
    started = true
    return [{ type: 'start' }]
  }

  function openCall(index: number, use: NonNullable<AnswerBlock['toolUse']>): Event[] {
    // A tool that runs at Bedrock itself carries a type; it is no call of the client's (trap 32).
    if (use.type) return []
    const name = use.name ?? ''
    if (name === memory.jsonTool) {
      open.set(index, { kind: 'json', streamed: false })
      return []
    }
    const call = calls++
    open.set(index, { kind: 'call', call, streamed: false })
    const id = uniqueId(use.toolUseId)
    return [{ type: 'tool-call', choice: 0, call, id, name: memory.toolNames?.get(name) ?? name }]
  }

  /** Blocks of text and of reasoning open with their first delta; only tools have a start of their own. */
  function textBlock(index: number): Extract<Open, { kind: 'text' }> {
    const found = open.get(index)
    if (found?.kind === 'text') return found
    const fresh = { kind: 'text' as const, start: length, citations: [] }
    open.set(index, fresh)
    return fresh
  }
  function reasoningBlock(index: number): number {
    const found = open.get(index)
    if (found?.kind === 'reasoning') return found.block
    const block = reasonings++
    open.set(index, { kind: 'reasoning', block })
    return block
  }

  function grow(index: number, delta: NonNullable<StreamPayload['delta']>): Event[] {
    if (delta.citation) {
      textBlock(index).citations.push(delta.citation)
      return []
    }
    if (delta.text !== undefined) {
      textBlock(index)
      return text(delta.text)
    }
    if (delta.reasoningContent) {
      const { text: thought, signature, redactedContent } = delta.reasoningContent
      if (!thought && !signature && !redactedContent) return []
      const more = { ...(signature && { signature }), ...(redactedContent && { redacted: redactedContent }) }
      const block = reasoningBlock(index)
      return [{ type: 'reasoning', choice: 0, block, text: thought ?? '', ...more, format: 'bedrock' }]
    }
    const input = delta.toolUse?.input
    const tool = open.get(index)
    if (!input || (tool?.kind !== 'call' && tool?.kind !== 'json')) return []
    tool.streamed = true
    return tool.kind === 'json' ? text(input) : [{ type: 'tool-arguments', choice: 0, call: tool.call, text: input }]
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
    block.streamed = true
    return block.kind === 'json' ? text('{}') : [{ type: 'tool-arguments', choice: 0, call: block.call, text: '{}' }]
  }

  function finish(reason: string): Event[] {
    if (finished) return []
    if (isFailure(reason)) return fail(malformed(reason))
    finished = true
    const how = finishOf(reason, calls > 0)
    // A call that the bound cut off stays as it is, however little came of its arguments (T61).
    const events = how === 'length' ? [] : [...open.values()].flatMap(complete)
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
        return close(index)
      case 'messageStop':
        return [...begin(), ...finish(payload.stopReason ?? 'end_turn')]
      case 'metadata': {
        const events: Event[] = []
        const more = asides(payload)
        if (more) events.push({ type: 'unknown', at: 'reply', choice: 0, fields: more })
        if (payload.usage) events.push({ type: 'usage', usage: readUsage(payload.usage) })
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
