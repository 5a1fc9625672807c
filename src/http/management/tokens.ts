import { declaredAt } from '../../config/declared.ts'
import type { Config, Permission } from '../../config/schema.ts'
import { demandAllGateways, forbidden, type Manager, notThere } from '../../gateway/manage.ts'
import {
  type ManagedToken,
  NewToken,
  PermissionGroupsQuery,
  TokenReplacement,
  TokensQuery,
} from '../../schemas/management/tokens.ts'
import type { StoredToken, TokenDetails } from '../../storage/store.ts'
import { hashToken, newToken } from '../../storage/token-secret.ts'
import { invalid, success, taken, unchangeable } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader, queryReader } from './input.ts'
import { pageFrom, pageIn } from './paging.ts'
import { grantIn, permissionGroups, policiesOf } from './token-policies.ts'

/**
 * Tokens of clients under the calls of Cloudflare's account-owned API tokens. Those of the configuration are listed with
 * those of the store, marked, and changed there. Nobody gives away more than they have.
 */

const readNew = bodyReader(NewToken)
const readReplacement = bodyReader(TokenReplacement)
const readQuery = queryReader(TokensQuery)
const readGroupsQuery = queryReader(PermissionGroupsQuery)

const DECLARED = 'file:'

/** A token as it is told of. */
interface Listed {
  shown: ManagedToken
  /** Of the store. */
  kept?: StoredToken
}

const listTokens: ManagementHandler = async ({ request, manager }) => {
  demandAllGateways(manager)
  const { direction = 'asc', include_expired, ...page } = readQuery(request)
  const list = (await listedOf(manager))
    .map(({ shown }) => shown)
    .filter(({ status }) => include_expired === true || status !== 'expired')
  return pageFrom(direction === 'desc' ? list.reverse() : list, pageIn(page))
}

const getToken: ManagementHandler = async ({ params, manager }) => success((await found(manager, params)).shown)

const createToken: ManagementHandler = async ({ request, manager }) => {
  demandAllGateways(manager)
  const { settings, store, caller } = manager
  const { value, notes } = await readNew(request, settings.config.server.max_body)
  const { name } = value
  const grant = grantIn(value, settings.accounts)
  demandOwn(manager, grant.permissions)
  const declared = settings.config.tokens.findIndex(one => one.name === name)
  if (declared >= 0) throw taken(`name: there is a token "${name}" already, in ${placeOf(settings.config, declared)}`)
  if ((await store.tokens.list()).some(one => one.name === name))
    throw taken(`name: there is a token "${name}" already; choose another name`)
  const secret = newToken()
  const made = await store.tokens.add({
    name,
    hash: hashToken(secret),
    ...grant,
    ...detailsIn(value),
    created: Date.now(),
  })
  settings.tokens.forget(made.hash)
  settings.log.info({ by: caller.name, token: name, ...grant }, 'token made')
  return success({ ...shownOf(manager, made), value: secret }, { notes })
}

/** PUT: what the body leaves out ends. Its value stays. */
const replaceToken: ManagementHandler = async ({ request, params, manager }) => {
  const kept = await changeable(manager, params)
  const { settings, caller } = manager
  const { value, notes } = await readReplacement(request, settings.config.server.max_body)
  if (value.name !== kept.name)
    throw wrong('name', 'cannot be changed, for limits and records go by it; make another token, and remove this one')
  const grant = grantIn(value, settings.accounts)
  demandOwn(manager, grant.permissions)
  const { id, name, hash, created } = kept
  const details = detailsIn(value)
  if (value.status === 'expired' && (details.expires ?? Number.POSITIVE_INFINITY) > Date.now())
    throw wrong('status', 'expected "active" or "disabled"; expires_on says when it expires')
  const disabled = value.status === 'disabled' ? { disabled: true } : {}
  const next = { id, name, hash, created, ...grant, ...details, ...disabled, modified: Date.now() }
  await keep(manager, next, hash)
  settings.log.info({ by: caller.name, token: name, ...grant, ...disabled }, 'token changed')
  return success(shownOf(manager, next), { notes })
}

const deleteToken: ManagementHandler = async ({ params, manager }) => {
  const { id, name, hash } = await changeable(manager, params, false)
  const { settings, store, caller } = manager
  if (!(await store.tokens.remove(name))) throw notThere('token')
  settings.tokens.forget(hash)
  settings.log.info({ by: caller.name, token: name }, 'token removed')
  return success({ id })
}

/** A new value; the old one opens nothing any more. */
const rollToken: ManagementHandler = async ({ params, manager }) => {
  const kept = await changeable(manager, params)
  const secret = newToken()
  await keep(manager, { ...kept, hash: hashToken(secret), modified: Date.now() }, kept.hash)
  manager.settings.log.info({ by: manager.caller.name, token: kept.name }, 'token rolled')
  return success(secret)
}

/** For any token, whatever it may do: it has shown itself, so it is in force. */
const verifyToken: ManagementHandler = async ({ manager }) => {
  const one = (await listedOf(manager)).find(({ shown }) => shown.name === manager.caller.name)
  if (!one) throw notThere('token')
  const { id, expires_on, not_before } = one.shown
  return success({ id, status: 'active', ...(expires_on && { expires_on }), ...(not_before && { not_before }) })
}

