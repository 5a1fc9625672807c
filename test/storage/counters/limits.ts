import type { Counters, Limit, Refused, Taken } from '../../../src/storage/counters/counters.ts'
import type { Window } from '../../../src/storage/counters/window.ts'

export const fixed = (seconds: number): Window => ({ kind: 'fixed', seconds })
export const sliding = (seconds: number): Window => ({ kind: 'sliding', seconds })
export const monthly: Window = { kind: 'calendar', period: 'monthly' }

export const limitOf = (key: string, limit: number, amount = 1, window: Window = fixed(3600)): Limit => ({
  key,
  limit,
  amount,
  window,
})

/** Noon of 1 July 2026, a Wednesday. */
export const NOON = Date.UTC(2026, 6, 1, 12)

export async function taken(counters: Counters, limits: Limit[], now = NOON): Promise<Taken> {
  const said = await counters.take(limits, now)
  if (!said.ok) throw new Error(`refused: ${JSON.stringify(said)}`)
  return said
}

export async function refused(counters: Counters, limits: Limit[], now = NOON): Promise<Refused> {
  const said = await counters.take(limits, now)
  if (said.ok) throw new Error(`taken: ${JSON.stringify(said)}`)
  return said
}

/** Waits for what is settled behind the way of requests. */
export async function until(holds: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 10_000; !(await holds()); await Bun.sleep(5))
    if (Date.now() > deadline) throw new Error('it did not come about within ten seconds')
}
