import type { Limit, Refused, Taken } from '../../storage/counters/counters.ts'
import type { Exchange } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'

/** What a limit counts: it is corrected to what was really used when a request is over. */
export type Counted = 'requests' | 'tokens' | 'cost'

/** One limit that a request has to fit in, and what is said when it does not. */
export interface Claim {
  limit: Limit
  counts: Counted
  refusal(refused: Refused): GatewayFault
  /** Told to clients in `ratelimit-*`. */
  shown?: boolean
}

/** What a request has taken of its limits; kept with it until it is over. */
export interface Claimed {
  claims: readonly Claim[]
  taken: Taken
}

/**
 * Takes of all limits at once, or of none.
 * @throws GatewayFault for the first that does not fit
 */
export function take(exchange: Exchange, claims: readonly Claim[]): void | Promise<void> {
  const answer = exchange.settings.live.counters.take(claims.map(({ limit }) => limit))
  if (answer instanceof Promise) return answer.then(said => taken(exchange, claims, said))
  taken(exchange, claims, answer)
}

function taken(exchange: Exchange, claims: readonly Claim[], said: Taken | Refused): void {
  if (!said.ok) throw said.unavailable ? unavailable() : refused(claims[said.which]!, said)
  exchange.claimed.push({ claims, taken: said })
  const shown = claims.findIndex(claim => claim.shown)
  if (shown >= 0)
    exchange.shared.rateLimit = {
      limit: claims[shown]!.limit.limit,
      remaining: said.remaining[shown]!,
      reset: said.resets[shown]!,
    }
}

function refused(claim: Claim, said: Refused): GatewayFault {
  const fault = claim.refusal(said)
  if (claim.shown) fault.rateLimit = { limit: claim.limit.limit, remaining: 0, reset: said.retryAfter }
  return fault
}

/** Nothing is known to be used up, and nothing can be counted either. */
const unavailable = () =>
  new GatewayFault({
    status: 503,
    code: 'limits_unavailable',
    message:
      'the store that counts requests cannot be reached, and storage.on_shared_store_failure says that nothing goes on without it; try again soon',
    retryAfter: 1,
  })

/**
 * Corrects what was taken to what was used.
 * @param tokens of prompt and answer together
 * @param cost in picodollars
 */
export function settle({ claimed }: Pick<Exchange, 'claimed'>, tokens: number, cost: number): void {
  for (const { claims, taken } of claimed)
    taken.settle(
      claims.map(({ counts, limit }) => (counts === 'tokens' ? tokens : counts === 'cost' ? cost : limit.amount)),
    )
}
