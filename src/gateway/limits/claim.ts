import type { Limit, Refused, Taken } from '../../storage/counters/counters.ts'
import type { Exchange } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'

/** What a limit counts: it is corrected to what was really used when a request is over. */
export type Counted = 'requests' | 'tokens' | 'cost'

/**
 * One limit that a request has to fit in, and what is said when it does not. What counts requests is one object for all
 * of them; of the others there is one without an amount, of which each request has a copy with its own.
 */
export interface Claim extends Limit {
  readonly counts: Counted
  /** Told to clients in `ratelimit-*`. */
  readonly shown: boolean
  refusal(refused: Refused, claim: Limit, exchange: Exchange): GatewayFault
}

/** What a request may use of a limit at most. Member by member: a spread costs several times as much. */
export const claiming = ({ key, limit, window, counts, shown, refusal }: Claim, amount: number): Claim => ({
  key,
  limit,
  amount,
  window,
  counts,
  shown,
  refusal,
})

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
  const answer = exchange.settings.live.counters.take(claims)
  if (answer instanceof Promise) return answer.then(said => taken(exchange, claims, said))
  taken(exchange, claims, answer)
}

function taken(exchange: Exchange, claims: readonly Claim[], said: Taken | Refused): void {
  if (!said.ok) throw said.unavailable ? unavailable() : refused(claims[said.which]!, said, exchange)
  exchange.claimed.push({ claims, taken: said })
  for (let which = 0; which < claims.length; which++) {
    const { shown, limit } = claims[which]!
    if (!shown) continue
    exchange.shared.rateLimit = { limit, remaining: said.remaining[which]!, reset: said.resets[which]! }
    return
  }
}

function refused(claim: Claim, said: Refused, exchange: Exchange): GatewayFault {
  const fault = claim.refusal(said, claim, exchange)
  if (claim.shown) fault.rateLimit = { limit: claim.limit, remaining: 0, reset: said.retryAfter }
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
  for (const { claims, taken } of claimed) {
    const used: number[] = []
    for (let which = 0; which < claims.length; which++) {
      const { counts, amount } = claims[which]!
      used.push(counts === 'tokens' ? tokens : counts === 'cost' ? cost : amount)
    }
    taken.settle(used)
  }
}
