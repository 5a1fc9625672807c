import { records } from '../../src/storage/records/index.ts'
import { openStore } from '../../src/storage/store.ts'
import type { AttemptRecord, Decision } from '../../src/telemetry/attempt-record.ts'

/** Records in a database as a server leaves them. */

export const recorded = (more: Partial<AttemptRecord> = {}): AttemptRecord => {
  const id = more.id ?? Bun.randomUUIDv7()
  return {
    id,
    event: id,
    request: id,
    at: Date.now(),
    duration: 120,
    gateway: 'default',
    method: 'POST',
    path: '/v1/home/default/compat/chat/completions',
    surface: 'compat',
    provider: 'openai',
    model: 'gpt-4o',
    attempt: 1,
    status: 200,
    stream: false,
    cached: false,
    customCost: false,
    token: 'laptop',
    requestSize: 20,
    answerSize: 30,
    requestType: 'application/json',
    answerType: 'application/json',
    collect: true,
    collectBodies: true,
    ...more,
  }
}

/** @param database as `storage.database` names it */
export async function put(database: string, ...list: AttemptRecord[]): Promise<void> {
  const store = await openStore(database)
  const kept = await records(store.database)
  for (const record of list) kept.put(record)
  await kept.close()
  await store.close()
}

export const decisions: Decision[] = [
  { step: 'authenticate', what: 'the token "laptop"', facts: { token: 'laptop' } },
  { step: 'setting', what: 'cache_ttl', facts: { value: 300, from: 'file', at: 'postern.yaml:12' } },
  { step: 'translate', what: 'openai-chat to gemini', facts: { from: 'openai-chat', to: 'gemini', dropped: 'seed' } },
]
