import { partOf } from '../../costs/money.ts'
import type { Exchange } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import { charge } from './charge.ts'
import { isCharged, type Most } from './claims.ts'
import { dollars } from './words.ts'

/**
 * Sets aside from credit what the use of the house's key may cost (contract 2.4).
 * @throws GatewayFault 402/2021 when the credit does not cover it, or when nobody knows the price; 503 when the store
 *   cannot be asked
 */
export async function holdCredit(exchange: Exchange, most: Most): Promise<void> {
  if (!isCharged(exchange)) return
  const { target, settings, caller } = exchange
  const { title } = target!.reach.provider
  // Where only the caller knows a price, it is nothing to pay the house by.
  if (!most.price || most.price.source === 'header')
    throw noCredit(
      `the model is not offered on the house's key for ${title}, since its price is not known; send a key of your own`,
    )
  const { balance, margin } = settings.config.billing
  const owner = balance === 'token' ? `token:${caller!.name}` : 'account'
  const amount = withMargin(most.cost, margin)
  const id = await settings.credits.hold(owner, amount).catch(fault => noStore(settings, fault))
  if (id === undefined)
    throw noCredit(
      `not enough credit: this request may cost ${dollars(amount)}; ask the operator for more (\`postern credit add\`), set a lower max_tokens, or send a key of your own`,
    )
  exchange.credit = {
    settle: cost => charge(settings.credits, { id, owner, amount: withMargin(cost, margin) }),
  }
}

/** A margin is given to four decimals. */
const withMargin = (pico: number, margin: number): number =>
  margin ? pico + Math.ceil(partOf(pico, Math.round(margin * 10_000), 10_000)) : pico

/** Nobody's credit is known to be used up, and nothing can be set aside either. */
export function noStore({ log }: Exchange['settings'], error: unknown): never {
  log.error({ error }, 'credit cannot be asked for')
  throw new GatewayFault({
    status: 503,
    code: 'credit_unavailable',
    message: 'the database that keeps credit cannot be reached; try again soon, or send a key of your own',
    retryAfter: 1,
  })
}

const noCredit = (message: string) =>
  new GatewayFault({ status: 402, number: 2021, code: 'insufficient_credit', message })
