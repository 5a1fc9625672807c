import { Type } from '@sinclair/typebox'
import { Elysia } from 'elysia'
import { GatewayFault } from '../gateway/fault.ts'
import type { Gateway } from '../gateway/index.ts'
import { demandAllGateways } from '../gateway/manage.ts'
import { type Exposition, exposition } from '../telemetry/metrics/exposition.ts'
import type { Family } from '../telemetry/metrics/family.ts'
import { internal, noToken, notOpened } from './documentation-errors.ts'
import { route } from './documentation-operation.ts'
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

export const metricsOperation = route('GET', '/metrics', {
  operationId: 'getMetrics',
  summary: 'Numbers for Prometheus',
  description:
    'Requests, errors, tokens, cost, durations, cache, limits, queues and the processes themselves, in Prometheus’ text format, or in that of OpenMetrics where the request accepts it. Needs a token with the permission `read` for all gateways, unless the file says `server.metrics: open`.',
  tags: ['Operations'],
  responses: {
    '200': {
      description: 'The metrics.',
      content: { 'text/plain': { schema: Type.String(), example: 'postern_open_streams 3\n' } },
    },
    '401': noToken,
    '403': notOpened,
    '500': internal,
  },
})

/**
 * The address that Prometheus scrapes. What models are used, by which tokens and for how much is nobody's business, so a
 * token is demanded unless the operator says otherwise; Prometheus sends one with `authorization: credentials`.
 */
export function metricsRoutes({ gateway, access, collect }: MetricsParts) {
  return new Elysia({ name: 'metrics' }).get(
    metricsOperation.path,
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
    { detail: metricsOperation.detail },
  )
}

const answer = ({ text, contentType }: Exposition) =>
  new Response(text, { headers: { 'content-type': contentType, 'cache-control': 'no-store' } })
