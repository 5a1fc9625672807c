import type { Cost } from '../../../src/costs/cost.ts'
import type { Database } from '../../../src/storage/database.ts'
import type { RecordDrop, RecordOptions, Records } from '../../../src/storage/records/index.ts'
import { records } from '../../../src/storage/records/index.ts'
import type { AttemptRecord } from '../../../src/telemetry/attempt-record.ts'

export const costOf = (pico: number): Cost => ({ pico, parts: [], source: 'file' })

/** A record as the gateway makes them; what matters to a test is given. */
export function attempt(given: Partial<AttemptRecord> = {}): AttemptRecord {
  const at = given.at ?? Date.now()
  const id = given.id ?? Bun.randomUUIDv7('hex', Number.isFinite(at) ? at : 0)
  return {
    id,
    event: given.event ?? given.request ?? id,
    request: id,
    at,
    duration: 120.5,
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
    requestSize: 100,
    answerSize: 200,
    collect: true,
    collectBodies: false,
    ...given,
  }
}

export interface Kept extends Records {
  drops: [count: number, why: RecordDrop][]
  failures: [up: boolean, reason: string][]
}

/** Records that note what they tell their owner. */
export async function kept(database: Database, options: RecordOptions = {}): Promise<Kept> {
  const drops: Kept['drops'] = []
  const failures: Kept['failures'] = []
  const all = await records(database, {
    onDropped: (count, why) => drops.push([count, why]),
    onFailure: (up, reason) => failures.push([up, reason]),
    ...options,
  })
  return { ...all, drops, failures }
}
