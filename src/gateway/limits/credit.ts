import { partOf } from '../../costs/money.ts'
import type { Exchange } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import { isCharged, type Most } from './claims.ts'
import { dollars } from './words.ts'

/**
 * Sets aside from credit what the use of the house's key may cost (contract 2.4).
 * @throws GatewayFault 402/2021 when the credit does not cover it, or when nobody knows the price
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
  const id = await settings.credits.hold(owner, amount)
  if (id === undefined)
    throw noCredit(
      `not enough credit: this request may cost ${dollars(amount)}; ask the operator for more (\`postern credit add\`), set a lower max_tokens, or send a key of your own`,
    )
  exchange.credit = {
    settle: cost => settings.credits.settle(id, owner, withMargin(cost, margin)),
  }
}

/** A margin is given to four decimals. */
const withMargin = (pico: number, margin: number): number =>
  margin ? pico + Math.ceil(partOf(pico, Math.round(margin * 10_000), 10_000)) : pico

const noCredit = (message: string) =>
  new GatewayFault({ status: 402, number: 2021, code: 'insufficient_credit', message })
