import { openaiChat } from '../dialects/openai-chat/index.ts'
import { explainBody } from '../schemas/explain.ts'
import type { Step } from '../schemas/universal.ts'
import { answer } from './answer.ts'
import { attempt } from './attempt.ts'
import { sortCredentials } from './authenticate.ts'
import { chooseTarget } from './choose-target.ts'
import { chooseCredential } from './credential.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { GatewayFault, invalidRequest, noSuchProvider } from './fault.ts'
import { passNative } from './native.ts'
import { record } from './record.ts'
import { writeRequest } from './write-request.ts'

/** Runs one step to its answer, whatever its status. */
type Run = (exchange: Exchange, step: Step) => Promise<Response>

/**
 * The universal endpoint: one step after another until one succeeds, whose answer goes out as it came, with its number
 * in `cf-aig-step`. When none does, the last provider's own error goes out the same way (contract 6.2).
 * @param refuse puts the failure of a step on record
 * @throws GatewayFault of the last step, when no provider gave an answer
 */
export async function runSteps(
  outer: Exchange,
  steps: readonly Step[],
  refuse: (exchange: Exchange, fault: unknown) => unknown,
): Promise<Response> {
  let last: Failed | undefined
  let fault: unknown
  const exchanges = steps.map((step, index) => exchangeOf(outer, step, index))
  for (const [index, step] of steps.entries()) {
    const exchange = exchanges[index]!
    exchange.started = performance.now()
    try {
      const response = await runStep(exchange, step)
      await letGo(last)
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

/** Nobody will read it; that is not the client's leaving. */
async function letGo(failed: Failed | undefined): Promise<void> {
  if (!failed) return
  record(failed.exchange, failed.response.status)
  await failed.response.body?.cancel()
}

function numbered(response: Response, index: number): Response {
  response.headers.set('cf-aig-step', String(index))
  return response
}

/** Cloudflare's one code for "could not get a response from the provider", with the reason that we know. */
function noAnswer(fault: GatewayFault): GatewayFault {
  if (fault.number !== 2005) return fault
  return new GatewayFault({ status: 400, number: 2005, code: fault.code, message: fault.message })
}

/** A step is a request of its own: its headers are what goes upstream, beside controls that it may set anew. */
function exchangeOf(outer: Exchange, step: Step, index: number): Exchange & { started: number } {
  const headers = headersOf(step, `[${index}]`)
  const alias = outer.headers.get('cf-aig-byok-alias')
  if (alias && !headers.has('cf-aig-byok-alias')) headers.set('cf-aig-byok-alias', alias)
  const { provider } = outer.settings.registry.find(step.provider) ?? {}
  const keyPlaces = { headers: provider?.keyIn ?? ['authorization'], query: provider?.keyQuery }
  const patience = [
    headers.get('cf-aig-request-timeout'),
    step.config?.requestTimeout,
    outer.headers.get('cf-aig-request-timeout'),
  ].find(said => Number(said) > 0 && Number.isFinite(Number(said)))
  const exchange: Exchange & { started: number } = {
    ...outer,
    request: requestOf(outer, step),
    headers,
    keyPlaces,
    path: `${outer.path.replace(/\/$/, '')}/${step.provider}`,
    abort: new AbortController(),
    started: performance.now(),
    outcome: {},
    stream: false,
    // What the outer headers held was for the gateway, not for this provider.
    callerKey: undefined,
    withheld: undefined,
    ...(patience && { patience: Number(patience) }),
  }
  outer.request.signal.addEventListener('abort', () => {
    exchange.outcome.left = true
    exchange.abort.abort()
  })
  return exchange
}

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

const runStep: Run = async (exchange, step) => {
  await sortCredentials(exchange)
  const [path = '', query] = step.endpoint.replace(/^\/+/, '').split(/\?(.*)/s)
  if (step.provider === 'compat') return runChat(exchange, step)
  const reach = exchange.settings.registry.find(step.provider)
  if (!reach) throw noSuchProvider(step.provider)
  const model = (step.query as { model?: unknown } | null)?.model
  exchange.target = { reach, model: typeof model === 'string' ? model : '' }
  await chooseCredential(exchange)
  return passNative(exchange, {
    method: 'POST',
    path,
    query: query === undefined ? '' : `?${query}`,
    headers: exchange.headers,
    body: JSON.stringify(step.query ?? {}),
  })
}

async function runChat(exchange: Exchange, { query }: Step): Promise<Response> {
  const wrong = explainBody(query)
  if (wrong) throw invalidRequest(wrong.path ? `query.${wrong.message}` : wrong.message.replace('the body', 'query'))
  const body = query as ChatExchange['body']
  const chat: ChatExchange = Object.assign(exchange, { client: openaiChat, body, text: JSON.stringify(body) })
  chat.stream = body.stream === true
  chooseTarget(chat)
  await chooseCredential(chat)
  writeRequest(chat)
  return answer(chat, await attempt(chat))
}
