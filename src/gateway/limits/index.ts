import type { Exchange } from '../exchange.ts'
import type { PolicySet } from '../policies/policy-set.ts'
import { type Claim, take } from './claim.ts'
import {
  type Asked,
  claimsOf,
  hasLimits,
  isCharged,
  isOnlyCounted,
  type Most,
  mostOf,
  NOTHING_ASKED,
} from './claims.ts'
import { holdCredit, noStore } from './credit.ts'
import { policyLimits } from './policies.ts'
import { type AccountLimit, accountClaim } from './spending-limit.ts'

export type { Asked } from './claims.ts'

type PolicyLimits = ReturnType<typeof policyLimits>

/** Whether anything limits this request at all, as far as is known without waiting. */
export const isLimited = (exchange: Exchange): boolean =>
  hasLimits(exchange) || exchange.settings.policies.of(exchange.gatewayId) !== undefined

/**
 * Asks the policies of the gateway, and takes from every limit, budget and credit what a request may use at most, before
 * its provider is asked; {@link settle} corrects it afterwards to what was used. Only for requests that something limits
 * ({@link isLimited}).
 * @throws PolicyFault 403 where a policy blocks, or none allows
 * @throws GatewayFault for the first limit that does not fit: 429/2003, 429/2018, 429/2041, 402/2021, a policy's 429;
 *   503 when what counts them cannot be asked
 */
export function claimLimits(exchange: Exchange, asked: Asked): void | Promise<void> {
  const policies = exchange.settings.policies.of(exchange.gatewayId)
  return policies instanceof Promise
    ? policies.then(set => claimUnder(exchange, asked, set))
    : claimUnder(exchange, asked, policies)
}

function claimUnder(exchange: Exchange, asked: Asked, policies: PolicySet | undefined): void | Promise<void> {
  const limits = policies && policyLimits(exchange, policies, asked)
  if (!limits?.length && !hasLimits(exchange)) return
  const most = !limits?.length && isOnlyCounted(exchange) ? NOTHING_ASKED : mostOf(exchange, asked)
  return most instanceof Promise
    ? most.then(known => claimAll(exchange, known, limits))
    : claimAll(exchange, most, limits)
}

function claimAll(exchange: Exchange, most: Most, limits: PolicyLimits | undefined): void | Promise<void> {
  const claims = claimsOf(exchange, most, limits)
  if (!isCharged(exchange)) return takeAll(exchange, most, claims)
  const account = exchange.settings.accountLimit.of(ACCOUNT)
  const taken = (known: AccountLimit | undefined) => {
    if (known) claims.push(accountClaim(known, most.cost))
    return takeAll(exchange, most, claims)
  }
  return account instanceof Promise ? account.then(taken, fault => noStore(exchange.settings, fault)) : taken(account)
}

const ACCOUNT = ''

function takeAll(exchange: Exchange, most: Most, claims: readonly Claim[]): void | Promise<void> {
  const pending = claims.length ? take(exchange, claims) : undefined
  if (pending) return pending.then(() => counted(exchange, most))
  return counted(exchange, most)
}

function counted(exchange: Exchange, most: Most): void | Promise<void> {
  exchange.shared.counted = true
  if (isCharged(exchange)) return holdCredit(exchange, most)
}
