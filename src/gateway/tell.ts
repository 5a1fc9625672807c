import type { Exchange, RateLimit } from './exchange.ts'

/** Whether this request is to be put on record. */
export const collects = ({ controls, gateway }: Pick<Exchange, 'controls' | 'gateway'>): boolean =>
  controls.collectLog ?? gateway.collect_logs !== false

/** What every answer says of its request, whoever gave it (contract 3.2). Written into the headers themselves. */
export function tell(exchange: Exchange, headers: Headers): void {
  const { controls, ids, shared } = exchange
  headers.set('cf-aig-cache-status', exchange.outcome.cached ? 'HIT' : 'MISS')
  headers.set('cf-aig-event-id', ids.event)
  headers.set('cf-aig-request-id', ids.request)
  if (collects(exchange)) headers.set('cf-aig-log-id', ids.log)
  if (shared.rateLimit) tellRate(shared.rateLimit, headers)
  if (controls.dropped) headers.append('postern-dropped', controls.dropped.join(', '))
}

/** The names of the IETF's draft, of which clients read `remaining` and `reset`. */
export function tellRate({ limit, remaining, reset }: RateLimit, headers: Headers): void {
  headers.set('ratelimit-limit', String(limit))
  headers.set('ratelimit-remaining', String(remaining))
  headers.set('ratelimit-reset', String(reset))
}
