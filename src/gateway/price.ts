import type { Config } from '../config/schema.ts'
import type { Price } from '../costs/price.ts'
import { priceFor } from '../costs/prices.ts'
import type { Exchange, Target } from './exchange.ts'

/**
 * What the target of a request costs: the caller's own word, the file's, then the price list's. A name that neither knows
 * may be the operator's own for a model (a deployment, an inference profile): then the model that answered decides, once it
 * has.
 */
export function priceOf(exchange: Exchange): MaybePrice {
  return exchange.controls.customCost ?? knownPrice(exchange)
}

/**
 * What limits and budgets count by: what is known here goes before the caller's own word, or who names a price of nothing
 * would have no limits.
 */
export function limitPriceOf(exchange: Exchange): MaybePrice {
  const { customCost } = exchange.controls
  const known = knownPrice(exchange)
  if (!customCost) return known
  return known instanceof Promise ? known.then(price => price ?? customCost) : (known ?? customCost)
}

function knownPrice({ settings, target, outcome }: Exchange): MaybePrice {
  if (!target?.model) return undefined
  const { model } = outcome
  const price = priceIn(settings.config, target, target.model)
  if (model === undefined || model === target.model) return price
  if (price instanceof Promise) return price.then(known => known ?? priceIn(settings.config, target, model))
  return price ?? priceIn(settings.config, target, model)
}

type MaybePrice = Price | undefined | Promise<Price | undefined>

function priceIn({ prices }: Config, { reach: { provider } }: Target, model: string): MaybePrice {
  return priceFor(prices, `${provider.slug}/${model}`, provider.priced ?? provider.slug, model)
}
