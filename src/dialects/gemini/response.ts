import { Collector } from '../../conversation/collect.ts'
import type { JsonObject } from '../../conversation/conversation.ts'
import { type ProviderError, ProviderFailure } from '../../conversation/errors.ts'
import type { Event } from '../../conversation/events.ts'
import type { Reply } from '../../conversation/reply.ts'
import type { ReadContext } from '../dialect.ts'
import { answerReader } from './answer.ts'
import { isObject } from './schema-nodes.ts'

/**
 * Reads a `generateContent` answer, and also the array of them that a stream without `alt=sse` is.
 * @throws ProviderFailure for an error under HTTP 200, for an answer without candidates, and for an array cut short
 */
export function readReply(body: unknown, context: ReadContext): Reply {
  const answer = answerReader(context)
  const collector = new Collector()
  const lists = new Map<number, JsonObject>()
  let choices = false
  for (const message of Array.isArray(body) ? body : [body]) {
    if (!isObject(message)) continue
    for (const quirk of context.quirks) quirk.reply?.(message)
    for (const event of answer.read(message)) {
      choices ||=
        event.type !== 'start' && event.type !== 'usage' && !(event.type === 'unknown' && event.at === 'reply')
      collector.add(event.type === 'unknown' && event.at === 'message' ? joined(event, lists) : event)
    }
  }
  if (!choices) throw new ProviderFailure(fault('the provider answered without a candidate'))
  if (Array.isArray(body) && !answer.complete())
    throw new ProviderFailure(fault('the answer of the provider is cut short'))
  const reply = collector.reply()
  // Some proxies leave out why the model stopped; that it called a tool is seen all the same (T43).
  for (const choice of reply.choices)
    if (!choice.nativeFinish && choice.parts.some(part => part.type === 'tool-call')) choice.finish = 'tool-calls'
  return reply
}

/** Pictures and other parts are lists that grow from message to message. */
function joined(event: Extract<Event, { type: 'unknown' }>, lists: Map<number, JsonObject>): Event {
  const fields: JsonObject = { ...lists.get(event.choice) }
  for (const [name, value] of Object.entries(event.fields)) {
    const before = fields[name]
    fields[name] = Array.isArray(before) && Array.isArray(value) ? [...before, ...value] : value
  }
  lists.set(event.choice, fields)
  return { ...event, fields }
}

function fault(message: string): ProviderError {
  return { status: 502, message, type: 'server_error', code: null, param: null }
}
