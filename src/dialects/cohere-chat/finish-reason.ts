import type { Finish } from '../../conversation/reply.ts'

const READ: Record<string, Finish> = {
  COMPLETE: 'stop',
  STOP_SEQUENCE: 'stop',
  MAX_TOKENS: 'length',
  TOOL_CALL: 'tool-calls',
  ERROR: 'error',
  TIMEOUT: 'error',
  // Words of version 1 that proxies still pass on.
  ERROR_LIMIT: 'length',
  ERROR_TOXIC: 'content-filter',
}

/** @param calls whether the answer holds a tool call, which a normal stop then means */
export function readFinish(reason: string | undefined, calls: boolean): Finish {
  const finish = READ[reason ?? ''] ?? 'stop'
  return finish === 'stop' && calls ? 'tool-calls' : finish
}
