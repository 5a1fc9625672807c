import type { JsonObject } from '../conversation/conversation.ts'
import type { ClientDialect } from '../dialects/dialect.ts'
import { explainBody } from '../schemas/explain.ts'
import type { Step, WrittenStep } from '../schemas/universal.ts'
import { sortCredentials } from './authenticate.ts'
import { type ControlSource, type Controls, readControls } from './controls.ts'
import { AUTHORIZATION, type Exchange } from './exchange.ts'
import { GatewayFault, invalidRequest, noSuchProvider } from './fault.ts'
import { fresh } from './fresh.ts'
import { refuse, reworded } from './refuse.ts'
import { letGo } from './retry.ts'
import { chatWay, nativeWay } from './ways.ts'

/**
 * The universal endpoint: one step after another until one succeeds, whose answer goes out as it came, with its number
 * in `cf-aig-step`. When none does, the last provider's own error goes out the same way (contract 6.2).
 * @param client in whose words a step to `compat` speaks
 * @throws GatewayFault of the last step, when no provider gave an answer
 */
export async function runSteps(
  outer: Exchange,
  steps: readonly WrittenStep[],
  client: ClientDialect,
): Promise<Response> {
  let last: Failed | undefined
  let fault: unknown
  // What is wrong with any step is told before anybody is asked.
  const prepared = steps.map((step, index) => {
    const headers = headersOf(step, `[${index}]`)
    return { headers, controls: controlsOf(outer, step, headers, `[${index}]`) }
  })
  for (const [index, step] of steps.entries()) {
    const exchange = exchangeOf(outer, step, prepared[index]!, index, index < steps.length - 1)
    try {
      const response = await runStep(exchange, step, client)
      if (last) await letGo(last.exchange, last.response)
      if (response.ok) return numbered(response, index)
      last = { exchange, response, index }
    } catch (thrown) {
      fault = refuse(exchange, thrown)
    }
    if (outer.request.signal.aborted) break
  }
  if (last) return numbered(last.response, last.index)
  throw fault instanceof GatewayFault ? noAnswer(fault) : fault
}

/** A provider's refusal, which goes out when no other step does better. */
interface Failed {
  exchange: Exchange
  response: Response
  index: number
}

function numbered(response: Response, index: number): Response {
  response.headers.set('cf-aig-step', String(index))
  return response
}

/** Cloudflare's one code for "could not get a response from the provider", with the reason that we know. */
function noAnswer(fault: GatewayFault): GatewayFault {
  if (fault.number !== 2005) return fault
  return reworded(fault, new GatewayFault({ status: 400, number: 2005, code: fault.code, message: fault.message }))
}

/** A step is a request of its own: its headers are what goes upstream, beside controls that it may set anew. */
function exchangeOf(
  outer: Exchange,
  step: Step,
  { headers, controls }: { headers: Headers; controls: Controls },
  index: number,
  hasFallback: boolean,
): Exchange {
  const { provider } = outer.settings.registry.find(step.provider) ?? {}
  const keyPlaces = provider ? { headers: provider.keyIn, query: provider.keyQuery } : AUTHORIZATION
  return fresh(outer, {
    controls,
    hasFallback,
    step: index,
    ids: { ...outer.ids, event: controls.eventId ?? outer.ids.event, log: Bun.randomUUIDv7() },
    request: requestOf(outer, step),
    headers,
    keyPlaces,
    path: `${outer.path.replace(/\/$/, '')}/${step.provider}`,
    stream: false,
    // What the outer headers held was for the gateway, not for this provider.
    callerKey: undefined,
    withheld: undefined,
  })
}

/** A step's own headers go before its `config`, and both before what the whole list says (contract 3.1). */
function controlsOf({ controls }: Exchange, { config }: Step, headers: Headers, where: string): Controls {
  const { requestTimeout, maxAttempts, retryDelay, backoff } = config ?? {}
  try {
    const own = readControls(headers)
    const dropped = [...(controls.dropped ?? []), ...(own.dropped ?? [])]
    const configured: Controls = {
      ...(requestTimeout && { requestTimeout }),
      ...(maxAttempts && { maxAttempts }),
      ...(retryDelay !== undefined && { retryDelay }),
      ...(backoff && { backoff }),
    }
    const sources = { ...sourced(configured, 'config'), ...sourced(own, 'step') }
    return {
      ...controls,
      ...configured,
      ...own,
      ...(Object.keys(sources).length && { sources }),
      ...(dropped.length && { dropped }),
    }
  } catch (fault) {
    if (!(fault instanceof GatewayFault)) throw fault
    throw invalidRequest(`${where}.headers.${fault.message}`)
  }
}

const sourced = (controls: Controls, source: ControlSource): Controls['sources'] =>
  Object.fromEntries(Object.keys(controls).map(name => [name, source]))

function headersOf(step: Step, where: string): Headers {
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const [name, value] of Object.entries(step.headers ?? {})) {
    if (value === null || value === undefined) continue
    try {
      headers.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
    } catch {
      // Neither is repeated: the name of one header may be the value of another that was written wrong.
      throw invalidRequest(`${where}.headers: a name or a value has a character that no header may have`)
    }
  }
  if (step.authorization && !headers.has('authorization')) {
    try {
      headers.set('authorization', step.authorization)
    } catch {
      throw invalidRequest(`${where}.authorization: it has a character that no header may have`)
    }
  }
  return headers
}

/** As if the step had come at its provider's own address: a key may stand in its query, and not in that of the list. */
function requestOf({ request }: Exchange, { endpoint }: Step): Request {
  const query = endpoint.indexOf('?')
  const url = `http://step.invalid/${query < 0 ? '' : endpoint.slice(query)}`
  return new Request(url, { method: 'POST', signal: request.signal })
}

/** Runs one step to its answer, whatever its status. */
async function runStep(exchange: Exchange, step: WrittenStep, client: ClientDialect): Promise<Response> {
  await sortCredentials(exchange)
  if (step.provider === 'compat') return runChat(exchange, step, client)
  const reach = exchange.settings.registry.find(step.provider)
  if (!reach) throw noSuchProvider(step.provider)
  const model = (step.query as { model?: unknown } | null)?.model
  exchange.target = { reach, model: typeof model === 'string' ? model : '' }
  const [path = '', query] = step.endpoint.replace(/^\/+/, '').split(/\?(.*)/s)
  return nativeWay(exchange, {
    method: 'POST',
    path,
    query: query === undefined ? '' : `?${query}`,
    headers: exchange.headers,
    body: step.query === null ? '{}' : step.text,
  })
}

function runChat(exchange: Exchange, { query, text }: WrittenStep, client: ClientDialect): Promise<Response> {
  const wrong = explainBody(query)
  if (wrong) throw invalidRequest(wrong.path ? `query.${wrong.message}` : wrong.message.replace('the body', 'query'))
  return chatWay(exchange, { client, body: query as JsonObject, text })
}
