import { answerBound } from '../../costs/answer-bound.ts'
import type { Price } from '../../costs/price.ts'
import { promptBound } from '../../costs/prompt-bound.ts'
import { estimateUpperBound } from '../../costs/reserve.ts'
import type { Exchange } from '../exchange.ts'
import type { PolicyLimit } from '../policies/decide.ts'
import { limitPriceOf } from '../price.ts'
import { houseThroughput, keyRate, limitsOfToken } from './caller.ts'
import { type Claim, claiming } from './claim.ts'
import { limitsOf } from './gateway-limits.ts'
import { policyClaim } from './policies.ts'

/** What a request asks of its provider, as far as limits need to know: looked at only where one does. */
export interface Asked {
  /** Nothing where it is no JSON. */
  body(): Readonly<Record<string, unknown>> | undefined
  /** In characters or bytes. */
  length: number
  /** A model that nothing else names may stand where it cannot be read. */
  isOpaque?: boolean
}

/** The most that a request may use: what is taken before the call. */
export interface Most {
  tokens: number
  /** Picodollars; 0 where the price is not known. */
  cost: number
  price?: Price
}

/** Whether anything but a policy limits this request. */
export function hasLimits(exchange: Exchange): boolean {
  const { caller, gateway, gatewayId, key } = exchange
  if (limitsOf(gateway, gatewayId) !== undefined || caller?.limits !== undefined) return true
  return key !== undefined && (key.of === 'store' ? key.limit !== undefined : isCharged(exchange))
}

/** Whether the use of the house's key is paid for from credit. */
export const isCharged = ({ key, settings }: Exchange): boolean =>
  key?.of === 'house' && settings.config.billing.enabled

/**
 * Every limit that a request has to fit in. What counts requests counts one of a client once, however many steps and
 * attempts it takes (contract 9.3). What has no known price is held to no budget, and counted in none.
 * @param policies budgets of policies
 */
export function claimsOf(exchange: Exchange, most: Most, policies: readonly PolicyLimit[] = []): Claim[] {
  const { caller, gateway, gatewayId, key, shared } = exchange
  const claims: Claim[] = []
  const limits = limitsOf(gateway, gatewayId)
  const own = caller?.limits && limitsOfToken(caller.name, caller.limits)
  if (!shared.counted) {
    if (limits?.requests) claims.push(limits.requests)
    if (own?.rate) claims.push(own.rate)
    if (isCharged(exchange)) claims.push(houseThroughput(gatewayId, exchange.settings.config.billing))
  }
  if (key?.of === 'store' && key.limit) claims.push(keyRate(key, key.limit, exchange.target!.reach.provider.title))
  if (limits?.tokens) claims.push(claiming(limits.tokens, most.tokens))
  if (own?.tokens) claims.push(claiming(own.tokens, most.tokens))
  if (most.price) {
    if (limits)
      for (const rule of limits.spend) {
        const claim = rule(exchange)
        if (claim) claims.push(claiming(claim, most.cost))
      }
    if (own?.budget) claims.push(claiming(own.budget, most.cost))
    for (const limit of policies) claims.push(claiming(policyClaim(gatewayId, limit), most.cost))
  }
  return claims
}

/** Whether nothing limits a request but how many there are: then nobody asks what it may use. */
export function isOnlyCounted(exchange: Exchange): boolean {
  const { caller, gateway, gatewayId, shared } = exchange
  const limits = limitsOf(gateway, gatewayId)
  if (limits && (limits.tokens || limits.spend.length)) return false
  if (caller?.limits && (caller.limits.tokens || caller.limits.budget)) return false
  return !shared.spent.length && !isCharged(exchange)
}

/** What a request is taken to use where nobody asks. */
export const NOTHING_ASKED: Most = { tokens: 0, cost: 0 }

/** What a request may use at most. The price list may have to be loaded first, once. */
export function mostOf(exchange: Exchange, asked: Asked): Most | Promise<Most> {
  const price = limitPriceOf(exchange)
  return price instanceof Promise ? price.then(known => bounded(asked, known)) : bounded(asked, price)
}

function bounded(asked: Asked, price: Price | undefined): Most {
  const body = asked.body()
  const prompt = promptBound(body, asked.length)
  const answer = answerBound(body)
  const tokens = prompt.text + prompt.media + (answer.maxTokens ?? 0) * (answer.answers ?? 1)
  return price ? { tokens, cost: estimateUpperBound(prompt, answer, price), price } : { tokens, cost: 0 }
}
