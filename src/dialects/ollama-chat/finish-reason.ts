import type { Finish } from '../../conversation/reply.ts'

/**
 * Ollama says `stop` also when it calls tools; `load` and `unload` answer a request without messages.
 * @param calls whether the answer holds a tool call
 */
export function readFinish(reason: string | undefined, calls: boolean): Finish {
  if (reason === 'length') return 'length'
  return calls ? 'tool-calls' : 'stop'
}