const listPermissionGroups: ManagementHandler = ({ request }) => {
  const { name, scope } = readGroupsQuery(request)
  return success(
    permissionGroups.filter(
      one => (name === undefined || one.name === name) && (scope === undefined || one.scopes.includes(scope)),
    ),
  )
}

export const tokens = {
  listTokens,
  getToken,
  createToken,
  replaceToken,
  deleteToken,
  rollToken,
  verifyToken,
  verifyUserToken: verifyToken,
  listPermissionGroups,
}

/** Those of the configuration, then those of the store, oldest first. */
async function listedOf(manager: Manager): Promise<Listed[]> {
  const { config } = manager.settings
  const declared = config.tokens.map(token => ({ shown: declaredOf(manager, token) }))
  const kept = await manager.store.tokens.list()
  return [...declared, ...kept.map(one => ({ shown: shownOf(manager, one), kept: one }))]
}

async function found(manager: Manager, { id }: Readonly<Record<string, string>>): Promise<Listed> {
  demandAllGateways(manager)
  const one = (await listedOf(manager)).find(({ shown }) => shown.id === id)
  if (!one) throw notThere('token')
  return one
}

/**
 * @param own whether the caller must have what the token has
 * @throws GatewayFault 409 for a token of the configuration
 */
async function changeable(
  manager: Manager,
  params: Readonly<Record<string, string>>,
  own = true,
): Promise<StoredToken> {
  const { shown, kept } = await found(manager, params)
  const { config } = manager.settings
  if (!kept) {
    const place = placeOf(
      config,
      config.tokens.findIndex(({ name }) => name === shown.name),
    )
    throw unchangeable(`the token "${shown.name}" is declared in ${place}: change it there`)
  }
  if (own) demandOwn(manager, kept.permissions)
  return kept
}

const placeOf = (config: Config, index: number) => declaredAt(config, ['tokens', String(index)]) ?? 'the configuration'

/** @throws GatewayFault 403 where a token would get at more than it has */
function demandOwn({ caller }: Manager, permissions: readonly Permission[]): void {
  const lacking = permissions.find(permission => !caller.permissions.has(permission))
  if (lacking)
    throw forbidden(`the token "${caller.name}" lacks the permission "${lacking}", and cannot give it to another`)
}

/** @param before the hash under which it was known */
async function keep({ store, settings }: Manager, token: StoredToken, before: string): Promise<void> {
  const kept = await store.tokens.change(token)
  for (const hash of [before, token.hash]) settings.tokens.forget(hash)
  if (!kept) throw notThere('token')
}

const LIMITS = [
  'rate_limit',
  'token_limit',
  'rate_limit_period',
  'budget',
  'budget_period',
  'groups',
  'claims',
] as const satisfies (keyof TokenDetails)[]

/** @throws GatewayFault 400/7001 for what is no time, and for conditions */
function detailsIn(value: NewToken): TokenDetails {
  if (value.condition && Object.keys(value.condition).length)
    throw wrong('condition', 'not offered here: the addresses of clients are not looked at')
  const not_before = timeIn('not_before', value.not_before)
  const expires = timeIn('expires_on', value.expires_on)
  return {
    ...limitsOf(value),
    ...(not_before !== undefined && { not_before }),
    ...(expires !== undefined && { expires }),
  }
}

function limitsOf(said: { [Name in (typeof LIMITS)[number]]?: TokenDetails[Name] | null }): TokenDetails {
  const details: Record<string, unknown> = {}
  for (const name of LIMITS) if (said[name] !== undefined && said[name] !== null) details[name] = said[name]
  return details
}

function timeIn(name: string, text: string | null | undefined): number | undefined {
  if (text === undefined || text === null) return undefined
  const time = /^\d{4}-\d\d-\d\dT/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isNaN(time)) throw wrong(name, 'expected a time such as 2027-01-01T00:00:00Z')
  return time
}

const wrong = (path: string, why: string) => invalid('body', { path, message: `${path}: ${why}` })

function shownOf({ account }: Manager, token: Omit<StoredToken, 'hash'>): ManagedToken {
  const { id, name, permissions, gateways, created, modified, expires, not_before, disabled } = token
  const grant = { permissions, ...(gateways && { gateways }) }
  const expired = expires !== undefined && expires <= Date.now()
  return {
    id,
    name,
    status: disabled ? 'disabled' : expired ? 'expired' : 'active',
    issued_on: timeOf(created),
    modified_on: timeOf(modified || created),
    ...(expires !== undefined && { expires_on: timeOf(expires) }),
    ...(not_before !== undefined && { not_before: timeOf(not_before) }),
    policies: policiesOf(grant, id, account),
    ...grant,
    ...(limitsOf(token) as Partial<ManagedToken>),
  }
}

function declaredOf(manager: Manager, token: Config['tokens'][number]): ManagedToken {
  const { name, permissions, gateways } = token
  const at = manager.settings.config.declared?.modified ?? Math.floor(performance.timeOrigin)
  const kept = { id: `${DECLARED}${name}`, name, permissions, created: at, modified: at, ...limitsOf(token) }
  return { ...shownOf(manager, { ...kept, ...(gateways && { gateways }) }), declared: true }
}

const timeOf = (at: number) => new Date(at).toISOString()
