import { picoOf } from '../../costs/money.ts'
import type { GatewaySettings } from '../../schemas/gateway.ts'
import type { Refused } from '../../storage/counters/counters.ts'
import type { Window } from '../../storage/counters/window.ts'
import type { Exchange } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import type { Claim } from './claim.ts'
import { dollars, inTime } from './words.ts'

/** The limits of a gateway, made ready once for all its requests; amounts of tokens and money are each request's own. */
export interface GatewayLimits {
  requests?: Claim
  tokens?: Claim
  /** Each gives nothing for a request that it is not about. */
  spend: readonly ((exchange: Exchange) => Claim | undefined)[]
}

type Rule = NonNullable<NonNullable<GatewaySettings['spend_limits']>['rules']>[number]
type Filter = NonNullable<Rule['provider']>

const ready = new WeakMap<GatewaySettings, { gatewayId: string; limits: GatewayLimits | undefined }>()

/** The limits that the settings of a gateway ask for; nothing where they ask for none. */
export function limitsOf(settings: GatewaySettings, gatewayId: string): GatewayLimits | undefined {
  const known = ready.get(settings)
  if (known?.gatewayId === gatewayId) return known.limits
  const limits = made(settings, gatewayId)
  ready.set(settings, { gatewayId, limits })
  return limits
}

function made(settings: GatewaySettings, gatewayId: string): GatewayLimits | undefined {
  const { rate_limiting_interval: seconds, rate_limiting_technique: technique, spend_limits } = settings
  const kind = technique ?? 'fixed'
  const window: Window | undefined = seconds ? { kind, seconds } : undefined
  const { rate_limiting_limit: most, rate_limiting_tokens: mostTokens } = settings
  const spend = spend_limits?.enabled
    ? (spend_limits.rules ?? []).filter(isOn).map((rule, at) => spendRule(gatewayId, rule, at))
    : []
  const requests = most && window ? rate(gatewayId, most, window) : undefined
  const tokens = mostTokens ? tokenRate(gatewayId, mostTokens, window ?? { kind, seconds: MINUTE_S }) : undefined
  if (!requests && !tokens && !spend.length) return undefined
  return { spend, ...(requests && { requests }), ...(tokens && { tokens }) }
}

const MINUTE_S = 60
const isOn = ({ enabled }: Rule) => enabled !== false

/** A limit of requests or tokens that is used up (contract 5.1). */
export const rateLimited = (message: string, { retryAfter }: Refused) =>
  new GatewayFault({
    status: 429,
    number: 2003,
    code: 'rate_limited',
    type: 'rate_limit_error',
    message: `Rate limited: ${message}; try again in ${retryAfter} s`,
    retryAfter,
  })

function rate(gatewayId: string, limit: number, window: Window): Claim {
  return {
    key: `rate:${gatewayId}`,
    limit,
    amount: 1,
    window,
    counts: 'requests',
    shown: true,
    refusal: said =>
      rateLimited(
        `the gateway "${gatewayId}" takes ${limit} ${limit === 1 ? 'request' : 'requests'} ${inTime(window)}`,
        said,
      ),
  }
}

function tokenRate(gatewayId: string, limit: number, window: Window): Claim {
  return {
    key: `tokens:${gatewayId}`,
    limit,
    amount: 0,
    window,
    counts: 'tokens',
    shown: false,
    refusal: (said, { amount }) =>
      rateLimited(
        `the gateway "${gatewayId}" takes ${limit} tokens ${inTime(window)}, ${said.used} are used or promised, and this request may need ${amount}`,
        said,
      ),
  }
}

/** A budget that is used up (contract 5.2). */
export const overspent = (message: string, { retryAfter }: Pick<Refused, 'retryAfter'>) =>
  new GatewayFault({
    status: 429,
    number: 2041,
    code: 'spend_limit_reached',
    type: 'rate_limit_error',
    message: `Spend limit reached: ${message}`,
    retryAfter,
  })

function spendRule(gatewayId: string, rule: Rule, index: number): GatewayLimits['spend'][number] {
  // One without an id is known by what it says, so that a change of its neighbours is no change of it.
  const id =
    rule.id ??
    Bun.hash
      .crc32(JSON.stringify([index, rule]))
      .toString(16)
      .padStart(8, '0')
  const technique = rule.technique ?? 'sliding'
  const window: Window = { kind: technique, seconds: rule.window }
  const limit = picoOf(Math.min(rule.limit, MOST_USD))
  const metadata = Object.entries(rule.metadata ?? {})
  const whole: Claim = {
    key: `spend:${gatewayId}:${id}`,
    limit,
    amount: 0,
    window,
    counts: 'cost',
    shown: false,
    refusal: (said, _claim, { target }) =>
      overspent(
        `rule ${id} allows ${dollars(limit)} in ${rule.window} s (${technique}), ${dollars(said.used)} are spent or promised; provider ${target!.reach.provider.slug}, model ${target!.model.slice(0, 128)}`,
        said,
      ),
  }
  if (!rule.provider && !rule.model && !metadata.length) return () => whole
  return ({ target, controls }) => {
    const parts: string[] = []
    const { reach, model } = target!
    if (!fits(rule.provider, reach.provider.slug, parts) || !fits(rule.model, model, parts)) return undefined
    for (const [name, filter] of metadata) {
      const said = controls.metadata?.[name]
      if (!fits(filter, said === undefined || said === null ? undefined : String(said), parts)) return undefined
    }
    return parts.length ? { ...whole, key: `${whole.key}:${bucketOf(parts)}` } : whole
  }
}

/** @param parts takes what a bucket of its own is kept for */
function fits(filter: Filter | undefined, value: string | undefined, parts: string[]): boolean {
  if (!filter) return true
  if (filter.mode !== 'partition') return value !== undefined && filter.values?.includes(value) === true
  parts.push(value ?? '')
  return true
}

/** A number of picodollars holds no more. */
const MOST_USD = 9_000
const LONGEST_BUCKET = 128

/** A counter of its own for every value; long ones by their hash, so that they do not fill the memory. */
function bucketOf(parts: readonly string[]): string {
  const text = JSON.stringify(parts)
  return text.length <= LONGEST_BUCKET ? text : `#${new Bun.CryptoHasher('sha256').update(text).digest('hex')}`
}
