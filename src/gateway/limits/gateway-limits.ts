import { picoOf } from '../../costs/money.ts'
import type { GatewaySettings } from '../../schemas/gateway.ts'
import type { Refused } from '../../storage/counters/counters.ts'
import type { Window } from '../../storage/counters/window.ts'
import type { Exchange } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import type { Claim } from './claim.ts'
import { dollars, inTime } from './words.ts'

/** The limits of a gateway, made ready once for all its requests. */
export interface GatewayLimits {
  requests?: (gatewayId: string) => Claim
  tokens?: (gatewayId: string, amount: number) => Claim
  /** Each gives nothing for a request that it is not about. */
  spend: readonly ((exchange: Exchange, amount: number) => Claim | undefined)[]
}

type Rule = NonNullable<NonNullable<GatewaySettings['spend_limits']>['rules']>[number]
type Filter = NonNullable<Rule['provider']>

const ready = new WeakMap<GatewaySettings, GatewayLimits | null>()

/** The limits that the settings of a gateway ask for; nothing where they ask for none. */
export function limitsOf(settings: GatewaySettings): GatewayLimits | undefined {
  let limits = ready.get(settings)
  if (limits === undefined) {
    limits = made(settings) ?? null
    ready.set(settings, limits)
  }
  return limits ?? undefined
}

function made(settings: GatewaySettings): GatewayLimits | undefined {
  const { rate_limiting_interval: seconds, rate_limiting_technique: technique, spend_limits } = settings
  const kind = technique ?? 'fixed'
  const window: Window | undefined = seconds ? { kind, seconds } : undefined
  const { rate_limiting_limit: most, rate_limiting_tokens: mostTokens } = settings
  const spend = spend_limits?.enabled ? (spend_limits.rules ?? []).filter(isOn).map(spendRule) : []
  const requests = most && window ? (id: string) => rate(id, most, window) : undefined
  const tokens = mostTokens
    ? (id: string, amount: number) => tokenRate(id, amount, mostTokens, window ?? { kind, seconds: MINUTE_S })
    : undefined
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
    limit: { key: `rate:${gatewayId}`, limit, amount: 1, window },
    counts: 'requests',
    shown: true,
    refusal: said =>
      rateLimited(
        `the gateway "${gatewayId}" takes ${limit} ${limit === 1 ? 'request' : 'requests'} ${inTime(window)}`,
        said,
      ),
  }
}

function tokenRate(gatewayId: string, amount: number, limit: number, window: Window): Claim {
  return {
    limit: { key: `tokens:${gatewayId}`, limit, amount, window },
    counts: 'tokens',
    refusal: said =>
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

function spendRule(rule: Rule, index: number): (exchange: Exchange, amount: number) => Claim | undefined {
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
  return (exchange, amount) => {
    const { reach, model } = exchange.target!
    const { slug } = reach.provider
    const parts: string[] = []
    const fits = (filter: Filter | undefined, value: string | undefined) => {
      if (!filter) return true
      if (filter.mode === 'partition') parts.push(value ?? '')
      return filter.mode === 'partition' || (value !== undefined && filter.values?.includes(value) === true)
    }
    if (!fits(rule.provider, slug) || !fits(rule.model, model)) return undefined
    for (const [name, filter] of metadata) {
      const said = exchange.controls.metadata?.[name]
      if (!fits(filter, said === undefined || said === null ? undefined : String(said))) return undefined
    }
    const key = `spend:${exchange.gatewayId}:${id}${parts.length ? `:${bucketOf(parts)}` : ''}`
    return {
      limit: { key, limit, amount, window },
      counts: 'cost',
      refusal: said =>
        overspent(
          `rule ${id} allows ${dollars(limit)} in ${rule.window} s (${technique}), ${dollars(said.used)} are spent or promised; provider ${slug}, model ${model.slice(0, 128)}`,
          said,
        ),
    }
  }
}

/** A number of picodollars holds no more. */
const MOST_USD = 9_000
const LONGEST_BUCKET = 128

/** A counter of its own for every value; long ones by their hash, so that they do not fill the memory. */
function bucketOf(parts: readonly string[]): string {
  const text = JSON.stringify(parts)
  return text.length <= LONGEST_BUCKET ? text : `#${new Bun.CryptoHasher('sha256').update(text).digest('hex')}`
}
