import { Elysia } from 'elysia'
import type { Exchange } from '../gateway/exchange.ts'
import { GatewayFault, unauthorized } from '../gateway/fault.ts'
import type { Gateway } from '../gateway/index.ts'
import { RunBook } from '../gateway/runs.ts'
import { streamHeaders } from '../gateway/stream-headers.ts'
import { resumeOperations } from './documentation-resume.ts'
import { pathOf } from './path.ts'
import type { Peers } from './peers.ts'
import { restFault } from './rest-answers.ts'

/** What Elysia hands to a handler, as far as it is asked for. */
interface Call {
  request: Request
  params: { account: string; gateway: string; run: string }
}

/**
 * The rest of a stream of the run path whose connection broke: `…/gateways/{gateway}/run/{id}/resume?from=N` gives it from
 * event N on (contract 1.10). DELETE of the run itself, which is ours, ends one that nobody wants any more.
 */
export function resumeRoutes(gateway: Gateway, peers?: Peers) {
  /** Another worker keeps it. */
  const elsewhere = ({ request, params }: Call): Promise<Response> | undefined => {
    const worker = RunBook.workerOf(params.run)
    if (!peers || worker === undefined || worker === peers.own) return undefined
    // One that is not there any more has taken its streams with it.
    return peers.ask(worker, request).catch(gone)
  }

  const admitted = async ({ request, params }: Call): Promise<Exchange> => {
    const exchange = await gateway.admit({
      request,
      surface: 'rest',
      path: pathOf(request.url),
      account: params.account,
      gatewayId: params.gateway,
    })
    if (!exchange.caller) throw gateway.refuse(exchange, unauthorized())
    return exchange
  }

  const resume = async (call: Call): Promise<Response> => {
    const handed = elsewhere(call)
    if (handed) return handed
    try {
      const exchange = await admitted(call)
      const from = eventIn(call.request.url)
      const { run } = call.params
      const body = gateway.runs.resume(exchange, run, from, gateway.config.server.resume_grace)
      if (!body) return gone()
      const headers = new Headers({ 'cf-aig-run-id': run })
      streamHeaders(headers)
      return new Response(body, { headers })
    } catch (fault) {
      return restFault(fault)
    }
  }

  const stop = async (call: Call): Promise<Response> => {
    const handed = elsewhere(call)
    if (handed) return handed
    try {
      const exchange = await admitted(call)
      return gateway.runs.stop(exchange, call.params.run)
        ? Response.json({ result: null, success: true, errors: [], messages: [] })
        : gone()
    } catch (fault) {
      return restFault(fault)
    }
  }

  const { resumeRun, stopRun } = resumeOperations
  return new Elysia({ name: 'resume' })
    .get(resumeRun.path, resume, { parse: 'none', detail: resumeRun.detail })
    .delete(stopRun.path, stop, { parse: 'none', detail: stopRun.detail })
}

/** As Cloudflare says it, which its clients know. */
const gone = () => Response.json({ error: 'Request not found' }, { status: 404 })

/** @throws GatewayFault 400 for what is no index */
function eventIn(url: string): number {
  const mark = url.indexOf('?')
  const said = new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1)).get('from') ?? '0'
  if (/^\d{1,9}$/.test(said)) return Number(said)
  throw new GatewayFault({
    status: 400,
    code: 'invalid_request',
    param: 'from',
    message: 'from: expected the number of events that have come, 0 or more',
  })
}
