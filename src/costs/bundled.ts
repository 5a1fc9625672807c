import type { calcPrice, ModelInfo, ModelPrice } from '@pydantic/genai-prices'
import { partOf, picoOf } from './money.ts'
import type { LongContext, Price, Rates } from './price.ts'
import { factorsOf } from './service-tiers.ts'

type List = { calcPrice: typeof calcPrice }

let list: List | undefined
let loading: Promise<List> | undefined

/** Loads the bundled price list, which is large, once. */
export function loadList(): Promise<List> {
  loading ??= import('@pydantic/genai-prices').then(loaded => {
    list = loaded
    return loaded
  })
  return loading
}

/** Whether {@link listed} can be called. */
export const isListLoaded = (): boolean => list !== undefined

/** A price that holds from a day on, or within some hours of each day. */
interface Timed {
  price: Price
  /** Milliseconds since 1970. */
  from?: number
  /** Seconds of the day in UTC; an end before the start is on the next day. */
  hours?: readonly [start: number, end: number]
}

/** One price, or several of which the last that fits the time holds. */
export type Listed = Price | readonly Timed[]

/** The members of the list that we charge by, and for how many units, as a power of ten, it gives their price. */
const UNITS: readonly (readonly [price: string, rate: keyof Rates, power: number])[] = [
  ['input_mtok', 'input', 6],
  ['output_mtok', 'output', 6],
  ['cache_read_mtok', 'cacheRead', 6],
  ['cache_write_mtok', 'cacheWrite', 6],
  ['cache_write_1h_mtok', 'cacheWrite1h', 6],
  ['input_audio_mtok', 'audioInput', 6],
  ['cache_audio_read_mtok', 'audioCacheRead', 6],
  ['output_audio_mtok', 'audioOutput', 6],
  ['input_image_mtok', 'imageInput', 6],
  ['cache_image_read_mtok', 'imageCacheRead', 6],
  ['output_image_mtok', 'imageOutput', 6],
  ['input_video_mtok', 'videoInput', 6],
  ['output_video_mtok', 'videoOutput', 6],
  ['output_reasoning_mtok', 'reasoning', 6],
  ['output_citation_mtok', 'citation', 6],
  ['requests_kcount', 'request', 3],
  ['web_searches_kcount', 'webSearch', 3],
  ['storage_searches_kcount', 'fileSearch', 3],
  ['rerank_searches_kcount', 'rerankSearch', 3],
  ['input_mchars', 'character', 6],
  ['input_document_kpages', 'page', 3],
  ['input_annotated_document_kpages', 'annotatedPage', 3],
]

/**
 * What the list says of a model, fallbacks to the models' makers included (Claude on Azure and Vertex). The list must be
 * loaded.
 * @param provider the provider's id in the list; unlike the list itself we take no other name for it, so that a provider
 * of the operator's own is not priced like one whose name it resembles
 */
export function listed(provider: string, model: string): Listed | undefined {
  const found = list!.calcPrice({}, model, { providerId: provider })
  if (found?.provider.id !== provider) return undefined
  const { model: info } = found
  if (!Array.isArray(info.prices)) return priceFrom(info.prices, info, provider)
  return info.prices.map(({ constraint, prices }): Timed => {
    const price = priceFrom(prices, info, provider)
    if (!constraint) return { price }
    if (constraint.type === 'start_date') return { price, from: Date.parse(constraint.start_date) }
    return { price, hours: [secondOfDay(constraint.start_time), secondOfDay(constraint.end_time)] }
  })
}

/** The price at a moment; now, where none is given. */
export function priceAt(prices: Listed, moment?: Date): Price {
  if (!isTimed(prices)) return prices
  const at = moment ?? new Date()
  const second = at.getUTCHours() * 3600 + at.getUTCMinutes() * 60 + at.getUTCSeconds()
  for (let index = prices.length - 1; index > 0; index--) {
    const { price, from, hours } = prices[index]!
    if (from !== undefined && at.getTime() < from) continue
    if (hours && !within(second, hours)) continue
    return price
  }
  return prices[0]!.price
}

const isTimed = (prices: Listed): prices is readonly Timed[] => Array.isArray(prices)

const within = (second: number, [start, end]: readonly [number, number]) =>
  end < start ? second >= start || second < end : second >= start && second < end

/** `16:30:00Z`, or with an offset, as the second of a day in UTC. */
const secondOfDay = (time: string) => (Date.parse(`1970-01-02T${time}`) / 1000) % 86_400

function priceFrom(prices: ModelPrice, { id, context_window }: ModelInfo, provider: string): Price {
  const factors = factorsOf(provider, id)
  const longContext = longContextOf(prices)
  // Known to the list's own code only: Groq charges ten seconds at least.
  const least = provider === 'groq' && id.startsWith('whisper-large-v3')
  return {
    source: 'list',
    rates: ratesFrom(prices, 0),
    ...(longContext.length > 0 && { longContext }),
    ...(factors && { factors }),
    ...(context_window !== undefined && { contextWindow: context_window }),
    ...(least && { leastSeconds: 10 }),
  }
}

function longContextOf(prices: ModelPrice): LongContext[] {
  const starts = new Set<number>()
  for (const price of Object.values(prices))
    if (typeof price === 'object') for (const { start } of price.tiers) starts.add(start)
  return [...starts].sort((a, b) => a - b).map(above => ({ above, rates: ratesFrom(prices, above + 1) }))
}

/** @param input the length of the prompt in tokens, which chooses among the list's tiers */
function ratesFrom(prices: ModelPrice, input: number): Rates {
  const rates: Rates = {}
  for (const [name, rate, power] of UNITS) {
    const dollars = dollarsFor(prices[name], input)
    if (dollars !== undefined) rates[rate] = picoOf(dollars, power)
  }
  const hour = dollarsFor(prices.input_audio_hours ?? prices.audio_hours ?? prices.output_audio_hours, input)
  // Exact to the sixth decimal of a picodollar: an hour of 0.111 USD is 30,833,333.333333 a second.
  if (hour !== undefined) rates.second = partOf(picoOf(hour), 1, 3600)
  return rates
}

function dollarsFor(price: ModelPrice[string], input: number): number | undefined {
  if (typeof price !== 'object') return price
  let dollars = price.base
  let reached = -1
  for (const tier of price.tiers)
    if (input > tier.start && tier.start > reached) {
      dollars = tier.price
      reached = tier.start
    }
  return dollars
}
