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
  const credential = value.startsWith('Bearer ') ? value.slice(7) : value.replace(/^bearer(\s+|$)/i, '').trim()
  return PLACEHOLDERS.has(credential) ? undefined : credential
}

/**
 * Finds out who calls. Our token comes in `cf-aig-authorization`, or in `Authorization`, where anything else is the
 * caller's own key for the provider and goes upstream (contract section 2).
 * @throws GatewayFault 401 on a gateway that demands a token, 403 when the token does not open it
 */
export function authenticate(exchange: Exchange): void | Promise<void> {
  const { request, settings } = exchange
  if (!settings.accounts.has(exchange.account)) throw unauthorized()
  const explicit = credentialIn(request.headers.get('cf-aig-authorization'))
  const plain = credentialIn(request.headers.get('authorization'))
  const first = explicit === undefined ? undefined : settings.tokens.find(explicit)
  const second = plain === undefined || plain === explicit ? undefined : settings.tokens.find(plain)
  if (first instanceof Promise || second instanceof Promise)
    return Promise.all([first, second]).then(([first, second]) => settle(exchange, explicit, plain, first, second))
  settle(exchange, explicit, plain, first, second)
}

function settle(
  exchange: Exchange,
  explicit: string | undefined,
  plain: string | undefined,
  first: Caller | undefined,
  second: Caller | undefined,
): void {
  const caller = explicit === undefined ? second : first
  // A token of ours that no longer opens anything is still no key of a provider's, and nobody else's business.
  if (plain !== undefined && plain !== explicit && !second && !plain.startsWith('pst_')) exchange.callerKey = plain
  exchange.caller = caller
  if (exchange.gateway.authentication === false) return
  if (!caller) throw unauthorized()
  if (!caller.permissions.has('run')) throw forbidden(`the token "${caller.name}" lacks the permission "run"`)
  if (caller.gateways && !caller.gateways.has(exchange.gatewayId))
    throw forbidden(`the token "${caller.name}" does not open the gateway "${exchange.gatewayId}"`)
}

const forbidden = (message: string) =>
  new GatewayFault({ status: 403, number: 2009, code: 'forbidden', type: 'permission_error', message })
