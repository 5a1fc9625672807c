import type { ProviderSettings } from '../../src/config/schema.ts'
import { type Answer, type ClientGateway, clientGateway, STORED } from './client-gateway.ts'

export { GATEWAY_AUTH, OWN, STORED, TEXT, TOKEN } from './client-gateway.ts'

/** For official clients against provider-native addresses of the executable. */
export interface NativeGateway extends Pick<ClientGateway, 'arrived' | 'count' | 'next'> {
  /** The address of the provider below the gateway, without a slash at its end. */
  base(): string
}

/**
 * Starts the executable and a stand-in of one provider for the tests of this file.
 * @param settings the provider's settings for the stand-in's address
 * @param answer what the stand-in says to anything
 * @param secrets what of its keys must not come out anywhere, where they are not {@link STORED}
 */
export function nativeGateway(
  slug: string,
  settings: (upstream: string) => ProviderSettings,
  answer: Answer,
  secrets?: readonly string[],
): NativeGateway {
  const { address, arrived, count, next } = clientGateway(
    upstream => ({ providers: { [slug]: { keys: { default: STORED }, ...settings(upstream) } } }),
    answer,
    secrets,
  )
  return { base: () => `${address()}/v1/home/default/${slug}`, arrived, count, next }
}
