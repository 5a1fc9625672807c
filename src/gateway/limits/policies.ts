import { calendarWindows } from '../../storage/counters/window.ts'
import type { Exchange } from '../exchange.ts'
import { type Decision, decideAgain, type PolicyLimit } from '../policies/decide.ts'
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
  const { decision, limits, matched } = decideAgain(set, facts, (policy, reason) =>
    settings.policies.failed(gatewayId, policy, reason),
  )
  if (decision === 'block') {
    const policy = matched[0] ?? 'none allows it'
    settings.log.info({ id: ids.log, gateway: gatewayId, policy }, 'denied by policy')
    throw deniedByPolicy()
  }
  return limits
}

const ready = new WeakMap<PolicyLimit, { gatewayId: string; claim: Claim }>()

/** The budget of a policy, made ready once for as long as what was decided is remembered. */
export function policyClaim(gatewayId: string, limit: PolicyLimit): Claim {
  const known = ready.get(limit)
  if (known?.gatewayId === gatewayId) return known.claim
  const claim: Claim = {
    key: `policy:${gatewayId}:${counted(limit.bucket)}`,
    limit: limit.amountPico,
    amount: 0,
    window: calendarWindows[limit.period],
    counts: 'cost',
    shown: false,
    refusal: ({ used, retryAfter }) => limitExceeded(limit, used, retryAfter),
  }
  ready.set(limit, { gatewayId, claim })
  return claim
}

const LONGEST_BUCKET = 256

/** A resource may name many models: long buckets go by their hash, so that they do not fill the memory. */
const counted = (bucket: string): string =>
  bucket.length <= LONGEST_BUCKET ? bucket : `#${new Bun.CryptoHasher('sha256').update(bucket).digest('hex')}`
