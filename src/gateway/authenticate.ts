import { credentialIn as withoutScheme } from '../providers/auth/credential.ts'
import type { Exchange } from './exchange.ts'
import { GatewayFault, unauthorized } from './fault.ts'
import type { Caller } from './tokens.ts'

/** What SDKs send where a key must be given and none is meant (contract 2.2). */
const PLACEHOLDERS = new Set([
  '',
  'unused',
  'dummy',
  'none',
  'null',
  'undefined',
  'placeholder',
  'CF_TEMP_TOKEN',
  'not-needed',
  'no-key',
])

/** The credential of a header, with or without its scheme. */
export function credentialIn(value: string | null): string | undefined {
  if (value === null) return undefined
  const credential = withoutScheme(value)
  return PLACEHOLDERS.has(credential) ? undefined : credential
}

/** A credential found where a provider's key may stand. */
interface Found {
  /** The header's name, or `?` and the name of the parameter. */
  place: string
  credential: string
}

/**
 * Finds out who calls, and whether they may.
 * @throws GatewayFault 401 on a gateway that demands a token, 403 when the token does not open it
 */
export function authenticate(exchange: Exchange): void | Promise<void> {
  if (!exchange.settings.accounts.has(exchange.account)) throw unauthorized()
  const pending = sortCredentials(exchange)
  return pending ? pending.then(() => demandCaller(exchange)) : demandCaller(exchange)
}

/**
 * Tells our tokens from keys of providers. Ours comes in `cf-aig-authorization`, or wherever this provider's key normally
 * travels; any other credential there is the caller's own key and goes upstream (contract section 2).
 */
export function sortCredentials(exchange: Exchange): undefined | Promise<void> {
  const { tokens } = exchange.settings
  const explicit = credentialIn(exchange.headers.get('cf-aig-authorization'))
  const first = explicit === undefined ? undefined : tokens.find(explicit)
  const found = credentialsOf(exchange)
  const owners = found.map(({ credential }) => (credential === explicit ? first : tokens.find(credential)))
  if (first instanceof Promise || owners.some(owner => owner instanceof Promise))
    return Promise.all([first, ...owners]).then(([first, ...owners]) =>
      settle(exchange, explicit, first, found, owners),
    )
  settle(exchange, explicit, first, found, owners as (Caller | undefined)[])
  return undefined
}

/** What stands in the places of a key; a placeholder in one of them is noted, for it must not go upstream. */
function credentialsOf(exchange: Exchange): Found[] {
  const { headers, query } = exchange.keyPlaces
  const found: Found[] = []
  const look = (place: string, value: string | null) => {
    if (value === null) return
    const credential = credentialIn(value)
    if (credential !== undefined) found.push({ place, credential })
    else withhold(exchange, place)
  }
  for (const name of headers) look(name, exchange.headers.get(name))
  const { url } = exchange.request
  const mark = query === undefined ? -1 : url.indexOf('?')
  if (mark >= 0) look(`?${query}`, new URLSearchParams(url.slice(mark + 1)).get(query!))
  return found
}

function withhold(exchange: Exchange, place: string): void {
  exchange.withheld = [...(exchange.withheld ?? []), place]
}

function settle(
  exchange: Exchange,
  explicit: string | undefined,
  first: Caller | undefined,
  found: readonly Found[],
  owners: readonly (Caller | undefined)[],
): void {
  let caller = first
  for (const [at, { place, credential }] of found.entries()) {
    const owner = owners[at]
    // A token of ours that no longer opens anything is still no key of a provider's, and nobody else's business.
    if (owner || credential === explicit || credential.startsWith('pst_')) {
      withhold(exchange, place)
      if (explicit === undefined) caller ??= owner
    } else exchange.callerKey ??= credential
  }
  // A step of a request that has shown its token need not show it again.
  exchange.caller = caller ?? exchange.caller
}

function demandCaller(exchange: Exchange): void {
  const { gateway, gatewayId, caller } = exchange
  const refusal = caller && refusalOf(caller, gatewayId)
  if (gateway.authentication === false) {
    // Anybody may call, but a token that does not fit here opens no keys of the operator's either.
    if (refusal) exchange.caller = undefined
    return
  }
  if (!caller) throw unauthorized()
  if (refusal) throw forbidden(refusal)
}

/** Why a token does not open a gateway, or nothing. */
function refusalOf({ name, permissions, gateways }: Caller, gatewayId: string): string | undefined {
  if (!permissions.has('run')) return `the token "${name}" lacks the permission "run"`
  if (gateways && !gateways.has(gatewayId)) return `the token "${name}" does not open the gateway "${gatewayId}"`
  return undefined
}

const forbidden = (message: string) =>
  new GatewayFault({ status: 403, number: 2009, code: 'forbidden', type: 'permission_error', message })
