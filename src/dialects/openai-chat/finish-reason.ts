import type { Finish } from '../../conversation/reply.ts'

const READ: Record<string, Finish> = {
  stop: 'stop',
  length: 'length',
  tool_calls: 'tool-calls',
  content_filter: 'content-filter',
  function_call: 'function-call',
  // Words of servers that are only like OpenAI's (wire-formats 22.3, trap 46).
  eos: 'stop',
  eos_token: 'stop',
  end_turn: 'stop',
  stop_sequence: 'stop',
  model_length: 'length',
  max_tokens: 'length',
  max_length: 'length',
  tool_use: 'tool-calls',
  refusal: 'content-filter',
  safety: 'content-filter',
  insufficient_system_resource: 'error',
  error: 'error',
}

/** @returns undefined for an absent or empty reason, which means that the choice goes on */
export function readFinish(reason: string | null | undefined): Finish | undefined {
  if (typeof reason !== 'string' || !reason) return undefined
  return READ[reason] ?? READ[reason.toLowerCase()] ?? 'stop'
}

const WRITTEN: Record<Exclude<Finish, 'error'>, string> = {
  stop: 'stop',
  length: 'length',
  'tool-calls': 'tool_calls',
  'content-filter': 'content_filter',
  'function-call': 'function_call',
}

export const writeFinish = (finish: Finish): string => (finish === 'error' ? 'stop' : WRITTEN[finish])
