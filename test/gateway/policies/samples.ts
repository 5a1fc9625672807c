import { compilePolicies, type WrittenPolicy } from '../../../src/gateway/policies/compile.ts'
import { decide, type PolicyLimit, type Watching } from '../../../src/gateway/policies/decide.ts'
import { type Facts, statedFacts } from '../../../src/gateway/policies/facts.ts'
import type { PolicyAction } from '../../../src/schemas/policy.ts'

export const block: PolicyAction = { type: 'block' }
export const noLimit: PolicyAction = { type: 'no-limit' }
export const limit = (amount: number, period: 'hourly' | 'daily' | 'weekly' | 'monthly' = 'monthly'): PolicyAction => ({
  type: 'limit',
  amount,
  period,
  technique: 'named-interval',
})

/** Policies under the ids p1, p2 and so on. */
export const setOf = (...policies: Omit<WrittenPolicy, 'id'>[]) =>
  compilePolicies(policies.map((policy, index) => ({ id: `p${index + 1}`, ...policy })))

type Stated = Parameters<typeof statedFacts>[0] & { provider?: string; model?: string }

/** A request; of gpt-5.5 at openai unless it says otherwise. */
export function factsOf({ provider = 'openai', model = 'gpt-5.5', ...stated }: Stated = {}): Facts {
  return { ...statedFacts(stated), provider, model }
}

export const alice: Stated = {
  cf: { user: { id: 'alice', email: 'alice@example.com', groups: ['research', 'finance'] } },
}

/** What is decided, as short as it can be told. */
export function decided(policies: Omit<WrittenPolicy, 'id'>[], stated: Stated = {}, watching?: Watching) {
  const { decision, limits } = decide(setOf(...policies), factsOf(stated), watching)
  return decision === 'check_limits' ? limits.map(told) : decision
}

const told = ({ bucket, period, amountPico, policy }: PolicyLimit) =>
  `${policy.id}: ${amountPico / 1e12} ${period} of ${bucket}`
