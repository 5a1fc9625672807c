import type { FailurePolicy, Limit, Refused, Taken } from './counters.ts'

/** What is answered when the shared store cannot be reached. */
export function unavailable(policy: FailurePolicy, limits: readonly Limit[]): Taken | Refused {
  if (policy === 'deny') return { ok: false, which: 0, used: 0, retryAfter: 1, unavailable: true }
  return {
    ok: true,
    remaining: limits.map(({ limit, amount }) => Math.max(0, Math.floor(limit - amount))),
    resets: limits.map(() => 1),
    uncounted: true,
    settle() {},
  }
}
