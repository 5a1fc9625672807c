import { ProviderFailure } from '../../conversation/errors.ts'
import type { Choice, Reply } from '../../conversation/reply.ts'
import { wholeArguments } from '../argument-text.ts'
import type { ReadContext } from '../dialect.ts'
import { readReply as readCompletion } from '../openai-chat/response.ts'
import { asCompletion } from './completion.ts'
import { readError } from './errors.ts'
import type { Envelope, Native } from './types.ts'

/** @throws ProviderFailure for an error under HTTP 200, and for an envelope without an answer in it */
export function readReply(body: unknown, context: ReadContext): Reply {
  const envelope = body && typeof body === 'object' ? (body as Envelope) : {}
  for (const quirk of context.quirks) quirk.reply?.(envelope)
  const failed = envelope.success === false || envelope.error || envelope.errors?.length
  const wire = (envelope.result && typeof envelope.result === 'object' ? envelope.result : envelope) as Native
  const answers = ['response', 'choices', 'tool_calls'].some(member => member in wire)
  if (failed || !answers) throw new ProviderFailure(readError(200, body))
  const reply = readCompletion(wire, { ...context, quirks: asCompletion })
  return { ...reply, choices: reply.choices.map(complete) }
}

/** Models of Workers AI stop with `stop` when they call tools too, and leave out the arguments of tools that take none. */
function complete(choice: Choice): Choice {
  const parts = choice.parts.map(part =>
    part.type === 'tool-call' && choice.finish !== 'length'
      ? { ...part, arguments: wholeArguments(part.arguments) }
      : part,
  )
  const calls = parts.some(part => part.type === 'tool-call')
  return { ...choice, parts, finish: calls && choice.finish === 'stop' ? 'tool-calls' : choice.finish }
}
