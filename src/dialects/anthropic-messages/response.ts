import type { JsonObject } from '../../conversation/conversation.ts'
import { ProviderFailure } from '../../conversation/errors.ts'
import type { Part } from '../../conversation/parts.ts'
import type { Reply } from '../../conversation/reply.ts'
import type { Memory, ReadContext } from '../dialect.ts'
import { uniqueIds } from '../tool-ids.ts'
import { readCitation } from './citations.ts'
import { readStreamError } from './errors.ts'
import { finishOf } from './finish-reason.ts'
import type { Answer, AnswerBlock } from './types.ts'
import { readUsage } from './usage.ts'

/** @throws ProviderFailure when the body is an error, or no message of this format */
export function readReply(body: unknown, { memory, quirks }: ReadContext): Reply {
  if (!body || typeof body !== 'object') throw notAMessage()
  for (const quirk of quirks) quirk.reply?.(body as JsonObject)
  const answer = body as Answer
  if (answer.type === 'error' || answer.error) throw new ProviderFailure(readStreamError(body as JsonObject))
  if (!Array.isArray(answer.content)) throw notAMessage()
  const parts: Part[] = []
  const uniqueId = uniqueIds('toolu_')
  let text = 0
  for (const block of answer.content) {
    const part = readBlock(block, memory, text, uniqueId)
    if (!part) continue
    parts.push(part)
    if (part.type === 'text') text += part.text.length
  }
  const reason = answer.stop_reason ?? undefined
  const said = sayings(answer)
  const more = pick(answer, ['container', 'context_management'])
  return {
    id: answer.id,
    model: answer.model,
    choices: [
      {
        index: 0,
        parts,
        finish: finishOf(
          reason ?? 'end_turn',
          parts.some(part => part.type === 'tool-call'),
        ),
        ...(reason && { nativeFinish: reason }),
        ...(said && { unknown: said }),
      },
    ],
    ...(answer.usage && { usage: readUsage(answer.usage) }),
    ...(more && { unknown: more }),
  }
}

const notAMessage = () =>
  new ProviderFailure({
    status: 502,
    message: 'the provider sent an answer that is not a message',
    type: 'server_error',
    code: null,
  })

function pick(source: object, names: string[]): JsonObject | undefined {
  const found = Object.entries(source).filter(
    ([name, value]) => names.includes(name) && value !== null && value !== undefined,
  )
  return found.length ? Object.fromEntries(found) : undefined
}

/** What the provider says of its stop beside the reason: the sequence that it met, or why it refused. */
export function sayings(stop: object): JsonObject | undefined {
  return pick(stop, ['stop_sequence', 'stop_details'])
}

/**
 * A block of the answer. Blocks of tools that ran at the provider (`server_tool_use`, `…_tool_result`) are none of the
 * client's business: they are no tool calls and shift no index (trap 32).
 * @param start how much text stands before the block
 */
function readBlock(
  block: AnswerBlock,
  memory: Memory,
  start: number,
  uniqueId: (id: string | undefined) => string,
): Part | undefined {
  switch (block.type) {
    case 'text': {
      const text = block.text ?? ''
      const citations = block.citations?.map(each => readCitation(each, start, start + text.length))
      return { type: 'text', text, ...(citations?.length && { citations }) }
    }
    case 'thinking':
      return {
        type: 'reasoning',
        text: block.thinking ?? '',
        ...(block.signature && { signature: block.signature }),
        format: 'anthropic',
      }
    case 'redacted_thinking':
      return { type: 'reasoning', text: '', redacted: block.data ?? '', format: 'anthropic' }
    case 'tool_use': {
      const input = JSON.stringify(block.input ?? {})
      const name = block.name ?? ''
      if (name === memory.jsonTool) return { type: 'text', text: input }
      return { type: 'tool-call', id: uniqueId(block.id), name: memory.toolNames?.get(name) ?? name, arguments: input }
    }
    default:
      return undefined
  }
}
