import type { Exchange } from './exchange.ts'
import { GatewayFault } from './fault.ts'

/**
 * Which key goes upstream: the caller's own, then the operator's (contract 2.2). A server that needs none may go without.
 * @throws GatewayFault 400 when there is none
 */
export function chooseCredential(exchange: Exchange): void {
  const { provider, settings } = exchange.target!.reach
  const stored = settings.keys?.default || Object.values(settings.keys ?? {}).find(Boolean)
  // On an open gateway nobody has shown a token: the operator's keys are only for those who have (contract 2.1).
  exchange.credential = exchange.callerKey ?? (exchange.caller ? stored : undefined)
  if (exchange.credential || (provider.keyless && !stored)) return
  const where = provider.slug.startsWith('custom-')
    ? `custom_providers.${provider.slug.slice(7)}`
    : `providers.${provider.slug}`
  const variable = provider.variable ? ` (or ${provider.variable} in the environment)` : ''
  throw new GatewayFault({
    status: 400,
    code: 'no_provider_key',
    param: 'model',
    message: stored
      ? `the key for ${provider.title} is kept for callers with a token of this gateway: send one in cf-aig-authorization, or a key of your own in Authorization`
      : `there is no key for ${provider.title}: set ${where}.keys.default in postern.yaml${variable}, or send a key of your own in Authorization and the gateway's token in cf-aig-authorization`,
  })
}
