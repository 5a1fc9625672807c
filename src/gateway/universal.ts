import { openaiChat } from '../dialects/openai-chat/index.ts'
import type { Step } from '../schemas/universal.ts'
import { answer } from './answer.ts'
import { attempt } from './attempt.ts'
import { sortCredentials } from './authenticate.ts'
import { chooseTarget } from './choose-target.ts'
import { chooseCredential } from './credential.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { GatewayFault } from './fault.ts'
import { passNative } from './native.ts'
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
  let last: { response: Response; index: number } | undefined
  let fault: unknown
  for (const [index, step] of steps.entries()) {
    const exchange = exchangeOf(outer, step)
    try {
      const response = await runStep(exchange, step)
      if (response.ok) {
        await last?.response.body?.cancel()
        return numbered(response, index)
      }
      await last?.response.body?.cancel()
      last = { response, index }
    } catch (thrown) {
      fault = refuse(exchange, thrown)
    }
    if (outer.request.signal.aborted) break
  }
  if (last) return numbered(last.response, last.index)
  throw fault instanceof GatewayFault ? noAnswer(fault) : fault
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
function exchangeOf(outer: Exchange, step: Step): Exchange {
  const headers = new Headers({ 'content-type': 'application/json' })
  for (const [name, value] of Object.entries(step.headers ?? {}))
    if (value !== null && value !== undefined)
      headers.set(name, typeof value === 'object' ? JSON.stringify(value) : String(value))
  if (step.authorization && !headers.has('authorization')) headers.set('authorization', step.authorization)
  const { provider } = outer.settings.registry.find(step.provider) ?? {}
  const keyPlaces = { headers: provider?.keyIn ?? ['authorization'], query: provider?.keyQuery }
  const said = Number(headers.get('cf-aig-request-timeout') ?? step.config?.requestTimeout ?? Number.NaN)
  const exchange: Exchange = {
    ...outer,
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
    ...(said > 0 && { patience: said }),
  }
  outer.request.signal.addEventListener('abort', () => {
    exchange.outcome.left = true
    exchange.abort.abort()
  })
  return exchange
}

const runStep: Run = async (exchange, step) => {
  await sortCredentials(exchange)
  const [path = '', query] = step.endpoint.replace(/^\/+/, '').split(/\?(.*)/s)
  if (step.provider === 'compat') return runChat(exchange, step)
  const reach = exchange.settings.registry.find(step.provider)
  if (!reach)
    throw new GatewayFault({
      status: 400,
      number: 2008,
      code: 'invalid_provider',
      message: `Invalid provider: there is no provider "${step.provider.slice(0, 64)}"`,
    })
  const model = (step.query as { model?: unknown } | null)?.model
  exchange.target = { reach, model: typeof model === 'string' ? model : '' }
  chooseCredential(exchange)
  return passNative(exchange, {
    method: 'POST',
    path,
    query: query === undefined ? '' : `?${query}`,
    headers: exchange.headers,
    body: JSON.stringify(step.query ?? {}),
  })
}

async function runChat(exchange: Exchange, { query }: Step): Promise<Response> {
  const body = (query ?? {}) as ChatExchange['body']
  const chat: ChatExchange = Object.assign(exchange, { client: openaiChat, body, text: JSON.stringify(body) })
  if (typeof body.model !== 'string' || !Array.isArray(body.messages))
    throw new GatewayFault({
      status: 400,
      code: 'invalid_request',
      message: 'query: expected a chat request with model and messages',
    })
  chat.stream = body.stream === true
  chooseTarget(chat)
  chooseCredential(chat)
  writeRequest(chat)
  return answer(chat, await attempt(chat))
}
