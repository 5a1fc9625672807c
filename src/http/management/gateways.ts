import { declaredAt } from '../../config/declared.ts'
import { notYet } from '../../config/not-yet.ts'
import { demandAllGateways, demandManaged, emptyCache, type Manager, notThere } from '../../gateway/manage.ts'
import type { ManagedGateway as Kept } from '../../gateway/stored-objects.ts'
import type { GatewaySettings } from '../../schemas/gateway.ts'
import {
  GatewayReplacement,
  GatewaysQuery,
  type ManagedGateway,
  NewGateway,
  settingNames,
} from '../../schemas/management/gateways.ts'
import { invalid, success, taken, unchangeable } from './answers.ts'
import type { ManagementHandler } from './call.ts'
import { bodyReader, queryReader } from './input.ts'
import { pageFrom, pageIn } from './paging.ts'

/**
 * Gateways (contract 11.2). Those of the configuration are listed with those of the store, marked, and changed there.
 * `default` is always there: it is made with the first look, and again after it was deleted (contract 1.2).
 */

const readNew = bodyReader(NewGateway)
const readReplacement = bodyReader(GatewayReplacement)
const readQuery = queryReader(GatewaysQuery)

const DEFAULT = 'default'

/** A gateway as it is told of. */
interface Listed {
  shown: ManagedGateway
  /** Of the store. */
  kept?: Kept
}

const listGateways: ManagementHandler = async ({ request, manager }) => {
  const { search = '', ...page } = readQuery(request)
  const { gateways } = manager.caller
  const list = (await listedOf(manager)).filter(
    ({ shown: { id } }) => id.includes(search.toLowerCase()) && (!gateways || gateways.has(id)),
  )
  return pageFrom(
    list.map(({ shown }) => shown),
    pageIn(page),
  )
}

const getGateway: ManagementHandler = async ({ params, manager }) => success((await found(manager, params)).shown)

const createGateway: ManagementHandler = async ({ request, manager }) => {
  demandAllGateways(manager)
  const { settings, caller } = manager
  const { value, notes } = await readNew(request, settings.config.server.max_body)
  const { id } = value
  if (settings.config.gateways[id]) throw taken(`id: there is a gateway "${id}" already, in ${placeOf(manager, id)}`)
  const written = settingsIn(value)
  const made = await settings.stored.addGateway(id, written)
  if (made === 'taken') throw taken(`id: there is a gateway "${id}" already; change it, or choose another id`)
  if (made === 'full') throw invalid('body', { path: 'id', message: 'id: there are as many gateways as there may be' })
  settings.log.info({ by: caller.name, gateway: id }, 'gateway made')
  return success(shownOf(manager, made), { notes: [...notes, ...effectless(written)] })
}

/** PUT: what the body leaves out goes back to its default. */
const replaceGateway: ManagementHandler = async ({ request, params, manager }) => {
  const kept = await changeable(manager, params)
  const { settings, caller } = manager
  const { value, notes } = await readReplacement(request, settings.config.server.max_body)
  const { id } = kept
  const written = settingsIn(value)
  const changed = await settings.stored.changeGateway(kept, written)
  if (!changed) throw notThere('gateway')
  settings.log.info({ by: caller.name, gateway: id }, 'gateway changed')
  notes.push(...effectless(written))
  const differs = !Bun.deepEquals(kept.settings, written)
  if (differs && written.cache_invalidate_on_update && !(await emptyCache(settings, id)))
    notes.push('the cache of the gateway could not be emptied: its log says why')
  return success(shownOf(manager, changed), { notes })
}

const deleteGateway: ManagementHandler = async ({ params, manager }) => {
  const kept = await changeable(manager, params)
  const { settings, store, caller } = manager
  const { id } = kept
  const routes = await store.routes.list(id, 0, ALL_ROUTES)
  const keys = (await store.keys.list()).filter(({ gateway }) => gateway === id)
  if (!(await settings.stored.removeGateway(id))) throw notThere('gateway')
  for (const { name } of routes) settings.routes.forget(id, name)
  for (const { provider } of keys) settings.keys.forget(provider)
  settings.policies.forget(id)
  // One that is made under the same name later shall not show them.
  void settings.live.records
    .remove(id, {})
    .catch(fault => settings.log.error({ error: fault, gateway: id }, 'records were not removed'))
  settings.log.info({ by: caller.name, gateway: id }, 'gateway removed')
  const emptied = await emptyCache(settings, id)
  const notes = emptied ? [] : ['the cache of the gateway could not be emptied: its log says why']
  return success(shownOf(manager, kept), { notes })
}

export const gateways = { listGateways, getGateway, createGateway, replaceGateway, deleteGateway }

/** More than any gateway has. */
const ALL_ROUTES = 100_000

