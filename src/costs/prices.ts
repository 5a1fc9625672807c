import type { Config, Price as FilePrice } from '../config/schema.ts'
import { isListLoaded, type Listed, listed, loadList, priceAt } from './bundled.ts'
import { filePrice, laidOver, standsAlone } from './file-price.ts'
import type { Price } from './price.ts'

/** Model names come from callers: guessing must not fill the memory. Beyond this everything is looked up again. */
const MOST_KEPT = 10_000
/** Longer names are looked up each time. */
const LONGEST_NAME = 256

/** What the list says of `<provider>/<model>`: null where it knows nothing. */
const kept = new Map<string, Listed | null>()
/** What the file says, and what it says laid over the list. The file's own objects are the keys: a reload brings new ones. */
const own = new WeakMap<FilePrice, Price>()
const over = new WeakMap<FilePrice, { list: Price | undefined; price: Price }>()

/**
 * What a model costs: the operator's own figures, then the bundled price list. A price of the file that gives `input` and
 * `output` stands alone; one that gives less is laid over what the list says, figure by figure.
 * @param prices `prices` of the configuration
 * @param name `<provider>/<model>` as the file names it, with the provider's slug
 * @param provider the provider's id in the price list
 * @param at the moment for which it is asked: prices change on a day, and some with the hour
 * @returns undefined where nobody knows; at once, but for the first time that the list is needed, which is loaded then
 */
export function priceFor(
  prices: Config['prices'],
  name: string,
  provider: string,
  model: string,
  at?: Date,
): Price | undefined | Promise<Price | undefined> {
  const given = Object.hasOwn(prices, name) ? prices[name] : undefined
  if (given && standsAlone(given)) return alone(given)
  if (!isListLoaded()) return loadList().then(() => known(given, provider, model, at))
  return known(given, provider, model, at)
}

function alone(given: FilePrice): Price {
  const price = own.get(given) ?? filePrice(given)
  own.set(given, price)
  return price
}

function known(given: FilePrice | undefined, provider: string, model: string, at: Date | undefined): Price | undefined {
  const entry = look(provider, model)
  const list = entry ? priceAt(entry, at) : undefined
  if (!given) return list
  const before = over.get(given)
  if (before && before.list === list) return before.price
  const price = list ? laidOver(given, list) : filePrice(given)
  over.set(given, { list, price })
  return price
}

function look(provider: string, model: string): Listed | null {
  if (model.length > LONGEST_NAME) return listed(provider, model) ?? null
  const key = `${provider}/${model}`
  let entry = kept.get(key)
  if (entry === undefined) {
    entry = listed(provider, model) ?? null
    if (kept.size >= MOST_KEPT) kept.clear()
    kept.set(key, entry)
  }
  return entry
}
