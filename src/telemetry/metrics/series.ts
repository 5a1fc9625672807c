import type { AttemptRecord } from '../attempt-record.ts'
import { Histogram } from './histogram.ts'
import { Names, OTHER } from './names.ts'

/** How many values of each label have series of their own. */
const MOST = { gateways: 100, providers: 100, models: 200, tokens: 200, codes: 100 }
/** Whatever the labels: so many gateways with their providers and models, and so many tokens that use them. */
const MOST_PLACES = 500
const MOST_CALLERS = 2_000

/** What is counted for each token that asks one model of one provider through one gateway. */
export class CallerSeries {
  /** By the first digit of the status. */
  readonly requests = new Float64Array(6)
  input = 0
  output = 0
  cacheRead = 0
  cacheWrite = 0
  reasoning = 0
  /** Picodollars. */
  pico = 0
  /** Requests refused by a limit, by our word for it. */
  readonly refusals = new Map<string, number>()

  constructor(readonly token: string) {}
}

/** What is counted for one model of one provider through one gateway, whoever asks. */
export class PlaceSeries {
  readonly duration = new Histogram()
  readonly firstByte = new Histogram()
  readonly firstWord = new Histogram()
  readonly errors = new Map<string, number>()
  readonly callers = new Map<string, CallerSeries>()
  hits = 0
  misses = 0
  retries = 0

  constructor(readonly labels: { gateway: string; provider: string; model: string }) {}
}

type Place = Map<string, PlaceSeries>

/** Counts attempts in plain numbers, for a fraction of what a library of metrics would take on each request. */
export class SeriesBook {
  readonly #names = {
    gateways: new Names(MOST.gateways),
    providers: new Names(MOST.providers),
    models: new Names(MOST.models),
    tokens: new Names(MOST.tokens),
    codes: new Names(MOST.codes),
  }
  readonly #tree = new Map<string, Map<string, Place>>()
  readonly #places: PlaceSeries[] = []
  #callers = 0

  get places(): readonly PlaceSeries[] {
    return this.#places
  }

  /** The series of an attempt, made where there is none yet. */
  placeOf({ gateway, provider, model, status, usage }: AttemptRecord): PlaceSeries {
    const { gateways, providers, models } = this.#names
    // A name is the caller's to choose. It is taken up once it has led somewhere: a gateway to a provider, and a model to
    // an answer, or at least to a failure that is not about the request.
    const reached = provider !== undefined
    const served = status < 400 || status >= 500 || status === 429 || usage !== undefined
    return this.#place(
      gateways.of(gateway, reached || gateway === 'default'),
      provider === undefined ? '' : providers.of(provider, true),
      model === undefined ? '' : models.of(model, reached && served),
    )
  }

  /** The series of who asked; the empty name stands for callers without a token. */
  callerOf(place: PlaceSeries, token = ''): CallerSeries {
    const name = this.#names.tokens.of(token, true)
    const known = place.callers.get(name)
    if (known) return known
    if (this.#callers >= MOST_CALLERS && name !== OTHER) return this.callerOf(place, OTHER)
    const made = new CallerSeries(name)
    // One `other` for each place is beyond the bound, and there are only so many places.
    this.#callers++
    place.callers.set(name, made)
    return made
  }

  code(code: string): string {
    return this.#names.codes.of(code, true)
  }

  #place(gateway: string, provider: string, model: string): PlaceSeries {
    const known = this.#tree.get(gateway)?.get(provider)?.get(model)
    if (known) return known
    if (this.#places.length >= MOST_PLACES && !(gateway === OTHER && provider === OTHER && model === OTHER))
      return this.#place(OTHER, OTHER, OTHER)
    const made = new PlaceSeries({ gateway, provider, model })
    const providers = getOrMake(this.#tree, gateway, () => new Map<string, Place>())
    getOrMake(providers, provider, () => new Map<string, PlaceSeries>()).set(model, made)
    this.#places.push(made)
    return made
  }
}

function getOrMake<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key)
  if (known !== undefined) return known
  const made = make()
  map.set(key, made)
  return made
}

/** Adds one, or more. */
export const count = (map: Map<string, number>, key: string, by = 1): void => {
  map.set(key, (map.get(key) ?? 0) + by)
}
