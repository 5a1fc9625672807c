import { pathOf } from './path.ts'

/** What a page may read of an answer; `*` for the providers' own, which have many names (rate limits, request ids). */
const EXPOSED = [
  'cf-aig-cache-status',
  'cf-aig-log-id',
  'cf-aig-event-id',
  'cf-aig-request-id',
  'cf-aig-step',
  'cf-aig-model',
  'cf-aig-provider',
  'cf-aig-dlp',
  'cf-aig-run-id',
  'cf-aig-routed-model',
  'cf-aig-routing-reason',
  'cf-aig-routing-decision-id',
  'payment-required',
  'postern-dropped',
  'retry-after',
  'x-request-id',
  '*',
].join(', ')

const METHODS = 'GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS'
/** Where the client names none, the ones that every browser client needs. */
const USUAL_HEADERS = 'authorization, content-type, cf-aig-authorization'
/** Two hours is the most that any browser keeps a preflight. */
const MAX_AGE_S = '7200'

/** Addresses that models are called at; settings and records are no business of a page from elsewhere. */
const DATA_PLANE = /^\/(?:v1|client\/v4\/accounts\/[^/]+\/ai)\//

const SHORT = /^\/v1\/(?:chat\/completions|models)\/?$/

/** Bun hands its server on beside the request, and so does this. */
export type Handler = (request: Request, ...more: unknown[]) => Response | Promise<Response>

/**
 * Lets pages of any origin call models (contract 3.2). A token is always sent by the page itself, in a header, and never
 * by the browser: answers do not allow credentials, so that no page can use what it does not know. A gateway that asks
 * for no token is closed to them: any page would otherwise read what the models of this machine say.
 *
 * Elysia asks this for a handler on every request: without an `Origin`, it is the one that was there.
 */
export function withCors(handler: Handler, request: Request, isOpen: (gatewayId: string) => boolean): Handler {
  const origin = request.headers.get('origin')
  if (origin === null) return handler
  const path = pathOf(request.url)
  if (!DATA_PLANE.test(path) || isOpen(gatewayOf(path, request))) return handler
  // Any other OPTIONS is the provider's business.
  if (request.method === 'OPTIONS' && request.headers.has('access-control-request-method'))
    return ({ headers }) => preflight(origin, headers)
  return async (request, ...more) => {
    const response = await handler(request, ...more)
    // A socket that was upgraded has no answer.
    if (!(response instanceof Response)) return response
    // Set on the answer itself: a copy would start its stream anew.
    response.headers.set('access-control-allow-origin', origin)
    response.headers.set('access-control-expose-headers', EXPOSED)
    response.headers.append('vary', 'origin')
    return response
  }
}

/** The gateway that an address means; the short ones mean the default. */
function gatewayOf(path: string, request: Request): string {
  const [, plane, , third = ''] = path.split('/')
  if (plane === 'client') return request.headers.get('cf-aig-gateway-id') ?? 'default'
  return SHORT.test(path) ? 'default' : third
}

/** The answer to what a browser asks before it sends anything that a form could not. */
function preflight(origin: string, asked: Headers): Response {
  return new Response(null, {
    status: 204,
    headers: {
      'access-control-allow-origin': origin,
      'access-control-allow-methods': METHODS,
      'access-control-allow-headers': asked.get('access-control-request-headers') || USUAL_HEADERS,
      'access-control-max-age': MAX_AGE_S,
      vary: 'origin, access-control-request-method, access-control-request-headers',
    },
  })
}
