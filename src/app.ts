import { Elysia } from 'elysia'
import type { Config } from './config/schema.ts'
import { GatewayFault } from './gateway/fault.ts'
import { Gateway } from './gateway/index.ts'
import { compatRoutes } from './http/compat.ts'
import { type Handler, withCors } from './http/cors.ts'
import { docsRoutes } from './http/docs.ts'
import { onDomain } from './http/domains.ts'
import { faultResponse, internalFault, notFound } from './http/faults.ts'
import { healthRoutes } from './http/health.ts'
import { managementRoutes } from './http/management/index.ts'
import { metricsRoutes } from './http/metrics.ts'
import { nativeRoutes } from './http/native.ts'
import { openapiRoutes } from './http/openapi.ts'
import { pathOf } from './http/path.ts'
import type { Peers } from './http/peers.ts'
import { restRoutes } from './http/rest.ts'
import { resumeRoutes } from './http/resume.ts'
import { universalRoutes } from './http/universal.ts'
import { asksForSocket, type SocketServer, Sockets } from './http/websocket.ts'
import type { GatewaySettings } from './schemas/gateway.ts'
import type { Live } from './storage/live.ts'
import type { Store } from './storage/store.ts'
import type { Logger, RequestLog } from './telemetry/log.ts'
import type { Family } from './telemetry/metrics/family.ts'
import type { Telemetry } from './telemetry/telemetry.ts'

export interface AppParts {
  config: Config
  store: Store
  live: Live
  log: Logger
  /** Where the line of each request goes; the log itself when left out. */
  logRequest?: RequestLog
  /** Takes the records of attempts that are over, beside the store. */
  telemetry: Telemetry
  /** The metrics of every process that serves; those of this one when left out. */
  collectMetrics?: () => Promise<Family[][]>
  /** The other workers on the same port. */
  peers?: Peers
}

export interface App {
  handle(request: Request): Response | Promise<Response>
  /** @throws when the port is taken */
  listen(options: { reusePort: boolean }): { port: number; stop(graceful: boolean): Promise<void>; pending(): number }
  reload(config: Config): void
  /** What is in force for a gateway now. */
  settingsOf(gateway: string): GatewaySettings | undefined
}

/** Bodies are measured by ourselves, with an answer that says so: the server's own refusal has no body. */
const NO_BOUND = Number.MAX_SAFE_INTEGER

/** The composition root: configuration, store and log become the gateway, and the gateway gets its surfaces. */
export function createApp({
  config,
  store,
  live,
  log,
  logRequest = fields => log.info(fields),
  telemetry,
  collectMetrics = async () => [telemetry.metrics.snapshot()],
  peers,
}: AppParts): App {
  const gateway = new Gateway({
    config,
    store,
    live,
    log,
    logRequest,
    sinks: [live.records, telemetry],
    worker: peers?.own,
  })
  const sockets = new Sockets(gateway)
  telemetry.queue('records', () => live.records.waiting())
  telemetry.metrics.gauge('postern_open_streams', 'Answers that go out in pieces now.', () => gateway.streams.open)
  const isOpen = (id: string) => gateway.isOpen(id)
  const elysia = new Elysia({ normalize: false, aot: true })
    .wrap((handler, request) => {
      const meant = onDomain(gateway, request)
      if (asksForSocket(meant ?? request)) return (() => sockets.upgrade(request, meant)) as unknown as typeof handler
      const handle = handler as unknown as Handler
      if (!meant) return withCors(handle, request, isOpen)
      return withCors((_, ...more) => handle(meant, ...more), meant, isOpen)
    })
    .onError(({ request, code, error }) => {
      if (error instanceof GatewayFault) return faultResponse(error)
      if (code === 'NOT_FOUND') return faultResponse(notFound(request))
      log.error({ error, path: pathOf(request.url) }, 'a fault of our own')
      return faultResponse(internalFault())
    })
    // Whoever opens the address in a browser wants to know what this is.
    .get('/', () => new Response(null, { status: 302, headers: { location: '/docs' } }), { detail: { hide: true } })
    .use(compatRoutes(gateway))
    .use(universalRoutes(gateway))
    .use(nativeRoutes(gateway))
    .use(restRoutes(gateway))
    .use(resumeRoutes(gateway, peers))
    .use(managementRoutes(gateway))
    .use(healthRoutes(() => store.isOpen()))
    .use(metricsRoutes({ gateway, access: () => gateway.config.server.metrics, collect: collectMetrics }))
    .use(openapiRoutes())
    .use(docsRoutes())

  return {
    handle: request => elysia.handle(request),
    listen({ reusePort }) {
      const { host, port } = gateway.config.server
      const { server } = elysia.listen({
        hostname: host,
        port,
        reusePort,
        // Or Bun prints the source and stack of an answer that is broken off on purpose.
        development: false,
        // Reasoning models are silent for minutes; our own timers decide.
        idleTimeout: 0,
        maxRequestBodySize: NO_BOUND,
        websocket: sockets.handlers,
      })
      sockets.server = server as SocketServer
      const pending = () => server!.pendingRequests + sockets.busy()
      telemetry.metrics.gauge('postern_requests_in_flight', 'Requests whose answer is not out yet.', pending)
      return {
        port: server!.port!,
        stop: async graceful => {
          if (graceful) sockets.leave()
          await server!.stop(!graceful)
        },
        pending,
      }
    },
    reload(next) {
      gateway.reload(next)
      telemetry.reload(next)
    },
    settingsOf: id => gateway.settingsOf(id),
  }
}
