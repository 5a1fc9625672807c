import type { Event } from '../conversation/events.ts'
import type { Citation } from '../conversation/parts.ts'
import type { Memory } from './dialect.ts'
import { uniqueIds } from './tool-ids.ts'

interface CallBlock {
  kind: 'call'
  call: number
  streamed: boolean
  /** What the block's start brought, for tools whose input comes without deltas. */
  given: unknown
}
/** A call of the tool that stands in for a JSON schema: its input is the text (T73). */
interface JsonBlock {
  kind: 'json'
  streamed: boolean
  given: unknown
}
type Block<C> =
  | { kind: 'text'; start: number; citations: C[] }
  | { kind: 'reasoning'; block: number }
  | CallBlock
  | JsonBlock

/**
 * The blocks of one answer as its stream opens, grows and closes them: what Anthropic's Messages and Converse have in
 * common. All events belong to choice 0.
 * @param cite makes a citation of the wire's, for the piece of text from `start` to `end`
 */
export function contentBlocks<C>(
  memory: Memory,
  idPrefix: string,
  cite: (wire: C, start: number, end: number) => Citation,
) {
  const open = new Map<number, Block<C>>()
  const uniqueId = uniqueIds(idPrefix)
  let calls = 0
  let reasonings = 0
  let length = 0

  const text = (said: string | undefined): Event[] => {
    if (!said) return []
    length += said.length
    return [{ type: 'text', choice: 0, text: said }]
  }
  const input = (block: CallBlock | JsonBlock, json: string): Event[] => {
    block.streamed = true
    return block.kind === 'json' ? text(json) : [{ type: 'tool-arguments', choice: 0, call: block.call, text: json }]
  }
  /** A tool without arguments never streams any: they are an empty object (T03). */
  const complete = (block: Block<C>): Event[] => {
    if ((block.kind !== 'call' && block.kind !== 'json') || block.streamed) return []
    return input(block, JSON.stringify(block.given ?? {}))
  }

  return {
    text,
    called: () => calls > 0,
    /** The number of a reasoning block that comes whole. */
    reasoning: () => reasonings++,

    /** Opens a block of text, or gives the one that is open. */
    textAt(index: number): { citations: C[] } {
      const found = open.get(index)
      if (found?.kind === 'text') return found
      const fresh = { kind: 'text' as const, start: length, citations: [] }
      open.set(index, fresh)
      return fresh
    },

    /** Opens a block of reasoning, or finds the one that is open. @returns its number */
    reasoningAt(index: number): number {
      const found = open.get(index)
      if (found?.kind === 'reasoning') return found.block
      const block = reasonings++
      open.set(index, { kind: 'reasoning', block })
      return block
    },

    openCall(index: number, id: string | undefined, name: string, given?: unknown): Event[] {
      if (name === memory.jsonTool) {
        open.set(index, { kind: 'json', streamed: false, given })
        return []
      }
      const call = calls++
      open.set(index, { kind: 'call', call, streamed: false, given })
      return [{ type: 'tool-call', choice: 0, call, id: uniqueId(id), name: memory.toolNames?.get(name) ?? name }]
    },
    /** A piece of a call's input. The first is nearly always empty, and what the start gave is no prefix (T04). */
    growCall(index: number, json: string | undefined): Event[] {
      const block = open.get(index)
      return json && (block?.kind === 'call' || block?.kind === 'json') ? input(block, json) : []
    },

    close(index: number): Event[] {
      const block = open.get(index)
      if (!block) return []
      open.delete(index)
      if (block.kind !== 'text') return complete(block)
      return block.citations.map(each => ({ type: 'citation', choice: 0, citation: cite(each, block.start, length) }))
    },
    /** The answer came to its end: calls that are still open have all their input. */
    completeAll: (): Event[] => [...open.values()].flatMap(complete),
  }
}
