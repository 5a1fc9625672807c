import type { JsonObject } from '../../conversation/conversation.ts'
import { ProviderFailure } from '../../conversation/errors.ts'
import type { Part } from '../../conversation/parts.ts'
import type { Reply } from '../../conversation/reply.ts'
import type { Memory, ReadContext } from '../dialect.ts'
import { uniqueIds } from '../tool-ids.ts'
import { readCitation } from './citations.ts'
import { readException } from './errors.ts'
import { finishOf, isFailure } from './finish-reason.ts'
import type { Answer, AnswerBlock, WireReasoning } from './types.ts'
import { readUsage } from './usage.ts'

/** @throws ProviderFailure when the body is an error, or the model failed to write a whole message */
export function readReply(body: unknown, { memory, quirks }: ReadContext): Reply {
  if (!body || typeof body !== 'object') throw new ProviderFailure(notAMessage)
  for (const quirk of quirks) quirk.reply?.(body as JsonObject)
  const answer = body as Answer
  const blocks = answer.output?.message?.content
  if (!answer.output) throw new ProviderFailure(answer.message ? readException(undefined, body) : notAMessage)
  const reason = answer.stopReason
  if (reason && isFailure(reason)) throw new ProviderFailure(malformed(reason))

  const parts: Part[] = []
  const uniqueId = uniqueIds('tooluse_')
  let length = 0
  for (const block of blocks ?? []) {
    const part = readBlock(block, memory, length, uniqueId)
    if (!part) continue
    parts.push(part)
    if (part.type === 'text') length += part.text.length
  }
  const more = asides(body)
  const calls = parts.some(part => part.type === 'tool-call')
  return {
    choices: [
      { index: 0, parts, finish: finishOf(reason ?? 'end_turn', calls), ...(reason && { nativeFinish: reason }) },
    ],
    ...(answer.usage && { usage: readUsage(answer.usage, answer.serviceTier) }),
    ...(more && { unknown: more }),
  }
}

const notAMessage = {
  status: 502,
  message: 'the provider sent an answer that is not a message',
  type: 'server_error',
  code: null,
}

/** The failure that a stop reason like `malformed_tool_use` stands for. */
export const malformed = (reason: string) => ({
  status: 502,
  message: `the model did not write a whole message (${reason})`,
  type: 'server_error',
  code: reason,
})

const ASIDES = ['trace', 'serviceTier', 'performanceConfig', 'additionalModelResponseFields']

/** What Bedrock says beside the message that a client may want: what a guardrail did, the tier that served it. */
export function asides(source: object): JsonObject | undefined {
  const found = Object.entries(source).filter(([name, value]) => ASIDES.includes(name) && value)
  return found.length ? Object.fromEntries(found) : undefined
}

export function readReasoning({ reasoningText, redactedContent }: WireReasoning): Part {
  if (redactedContent) return { type: 'reasoning', text: '', redacted: redactedContent, format: 'bedrock' }
  return {
    type: 'reasoning',
    text: reasoningText?.text ?? '',
    ...(reasoningText?.signature && { signature: reasoningText.signature }),
    format: 'bedrock',
  }
}

/** @param start how much text stands before the block */
function readBlock(
  block: AnswerBlock,
  memory: Memory,
  start: number,
  uniqueId: (id: string | undefined) => string,
): Part | undefined {
  if (block.text !== undefined) return { type: 'text', text: block.text }
  if (block.reasoningContent) return readReasoning(block.reasoningContent)
  if (block.citationsContent) {
    const text = (block.citationsContent.content ?? []).map(each => each.text ?? '').join('')
    const citations = block.citationsContent.citations?.map(each => readCitation(each, start, start + text.length))
    return { type: 'text', text, ...(citations?.length && { citations }) }
  }
  // A tool that ran at Bedrock itself carries a type; it is no call of the client's (trap 32).
  if (!block.toolUse || block.toolUse.type) return undefined
  const { toolUseId, name = '', input } = block.toolUse
  const written = JSON.stringify(input ?? {})
  if (name === memory.jsonTool) return { type: 'text', text: written }
  return { type: 'tool-call', id: uniqueId(toolUseId), name: memory.toolNames?.get(name) ?? name, arguments: written }
}
