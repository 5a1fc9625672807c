import type { Reach } from '../providers/registry.ts'
import type { StoredKey } from '../storage/store.ts'
import type { Exchange } from './exchange.ts'
import { GatewayFault } from './fault.ts'
import { ANY_OF_A_POOL } from './pooled.ts'

/** A key of the file. */
interface HouseKey {
  alias: string
  text: string
}

/**
 * Which key goes upstream: the caller's own, then the operator's by the alias in `cf-aig-byok-alias`, else the default
 * (contract 2.2). Of two keys with one alias that of the file wins. A server that needs none may go without. Keys of the
 * file are the house's: `byok_only` and `cf-aig-no-wholesale` forbid them.
 * @throws GatewayFault 400 when there is none, 400/2040 for an alias that is not there
 */
export function chooseCredential(exchange: Exchange): void | Promise<void> {
  exchange.credential = exchange.callerKey
  if (exchange.credential) {
    exchange.key = CALLERS
    return
  }
  const alias = exchange.controls.byokAlias
  const { provider, members } = exchange.target!.reach
  if (members && alias === undefined && !keepsToStored(exchange)) {
    demandCaller(exchange)
    // Which of them is asked is decided for each attempt; until then they count as one.
    exchange.key = { of: 'house', alias: ANY_OF_A_POOL }
    return
  }
  const declared = declaredKey(houseKeys(exchange), alias ?? DEFAULT)
  if (declared) {
    useHouse(exchange, declared)
    return
  }
  const found = exchange.settings.keys.of(provider.slug)
  // The store is asked now and then only; between times no request waits for a promise.
  if (found instanceof Promise) return found.then(stored => chooseStored(exchange, alias, stored))
  chooseStored(exchange, alias, found)
}

/**
 * The key that serves callers who name no alias, for a question of our own to the provider: it does not count against
 * the key's limit. Nothing when there is none, or none that can be decrypted.
 */
export async function defaultKey(
  { settings, gatewayId }: Pick<Exchange, 'settings' | 'gatewayId'>,
  reach: Reach,
): Promise<string | undefined> {
  const { keys } = reach.settings
  const declared = declaredKey(keys, DEFAULT)
  if (declared) return declared.text
  const stored = storedDefault(reachable(await settings.keys.of(reach.provider.slug), gatewayId))
  return stored ? settings.keys.open(stored) : firstOf(keys)?.text
}

const DEFAULT = 'default'
/** Of a limit without a period. */
const MINUTE_S = 60
const CALLERS = { of: 'caller' } as const

/** The keys of the file, as far as this request may use them. */
const houseKeys = (exchange: Exchange): Record<string, string> | undefined =>
  keepsToStored(exchange) ? undefined : exchange.target!.reach.settings.keys

const keepsToStored = ({ gateway, controls }: Exchange): boolean =>
  gateway.byok_only === true || controls.noWholesale === true

function declaredKey(keys: Record<string, string> | undefined, alias: string): HouseKey | undefined {
  const text = keys && Object.hasOwn(keys, alias) ? keys[alias] : undefined
  return text ? { alias, text } : undefined
}

function chooseStored(exchange: Exchange, alias: string | undefined, stored: readonly StoredKey[]): void {
  const { provider } = exchange.target!.reach
  const house = houseKeys(exchange)
  const kept = reachable(stored, exchange.gatewayId)
  const key = alias === undefined ? storedDefault(kept) : storedNamed(kept, alias)
  if (key) {
    useStored(exchange, key)
    return
  }
  const first = alias === undefined ? firstOf(house) : undefined
  if (first) {
    useHouse(exchange, first)
    return
  }
  const aliases = new Set([...aliasesOf(house), ...kept.map(({ alias }) => alias)])
  // On an open gateway nobody has shown a token, and which keys there are is nobody else's business.
  if (aliases.size && !exchange.caller) throw onlyForCallers(exchange)
  if (alias !== undefined) throw unknownAlias(exchange, alias, aliases)
  if (!provider.keyless || aliases.size) throw noKey(exchange, aliases)
}

/** What the store has for a gateway: its own keys before those of all. */
const reachable = (stored: readonly StoredKey[], gatewayId: string): readonly StoredKey[] => [
  ...stored.filter(key => key.gateway === gatewayId),
  ...stored.filter(key => key.gateway === undefined),
]

