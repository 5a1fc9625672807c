import type { Exchange } from '../exchange.ts'
import { type Decision, decide, type PolicyLimit } from '../policies/decide.ts'
import { anonymous, noMetadata } from '../policies/facts.ts'
import type { PolicySet } from '../policies/policy-set.ts'
import { deniedByPolicy, limitExceeded } from '../policies/refusals.ts'
import type { Claim } from './claim.ts'
import type { Asked } from './claims.ts'

/**
 * The budgets that the policies of a gateway hold a request to (contract 5.3).
 * @throws PolicyFault 403 for a request that they do not allow
 */
export function policyLimits(exchange: Exchange, set: PolicySet, asked: Asked): Decision['limits'] {
  const { caller, controls, gatewayId, ids, settings, target } = exchange
  const { reach, model } = target!
  const facts = {
    cf: caller?.identity ?? anonymous,
    metadata: controls.metadata ?? noMetadata,
    provider: reach.provider.slug,
    model: model || (asked.isOpaque ? undefined : ''),
  }
  const { decision, limits, matched } = decide(set, facts, {
    failed: (policy, reason) => settings.policies.failed(gatewayId, policy, reason),
  })
  if (decision === 'block') {
    const policy = matched[0] ?? 'none allows it'
    settings.log.info({ id: ids.log, gateway: gatewayId, policy }, 'denied by policy')
    throw deniedByPolicy()
  }
  return limits
}

/**
 * What a request takes of the budget of a policy.
 * @param amount in picodollars
 */
export function policyClaim(gatewayId: string, limit: PolicyLimit, amount: number): Claim {
  return {
    limit: {
      key: `policy:${gatewayId}:${counted(limit.bucket)}`,
      limit: limit.amountPico,
      amount,
      window: { kind: 'calendar', period: limit.period },
    },
    counts: 'cost',
    refusal: ({ used, retryAfter }) => limitExceeded(limit, used, retryAfter),
  }
}

const LONGEST_BUCKET = 256

/** A resource may name many models: long buckets go by their hash, so that they do not fill the memory. */
const counted = (bucket: string): string =>
  bucket.length <= LONGEST_BUCKET ? bucket : `#${new Bun.CryptoHasher('sha256').update(bucket).digest('hex')}`
