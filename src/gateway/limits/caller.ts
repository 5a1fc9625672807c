import type { Config } from '../../config/schema.ts'
import { picoOf } from '../../costs/money.ts'
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

export function tokenRate(name: string, { limit, seconds }: Rate): Claim {
  const window = { kind: 'sliding', seconds } as const
  return {
    limit: { key: `rate:token:${name}`, limit, amount: 1, window },
    counts: 'requests',
    shown: true,
    refusal: said => rateLimited(`the token "${name}" is good for ${limit} requests ${inTime(window)}`, said),
  }
}

export function tokenTokens(name: string, { limit, seconds }: Rate, amount: number): Claim {
  const window = { kind: 'sliding', seconds } as const
  return {
    limit: { key: `tokens:token:${name}`, limit, amount, window },
    counts: 'tokens',
    refusal: said =>
      rateLimited(
        `the token "${name}" is good for ${limit} tokens ${inTime(window)}, ${said.used} are used or promised, and this request may need ${amount}`,
        said,
      ),
  }
}

export function budgetOf(name: string, { amount: usd, period }: Budget, amount: number): Claim {
  const window = { kind: 'calendar', period } as const
  const limit = picoOf(usd)
  return {
    limit: { key: `budget:token:${name}`, limit, amount, window },
    counts: 'cost',
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
    limit: { key: `rate:key:${id}`, limit, amount: 1, window: { kind: 'sliding', seconds } },
    counts: 'requests',
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
    limit: { key: `rate:house:${gatewayId}`, limit, amount: 1, window: { kind: 'sliding', seconds } },
    counts: 'requests',
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
