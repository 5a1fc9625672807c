import { dollarsOf } from '../../costs/money.ts'
import type { SimulatePolicies, Simulation } from '../../schemas/policy.ts'
import { decide, type Traced } from './decide.ts'
import { statedFacts } from './facts.ts'
import type { PolicySet } from './policy-set.ts'

/**
 * Tries a request out on policies, without asking a provider or spending anything. Nothing is spent but what is said to
 * be: by the name or the id of a policy for its bucket, or by the bucket itself.
 */
export function simulate(set: PolicySet, asked: SimulatePolicies): Simulation {
  const { identity = {}, model, provider = model.split('/')[0]!, bucketUsage = {} } = asked
  const traced: Traced[] = []
  const facts = { ...statedFacts(identity), provider, model }
  const { decision, limits } = decide(set, facts, { traced: one => traced.push(one) })
  const usage = new Map(Object.entries(bucketUsage))
  const spentIn = (bucket: string) => {
    const names = traced.flatMap(one => (one.bucket === bucket ? [one.policy.id, one.policy.name ?? ''] : []))
    return Math.max(0, ...[bucket, ...names].map(name => usage.get(name)?.spent ?? 0))
  }
  const buckets = limits.map(({ bucket, period, amountPico, policy }) => ({
    bucket,
    period,
    limit: dollarsOf(amountPico),
    spent: spentIn(bucket),
    ...(policy.name !== undefined && { policyName: policy.name }),
  }))
  const exceeded = buckets.find(({ spent, limit }) => spent >= limit)
  const blocker = traced.find(({ outcome }) => outcome === 'blocks')?.policy.name
  const enforcement: Simulation['enforcement'] =
    decision === 'block'
      ? { allowed: false, reason: 'blocked', ...(blocker !== undefined && { policyName: blocker }) }
      : exceeded
        ? { allowed: false, reason: 'limit_exceeded', ...withoutPeriod(exceeded) }
        : { allowed: true }
  const policies = traced.map(({ policy, ...rest }) => ({
    id: policy.id,
    ...(policy.name !== undefined && { name: policy.name }),
    ...rest,
  }))
  return { evaluation: { decision, buckets, policies }, enforcement, policiesEvaluated: set.policies.length }
}

const withoutPeriod = ({ period: _, ...rest }: Simulation['evaluation']['buckets'][number]) => rest
