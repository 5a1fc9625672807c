import type { Price as FilePrice } from '../config/schema.ts'
import { partOf, picoOf } from './money.ts'
import type { Factor, LongContext, Price, Rates, Tier } from './price.ts'

/** The figures of the file, the rates that they are, and for how many units they are given, as a power of ten. */
const UNITS: readonly (readonly [figure: Figure, rate: keyof Rates, power: number])[] = [
  ['input', 'input', 6],
  ['output', 'output', 6],
  ['cache_read', 'cacheRead', 6],
  ['cache_write', 'cacheWrite', 6],
  ['cache_write_1h', 'cacheWrite1h', 6],
  ['reasoning', 'reasoning', 6],
  ['audio_input', 'audioInput', 6],
  ['audio_cache_read', 'audioCacheRead', 6],
  ['audio_output', 'audioOutput', 6],
  ['image_input', 'imageInput', 6],
  ['image_cache_read', 'imageCacheRead', 6],
  ['image_output', 'imageOutput', 6],
  ['video_input', 'videoInput', 6],
  ['video_output', 'videoOutput', 6],
  ['characters', 'character', 6],
  ['request', 'request', 0],
  ['image', 'image', 0],
  ['page', 'page', 0],
  ['web_search', 'webSearch', 0],
  ['file_search', 'fileSearch', 0],
  ['rerank_search', 'rerankSearch', 0],
]
type Figure = Exclude<keyof FilePrice, 'minute' | 'long_context' | Tier>

const TIERS = ['batch', 'flex', 'priority'] as const

/** Whether a price of the file says what every request costs, so that the list has nothing to add. */
export const standsAlone = ({ input, output }: FilePrice): boolean => input !== undefined && output !== undefined

/** A price that only the file knows. */
export function filePrice(given: FilePrice): Price {
  const rates = ratesOf(given)
  const longContext = longContextOf(given, rates)
  const factors = factorsOf(given)
  return {
    source: 'file',
    rates,
    ...(longContext && { longContext }),
    ...(factors && { factors }),
  }
}

/** The list's price with the file's figures in the place of its own, at every length of the prompt. */
export function laidOver(given: FilePrice, list: Price): Price {
  const rates = ratesOf(given)
  const all = { ...list.rates, ...rates }
  const longContext =
    longContextOf(given, all) ?? list.longContext?.map(each => ({ ...each, rates: { ...each.rates, ...rates } }))
  return {
    ...list,
    source: 'file and list',
    rates: all,
    ...(longContext && { longContext }),
    factors: { ...list.factors, ...factorsOf(given) },
  }
}

function ratesOf(given: Partial<Record<Figure | 'minute', number>>): Rates {
  const rates: Rates = {}
  for (const [figure, rate, power] of UNITS) {
    const dollars = given[figure]
    if (dollars !== undefined) rates[rate] = picoOf(dollars, power)
  }
  if (given.minute !== undefined) rates.second = partOf(picoOf(given.minute), 1, 60)
  return rates
}

function longContextOf({ long_context }: FilePrice, rates: Rates): LongContext[] | undefined {
  return long_context
    ?.map(({ above, ...given }) => ({ above, rates: { ...rates, ...ratesOf(given) } }))
    .sort((one, other) => one.above - other.above)
}

function factorsOf(given: FilePrice): Partial<Record<Tier, Factor>> | undefined {
  const factors: Partial<Record<Tier, Factor>> = {}
  let any = false
  for (const tier of TIERS) {
    const factor = given[tier]
    if (factor === undefined) continue
    // Thousandths are as fine as anybody quotes.
    factors[tier] = [Math.round(factor * 1000), 1000]
    any = true
  }
  return any ? factors : undefined
}
