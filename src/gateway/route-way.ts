import { picoOf } from '../costs/money.ts'
import type { Limit, Taken } from '../storage/counters/counters.ts'
import type { Window } from '../storage/counters/window.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { GatewayFault } from './fault.ts'
import { fresh } from './fresh.ts'
import { refuse } from './refuse.ts'
import { letGo } from './retry.ts'
import type { Facts } from './routes/field.ts'
import type { ModelNode, RateNode } from './routes/graph.ts'
import { type ModelStop, walk } from './routes/walk.ts'
import { watchClient } from './watch-client.ts'

/** Models of this prefix are routes of the gateway (contract section 7.1). */
const PREFIX = 'dynamic/'

/** The name of the route that a model's name stands for. */
export const routeNamed = (model: string): string | undefined =>
  model.startsWith(PREFIX) && model.length > PREFIX.length ? model.slice(PREFIX.length) : undefined

/** An answer, or the want of one, and who gave it. */
interface Told {
  exchange: ChatExchange
  stop: ModelStop
  response?: Response
  fault?: unknown
}

/**
 * Leads a chat through a route of its gateway: each model on the way is a step of its own, and its outcome decides where
 * the way goes on. At its end the last good answer goes out, or the last error.
 * @param serve asks one model
 * @throws GatewayFault 404 for a route that is not there, and what the last model came to when none gave an answer
 */
export async function routeWay(
  exchange: ChatExchange,
  name: string,
  serve: (one: ChatExchange) => Promise<Response>,
): Promise<Response> {
  const { gatewayId, settings, request } = exchange
  const found = settings.routes.find(gatewayId, name)
  const graph = found instanceof Promise ? await found : found
  if (!graph) throw noSuchRoute(gatewayId, name)
  const way = walk(graph, factsOf(exchange), { allow: (node, bucket) => allow(exchange, name, node, bucket) })
  exchange.shared.turns = way.trace
  let good: Told | undefined
  let bad: Told | undefined
  let stop = await way.next()
  while (stop.type === 'model') {
    const told = await ask(exchange, stop, serve)
    const succeeded = told.response?.ok === true
    if (succeeded) {
      await drop(good)
      good = told
    } else {
      await drop(bad)
      bad = told
    }
    if (request.signal.aborted) break
    stop = await way.next(succeeded ? 'success' : 'fallback')
  }
  const last = good ?? bad
  if (good) await drop(bad)
  if (last) return out(last)
  throw stop.type === 'end' && stop.limited ? overLimit(name, stop.limited) : noModel(name)
}

/** Where an answer will not be read its provider is let go. */
async function drop(told: Told | undefined): Promise<void> {
  if (told?.response) await letGo(told.exchange, told.response)
}

async function ask(
  exchange: ChatExchange,
  stop: ModelStop,
  serve: (one: ChatExchange) => Promise<Response>,
): Promise<Told> {
  const { node, step } = stop
  const reach = exchange.settings.registry.find(node.provider)
  const one = fresh(exchange, {
    step,
    // A key in the request is for one provider, and a route has many: stored ones are used (contract 7.1).
    callerKey: undefined,
    hasFallback: leadsToModel(node),
    controls: {
      ...exchange.controls,
      ...(node.timeout && { requestTimeout: node.timeout }),
      ...(node.retries && { maxAttempts: node.retries }),
      ...((node.timeout || node.retries) && {
        sources: {
          ...exchange.controls.sources,
          ...(node.timeout && ({ requestTimeout: 'route' } as const)),
          ...(node.retries && ({ maxAttempts: 'route' } as const)),
        },
      }),
    },
  })
  watchClient(one)
  try {
    if (!reach) throw gone(node)
    one.target = { reach, model: node.model }
    return { exchange: one, stop, response: await serve(one) }
  } catch (fault) {
    return { exchange: one, stop, fault: refuse(one, fault) }
  }
}

/** Whether somebody else may be asked when this model fails. */
function leadsToModel({ outputs }: ModelNode): boolean {
  return outputs.fallback !== undefined && outputs.fallback.type !== 'end'
}

/** Says in the answer who gave it. */
function out({ exchange, stop, response, fault }: Told): Response {
  const { target } = exchange
  const say = (headers: Headers) => {
    headers.set('cf-aig-model', target?.model ?? stop.node.model)
    headers.set('cf-aig-provider', target?.reach.provider.slug ?? stop.node.provider)
    headers.set('cf-aig-step', String(stop.step))
  }
  if (response) {
    say(response.headers)
    return response
  }
  if (fault instanceof GatewayFault && fault.told) say(fault.told)
  throw fault
}

function factsOf({ body, headers, controls }: ChatExchange): Facts {
  return { body, header: name => headers.get(name), metadata: controls.metadata ?? {} }
}

/** A number that no counter reaches. */
const NO_LIMIT = Number.MAX_SAFE_INTEGER

/**
 * Whether a limit on the way has room: requests are counted here, and money is counted when the models behind it have
 * said what they used.
 */
function allow(exchange: Exchange, route: string, node: RateNode, bucket: string): boolean | Promise<boolean> {
  const { gatewayId, settings, shared } = exchange
  const cost = node.limitType === 'cost'
  const window: Window = { kind: node.technique, seconds: node.window }
  const limit: Limit = {
    key: `route:${gatewayId}:${route}:${node.id}:${bucket}`,
    limit: cost ? picoOf(Math.min(node.limit, MOST_USD)) : node.limit,
    amount: cost ? 0 : 1,
    window,
  }
  if (cost) shared.spent.push({ ...limit, limit: NO_LIMIT })
  const said = settings.live.counters.take([limit])
  return said instanceof Promise ? said.then(isTaken) : isTaken(said)
}

const MOST_USD = 9_000
const isTaken = (said: Taken | { ok: false }): said is Taken => said.ok

const noSuchRoute = (gatewayId: string, name: string) =>
  new GatewayFault({
    status: 404,
    code: 'route_not_found',
    type: 'not_found_error',
    param: 'model',
    message: `model: the gateway "${gatewayId}" has no route "${name.slice(0, 64)}"; declare it under gateways.${gatewayId}.routes in postern.yaml, or make it through the management API`,
  })

const overLimit = (name: string, node: RateNode) =>
  new GatewayFault({
    status: 429,
    number: node.limitType === 'cost' ? 2041 : 2003,
    code: node.limitType === 'cost' ? 'spend_limit_reached' : 'rate_limited',
    type: 'rate_limit_error',
    message: `the route "${name}" ends at "${node.id}": its limit of ${node.limitType === 'cost' ? `$${node.limit}` : `${node.limit} requests`} in ${node.window} s is reached`,
    retryAfter: node.window,
  })

const noModel = (name: string) =>
  new GatewayFault({
    status: 400,
    number: 2005,
    code: 'route_without_answer',
    message: `the route "${name}" came to its end without a model for this request`,
  })

const gone = ({ provider, id }: ModelNode) =>
  new GatewayFault({
    status: 400,
    number: 2008,
    code: 'invalid_provider',
    message: `Invalid provider: the element "${id}" of the route names "${provider}", which is not there any more`,
  })
