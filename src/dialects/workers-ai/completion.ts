import { wholeArguments } from '../argument-text.ts'
import type { Quirk } from '../dialect.ts'
import { cachedTokensElsewhere, contentObject, contentParts, reasoningField } from '../openai-chat/quirks.ts'
import type { ToolCall } from '../openai-chat/types.ts'
import type { Native, NativeCall } from './types.ts'

/** What the model said: text, or with a JSON schema the object or number itself (trap 59). */
function textOf(response: unknown): string | undefined {
  if (response === null || response === undefined) return undefined
  return typeof response === 'object' ? JSON.stringify(response) : String(response)
}

/** Cloudflare's flat call in OpenAI's shape. A flat call is always whole, so that a missing argument means none. */
function callOf(call: NativeCall): ToolCall {
  if (call.function) return call
  const { name, arguments: given, ...rest } = call
  return { ...rest, function: { name, arguments: wholeArguments(given) } }
}

/** Some streams close a call with a fragment whose every member is null. */
function isEmpty({ id, name, arguments: flat, function: wire }: NativeCall): boolean {
  return !id && !name && !flat && !wire?.name && !wire?.arguments
}

/**
 * Rewrites an answer or a chunk of Cloudflare's own shape as OpenAI's, in place. One that has `choices` already keeps
 * them; members of both shapes in one chunk are joined.
 */
function rewrite(wire: Native, member: 'message' | 'delta'): void {
  if (Array.isArray(wire.choices)) {
    for (const choice of wire.choices) {
      const message = choice[member]
      if (message?.tool_calls)
        message.tool_calls = message.tool_calls.filter(call => call && !isEmpty(call)).map(callOf)
    }
  } else if ('response' in wire || 'tool_calls' in wire || 'finish_reason' in wire) {
    const { response, tool_calls, finish_reason } = wire
    const content = textOf(response)
    const calls = (tool_calls ?? []).filter(call => call && !isEmpty(call)).map(callOf)
    const message = { ...(content !== undefined && { content }), ...(calls.length > 0 && { tool_calls: calls }) }
    wire.choices = [{ index: 0, [member]: message, ...(finish_reason && { finish_reason }) }]
  }
  // Padding goes nowhere (trap 14); the rest has found its place.
  for (const name of ['response', 'tool_calls', 'finish_reason', 'p']) delete wire[name]
}

/** Errors of Cloudflare's API inside a stream, where the reader of OpenAI's chunks looks for them. */
function showErrors(wire: Native): void {
  const { errors } = wire as { errors?: unknown }
  if (wire.success === false || (Array.isArray(errors) && errors.length > 0))
    wire.error ??= Array.isArray(errors) ? (errors[0] ?? {}) : {}
}

const nativeShape: Quirk = {
  name: 'workers-ai-shape',
  reply: body => rewrite(body as Native, 'message'),
  chunks: () => chunk => {
    showErrors(chunk as Native)
    rewrite(chunk as Native, 'delta')
  },
}

/** What makes an answer of Workers AI one that the reader of OpenAI's format understands. */
export const asCompletion: readonly Quirk[] = [
  nativeShape,
  reasoningField,
  contentParts,
  contentObject,
  cachedTokensElsewhere,
]
