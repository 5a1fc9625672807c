import type { Exchange } from './exchange.ts'
import { GatewayFault } from './fault.ts'
import { record } from './record.ts'
import { tell, tellRate } from './tell.ts'

/** Faults that stand on record already: one may pass several places that would put it there. */
const refused = new WeakSet<object>()

/** Puts a refusal on record, whoever made it, and gives it back with what its answer says of the request. */
export function refuse(exchange: Exchange, fault: unknown): unknown {
  if (typeof fault === 'object' && fault !== null) {
    if (refused.has(fault)) return fault
    refused.add(fault)
  }
  const known = fault instanceof GatewayFault
  const { outcome, path, settings } = exchange
  outcome.error ??= {
    status: known ? fault.status : 500,
    message: '',
    type: known ? fault.type : 'server_error',
    code: known ? fault.code : 'internal',
    ...(known && fault.number !== undefined && { number: fault.number }),
  }
  if (!known && !outcome.left) settings.log.error({ error: fault, path }, 'a fault of our own')
  record(exchange, outcome.error.status)
  if (known) {
    fault.told = new Headers()
    tell(exchange, fault.told)
    if (fault.rateLimit) tellRate(fault.rateLimit, fault.told)
  }
  return fault
}

/** A fault in other words, which is on record where the first one is. */
export function reworded(fault: GatewayFault, other: GatewayFault): GatewayFault {
  other.told = fault.told
  if (refused.has(fault)) refused.add(other)
  return other
}
