import type { Finish } from '../../conversation/reply.ts'

const FINISH: Record<string, Finish> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  pause_turn: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  refusal: 'content-filter',
}

/**
 * @param calls whether the client gets tool calls: then a normal stop is their finish, and without any `tool_use` is a
 * stop (the forced tool of a JSON schema, T73)
 */
export function finishOf(reason: string, calls: boolean): Finish {
  const finish = FINISH[reason] ?? 'stop'
  if (finish === 'stop' || finish === 'tool-calls') return calls ? 'tool-calls' : 'stop'
  return finish
}
