/** Picodollars (1e-12 USD) for one unit; a rate may have up to six decimals. What is absent has no price of its own. */
export interface Rates {
  /** A token of the prompt, and of the answer. */
  input?: number
  output?: number
  cacheRead?: number
  /** A token written to the provider's cache for five minutes, or for as long as that provider keeps it. */
  cacheWrite?: number
  /** A token written to the cache for an hour (T93). */
  cacheWrite1h?: number
  audioInput?: number
  audioCacheRead?: number
  audioOutput?: number
  imageInput?: number
  imageCacheRead?: number
  imageOutput?: number
  videoInput?: number
  videoOutput?: number
  reasoning?: number
  citation?: number
  /** Each request, whatever it used. */
  request?: number
  webSearch?: number
  fileSearch?: number
  rerankSearch?: number
  /** A second of sound, heard or spoken. */
  second?: number
  /** A character to be spoken. */
  character?: number
  page?: number
  annotatedPage?: number
  /** An image made. */
  image?: number
}

/** Prices that hold for the whole request once its prompt, cached parts included, is longer than this many tokens (T93). */
export interface LongContext {
  above: number
  rates: Rates
}

/** How quickly a provider served a request, where that has a price. */
export type Tier = 'batch' | 'flex' | 'priority'

/** A part of the usual price, as numerator and denominator. */
export type Factor = readonly [number, number]

/** What a model costs. */
export interface Price {
  /** The operator's file, the bundled list, both (a figure of the file laid over the list), or the caller's header. */
  source: 'file' | 'list' | 'file and list' | 'header'
  rates: Rates
  /** In rising order. */
  longContext?: readonly LongContext[]
  factors?: Partial<Record<Tier, Factor>>
  /** The longest prompt that the model takes, in tokens. */
  contextWindow?: number
  /** The least seconds of sound that are charged. */
  leastSeconds?: number
  /** The request fee is everything: `total_cost` of `cf-aig-custom-cost`. */
  flat?: true
}

/** The rates for a prompt of so many tokens, those from a cache included. */
export function ratesFor({ rates, longContext }: Price, input: number): Rates {
  if (longContext)
    for (let at = longContext.length - 1; at >= 0; at--)
      if (input > longContext[at]!.above) return longContext[at]!.rates
  return rates
}
