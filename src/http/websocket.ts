import type { Server, WebSocketHandler } from 'bun'
import type { Exchange } from '../gateway/exchange.ts'
import { GatewayFault, invalidRequest, noSuchProvider } from '../gateway/fault.ts'
import type { Arrival, Gateway } from '../gateway/index.ts'
import type { SocketWay } from '../gateway/socket/peer.ts'
import { isToken, keyIn, protocolsIn, tokenIn } from '../gateway/socket/protocols.ts'
import { keyPlacesOf, OFFERED_KEY, openRealtime } from '../gateway/socket/realtime.ts'
import { envelopeResponse } from './faults.ts'
import { pathOf } from './path.ts'
import { type Attached, socketHandlers } from './websocket-peer.ts'
import { UniversalSocket } from './websocket-universal.ts'

/** What is needed of Bun's server. */
export type SocketServer = Pick<Server<Attached>, 'upgrade'>

/** Whether a request asks for a socket at an address that has one. */
export const asksForSocket = (request: Request): boolean =>
  request.method === 'GET' &&
  request.headers.get('upgrade')?.toLowerCase() === 'websocket' &&
  /^\/v1\/[^/]+\/[^/]/.test(pathOf(request.url))

/** What a client's handshake asks for. */
interface Asked extends Arrival {
  headers: Headers
  protocols: readonly string[]
  /** Empty for the gateway's own socket. */
  slug: string
  /** What stands behind the slug. */
  rest: string
  /** With its question mark, or empty. */
  query: string
}

/** A socket that is about to open. */
interface Ready {
  way: SocketWay
  exchange: Exchange
  headers: Headers
}

/**
 * WebSockets (contract 1.9): many requests over one socket at the gateway's own address, and providers' own sockets
 * below it. Bun's upgrade rather than Elysia's: what is to be answered is known only after the provider was asked.
 */
export class Sockets {
  readonly handlers: WebSocketHandler<Attached>
  /** Set once it listens. */
  server: SocketServer | undefined
  readonly #gateway: Gateway
  readonly #open = new Set<SocketWay>()

  constructor(gateway: Gateway) {
    this.#gateway = gateway
    const { open, close, ...handlers } = socketHandlers(gateway.config.server.max_body)
    this.handlers = {
      ...handlers,
      open: ws => {
        this.#open.add(ws.data.way)
        return open!(ws)
      },
      close: (ws, code, reason) => {
        this.#open.delete(ws.data.way)
        return close!(ws, code, reason)
      },
    }
  }

  /**
   * Opens a socket, or says in an answer why not.
   * @param request as it came
   * @param meant the same with the address that it stands for
   */
  async upgrade(request: Request, meant: Request = request): Promise<Response | undefined> {
    if (request.headers.get('sec-websocket-version') !== VERSION) return notThatVersion()
    try {
      const asked = readAsked(meant)
      const ready = await (asked.slug === '' ? universal : realtime)(this.#gateway, asked)
      if (ready instanceof Response) return ready
      const { way, exchange, headers } = ready
      if (this.server?.upgrade(request, { data: { way }, headers })) return undefined
      way.closed(1006, '')
      throw this.#gateway.refuse(exchange, invalidRequest('what came is no handshake of a WebSocket'))
    } catch (fault) {
      return envelopeResponse(fault)
    }
  }

  /** The server stops: sockets close with 1001, those of many requests when the last answer is out. */
  leave(): void {
    for (const way of this.#open) way.leave()
  }

  /** Sockets with answers in flight. */
  busy(): number {
    let busy = 0
    for (const way of this.#open) if (way instanceof UniversalSocket && way.busy) busy++
    return busy
  }
}

/** The only version that there ever was (RFC 6455). */
const VERSION = '13'

function notThatVersion(): Response {
  const message = `sec-websocket-version: expected ${VERSION}`
  const refusal = envelopeResponse(new GatewayFault({ status: 426, code: 'websocket_version', message }))
  refusal.headers.set('sec-websocket-version', VERSION)
  return refusal
}

function readAsked(request: Request): Asked {
  const path = pathOf(request.url)
  const [, , account = '', gatewayId = '', slug = '', ...rest] = path.split('/')
  const protocols = protocolsIn(request.headers.get('sec-websocket-protocol'))
  const headers = new Headers(request.headers)
  headers.delete(OFFERED_KEY)
  const token = tokenIn(protocols)
  if (token !== undefined && !headers.has('cf-aig-authorization')) headers.set('cf-aig-authorization', token)
  const mark = request.url.indexOf('?')
  const query = mark < 0 ? '' : request.url.slice(mark)
  return {
    request,
    surface: 'realtime',
    path,
    account,
    gatewayId,
    headers,
    protocols,
    slug,
    rest: rest.join('/'),
    query,
  }
}

async function universal(gateway: Gateway, asked: Asked): Promise<Ready> {
  const { request, path, account, gatewayId, headers, protocols } = asked
  const arrival: Arrival = { request, surface: 'websocket', path, account, gatewayId, headers }
  const exchange = await admit(gateway, arrival)
  const chosen = protocols.find(isToken)
  const answer = new Headers(chosen === undefined ? undefined : { 'sec-websocket-protocol': chosen })
  return { way: new UniversalSocket(gateway, arrival, exchange), exchange, headers: answer }
}

async function realtime(gateway: Gateway, asked: Asked): Promise<Ready | Response> {
  const { slug, headers, protocols, query } = asked
  const reach = await gateway.provider(slug)
  const offered = keyIn(protocols, reach?.provider.realtime?.keyProtocols)
  if (offered) headers.set(OFFERED_KEY, offered.key)
  const exchange = await admit(gateway, { ...asked, keyPlaces: reach && keyPlacesOf(reach, query) })
  try {
    if (!reach) throw noSuchProvider(slug)
    exchange.target = { reach, model: '' }
    const opened = await openRealtime(exchange, { path: asked.rest, query, headers, protocols, offered })
    return opened instanceof Response ? opened : { way: opened.relay, exchange, headers: opened.headers }
  } catch (fault) {
    throw gateway.refuse(exchange, fault)
  }
}

/**
 * Admits a socket as a request is admitted, but for one thing: a browser asks nobody before a page opens a socket to
 * another host, so that any page could speak with the models of this machine where no token is asked for.
 */
async function admit(gateway: Gateway, arrival: Arrival): Promise<Exchange> {
  const exchange = await gateway.admit(arrival)
  const { headers, url } = arrival.request
  const origin = headers.get('origin')
  if (origin === null || exchange.caller || hostOf(origin) === hostOf(url)) return exchange
  const message = 'pages of other hosts may open a socket here with a token of the gateway only'
  const fault = new GatewayFault({ status: 403, number: 2009, code: 'forbidden', type: 'permission_error', message })
  throw gateway.refuse(exchange, fault)
}

const hostOf = (address: string): string | undefined => URL.parse(address)?.host
