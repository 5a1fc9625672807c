import type { DemoAnswer } from './answer.ts'
import { pieces } from './words.ts'

/** OpenAI's `chat.completion` object. */
export function completion(answer: DemoAnswer, created: number): object {
  const { id, model, text, toolCall, usage } = answer
  const message = toolCall
    ? { role: 'assistant', content: null, tool_calls: [wireCall(toolCall)] }
    : { role: 'assistant', content: text }
  const choice = { index: 0, message, logprobs: null, finish_reason: toolCall ? 'tool_calls' : 'stop' }
  return { id, object: 'chat.completion', created, model, choices: [choice], usage }
}

/** The chunks of a stream in order, as objects of type `chat.completion.chunk`. */
export function* chunks(answer: DemoAnswer, created: number, includeUsage: boolean): Generator<object> {
  const { id, model, usage, toolCall } = answer
  const chunk = (choices: object[], rest: object = includeUsage ? { usage: null } : {}) => ({
    id,
    object: 'chat.completion.chunk',
    created,
    model,
    choices,
    ...rest,
  })
  const delta = (part: object, finish_reason: string | null = null) =>
    chunk([{ index: 0, delta: part, logprobs: null, finish_reason }])

  yield delta({ role: 'assistant', content: toolCall ? null : '' })
  if (toolCall) {
    yield delta({ tool_calls: [{ index: 0, ...wireCall({ ...toolCall, arguments: '' }) }] })
    for (const piece of toolCall.arguments.match(/[\s\S]{1,8}/g) ?? []) {
      yield delta({ tool_calls: [{ index: 0, function: { arguments: piece } }] })
    }
  }
  for (const piece of pieces(answer.text)) yield delta({ content: piece })
  yield delta({}, toolCall ? 'tool_calls' : 'stop')
  if (includeUsage) yield chunk([], { usage })
}

const wireCall = ({ id, name, arguments: text }: { id: string; name: string; arguments: string }) => ({
  id,
  type: 'function',
  function: { name, arguments: text },
})
