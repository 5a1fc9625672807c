import type { Usage } from '../conversation/reply.ts'
import { costOf } from '../costs/cost.ts'
import { dollarsOf } from '../costs/money.ts'
import type { Price } from '../costs/price.ts'
import type { AttemptRecord } from '../telemetry/attempt-record.ts'
import { recordOf } from './attempt-record.ts'
import { countUsage } from './count-usage.ts'
import type { Exchange } from './exchange.ts'
import { settle } from './limits/claim.ts'
import { leavePlace } from './pooled.ts'
import { limitPriceOf, priceOf } from './price.ts'

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
  if (exchange.place) leavePlace(exchange)
  if (outcome.isOpen) exchange.settings.streams.open--
  const ended = performance.now()
  if ((outcome.usage === undefined || isCutShort(exchange)) && isCountable(exchange)) void count(exchange, ended)
  else settlePrice(exchange, ended)
}

/** What a provider has said of its usage so far is only its beginning (T95). */
const isCutShort = ({ outcome: { left, error } }: Exchange): boolean => left === true || error !== undefined

/** A good answer, or what came of one, whose provider did not say what it used. */
const isCountable = ({ outcome, kept }: Exchange): boolean =>
  kept !== undefined && kept.size > 0 && !outcome.cached && (outcome.status === CLIENT_LEFT || outcome.status! < 300)

async function count(exchange: Exchange, ended: number): Promise<void> {
  const counted = await countUsage(exchange).catch(fault => {
    exchange.settings.log.error({ error: fault }, 'what was used could not be counted')
    return undefined
  })
  exchange.outcome.usage = larger(exchange.outcome.usage, counted)
  settlePrice(exchange, ended)
}

/** What was reported, unless more has come than that. */
function larger(reported: Usage | undefined, counted: Usage | undefined): Usage | undefined {
  if (!reported || !counted) return reported ?? counted
  return counted.output > reported.output ? { ...reported, output: counted.output, source: 'estimated' } : reported
}

function settlePrice(exchange: Exchange, ended: number): void {
  const { outcome } = exchange
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
  const counted = cost && exchange.controls.customCost ? countedCost(exchange, usage!, cost.pico) : (cost?.pico ?? 0)
  if (claimed.length) settle(exchange, usage ? usage.input + usage.output : 0, counted)
  if (counted && exchange.shared.spent.length) addToRoute(exchange, counted)
  credit?.settle(counted).catch(fault => exchange.settings.log.error({ error: fault }, 'credit was not charged'))
  if (exchange.cacheable && exchange.kept && isGood(exchange)) exchange.cacheable(exchange, exchange.kept)
  const { sinks } = exchange.settings
  const made = recordOf(exchange, ended)
  exchange.log(lineOf(made))
  for (const sink of sinks) sink.put(made)
  exchange.kept?.free()
}

/** Limits count what is known of a price, whatever the caller says of it. The list is there: it was asked before the call. */
function countedCost(exchange: Exchange, usage: Usage, said: number): number {
  const price = limitPriceOf(exchange)
  return price && !(price instanceof Promise) ? costOf(usage, price).pico : said
}

/** What a model of a route cost counts where its limits of money are. */
function addToRoute({ shared, settings }: Exchange, cost: number): void {
  const said = settings.live.counters.take(shared.spent.map(limit => ({ ...limit, amount: cost })))
  if (said instanceof Promise) said.catch(fault => settings.log.error({ error: fault }, 'a cost was not counted'))
}

/** A whole answer without a fault. */
const isGood = ({ outcome: { status, error, left, cached } }: Exchange): boolean =>
  status === 200 && !error && !left && !cached

/** Who asked for what, how long it took, what it used and cost; never a body, a key or a header. */
function lineOf(made: AttemptRecord): Record<string, unknown> {
  const { usage, cost } = made
  // What is undefined does not get into the line. No spreads: every request pays for this.
  return {
    id: made.id,
    event: made.event === made.request ? undefined : made.event,
    method: made.method,
    path: made.path,
    status: made.status,
    duration_ms: made.duration,
    first_byte_ms: made.firstByte,
    gateway: made.gateway,
    step: made.step,
    attempt: made.attempt > 1 ? made.attempt : undefined,
    provider: made.provider,
    model: made.model,
    token: made.token,
    stream: made.stream || undefined,
    tokens_in: usage?.input,
    tokens_out: usage?.output,
    estimated: usage?.source === 'estimated' || undefined,
    tokens_cached: usage?.cacheRead || undefined,
    cached: made.cached || undefined,
    cost: cost && dollarsOf(cost.pico),
    error: made.error?.code,
  }
}
