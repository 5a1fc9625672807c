import { costOf } from '../costs/cost.ts'
import { dollarsOf } from '../costs/money.ts'
import type { Price } from '../costs/price.ts'
import type { Exchange } from './exchange.ts'
import { settle } from './limits/claim.ts'
import { priceOf } from './price.ts'

/** Nginx's number for a client that closed the connection before the answer was complete. */
const CLIENT_LEFT = 499

/**
 * Puts an attempt on record that is over, and settles what it has taken of limits and credit. Called once, after the last
 * byte; what calls it again changes nothing.
 */
export function record(exchange: Exchange, status: number): void {
  const { outcome } = exchange
  if (outcome.status !== undefined) return
  outcome.status = outcome.left ? CLIENT_LEFT : status
  const ended = performance.now()
  const price = outcome.usage && !outcome.cached ? priceOf(exchange) : undefined
  // The price list has to be loaded once.
  if (price instanceof Promise) price.catch(() => undefined).then(known => close(exchange, ended, known))
  else close(exchange, ended, price)
}

function close(exchange: Exchange, ended: number, price: Price | undefined): void {
  const { outcome, claimed, credit } = exchange
  const { usage, cached } = outcome
  // What comes from the cache costs nothing (contract section 4).
  const cost = usage && price && !cached ? costOf(usage, price) : undefined
  outcome.cost = cost
  if (claimed.length) settle(exchange, usage ? usage.input + usage.output : 0, cost?.pico ?? 0)
  credit
    ?.settle(cost?.pico ?? 0)
    .catch(fault => exchange.settings.log.error({ error: fault }, 'credit was not charged'))
  if (exchange.cacheable && exchange.kept && isGood(exchange)) exchange.cacheable(exchange, exchange.kept)
  writeLine(exchange, ended)
}

/** A whole answer without a fault. */
const isGood = ({ outcome: { status, error, left, cached } }: Exchange): boolean =>
  status === 200 && !error && !left && !cached

/** Who asked for what, how long it took, what it used and cost; never a body, a key or a header. */
function writeLine(exchange: Exchange, ended: number): void {
  const { outcome, target, caller, log, started, ids } = exchange
  const { usage, error, firstByte, cost } = outcome
  log({
    id: ids.log,
    ...(ids.event !== ids.request && { event: ids.event }),
    method: exchange.request.method,
    path: exchange.path,
    status: outcome.status,
    duration_ms: round(ended - started),
    ...(firstByte !== undefined && { first_byte_ms: round(firstByte - started) }),
    gateway: exchange.gatewayId,
    ...(target && { provider: target.reach.provider.slug }),
    ...(target?.model && { model: target.model }),
    ...(caller && { token: caller.name }),
    ...(exchange.stream && { stream: true }),
    ...(usage && { tokens_in: usage.input, tokens_out: usage.output }),
    ...(usage?.cacheRead && { tokens_cached: usage.cacheRead }),
    ...(outcome.cached && { cached: true }),
    ...(cost && { cost: dollarsOf(cost.pico) }),
    // The provider's message may quote the prompt; its code does not.
    ...(error && { error: error.code ?? error.type }),
  })
}

const round = (milliseconds: number) => Math.round(milliseconds * 100) / 100
