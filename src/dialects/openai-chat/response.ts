import type { JsonObject } from '../../conversation/conversation.ts'
import { ProviderFailure } from '../../conversation/errors.ts'
import type { Part, TextPart } from '../../conversation/parts.ts'
import type { Choice, Finish, Reply } from '../../conversation/reply.ts'
import type { ReadContext, WriteContext } from '../dialect.ts'
import { readAnnotation, writeAnnotation } from './annotations.ts'
import { argumentsText } from './call-tracker.ts'
import { readErrorIn } from './errors.ts'
import { readFinish, writeFinish } from './finish-reason.ts'
import { mintId, seconds } from './identity.ts'
import { readDetails, writeDetail } from './reasoning.ts'
import type { Completion, Message, WireChoice } from './types.ts'
import { MESSAGE, unknownIn } from './unknown-members.ts'
import { readUsage, writeUsage } from './usage.ts'

const REPLY = new Set(['id', 'object', 'created', 'model', 'choices', 'usage', 'error'])
const CHOICE = new Set(['index', 'message', 'finish_reason', 'logprobs'])

/** @throws ProviderFailure for an error under HTTP 200, and for a body that is no completion at all */
export function readReply(body: unknown, context: ReadContext): Reply {
  const wire = body as Completion
  if (!wire || typeof wire !== 'object')
    throw new ProviderFailure({
      status: 502,
      message: 'the provider answered with something other than a completion',
      type: 'server_error',
    })
  for (const quirk of context.quirks) quirk.reply?.(wire)
  if (wire.error || !Array.isArray(wire.choices)) {
    throw new ProviderFailure(readErrorIn(wire))
  }
  const usage = readUsage(wire.usage, wire.service_tier)
  const unknown = unknownIn(wire, REPLY)
  return {
    id: wire.id || undefined,
    model: wire.model || undefined,
    created: wire.created || undefined,
    choices: wire.choices.map((choice, at) => readChoice(choice, at, context)),
    ...(usage && { usage }),
    ...(unknown && { unknown }),
  }
}

function readChoice(wire: WireChoice, at: number, context: ReadContext): Choice {
  // The provider's word holds: OpenAI itself ends a named tool with `stop` (wire-formats 1.2).
  const finish = readFinish(wire.finish_reason) ?? (wire.message?.tool_calls?.length ? 'tool-calls' : 'stop')
  if (finish === 'error')
    throw new ProviderFailure({
      status: 502,
      message: `the provider stopped with "${wire.finish_reason}"`,
      type: 'server_error',
    })
  const unknown = unknownIn(wire, CHOICE)
  // Azure leaves the message out where its filter caught the whole of it (trap 53).
  const message = wire.message ?? {}
  const unknownMessage = unknownIn(message, MESSAGE)
  return {
    index: wire.index ?? at,
    parts: readMessage(message, context, finish),
    finish,
    ...(wire.finish_reason && { nativeFinish: wire.finish_reason }),
    ...(wire.logprobs && { logprobs: wire.logprobs }),
    ...(unknown && { unknown }),
    ...(unknownMessage && { unknownMessage }),
  }
}

function readMessage(message: Message, context: ReadContext, finish: Finish): Part[] {
  const parts: Part[] = []
  const details = readDetails(message.reasoning_details ?? [])
  if (message.reasoning_content && !details.some(detail => detail.text))
    parts.push({ type: 'reasoning', text: message.reasoning_content })
  parts.push(...details)
  const content =
    typeof message.content === 'string' ? [{ type: 'text', text: message.content }] : (message.content ?? [])
  for (const part of content) {
    if (part.text) parts.push({ type: 'text', text: part.text })
    if (part.refusal) parts.push({ type: 'refusal', text: part.refusal })
  }
  const signature = message.extra_content?.google?.thought_signature
  let text = parts.findLast((part): part is TextPart => part.type === 'text')
  if (!text && (signature || message.annotations?.length)) {
    text = { type: 'text', text: '' }
    parts.push(text)
  }
  if (text && signature) text.signature = signature
  if (text && message.annotations?.length) text.citations = message.annotations.map(readAnnotation)
  if (message.refusal) parts.push({ type: 'refusal', text: message.refusal })
  const ids = new Set<string>()
  for (const call of message.tool_calls ?? []) {
    let id = call.id || mintId('call_')
    if (ids.has(id)) id = mintId('call_')
    ids.add(id)
    const name = call.function?.name ?? ''
    const mark = call.extra_content?.google?.thought_signature
    parts.push({
      type: 'tool-call',
      id,
      name: context.memory.toolNames?.get(name) ?? name,
      // A call without arguments has an empty object of them, unless it was cut off before they came (T03, T63).
      arguments: argumentsText(call.function?.arguments) || (finish === 'tool-calls' || finish === 'stop' ? '{}' : ''),
      ...(mark && { signature: mark }),
    })
  }
  return parts
}

export function writeReply(reply: Reply, context: WriteContext): JsonObject {
  const usage = reply.usage ?? context.estimate?.(lengthOf(reply))
  return {
    id: reply.id || mintId('chatcmpl-'),
    object: 'chat.completion',
    created: seconds(reply.created),
    model: reply.model || context.model,
    choices: reply.choices.map(writeChoice),
    ...(usage && { usage: writeUsage(usage) }),
    ...reply.unknown,
  }
}

/** Characters that the model wrote, for an estimate. */
function lengthOf(reply: Reply): number {
  let length = 0
  for (const choice of reply.choices)
    for (const part of choice.parts) {
      if ('text' in part) length += part.text.length
      else if (part.type === 'tool-call') length += part.arguments.length
    }
  return length
}

function writeChoice(choice: Choice): JsonObject {
  return {
    index: choice.index,
    message: { ...writeMessage(choice.parts), ...choice.unknownMessage },
    logprobs: choice.logprobs ?? null,
    finish_reason: writeFinish(choice.finish),
    ...choice.unknown,
  }
}

/** The message of a choice: text joined verbatim (T62), calls with the arguments exactly as they came (T63). */
export function writeMessage(parts: readonly Part[]): JsonObject {
  let content: string | undefined
  let refusal: string | undefined
  let reasoning = ''
  let signature: string | undefined
  const details: JsonObject[] = []
  const calls: JsonObject[] = []
  const annotations: JsonObject[] = []
  for (const part of parts) {
    if (part.type === 'text') {
      content = (content ?? '') + part.text
      signature = part.signature ?? signature
      annotations.push(...(part.citations ?? []).map(writeAnnotation))
    } else if (part.type === 'refusal') refusal = (refusal ?? '') + part.text
    else if (part.type === 'reasoning') {
      reasoning += part.text
      const detail = writeDetail(part, details.length)
      if (detail) details.push(detail)
    } else if (part.type === 'tool-call')
      calls.push({
        id: part.id,
        type: 'function',
        function: { name: part.name, arguments: part.arguments },
        ...(part.signature && { extra_content: { google: { thought_signature: part.signature } } }),
      })
  }
  return {
    role: 'assistant',
    content: content ?? (calls.length || refusal !== undefined ? null : ''),
    refusal: refusal ?? null,
    ...(reasoning && { reasoning_content: reasoning }),
    ...(details.length > 0 && { reasoning_details: details }),
    ...(calls.length > 0 && { tool_calls: calls }),
    ...(annotations.length > 0 && { annotations }),
    ...(signature && { extra_content: { google: { thought_signature: signature } } }),
  }
}
