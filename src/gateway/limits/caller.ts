import type { Config } from '../../config/schema.ts'
import { picoOf } from '../../costs/money.ts'
import { calendarWindows, slidingWindow } from '../../storage/counters/window.ts'
import type { KeyUsed } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import type { Claim } from './claim.ts'
import { overspent, rateLimited } from './gateway-limits.ts'
import { dollars, inTime } from './words.ts'

/** What one token, or one key, may use. */
export interface Rate {
  limit: number
  seconds: number
}

export interface Budget {
  /** USD. */
  amount: number
  period: 'hourly' | 'daily' | 'weekly' | 'monthly'
}

export interface CallerLimits {
  rate?: Rate
  /** In and out together. */
  tokens?: Rate
  budget?: Budget
}

/** The limits of a caller, made ready once for all its requests; amounts of tokens and money are each request's own. */
export interface ReadyLimits {
  rate?: Claim
  tokens?: Claim
  budget?: Claim
}

const ready = new WeakMap<CallerLimits, { name: string; limits: ReadyLimits }>()

/** The limits of a token. */
export function limitsOfToken(name: string, limits: CallerLimits): ReadyLimits {
  const known = ready.get(limits)
  if (known?.name === name) return known.limits
  const { rate, tokens, budget } = limits
  const made: ReadyLimits = {
    ...(rate && { rate: tokenRate(name, rate) }),
    ...(tokens && { tokens: tokenTokens(name, tokens) }),
    ...(budget && { budget: budgetOf(name, budget) }),
  }
  ready.set(limits, { name, limits: made })
  return made
}

function tokenRate(name: string, { limit, seconds }: Rate): Claim {
  const window = slidingWindow(seconds)
  return {
    key: `rate:token:${name}`,
    limit,
    amount: 1,
    window,
    counts: 'requests',
    shown: true,
    refusal: said => rateLimited(`the token "${name}" is good for ${limit} requests ${inTime(window)}`, said),
  }
}

function tokenTokens(name: string, { limit, seconds }: Rate): Claim {
  const window = slidingWindow(seconds)
  return {
    key: `tokens:token:${name}`,
    limit,
    amount: 0,
    window,
    counts: 'tokens',
    shown: false,
    refusal: (said, { amount }) =>
      rateLimited(
        `the token "${name}" is good for ${limit} tokens ${inTime(window)}, ${said.used} are used or promised, and this request may need ${amount}`,
        said,
      ),
  }
}

function budgetOf(name: string, { amount: usd, period }: Budget): Claim {
  const window = calendarWindows[period]
  const limit = picoOf(usd)
  return {
    key: `budget:token:${name}`,
    limit,
    amount: 0,
    window,
    counts: 'cost',
    shown: false,
    refusal: said =>
      overspent(
        `the budget of the token "${name}" is ${dollars(limit)} ${inTime(window)}, ${dollars(said.used)} are spent or promised`,
        said,
      ),
  }
}

export function keyRate(
  { id, alias }: Extract<KeyUsed, { of: 'store' }>,
  { limit, seconds }: Rate,
  title: string,
): Claim {
  return {
    key: `rate:key:${id}`,
    limit,
    amount: 1,
    window: slidingWindow(seconds),
    counts: 'requests',
    shown: false,
    refusal: said =>
      rateLimited(`the key "${alias}" for ${title} has served the ${limit} requests of its period`, said),
  }
}

/** The house's keys have a limit of their own for each gateway (contract 2.4). */
export function houseThroughput(
  gatewayId: string,
  { rate_limit: limit, rate_limit_period: seconds }: Config['billing'],
): Claim {
  return {
    key: `rate:house:${gatewayId}`,
    limit,
    amount: 1,
    window: slidingWindow(seconds),
    counts: 'requests',
    shown: false,
    refusal: ({ retryAfter }) =>
      new GatewayFault({
        status: 429,
        number: 2018,
        code: 'house_throughput',
        type: 'rate_limit_error',
        message: `the house's keys serve ${limit} requests in ${seconds} s on the gateway "${gatewayId}"; try again in ${retryAfter} s, or send a key of your own`,
        retryAfter,
      }),
  }
}
