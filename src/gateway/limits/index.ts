import type { Exchange } from '../exchange.ts'
import { take } from './claim.ts'
import { type Asked, claimsOf, isCharged, type Most, mostOf } from './claims.ts'
import { holdCredit } from './credit.ts'

export { type Asked, isLimited } from './claims.ts'

/**
 * Takes from every limit, budget and credit what a request may use at most, before its provider is asked; {@link settle}
 * corrects it afterwards to what was used. Only for requests that something limits ({@link isLimited}).
 * @throws GatewayFault for the first that does not fit: 429/2003, 429/2018, 429/2041, 402/2021
 */
export function claimLimits(exchange: Exchange, asked: Asked): void | Promise<void> {
  const most = mostOf(exchange, asked)
  return most instanceof Promise ? most.then(known => claimAll(exchange, known)) : claimAll(exchange, most)
}

function claimAll(exchange: Exchange, most: Most): void | Promise<void> {
  const claims = claimsOf(exchange, most)
  const pending = claims.length ? take(exchange, claims) : undefined
  if (pending) return pending.then(() => counted(exchange, most))
  return counted(exchange, most)
}

function counted(exchange: Exchange, most: Most): void | Promise<void> {
  exchange.shared.counted = true
  if (isCharged(exchange)) return holdCredit(exchange, most)
}
