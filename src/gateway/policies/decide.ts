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
  let limits: readonly PolicyLimit[] = []
  let buckets: Map<string, Bucket> | undefined
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
    const share = shareOf(policy, actor)
    watching.traced?.({ policy, outcome: 'applies', bucket: share.bucket })
    matched.push(policy.id)
    // One alone has nobody to share a bucket with.
    if (others.length === 1) limits = share.limits
    else {
      buckets ??= new Map()
      put(buckets, share)
    }
  }
  if (blocked) return blocked
  if (!matched.length) return failed ? open : { decision: 'block', limits: [], matched }
  if (buckets) limits = all(buckets)
  return { decision: limits.length ? 'check_limits' : 'no-limit', limits, matched }
}

/**
 * As {@link decide}, and the same decision again for the same caller, provider and model where nothing that is written in
 * a request's metadata matters.
 */
export function decideAgain(set: PolicySet, facts: Facts, failed: NonNullable<Watching['failed']>): Decision {
  if (set.usesMetadata) return decide(set, facts, { failed })
  const known = set.decisions.of(facts)
  if (known) return known
  let isWhole = true
  const decision = decide(set, facts, {
    failed: (policy, reason) => {
      isWhole = false
      failed(policy, reason)
    },
  })
  // One that cannot be evaluated is told of each time.
  if (isWhole) set.decisions.keep(facts, decision)
  return decision
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

/** What a policy puts into the bucket of an actor. */
interface Share {
  bucket: string
  /** Its own limit; none where it is without one. */
  limits: readonly PolicyLimit[]
}

const shares = new WeakMap<CompiledPolicy, Map<string, Share>>()
/** Of one policy. Beyond, all of its are forgotten, because callers may write the names of actors. */
const MOST_ACTORS = 1_000

/** The same objects for the same actor, so that its budget need not be made ready for every request. */
function shareOf(policy: CompiledPolicy, actor: string): Share {
  let known = shares.get(policy)
  if (!known) {
    known = new Map()
    shares.set(policy, known)
  }
  let share = known.get(actor)
  if (!share) {
    const { action, amountPico } = policy
    const bucket = `${actor} ${policy.resource.text}`
    share = { bucket, limits: action.type === 'limit' ? [{ bucket, period: action.period, amountPico, policy }] : [] }
    if (known.size >= MOST_ACTORS) known.clear()
    known.set(actor, share)
  }
  return share
}

function put(buckets: Map<string, Bucket>, { bucket: name, limits: [limit] }: Share): void {
  let bucket = buckets.get(name)
  if (!bucket) {
    bucket = { unlimited: false, limits: [] }
    buckets.set(name, bucket)
  }
  if (!limit) {
    bucket.unlimited = true
    return
  }
  const { limits } = bucket
  const same = limits.findIndex(({ period }) => period === limit.period)
  if (same < 0) limits.push(limit)
  else if (limit.amountPico > limits[same]!.amountPico) limits[same] = limit
}

function all(buckets: ReadonlyMap<string, Bucket>): PolicyLimit[] {
  const limits: PolicyLimit[] = []
  for (const { unlimited, limits: own } of buckets.values()) if (!unlimited) limits.push(...own)
  return limits
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
