import type { Price } from '../costs/price.ts'
import { priceFor } from '../costs/prices.ts'
import type { Exchange } from './exchange.ts'

/** What the target of a request costs: the caller's own word, the file's, then the price list's. */
export function priceOf({ controls, settings, target }: Exchange): Price | undefined | Promise<Price | undefined> {
  if (controls.customCost) return controls.customCost
  if (!target?.model) return undefined
  const { provider } = target.reach
  return priceFor(
    settings.config.prices,
    `${provider.slug}/${target.model}`,
    provider.priced ?? provider.slug,
    target.model,
  )
}
