import type { Finish } from '../../conversation/reply.ts'

const FINISH: Record<string, Finish> = {
  end_turn: 'stop',
  stop_sequence: 'stop',
  tool_use: 'tool-calls',
  max_tokens: 'length',
  model_context_window_exceeded: 'length',
  content_filtered: 'content-filter',
  guardrail_intervened: 'content-filter',
}

/** Reasons that mean that the model failed: no answer to be taken for one. */
export const isFailure = (reason: string) => reason.startsWith('malformed_')

/** @param calls whether the client gets tool calls */
export function finishOf(reason: string, calls: boolean): Finish {
  const finish = FINISH[reason] ?? 'stop'
  if (finish === 'stop' || finish === 'tool-calls') return calls ? 'tool-calls' : 'stop'
  return finish
}
