import type { policyOutcomes, policyPeriods } from '../../schemas/policy.ts'
import type { CompiledPolicy } from './compile.ts'
import type { Verdict } from './condition.ts'
import type { Facts } from './facts.ts'
import type { PolicySet } from './policy-set.ts'

export type Period = (typeof policyPeriods)[number]

/** A budget that a request has to fit in. */
export interface PolicyLimit {
  /** The resolved actor and the resource. Unique in a gateway; its counter is the bucket's and the period's. */
  bucket: string
  period: Period
  amountPico: number
  /** The policy whose amount it is. */
  policy: CompiledPolicy
}

export interface Decision {
  decision: 'no-limit' | 'block' | 'check_limits'
  /** All of them have to be kept. */
  limits: readonly PolicyLimit[]
  /** Ids of the policies that had a say. */
  matched: readonly string[]
}

/** What a policy came to. */
export interface Traced {
  policy: CompiledPolicy
  outcome: (typeof policyOutcomes)[number]
  bucket?: string
  reason?: string
}

export interface Watching {
  /** Told of a policy that could not be evaluated; the reason repeats nothing of the request. */
  failed?(policy: CompiledPolicy, reason: string): void
  /** Told what each policy came to. Costs time. */
  traced?(traced: Traced): void
}

const open: Decision = { decision: 'no-limit', limits: [], matched: [] }

/**
 * Decides by the policies of a gateway (contract 5.3, Cloudflare's page "Policies"):
 *
 * - A matching block wins over everything. A block that asks for a field which the request does not have matches; any
 *   other policy that does is not about the request.
 * - The others that match are gathered in buckets by actor and resource. Where one of them is without a limit, the bucket
 *   is; otherwise the highest amount of each period holds. A request has to fit in every bucket.
 * - What matches no policy is blocked. Where there are no policies, nothing is.
 * - A policy that cannot be evaluated opens: it blocks nothing, limits nothing, and its request is not refused for want
 *   of another policy; what the other policies say holds all the same.
 */
export function decide(set: PolicySet, facts: Facts, watching: Watching = {}): Decision {
  if (!set.policies.length) return open
  const { blocks, others } = set.concerning(facts.provider, facts.model)
  if (watching.traced) traceOthers(set, [...blocks, ...others], watching)
  let failed = false
  let blocked: Decision | undefined
  for (const policy of blocks) {
    const verdict = policy.condition.test(facts)
    if (verdict === true || verdict === 'missing') {
      watching.traced?.({ policy, outcome: 'blocks', ...(verdict === 'missing' && { reason: MISSING }) })
      blocked ??= { decision: 'block', limits: [], matched: [policy.id] }
      if (!watching.traced) return blocked
    } else failed = note(policy, verdict, watching) || failed
  }
  const matched: string[] = []
  const buckets = new Map<string, Bucket>()
  for (const policy of others) {
    const verdict = hasFields(policy, facts) ? policy.condition.test(facts) : 'missing'
    if (verdict !== true) {
      failed = note(policy, verdict, watching) || failed
      continue
    }
    const actor = policy.actor.resolve(facts)
    if (actor === undefined) {
      note(policy, 'missing', watching)
      continue
    }
    const bucket = `${actor} ${policy.resource.text}`
    watching.traced?.({ policy, outcome: 'applies', bucket })
    matched.push(policy.id)
    put(buckets, bucket, policy)
  }
  if (blocked) return blocked
  if (!matched.length) return failed ? open : { decision: 'block', limits: [], matched }
  const limits: PolicyLimit[] = []
  for (const { unlimited, limits: own } of buckets.values()) if (!unlimited) limits.push(...own)
  return { decision: limits.length ? 'check_limits' : 'no-limit', limits, matched }
}

const MISSING = 'it asks for a field that the request does not have'

function hasFields({ condition }: CompiledPolicy, facts: Facts): boolean {
  for (const field of condition.fields) if (field.read(facts) === undefined) return false
  return true
}

interface Bucket {
  unlimited: boolean
  /** The highest of each period. */
  limits: PolicyLimit[]
}

function put(buckets: Map<string, Bucket>, name: string, policy: CompiledPolicy): void {
  let bucket = buckets.get(name)
  if (!bucket) {
    bucket = { unlimited: false, limits: [] }
    buckets.set(name, bucket)
  }
  const { action, amountPico } = policy
  if (action.type !== 'limit') {
    bucket.unlimited = true
    return
  }
  const same = bucket.limits.find(({ period }) => period === action.period)
  if (!same) bucket.limits.push({ bucket: name, period: action.period, amountPico, policy })
  else if (amountPico > same.amountPico) Object.assign(same, { amountPico, policy })
}

/** Tells of a policy that does not match. @returns whether it could not be evaluated */
function note(policy: CompiledPolicy, verdict: Exclude<Verdict, true>, { failed, traced }: Watching): boolean {
  if (typeof verdict === 'object') {
    failed?.(policy, verdict.failed)
    traced?.({ policy, outcome: 'failed', reason: verdict.failed })
    return true
  }
  if (verdict === 'missing') traced?.({ policy, outcome: 'missing-field', reason: MISSING })
  else traced?.({ policy, outcome: 'condition' })
  return false
}

function traceOthers(set: PolicySet, concerned: readonly CompiledPolicy[], { traced }: Watching): void {
  for (const policy of set.policies) if (!concerned.includes(policy)) traced?.({ policy, outcome: 'other-resource' })
}
