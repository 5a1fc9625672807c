import { Elysia } from 'elysia'
import { GatewayFault } from '../gateway/fault.ts'
import type { Gateway } from '../gateway/index.ts'
import { demandAllGateways } from '../gateway/manage.ts'
import { type Exposition, exposition } from '../telemetry/metrics/exposition.ts'
import type { Family } from '../telemetry/metrics/family.ts'
import { routes } from './documentation.ts'
import { faultResponse, internalFault } from './faults.ts'
import { pathOf } from './path.ts'

/** Who may read the metrics: holders of a token with `read` for all gateways, or anybody who reaches the port. */
export type MetricsAccess = 'token' | 'open'

export interface MetricsParts {
  gateway: Gateway
  /** Asked for each scrape, for the configuration may change. */
  access(): MetricsAccess
  /** Those of every process that serves. */
  collect(): Promise<Family[][]> | Family[][]
}

/**
 * The address that Prometheus scrapes. What models are used, by which tokens and for how much is nobody's business, so a
 * token is demanded unless the operator says otherwise; Prometheus sends one with `authorization: credentials`.
 */
export function metricsRoutes({ gateway, access, collect }: MetricsParts) {
  return new Elysia({ name: 'metrics' }).get(
    routes.getMetrics.path,
    async ({ request }: { request: Request }) => {
      try {
        if (access() === 'token')
          demandAllGateways(await gateway.manager(request.headers, gateway.config.accounts[0]!, 'read'))
        const openMetrics = request.headers.get('accept')?.includes('application/openmetrics-text') ?? false
        return answer(await exposition(await collect(), openMetrics))
      } catch (fault) {
        if (fault instanceof GatewayFault) return faultResponse(fault)
        gateway.report(fault, pathOf(request.url))
        return faultResponse(internalFault())
      }
    },
    { detail: routes.getMetrics.detail },
  )
}

const answer = ({ text, contentType }: Exposition) =>
  new Response(text, { headers: { 'content-type': contentType, 'cache-control': 'no-store' } })
