import { createHash } from 'node:crypto'
import type { DemoRequest } from './request.ts'
import { type DemoToolCall, demoToolCall } from './tool-call.ts'
import { countTokens, echoText, slowText, storyText } from './words.ts'

export interface DemoAnswer {
  id: string
  model: string
  text: string
  toolCall?: DemoToolCall & { id: string }
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number }
  /** Milliseconds before each piece of a stream; a whole answer waits for one piece. */
  pace: number
  /** The stream breaks off with an error after this many pieces. */
  breaksAfter?: number
}

/** Where an id begins to differ: the same request gives the same id. */
const digest = (request: DemoRequest): string =>
  createHash('sha256').update(`${request.model}\n${request.everything}`).digest('hex').slice(0, 24)

/** About 25 words a second, as a person reads. */
const readingPace = 40

export const demoModels = ['echo', 'story', 'tools', 'slow', 'fail-429', 'fail-500', 'fail-midstream'] as const

function textFor(request: DemoRequest): string {
  switch (request.model) {
    case 'echo':
      return echoText(request.question)
    case 'slow':
      return slowText
    case 'tools':
      return request.afterTool
        ? `The tool answered. ${echoText(request.question)}`
        : 'Declare a tool in the request, and I will call it.'
    default:
      return storyText
  }
}

/** Makes the answer; the same for the same request. */
export function answerDemo(request: DemoRequest): DemoAnswer {
  const id = digest(request)
  const call = demoToolCall(request)
  const text = call ? '' : textFor(request)
  const prompt_tokens = countTokens(request.everything) + 4
  const completion_tokens = countTokens(call ? call.name + call.arguments : text)
  return {
    id: `chatcmpl-demo-${id}`,
    model: request.model,
    text,
    ...(call ? { toolCall: { ...call, id: `call_${id}` } } : {}),
    usage: { prompt_tokens, completion_tokens, total_tokens: prompt_tokens + completion_tokens },
    pace: request.model === 'slow' ? 1_000 : readingPace,
    ...(request.model === 'fail-midstream' ? { breaksAfter: 5 } : {}),
  }
}