/** Those of the configuration, then those of the store, oldest first. */
async function listedOf(manager: Manager): Promise<Listed[]> {
  const { config, stored } = manager.settings
  const declared = Object.keys(config.gateways).map(id => ({ shown: declaredOf(manager, id) }))
  const kept = await stored.listGateways()
  const others = kept.filter(({ id }) => !config.gateways[id])
  if (!config.gateways[DEFAULT] && !others.some(({ id }) => id === DEFAULT)) others.push(await remade(manager))
  return [...declared, ...others.map(one => ({ shown: shownOf(manager, one), kept: one }))]
}

/** `default`, which somebody else may make at the same time. */
async function remade({ settings: { stored } }: Manager): Promise<Kept> {
  const made = await stored.addGateway(DEFAULT, {})
  if (typeof made === 'object') return made
  const other = (await stored.listGateways()).find(({ id }) => id === DEFAULT)
  return other ?? { id: DEFAULT, settings: {}, created: startedAt(), modified: startedAt() }
}

const startedAt = () => Math.floor(performance.timeOrigin)

async function found(manager: Manager, { gateway = '' }: Readonly<Record<string, string>>): Promise<Listed> {
  demandManaged(manager, gateway)
  const one = (await listedOf(manager)).find(({ shown }) => shown.id === gateway)
  if (!one) throw notThere('gateway')
  return one
}

/** @throws GatewayFault 409 for a gateway of the configuration */
async function changeable(manager: Manager, params: Readonly<Record<string, string>>): Promise<Kept> {
  const { shown, kept } = await found(manager, params)
  if (kept) return kept
  throw unchangeable(`the gateway "${shown.id}" is declared in ${placeOf(manager, shown.id)}: change it there`)
}

const placeOf = ({ settings: { config } }: Manager, id: string) =>
  declaredAt(config, ['gateways', id]) ?? 'the configuration'

/**
 * What a body says of the settings. The rules of a spending limit get the ids that they lack: the same for the same rule,
 * so that who puts it again does not begin to count anew.
 */
function settingsIn(value: GatewayReplacement): GatewaySettings {
  const settings: GatewaySettings = {}
  for (const name of settingNames)
    if (value[name as keyof GatewayReplacement] !== undefined) Object.assign(settings, { [name]: value[name as 'zdr'] })
  const { spend_limits: limits } = settings
  if (!limits?.rules) return settings
  const rules = limits.rules.map((rule, index) => ({
    ...rule,
    id:
      rule.id ??
      Bun.hash
        .crc32(JSON.stringify([index, rule]))
        .toString(16)
        .padStart(8, '0'),
    limitType: 'cost' as const,
  }))
  return { ...settings, spend_limits: { ...limits, rules } }
}

/** Settings that ask for something which this version does not do. */
const effectless = (settings: GatewaySettings): string[] =>
  Object.entries(notYet.gateways)
    .filter(([name, asks]) => asks(settings[name as keyof GatewaySettings]))
    .map(([name]) => `${name}: kept, but without effect yet in this version`)

function declaredOf(manager: Manager, id: string): ManagedGateway {
  const { config } = manager.settings
  const { policies: _, routes: __, ...settings } = config.gateways[id]!
  const at = config.declared?.modified ?? startedAt()
  return { ...told({ id, settings, created: at, modified: at }, false), declared: true }
}

const shownOf = ({ caller }: Manager, kept: Kept): ManagedGateway => told(kept, caller.permissions.has('edit'))

/** @param secrets whether the credentials in the settings are shown */
function told({ id, settings, created, modified }: Kept, secrets: boolean): ManagedGateway {
  return {
    id,
    cache_invalidate_on_update: false,
    cache_ttl: 0,
    collect_logs: true,
    rate_limiting_interval: 0,
    rate_limiting_limit: 0,
    authentication: true,
    ...(secrets ? settings : withoutSecrets(settings)),
    ...(settings.otel && { otel: receiversOf(settings.otel, secrets) }),
    is_default: id === DEFAULT,
    created_at: new Date(created).toISOString(),
    modified_at: new Date(modified).toISOString(),
  }
}

const HIDDEN = '***'

function withoutSecrets(settings: GatewaySettings): GatewaySettings {
  const { stripe } = settings
  return stripe ? { ...settings, stripe: { ...stripe, authorization: HIDDEN } } : settings
}

/** Cloudflare's client counts on `headers`. */
const receiversOf = (receivers: NonNullable<GatewaySettings['otel']>, secrets: boolean) =>
  receivers.map(({ headers = {}, authorization, ...receiver }) => ({
    ...receiver,
    headers: secrets ? headers : Object.fromEntries(Object.keys(headers).map(name => [name, HIDDEN])),
    ...(authorization !== undefined && { authorization: secrets ? authorization : HIDDEN }),
  }))