/** Where one is marked as the default it goes before one that is only called so, unless that one is the gateway's own. */
function storedDefault(kept: readonly StoredKey[]): StoredKey | undefined {
  const first = kept.find(key => key.is_default || key.alias === DEFAULT)
  return kept.find(key => key.is_default && key.gateway === first?.gateway) ?? first
}

const storedNamed = (kept: readonly StoredKey[], alias: string): StoredKey | undefined =>
  kept.find(key => key.alias === alias) ?? (alias === DEFAULT ? kept.find(key => key.is_default) : undefined)

function firstOf(keys: Record<string, string> | undefined): HouseKey | undefined {
  const found = Object.entries(keys ?? {}).find(([, text]) => text)
  return found && { alias: found[0], text: found[1] }
}

const aliasesOf = (keys: Record<string, string> | undefined) =>
  Object.keys(keys ?? {}).filter(alias => declaredKey(keys, alias))

/** On an open gateway nobody has shown a token: the operator's keys are only for those who have (contract 2.1). */
function demandCaller(exchange: Exchange): void {
  if (!exchange.caller) throw onlyForCallers(exchange)
}

function useHouse(exchange: Exchange, { alias, text }: HouseKey): void {
  demandCaller(exchange)
  exchange.credential = text
  exchange.key = { of: 'house', alias }
}

function useStored(exchange: Exchange, key: StoredKey): void {
  demandCaller(exchange)
  exchange.credential = opened(exchange, key)
  const { alias, id, modified, rate_limit, rate_limit_period } = key
  const limit = rate_limit === undefined ? undefined : { limit: rate_limit, seconds: rate_limit_period ?? MINUTE_S }
  exchange.key = { of: 'store', alias, id, modified, ...(limit && { limit }) }
}

function opened({ target, settings }: Exchange, key: StoredKey): string {
  const { title } = target!.reach.provider
  const value = settings.keys.open(key)
  // Never another key in its place: who pays, and what may be seen, would change without a word (contract 2.2).
  if (value === undefined)
    throw new GatewayFault({
      status: 500,
      code: 'stored_key_unavailable',
      message: `Configured BYOK credentials are unavailable: the stored key "${key.alias}" for ${title} cannot be decrypted; the operator has to put back the encryption key that it was stored under, or store it again with \`postern key add\``,
    })
  return value
}

const onlyForCallers = ({ target }: Exchange) =>
  new GatewayFault({
    status: 400,
    code: 'no_provider_key',
    param: 'model',
    message: `the key for ${target!.reach.provider.title} is kept for callers with a token of this gateway: send one in cf-aig-authorization, or a key of your own in Authorization`,
  })

/** What was asked for is repeated only where it looks like an alias: a key may have been sent there by mistake. */
const ALIAS = /^[\w.-]{1,64}$/

const unknownAlias = ({ target }: Exchange, alias: string, aliases: ReadonlySet<string>) =>
  new GatewayFault({
    status: 400,
    number: 2040,
    code: 'unknown_key_alias',
    param: 'cf-aig-byok-alias',
    message: `provider ${target!.reach.provider.slug} has no BYOK credential named ${ALIAS.test(alias) ? `"${alias}"` : 'as asked for'}; configured aliases: ${listed(aliases)}`,
  })

function noKey(exchange: Exchange, aliases: ReadonlySet<string>): GatewayFault {
  const { slug, title, variable } = exchange.target!.reach.provider
  const where = slug.startsWith('custom-') ? `custom_providers.${slug.slice(7)}` : `providers.${slug}`
  const instead = "send a key of your own in Authorization and the gateway's token in cf-aig-authorization"
  return new GatewayFault({
    status: 400,
    code: 'no_provider_key',
    param: 'model',
    message: keepsToStored(exchange)
      ? `no key for ${title} is stored for this gateway, and the house's keys are not for this request (${exchange.gateway.byok_only ? 'byok_only' : 'cf-aig-no-wholesale'}): ${instead}, or store one with \`postern key add ${slug}\``
      : aliases.size
        ? `no key for ${title} is the default; name one in cf-aig-byok-alias (configured aliases: ${listed(aliases)}), or ${instead}`
        : `there is no key for ${title}: set ${where}.keys.default in postern.yaml${variable ? ` (or ${variable} in the environment)` : ''}, store one with \`postern key add ${slug}\`, or ${instead}`,
  })
}

const listed = (aliases: ReadonlySet<string>) => [...aliases].sort().join(', ') || 'none'
