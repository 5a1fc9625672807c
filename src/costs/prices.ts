import type { Config } from '../config/schema.ts'

export interface TokenPrice {
  /** USD for one token of the prompt. */
  input: number
  /** USD for one token of the answer. */
  output: number
}

/** A count that is small enough for the first tier of every price, and large enough to divide without loss. */
const SAMPLE = 1_000

/**
 * What a model costs by the token: the operator's own figure, then the bundled price list, which is loaded on first
 * use, since it is large.
 * @param provider the id in the price list
 * @returns undefined where nobody knows
 */
export async function priceOf(
  prices: Config['prices'],
  name: string,
  provider: string,
  model: string,
): Promise<TokenPrice | undefined> {
  const own = prices[name]
  if (own?.input !== undefined && own.output !== undefined) return { input: own.input / 1e6, output: own.output / 1e6 }
  const { calcPrice } = await import('@pydantic/genai-prices')
  const found = calcPrice({ input_tokens: SAMPLE, output_tokens: SAMPLE }, model, { providerId: provider })
  if (!found) return undefined
  return { input: perToken(found.input_price), output: perToken(found.output_price) }
}

/** Prices are quoted by the million tokens to a few digits; dividing twice leaves dust that is none of theirs. */
const perToken = (price: number) => Number((price / SAMPLE).toPrecision(12))
