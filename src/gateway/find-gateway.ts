import type { GatewaySettings } from '../schemas/gateway.ts'
import type { Exchange } from './exchange.ts'
import { noSuchGateway } from './fault.ts'

/** What a gateway is where its declaration says nothing, and what `default` is before anybody declares it (contract 1.2). */
const DEFAULT: GatewaySettings = { authentication: true, collect_logs: true, cache_ttl: 0 }

/** What stands in for a gateway that is none: it is closed, and nothing of it goes on record. */
const CLOSED: GatewaySettings = { ...DEFAULT, collect_logs: false }

/**
 * The gateways that there are, complete; `default` is always among them.
 * @param stored give way to those of the configuration
 */
export function gatewaysOf(
  declared: Record<string, GatewaySettings>,
  stored: ReadonlyMap<string, GatewaySettings>,
): ReadonlyMap<string, GatewaySettings> {
  const gateways = new Map([['default', DEFAULT]])
  for (const [id, settings] of stored) gateways.set(id, { ...DEFAULT, ...settings })
  for (const [id, settings] of Object.entries(declared)) gateways.set(id, { ...DEFAULT, ...settings })
  return gateways
}

/**
 * Before authentication an unknown gateway counts as closed, so that ids cannot be guessed from outside; afterwards
 * {@link demandGateway} tells that it does not exist.
 */
export function gatewayOrClosed(gateways: ReadonlyMap<string, GatewaySettings>, id: string): GatewaySettings {
  return gateways.get(id) ?? CLOSED
}

/** @throws GatewayFault 400/2001 for an id that nobody declared */
export function demandGateway({ settings, gatewayId }: Exchange): void {
  if (!settings.gateways.has(gatewayId)) throw noSuchGateway(gatewayId.slice(0, 64))
}
