import type { AttemptRecord } from '../../src/telemetry/attempt-record.ts'

/** An attempt that went well, with what a test wants to be otherwise. */
export function attempt(over: Partial<AttemptRecord> = {}): AttemptRecord {
  const id = Bun.randomUUIDv7()
  return {
    id,
    event: id,
    request: id,
    at: 1_795_000_000_000,
    duration: 812.5,
    firstByte: 230,
    gateway: 'default',
    method: 'POST',
    path: '/v1/home/default/compat/chat/completions',
    surface: 'compat',
    provider: 'openai',
    model: 'gpt-5.2',
    attempt: 1,
    status: 200,
    stream: false,
    cached: false,
    customCost: false,
    token: 'laptop',
    requestSize: 120,
    answerSize: 640,
    collect: true,
    collectBodies: false,
    ...over,
  }
}
