import type { Permission } from '../config/schema.ts'
import { credentialIn as withoutScheme } from '../providers/auth/credential.ts'
import type { Store } from '../storage/store.ts'
import type { Settings } from './exchange.ts'
import { GatewayFault } from './fault.ts'
import type { Caller } from './tokens.ts'

/** Who manages, and on what: one call of the management API has the same settings from its beginning to its end. */
export interface Manager {
  readonly caller: Caller
  readonly account: string
  readonly settings: Settings
  readonly store: Store
}

/** Where clients of Cloudflare's API put their credential (contract 11); the older two hold our token here. */
const PLACES = ['authorization', 'x-auth-user-service-key', 'x-auth-key']

/** Cloudflare's numbers (contract 11.1). */
const AUTHENTICATION = 10_000
const NOT_FOUND = 7_002

/**
 * Finds out who manages, and whether they may. An account that is not there is answered like a wrong token.
 * @param account the first of the configuration where the address names none
 * @param permission any token will do where it is left out
 * @throws GatewayFault 401 without a token of ours, 403 for one that lacks the permission
 */
export async function managerOf(
  settings: Settings,
  store: Store,
  headers: Headers,
  account: string | undefined,
  permission: Permission | undefined,
): Promise<Manager> {
  const [first = ''] = settings.config.accounts
  const one = account ?? first
  const caller = settings.accounts.has(one) ? await callerIn(settings, headers) : undefined
  if (!caller)
    throw new GatewayFault({
      status: 401,
      number: AUTHENTICATION,
      code: 'unauthorized',
      type: 'authentication_error',
      message: 'Authentication error: send a token of this gateway as `Authorization: Bearer <token>`',
    })
  if (permission && !caller.permissions.has(permission))
    throw forbidden(`the token "${caller.name}" lacks the permission "${permission}"`)
  return { caller, account: one, settings, store }
}

async function callerIn({ tokens }: Settings, headers: Headers): Promise<Caller | undefined> {
  for (const place of PLACES) {
    const value = headers.get(place)
    const caller = value === null ? undefined : await tokens.find(withoutScheme(value))
    if (caller) return caller
  }
  return undefined
}

/** @throws GatewayFault 403 for a gateway that the token does not open, whether it is there or not; 404 for one that is not */
export function demandManaged({ caller, settings }: Manager, gatewayId: string): void {
  if (caller.gateways && !caller.gateways.has(gatewayId))
    throw forbidden(`the token "${caller.name}" does not open this gateway`)
  if (!settings.gateways.has(gatewayId)) throw notThere('gateway')
}

/** @throws GatewayFault 403 where a token for some gateways asks for what belongs to all of them */
export function demandAllGateways({ caller }: Manager): void {
  if (caller.gateways)
    throw forbidden(`the token "${caller.name}" is for some gateways only, and this is for all of them`)
}

/** Throws away what is kept of a gateway's answers. @returns whether that went well; otherwise the log says why */
export async function emptyCache({ live, log }: Pick<Settings, 'live' | 'log'>, gateway: string): Promise<boolean> {
  try {
    const answers = await live.cache.purge(gateway)
    if (answers) log.info({ gateway, answers }, 'cache emptied: the settings of the gateway have changed')
    return true
  } catch (error) {
    log.error({ error, gateway }, 'the cache of the gateway cannot be emptied')
    return false
  }
}

/** @param what in a word: `gateway` */
export const notThere = (what: string) =>
  new GatewayFault({
    status: 404,
    number: NOT_FOUND,
    code: 'not_found',
    type: 'not_found_error',
    message: `there is no such ${what}`,
  })

export const forbidden = (message: string) =>
  new GatewayFault({ status: 403, number: AUTHENTICATION, code: 'forbidden', type: 'permission_error', message })
