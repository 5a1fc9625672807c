import { declaredAt } from '../config/declared.ts'
import type { Config } from '../config/schema.ts'
import type { GatewaySettings } from '../schemas/gateway.ts'
import type { Window } from '../storage/counters/window.ts'
import type { Decision } from '../telemetry/attempt-record.ts'
import { asksForCache } from './cache/plan.ts'
import type { Controls } from './controls.ts'
import type { ChatExchange, Exchange } from './exchange.ts'

type Facts = Record<string, string | number | boolean | null>

/**
 * What was decided on the way of an attempt that is over, for `explain`. Most requests go the way of many others: then it is
 * one list for all of them, frozen. Otherwise it is put into words when it is written down, off the request's way, and holds
 * nothing of the bodies until then.
 */
export function decisionsOf(exchange: Exchange): readonly Decision[] | (() => readonly Decision[]) {
  const { caller, gateway, gatewayId, key, place, target, claimed, cachePlan, controls } = exchange
  const { written, client } = exchange as Partial<ChatExchange>
  const { config, stored } = exchange.settings
  const { cached = false } = exchange.outcome
  // The turn that this attempt leads to is taken behind it, and stands there by the time that this is written down.
  const { turns = [] } = exchange.shared
  const wanted = cachePlan !== undefined || asksForCache(exchange)
  const dropped = written?.dropped
  const dialect = written?.dialect.name
  const member = place?.member.id
  const tell = (): readonly Decision[] => {
    const decisions: Decision[] = [
      { step: 'authenticate', what: whoOf(caller, gateway), ...(caller && { facts: { token: caller.name } }) },
      { step: 'gateway', what: gatewayId, facts: { authentication: gateway.authentication !== false } },
    ]
    const said = controlDecisions(controls, gateway)
    decisions.push(...said.values())
    for (const setting of settingsOf(gateway, gatewayId, config, stored))
      if (!said.has(setting.what)) decisions.push(setting)
    for (const { node, type, output, why } of turns)
      decisions.push({ step: 'route', what: `${node}: ${why}`, facts: { node, type, output, why } })
    if (cachePlan) decisions.push(cacheDecision(cachePlan, cached, target, key))
    else
      decisions.push({
        step: 'cache',
        what: wanted ? 'not asked: the request was refused before, is no POST, or is too large' : whyNot(controls),
      })
    for (const { claims } of claimed)
      for (const { key: what, limit, amount: taken, window, counts } of claims)
        decisions.push({ step: 'limits', what, facts: { counts, limit, taken, window: windowOf(window) } })
    if (key) decisions.push({ step: 'key', what: wordsOf(key), facts: { of: key.of } })
    if (member !== undefined) decisions.push({ step: 'pool', what: member })
    if (target) decisions.push({ step: 'target', what: `${target.reach.provider.slug}/${target.model}` })
    if (client && dialect)
      decisions.push({
        step: 'translate',
        what: client.name === dialect ? 'the same dialect' : `${client.name} to ${dialect}`,
        facts: { from: client.name, to: dialect, ...(dropped?.length && { dropped: dropped.join(', ') }) },
      })
    if (controls.dropped) decisions.push({ step: 'headers', what: `without effect: ${controls.dropped.join(', ')}` })
    return decisions
  }
  const isUsual = !cachePlan && !exchange.shared.turns && !claimed.length && !dropped?.length && member === undefined
  if (!isUsual || saysAnything(controls)) return tell
  const model = target && `${target.reach.provider.slug}/${target.model}`
  // What a caller writes stands last.
  const way = [caller?.name, key && wordsOf(key), client?.name, dialect, wanted, gatewayId, model].join(UNIT)
  return usualWay(gateway, way, tell)
}

/** Between the members of a text that tells one way from another. */
const UNIT = '\u001f'
const MOST_WAYS = 500
const usualWays = new WeakMap<GatewaySettings, Map<string, readonly Decision[]>>()

function usualWay(gateway: GatewaySettings, way: string, tell: () => readonly Decision[]): readonly Decision[] {
  const ways = usualWays.get(gateway) ?? new Map<string, readonly Decision[]>()
  usualWays.set(gateway, ways)
  const known = ways.get(way)
  if (known) return known
  if (ways.size >= MOST_WAYS) ways.clear()
  const decisions = Object.freeze(tell())
  ways.set(way, decisions)
  return decisions
}

function saysAnything(controls: Controls): boolean {
  if (controls.dropped) return true
  for (const [member] of SAID) if (controls[member] !== undefined) return true
  return false
}

const whoOf = (caller: Exchange['caller'], gateway: GatewaySettings): string =>
  caller
    ? `the token "${caller.name}"`
    : gateway.authentication === false
      ? 'no token, on an open gateway'
      : 'no token that is known here'

const wordsOf = (key: NonNullable<Exchange['key']>): string =>
  key.of === 'caller' ? 'the caller’s own' : `"${key.alias}" of the ${key.of}`

const windowOf = (window: Window): string =>
  window.kind === 'calendar' ? window.period : `${window.kind}, ${window.seconds} s`

