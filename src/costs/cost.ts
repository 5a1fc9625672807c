import type { Usage } from '../conversation/reply.ts'
import { partOf, Sum } from './money.ts'
import { type Factor, type Price, type Rates, ratesFor, type Tier } from './price.ts'
import { tierOf } from './service-tiers.ts'

/** One line of the arithmetic. */
export interface CostPart {
  what: keyof Rates
  units: number
  /** Picodollars for one. */
  each: number
  /** Picodollars; with decimals where the rate has them. */
  pico: number
}

export interface Cost {
  /** Picodollars (1e-12 USD), whole, never negative, at most 2^53 − 1. */
  pico: number
  parts: CostPart[]
  source: Price['source']
  /** The counts are a guess (T96). */
  estimated?: true
  /** The service tier whose price was taken, where it is not the usual one. */
  tier?: Tier
  /** What was used and has no price: the cost is at least this much. */
  unpriced?: (keyof Rates)[]
}

const NO_OPTIONS: { readonly tier?: Tier } = {}

/**
 * What a request cost. Every token is charged once, in the narrowest class that is known of it: `usage.input` counts
 * cached, written, sound and image tokens too, and they are taken out of it before the rest is charged as plain input
 * (T87–T90). A class without a price of its own costs what the next wider one does: a token read from or written to a
 * cache costs a plain one (contract 9.1), an hour in the cache costs what five minutes do. Parts that are said to be more
 * than the whole are cut down to it.
 * @param options.tier the service tier of the answer, where the usage itself does not tell it
 */
export function costOf(usage: Usage, price: Price, { tier = tierIn(usage) } = NO_OPTIONS): Cost {
  const rates = ratesFor(price, usage.input)
  const factor = tier && price.factors?.[tier]
  const bill = new Bill(price, factor)
  if (!price.flat) {
    billPrompt(bill, usage, rates)
    billAnswer(bill, usage, rates)
    billOthers(bill, usage, rates, price)
  }
  if (rates.request !== undefined) bill.add('request', 1, rates.request)
  const { cost } = bill
  cost.pico = bill.sum.pico
  if (usage.source === 'estimated') cost.estimated = true
  if (factor && tier) cost.tier = tier
  return cost
}

/** Anthropic, Bedrock and Gemini say the tier beside the counts. */
const tierIn = ({ tier, native }: Usage): Tier | undefined =>
  tierOf(tier ?? (native && (native.service_tier ?? native.trafficType)))

class Bill {
  readonly sum = new Sum()
  readonly cost: Cost
  readonly #factor: Factor | undefined

  constructor({ source }: Price, factor: Factor | undefined) {
    this.cost = { pico: 0, parts: [], source }
    this.#factor = factor
  }

  /** Tokens, whose rate the service tier changes. */
  tokens(what: keyof Rates, units: number, rate: number | undefined): void {
    const factor = this.#factor
    this.add(what, units, rate && factor ? partOf(rate, factor[0], factor[1]) : rate)
  }

  add(what: keyof Rates, units: number, rate: number | undefined): void {
    if (!(units > 0)) return
    if (rate === undefined) {
      this.cost.unpriced ??= []
      this.cost.unpriced.push(what)
    } else this.cost.parts.push({ what, units, each: rate, pico: this.sum.add(units, rate) })
  }
}

/** Takes parts out of a whole, never more than is left. */
class Rest {
  left: number
  constructor(whole: number) {
    this.left = Math.max(0, whole)
  }

  take(part: number | undefined): number {
    const taken = part === undefined || !(part > 0) ? 0 : part < this.left ? part : this.left
    this.left -= taken
    return taken
  }
}

function billPrompt(bill: Bill, usage: Usage, rates: Rates): void {
  const rest = new Rest(usage.billedInput ?? usage.input)
  const plainRead = rates.cacheRead ?? rates.input
  const read = new Rest(rest.take(usage.cacheRead))
  const audioRead = read.take(usage.audioCacheRead)
  const imageRead = read.take(usage.imageCacheRead)
  const written = new Rest(rest.take(usage.cacheWrite))
  const hour = written.take(usage.cacheWrite1h)
  const audio = rest.take((usage.audioInput ?? 0) - audioRead)
  const image = rest.take((usage.imageInput ?? 0) - imageRead)
  const video = rest.take(usage.videoInput)
  const plainWrite = rates.cacheWrite ?? rates.input
  bill.tokens('input', rest.left, rates.input)
  bill.tokens('cacheRead', read.left, plainRead)
  bill.tokens('audioCacheRead', audioRead, rates.audioCacheRead ?? plainRead)
  bill.tokens('imageCacheRead', imageRead, rates.imageCacheRead ?? plainRead)
  bill.tokens('cacheWrite', written.left, plainWrite)
  bill.tokens('cacheWrite1h', hour, rates.cacheWrite1h ?? plainWrite)
  bill.tokens('audioInput', audio, rates.audioInput ?? rates.input)
  bill.tokens('imageInput', image, rates.imageInput ?? rates.input)
  bill.tokens('videoInput', video, rates.videoInput ?? rates.input)
}

function billAnswer(bill: Bill, usage: Usage, rates: Rates): void {
  const rest = new Rest(usage.billedOutput ?? usage.output)
  const audio = rest.take(usage.audioOutput)
  const image = rest.take(usage.imageOutput)
  const video = rest.take(usage.videoOutput)
  // Reasoning is plain output for all but a few models.
  const reasoning = rates.reasoning === undefined ? 0 : rest.take(usage.reasoning)
  const citation = rest.take(usage.citation)
  bill.tokens('output', rest.left, rates.output)
  bill.tokens('audioOutput', audio, rates.audioOutput ?? rates.output)
  bill.tokens('imageOutput', image, rates.imageOutput ?? rates.output)
  bill.tokens('videoOutput', video, rates.videoOutput ?? rates.output)
  bill.tokens('reasoning', reasoning, rates.reasoning)
  bill.tokens('citation', citation, rates.citation ?? rates.output)
}

/** What is not counted in tokens. */
function billOthers(bill: Bill, usage: Usage, rates: Rates, { leastSeconds = 0 }: Price): void {
  bill.add('webSearch', usage.webSearches ?? 0, rates.webSearch)
  bill.add('fileSearch', usage.fileSearches ?? 0, rates.fileSearch)
  bill.add('rerankSearch', usage.rerankSearches ?? 0, rates.rerankSearch)
  const { seconds = 0, characters = 0, images = 0, pages = 0, annotatedPages = 0 } = usage
  // A model is charged by its tokens or by one of these: beside tokens, what has no price here is nothing that is missing.
  const alone = usage.input === 0 && usage.output === 0
  const annotated = rates.annotatedPage === undefined ? 0 : Math.min(annotatedPages, pages)
  if (alone || rates.second !== undefined)
    bill.add('second', seconds > 0 ? Math.max(seconds, leastSeconds) : 0, rates.second)
  if (alone || rates.character !== undefined) bill.add('character', characters, rates.character)
  if (alone || rates.page !== undefined) bill.add('page', pages - annotated, rates.page)
  bill.add('annotatedPage', annotated, rates.annotatedPage)
  if (alone || rates.image !== undefined) bill.add('image', images, rates.image)
}
