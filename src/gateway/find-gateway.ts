import type { GatewaySettings } from '../schemas/gateway.ts'
import type { Exchange } from './exchange.ts'
import { noSuchGateway } from './fault.ts'

/** What `default` is before anybody configures it (contract 1.2). */
const DEFAULT: GatewaySettings = { authentication: true, collect_logs: true, cache_ttl: 0 }

/** The settings of a declared gateway; `default` exists always. */
export function settingsOf(gateways: Record<string, GatewaySettings>, id: string): GatewaySettings | undefined {
  const declared = Object.hasOwn(gateways, id) ? gateways[id] : undefined
  if (declared) return { ...DEFAULT, ...declared }
  return id === 'default' ? DEFAULT : undefined
}

/**
 * Before authentication an unknown gateway counts as closed, so that ids cannot be guessed from outside; afterwards
 * {@link demandGateway} tells that it does not exist.
 */
export function gatewayOrClosed(gateways: Record<string, GatewaySettings>, id: string): GatewaySettings {
  return settingsOf(gateways, id) ?? DEFAULT
}

/** @throws GatewayFault 400/2001 for an id that nobody declared */
export function demandGateway(exchange: Exchange): void {
  if (!settingsOf(exchange.settings.config.gateways, exchange.gatewayId))
    throw noSuchGateway(exchange.gatewayId.slice(0, 64))
}