/** Names and identities alone: a header's value may be anything. */
function cacheDecision(
  { key, ttl, made }: NonNullable<Exchange['cachePlan']>,
  hit: boolean,
  target: Exchange['target'],
  credential: Exchange['key'],
): Decision {
  const facts: Facts = { key, ttl, hit, named: made === undefined }
  if (made) {
    facts.provider = target?.reach.provider.slug ?? null
    facts.model = target?.model ?? null
    facts.method = 'POST'
    // A query may hold anything.
    facts.path = made.path.replace(/\?.*$/s, '?…')
    facts.credential = credential ? wordsOf(credential) : 'none'
    facts.surface = made.surface
    if (made.headers?.length) facts.headers = made.headers.map(([name]) => name).join(', ')
  }
  return { step: 'cache', what: hit ? 'a hit' : 'a miss', facts }
}

function whyNot({ skipCache, cacheTtl }: Controls): string {
  if (skipCache) return 'passed over: cf-aig-skip-cache'
  return cacheTtl === 0 ? 'passed over: cf-aig-cache-ttl is 0' : 'off: cache_ttl of the gateway is 0'
}

/** Of a gateway: what has a place of its own, a secret in it, or nothing to do with one request. */
const NOT_TOLD = new Set<string>([
  'authentication',
  'routes',
  'policies',
  'otel',
  'stripe',
  'logpush',
  'logpush_public_key',
  'log_management',
  'log_management_strategy',
  'store_id',
  'workers_ai_billing_mode',
])

const settingLists = new WeakMap<GatewaySettings, readonly Decision[]>()

/** What a gateway's settings say beside the usual, and where: the same for many requests, until they are read again. */
function settingsOf(
  gateway: GatewaySettings,
  gatewayId: string,
  config: Config,
  stored: Exchange['settings']['stored'],
): readonly Decision[] {
  const known = settingLists.get(gateway)
  if (known) return known
  const declared = Object.hasOwn(config.gateways, gatewayId)
  const from = declared ? 'file' : stored.gateways.has(gatewayId) ? 'api' : 'default'
  const list = Object.entries(gateway).flatMap(([name, value]): Decision[] => {
    if (!isTold(name, value)) return []
    const at = declared ? declaredAt(config, ['gateways', gatewayId, name]) : undefined
    const told = typeof value === 'object' ? 'set' : (value as string | number | boolean)
    return [{ step: 'setting', what: name, facts: { value: told, from, ...(at !== undefined && { at }) } }]
  })
  settingLists.set(gateway, list)
  return list
}

function isTold(name: string, value: unknown): boolean {
  if (NOT_TOLD.has(name) || value === null || value === undefined) return false
  // On unless somebody says otherwise; all else is off.
  return name.startsWith('collect_') ? value === false : value !== false && value !== 0
}

/** What a header may say, by what the gateway calls it, where it does. */
const SAID: readonly (readonly [member: keyof Controls, setting: string, header: string])[] = [
  ['skipCache', 'skip_cache', 'cf-aig-skip-cache'],
  ['cacheTtl', 'cache_ttl', 'cf-aig-cache-ttl'],
  ['cacheKey', 'cache_key', 'cf-aig-cache-key'],
  ['collectLog', 'collect_logs', 'cf-aig-collect-log'],
  ['collectPayload', 'collect_log_payload', 'cf-aig-collect-log-payload'],
  ['requestTimeout', 'request_timeout', 'cf-aig-request-timeout'],
  ['maxAttempts', 'retry_max_attempts', 'cf-aig-max-attempts'],
  ['retryDelay', 'retry_delay', 'cf-aig-retry-delay'],
  ['backoff', 'retry_backoff', 'cf-aig-backoff'],
  ['byokAlias', 'byok_alias', 'cf-aig-byok-alias'],
  ['noWholesale', 'byok_only', 'cf-aig-no-wholesale'],
  ['zdr', 'zdr', 'cf-aig-zdr'],
  ['customCost', 'custom_cost', 'cf-aig-custom-cost'],
  ['allowedModels', 'allowed_models', 'cf-aig-allowed-models'],
  ['allowedProviders', 'allowed_providers', 'cf-aig-allowed-providers'],
]
/** A key may have been sent there by mistake, and a name for the cache may be a secret of the caller's. */
const HIDDEN = new Set<keyof Controls>(['byokAlias', 'cacheKey'])

/** What the request, a step or a route says, and what the gateway would have said. */
function controlDecisions(controls: Controls, gateway: GatewaySettings): Map<string, Decision> {
  const said = new Map<string, Decision>()
  for (const [member, setting, header] of SAID) {
    const value = controls[member]
    if (value === undefined) continue
    const from = controls.sources?.[member] ?? 'header'
    const instead: unknown = gateway[setting as keyof GatewaySettings]
    said.set(setting, {
      step: 'setting',
      what: setting,
      facts: {
        value: typeof value === 'object' || HIDDEN.has(member) ? 'set' : value,
        from,
        ...((from === 'header' || from === 'step') && { at: header }),
        ...(typeof instead !== 'object' && instead !== undefined && { instead_of: instead as string }),
      },
    })
  }
  return said
}
