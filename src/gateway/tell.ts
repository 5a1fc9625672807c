import type { Exchange } from './exchange.ts'

/** Whether this request is to be put on record. */
export const collects = ({ controls, gateway }: Pick<Exchange, 'controls' | 'gateway'>): boolean =>
  controls.collectLog ?? gateway.collect_logs !== false

/** What every answer says of its request, whoever gave it (contract 3.2). Written into the headers themselves. */
export function tell(exchange: Exchange, headers: Headers): void {
  const { controls, ids } = exchange
  headers.set('cf-aig-cache-status', 'MISS')
  headers.set('cf-aig-event-id', ids.event)
  headers.set('cf-aig-request-id', ids.request)
  if (collects(exchange)) headers.set('cf-aig-log-id', ids.log)
  if (controls.dropped) headers.append('postern-dropped', controls.dropped.join(', '))
}
