import { expect } from 'bun:test'
import type { AttemptRecord } from '../../../src/telemetry/attempt-record.ts'
import { type RunningApp, TOKEN } from '../../support/app.ts'
import { attempt } from '../../telemetry/attempt.ts'

/** Calls of the management API about logs, and logs to call it about. */

export const LOOKS = 'a-token-that-looks'
export const RUNS = 'a-token-that-runs'
export const OF_LAB = 'a-token-of-the-lab'
export const tokens = [
  { name: 'tests', token: TOKEN, permissions: ['run', 'read', 'edit'] as ('run' | 'read' | 'edit')[] },
  { name: 'looks', token: LOOKS, permissions: ['read'] as 'read'[] },
  { name: 'runs', token: RUNS, permissions: ['run'] as 'run'[] },
  { name: 'lab', token: OF_LAB, permissions: ['read', 'edit'] as ('read' | 'edit')[], gateways: ['lab'] },
]

export interface Envelope {
  success: boolean
  errors: { code: number; message: string; path?: string[] }[]
  messages: { message: string }[]
  // biome-ignore lint/suspicious/noExplicitAny: answers of every form, which the expectations hold against theirs
  result: any
  result_info: Record<string, number>
}

export const base = (app: RunningApp) => `${app.address}/client/v4/accounts/home/ai-gateway`

export const ask = (app: RunningApp, path: string, init: RequestInit & { token?: string } = {}) => {
  const { token = TOKEN, ...rest } = init
  return fetch(`${base(app)}${path}`, {
    ...rest,
    headers: { authorization: `Bearer ${token}`, ...(rest.body && { 'content-type': 'application/json' }) },
  })
}

export async function call(app: RunningApp, path: string, init: RequestInit & { token?: string } = {}) {
  const response = await ask(app, path, init)
  return { status: response.status, body: (await response.json()) as Envelope }
}

export const json = (method: string, body: unknown) => ({ method, body: JSON.stringify(body) })

/** Puts attempts on record, and waits until they are written. @returns their ids */
export async function keep(app: RunningApp, attempts: readonly Partial<AttemptRecord>[]): Promise<string[]> {
  const made = attempts.map(attempt)
  for (const one of made) app.live.records.put(one)
  await app.live.records.flush()
  expect(app.live.records.waiting()).toBe(0)
  return made.map(({ id }) => id)
}

/** What a request used. */
export const used = (input: number, output: number): Pick<AttemptRecord, 'usage'> => ({
  usage: { input, output, source: 'reported' },
})

/** What it cost, in USD. */
export const costing = (dollars: number): Pick<AttemptRecord, 'cost'> => ({
  cost: { pico: Math.round(dollars * 1e12), parts: [] } as unknown as NonNullable<AttemptRecord['cost']>,
})
