import type { Gateway } from '../gateway/index.ts'
import { pathOf } from './path.ts'

/**
 * A host name that stands for one gateway (`server.domains`): addresses begin there with the provider or with `compat`,
 * and the list of steps is at `/` (contract 1.11). Everything else stays where it is.
 * @returns the request at the address that is meant, or nothing when it means what it says
 */
export function onDomain(gateway: Gateway, request: Request): Request | undefined {
  const { accounts, server } = gateway.config
  if (!Object.keys(server.domains).length) return undefined
  const gatewayId = server.domains[hostOf(request.url)]
  if (gatewayId === undefined) return undefined
  const path = pathOf(request.url)
  const [, slug = ''] = path.split('/', 2)
  const isList = path === '/' && request.method === 'POST'
  // One that the API has just made may not be known here yet.
  const isProvider = slug.startsWith('custom-') || gateway.knowsProvider(slug)
  if (!isList && slug !== 'compat' && !isProvider) return undefined
  const origin = request.url.indexOf(path, request.url.indexOf('://') + 3)
  const place = `${request.url.slice(0, origin)}/v1/${accounts[0]}/${gatewayId}`
  return new Request(`${place}${request.url.slice(origin)}`, request)
}

/** The host name of an address, in lower case and without its port. */
function hostOf(url: string): string {
  const start = url.indexOf('://') + 3
  let end = start
  for (; end < url.length; end++) {
    const char = url.charCodeAt(end)
    // A slash, a colon or a question mark.
    if (char === 47 || char === 58 || char === 63) break
  }
  return url.slice(start, end).toLowerCase()
}
