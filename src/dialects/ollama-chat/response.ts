import type { JsonObject } from '../../conversation/conversation.ts'
import { ProviderFailure } from '../../conversation/errors.ts'
import type { Part } from '../../conversation/parts.ts'
import type { Reply } from '../../conversation/reply.ts'
import { wholeArguments } from '../argument-text.ts'
import type { ReadContext } from '../dialect.ts'
import { mintId } from '../openai-chat/identity.ts'
import { readError } from './errors.ts'
import { readFinish } from './finish-reason.ts'
import type { ChatLine, ToolCall } from './types.ts'
import { readUsage } from './usage.ts'

const KNOWN = new Set([
  'model',
  'created_at',
  'message',
  'done',
  'done_reason',
  'logprobs',
  'prompt_eval_count',
  'prompt_eval_cached_count',
  'eval_count',
  'total_duration',
  'load_duration',
  'prompt_eval_duration',
  'eval_duration',
])

/** @throws ProviderFailure for an error under HTTP 200 */
export function readReply(body: unknown, context: ReadContext): Reply {
  const wire = (body ?? {}) as ChatLine
  for (const quirk of context.quirks) quirk.reply?.(wire)
  const { message } = wire
  if (wire.error || !message || typeof message !== 'object') throw new ProviderFailure(readError(502, body))
  const parts: Part[] = []
  if (message.thinking) parts.push({ type: 'reasoning', text: message.thinking })
  if (message.content) parts.push({ type: 'text', text: message.content })
  const call = callReader(context)
  for (const wireCall of message.tool_calls ?? []) parts.push({ type: 'tool-call', ...call(wireCall) })
  const usage = readUsage(wire)
  const unknown: JsonObject = {}
  for (const [name, value] of Object.entries(wire)) if (!KNOWN.has(name) && value !== null) unknown[name] = value
  return {
    model: wire.model,
    created: seconds(wire.created_at),
    choices: [
      {
        index: 0,
        parts,
        finish: readFinish(wire.done_reason, parts.at(-1)?.type === 'tool-call'),
        ...(wire.done_reason && { nativeFinish: wire.done_reason }),
        ...(wire.logprobs?.length && { logprobs: { content: wire.logprobs } }),
      },
    ],
    ...(usage && { usage }),
    ...(Object.keys(unknown).length > 0 && { unknown }),
  }
}

/** Calls come whole, and from servers before 0.12 without an id: one is made that no other call has (trap 24). */
export function callReader({
  memory,
}: ReadContext): (wire: ToolCall) => { id: string; name: string; arguments: string } {
  const taken = new Set<string>()
  return wire => {
    const id = wire.id && !taken.has(wire.id) ? wire.id : mintId('call_')
    taken.add(id)
    const name = wire.function?.name || 'unknown'
    return { id, name: memory.toolNames?.get(name) ?? name, arguments: wholeArguments(wire.function?.arguments) }
  }
}

/** Seconds since 1970 of an ISO time of any precision (T98). */
export function seconds(time: string | undefined): number | undefined {
  const milliseconds = Date.parse(time ?? '')
  return Number.isNaN(milliseconds) ? undefined : Math.floor(milliseconds / 1_000)
}
