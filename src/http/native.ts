import { Elysia } from 'elysia'
import type { Exchange } from '../gateway/exchange.ts'
import { noSuchProvider } from '../gateway/fault.ts'
import type { Gateway } from '../gateway/index.ts'
import { readBytes } from './body.ts'
import { nativeOperations } from './documentation-native.ts'
import { envelopeResponse, faultResponse, notFound } from './faults.ts'
import { pathOf } from './path.ts'

/**
 * Provider-native addresses: `/v1/{account}/{gateway}/{provider}/{path}`, any method, in the provider's own format both
 * ways (contract 1.1, row 1). The path is taken from the address as it was written: escapes in it must not change.
 */
export function nativeRoutes(gateway: Gateway) {
  const native = async ({ request }: { request: Request }): Promise<Response> => {
    const path = pathOf(request.url)
    const [, , account = '', gatewayId = '', slug = '', ...rest] = path.split('/')
    // The unified endpoint has a few addresses, and all others below it are mistakes.
    if (slug === 'compat') return faultResponse(notFound(request))
    const found = gateway.provider(slug)
    const reach = found instanceof Promise ? await found : found
    let exchange: Exchange | undefined
    try {
      exchange = await gateway.admit({
        request,
        surface: 'native',
        path,
        account,
        gatewayId,
        keyPlaces: reach && { headers: reach.provider.keyIn, query: reach.provider.keyQuery },
      })
      if (!reach) throw noSuchProvider(slug)
      exchange.target = { reach, model: '' }
      const body = await readBytes(request, gateway.config.server.max_body)
      const query = request.url.indexOf('?')
      return await gateway.native(exchange, {
        method: request.method,
        path: nativePath(rest),
        query: query < 0 ? '' : request.url.slice(query),
        headers: request.headers,
        body,
      })
    } catch (fault) {
      return envelopeResponse(exchange ? gateway.refuse(exchange, fault) : fault)
    }
  }
  const app = new Elysia({ name: 'native' })
    .all('/v1/:account/:gateway/:provider', native, { parse: 'none', detail: { hide: true } })
    .all('/v1/:account/:gateway/:provider/*', native, { parse: 'none', detail: { hide: true } })
  for (const { method, path, detail } of nativeOperations) app.route(method, path, native, { parse: 'none', detail })
  return app
}

/** Generated clients have one parameter for all of the path, and escape the slashes in it. */
const nativePath = (steps: readonly string[]): string =>
  steps.length === 1 ? steps[0]!.replace(/%2f/gi, '/') : steps.join('/')
