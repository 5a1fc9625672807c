import type { Config } from '../config/schema.ts'
import type { JsonObject } from '../conversation/conversation.ts'
import { dollarsOf } from '../costs/money.ts'
import { priceFor } from '../costs/prices.ts'
import { endpointOf, type ListedModel } from '../providers/provider.ts'
import type { Reach } from '../providers/registry.ts'
import type { Logger } from '../telemetry/log.ts'
import { defaultKey } from './credential.ts'
import type { Exchange } from './exchange.ts'
import { addressOf, placeOf } from './place.ts'

const FRESH_MS = 600_000
/** A provider that was silent is asked again sooner. */
const RETRY_MS = 30_000
const PATIENCE_MS = 5_000

interface Entry {
  /** The models as they are listed, with their prices: looking one up takes a tenth of a millisecond. */
  rows: JsonObject[]
  until: number
}

/** The models of every provider that has a key or needs none, asked from the providers and kept for ten minutes. */
export class ModelCatalogue {
  readonly #entries = new Map<string, Promise<Entry>>()

  forget(): void {
    this.#entries.clear()
  }

  /** Cloudflare's list (contract 1.4): OpenAI's, with prices by the token. */
  async list(exchange: Pick<Exchange, 'settings' | 'caller' | 'gatewayId'>, log: Logger): Promise<JsonObject> {
    const { registry, config } = exchange.settings
    const entries = await Promise.all(
      registry.all.map(async reach => {
        if (!reach.provider.models) return undefined
        const key = await defaultKey(exchange, reach)
        // As with chat, the operator's keys are only for callers with a token (contract 2.1).
        const served = key === undefined ? reach.provider.keyless : exchange.caller
        return served ? this.#entry(reach, key, config.prices, log) : undefined
      }),
    )
    return { object: 'list', data: entries.flatMap(entry => entry?.rows ?? []) }
  }

  async #entry(reach: Reach, key: string | undefined, prices: Config['prices'], log: Logger): Promise<Entry> {
    const { slug } = reach.provider
    const kept = this.#entries.get(slug)
    if (kept && (await kept).until > Date.now()) return kept
    const asked = ask(reach, key).then(
      async models => ({ rows: await rowsOf(reach, models, prices), until: Date.now() + FRESH_MS }),
      (cause: unknown) => {
        const reason = cause instanceof Refused ? cause.message : 'no answer'
        // A local server that is not running is no news.
        if (!reach.provider.keyless) log.warn({ provider: slug, reason }, 'the list of models could not be read')
        return { rows: [], until: Date.now() + RETRY_MS }
      },
    )
    this.#entries.set(slug, asked)
    return asked
  }
}

async function rowsOf(
  { provider }: Reach,
  models: readonly ListedModel[],
  prices: Config['prices'],
): Promise<JsonObject[]> {
  const { slug, priced = slug } = provider
  const rows: JsonObject[] = []
  for (const model of models) {
    const id = `${slug}/${model.id}`
    const rates = (await priceFor(prices, id, priced, model.id))?.rates
    rows.push({
      id,
      object: 'model',
      created: model.created ?? 0,
      created_at: model.created ?? 0,
      owned_by: slug,
      cost_in: rates ? dollarsOf(rates.input ?? 0) : null,
      cost_out: rates ? dollarsOf(rates.output ?? 0) : null,
    })
  }
  return rows
}

class Refused extends Error {}

async function ask(reach: Reach, credential: string | undefined): Promise<readonly ListedModel[]> {
  const { provider, settings } = reach
  const list = provider.models!
  const place = placeOf(reach, '', false, credential)
  const headers = { ...endpointOf(provider, { ...place, model: 'x' })?.headers }
  for (const name in settings.headers) headers[name.toLowerCase()] = settings.headers[name]!
  const outgoing = { url: new URL(addressOf(reach, list.path, place)).href, method: 'GET' as const, headers }
  const signal = AbortSignal.timeout(PATIENCE_MS)
  if (credential) await provider.auth(outgoing, credential, { fetch: (url, init) => fetch(url, { ...init, signal }) })
  const response = await fetch(outgoing.url, { headers: outgoing.headers, redirect: 'manual', signal })
  if (!response.ok) throw new Refused(`status ${response.status}`)
  return list.read(await response.json())
}
