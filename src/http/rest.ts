import { Elysia } from 'elysia'
import type { JsonObject } from '../conversation/conversation.ts'
import { openaiChat } from '../dialects/openai-chat/index.ts'
import { targetOf } from '../gateway/choose-target.ts'
import type { Exchange, Target } from '../gateway/exchange.ts'
import { GatewayFault, invalidRequest, unauthorized } from '../gateway/fault.ts'
import type { Gateway } from '../gateway/index.ts'
import { editJson } from '../gateway/json-edit.ts'
import { placeOf } from '../gateway/place.ts'
import { routeNamed } from '../gateway/route-way.ts'
import { isHosted, modelName } from '../providers/authors.ts'
import { type Endpoint, endpointOf, modelPath } from '../providers/provider.ts'
import { explainBody } from '../schemas/explain.ts'
import { readBytes, readJsonBody } from './body.ts'
import { ACCOUNT, type RestOperation, restOperations } from './documentation-rest.ts'
import { notFound } from './faults.ts'
import { pathOf } from './path.ts'
import { enveloped, restFault } from './rest-answers.ts'

/** What Elysia hands to a handler, as far as it is asked for. */
interface Call {
  request: Request
  params: { account: string; '*'?: string }
}

type Serve = (exchange: Exchange, request: Request) => Promise<Response>

/** A member's name that a header can carry. */
const TELLABLE = /^[\w-]{1,64}$/

/**
 * Cloudflare's REST plane: `/ai/run` in the envelope, with models named `author/model` or `@cf/…`, and OpenAI's formats
 * below `/ai/v1` (contract 1.1, rows 11 to 16, and 1.7). `cf-aig-gateway-id` chooses the gateway.
 */
export function restRoutes(gateway: Gateway) {
  const limit = () => gateway.config.server.max_body

  const served =
    (serve: Serve, openai = false) =>
    async ({ request, params }: Call): Promise<Response> => {
      let exchange: Exchange | undefined
      try {
        exchange = await gateway.admit({
          request,
          surface: 'rest',
          headers: withoutOtherToken(request.headers),
          path: pathOf(request.url),
          account: params.account,
          gatewayId: request.headers.get('cf-aig-gateway-id')?.trim() || 'default',
        })
        // This plane is behind a token even where a gateway is open.
        if (!exchange.caller) throw unauthorized()
        return await serve(exchange, request)
      } catch (fault) {
        return restFault(exchange ? gateway.refuse(exchange, fault) : fault, openai)
      }
    }

  /** One model, whichever it is: Anthropic's Messages stay as they are, all others speak OpenAI's Chat (contract 12.2). */
  const runModel = async (exchange: Exchange, model: string, input: JsonObject, where: string): Promise<Response> => {
    exchange.inOnePiece = true
    if (routeNamed(model) !== undefined) return runChat(exchange, model, input, where, 'the route')
    const { reach, model: own } = aimToRun(exchange, model)
    const { title } = reach.provider
    if (isHosted(model))
      return enveloped(
        await native(exchange, { path: modelPath(own), body: JSON.stringify(input), headers: {} }),
        title,
        exchange.key,
      )
    const endpoint = endpointAt(exchange)
    if (isMessages(endpoint)) {
      const { path, headers } = endpoint
      const body = JSON.stringify({ ...input, model: own })
      exchange.stream = input.stream === true
      return enveloped(await native(exchange, { path, body, headers }), title, exchange.key)
    }
    return runChat(exchange, modelName(model), input, where, title)
  }

  const runChat = async (exchange: Exchange, model: string, input: JsonObject, where: string, title: string) => {
    const body = { ...input, model }
    const wrong = explainBody(body)
    if (wrong) throw invalidRequest(wrong.path ? `${where}${wrong.message}` : wrong.message)
    const response = await gateway.chat(exchange, { client: openaiChat, body, text: JSON.stringify(body) })
    return enveloped(response, title, exchange.key)
  }

  /** A stream of the run path may be gone on with when its connection breaks (contract 1.10). */
  const kept = (exchange: Exchange, response: Response): Response =>
    response.ok && response.headers.get('content-type')?.startsWith('text/event-stream')
      ? gateway.runs.keep(exchange, response, gateway.config.server.resume_grace)
      : response

  const run: Serve = async (exchange, request) => {
    const { text, value } = await readJsonBody(request, limit())
    exchange.wrapped = text
    const { model, input } = value
    if (typeof model !== 'string' || !model)
      throw invalidRequest('model: expected "<author>/<model>" or "@cf/<author>/<model>"')
    if (!isObject(input)) throw invalidRequest(input === undefined ? 'input: required' : 'input: expected an object')
    const response = kept(exchange, await runModel(exchange, model, input, 'input.'))
    const beside = Object.keys(value).filter(name => name !== 'model' && name !== 'input' && TELLABLE.test(name))
    if (beside.length) response.headers.append('postern-dropped', beside.join(', '))
    return response
  }

  /** The oldest form: the model stands in the address, and the body is its input, whatever its type. */
  const runNamed: Serve = async (exchange, request) => {
    const path = pathOf(request.url).split('/ai/run/')[1] ?? ''
    const model = unescaped(path)
    if (!isHosted(model))
      return kept(exchange, await runModel(exchange, model, (await readJsonBody(request, limit())).value, ''))
    aimToRun(exchange, model)
    const query = request.url.indexOf('?')
    const body = await readBytes(request, limit())
    return gateway.native(exchange, {
      method: 'POST',
      path,
      query: query < 0 ? '' : request.url.slice(query),
      headers: exchange.headers,
      body,
    })
  }

  const chat: Serve = async (exchange, request) => {
    const { text, value } = await readJsonBody(request, limit())
    const wrong = explainBody(value)
    if (wrong) throw invalidRequest(wrong.message, wrong.path)
    const body = { ...value, model: modelName(value.model as string) }
    return gateway.chat(exchange, { client: openaiChat, body, text })
  }

  /** A format of the provider's own, of which only the model's name is changed. */
  const passed =
    (pathAt: (endpoint: Endpoint) => string | undefined, what: string): Serve =>
    async (exchange, request) => {
      const { text, value } = await readJsonBody(request, limit())
      const { model, stream } = value
      if (typeof model !== 'string' || !model) throw invalidRequest('model: required', 'model')
      const target = aim(exchange, model)
      const endpoint = endpointAt(exchange)
      const path = endpoint && pathAt(endpoint)
      if (path === undefined)
        throw invalidRequest(
          `model: "${model.slice(0, 128)}" has no ${what} here (${target.reach.provider.title})`,
          'model',
        )
      exchange.stream = stream === true
      const body = editJson(text, { model: target.model }) ?? JSON.stringify({ ...value, model: target.model })
      return native(exchange, { path, body, headers: endpoint?.headers })
    }

  const native = (exchange: Exchange, call: { path: string; body: string; headers?: Record<string, string> }) => {
    const headers = new Headers(exchange.headers)
    // The body was read and is written anew.
    headers.delete('content-encoding')
    headers.set('content-type', 'application/json')
    for (const [name, value] of Object.entries(call.headers ?? {})) if (!headers.has(name)) headers.set(name, value)
    return gateway.native(exchange, { method: 'POST', path: call.path, query: '', headers, body: call.body })
  }

  const plane = new Elysia({ name: 'rest' })
  const post = ({ path, detail }: RestOperation, handler: ReturnType<typeof served>) =>
    plane.post(path, handler, { parse: 'none', detail })
  post(restOperations.runModel, served(run))
  post(restOperations.runNamedModel, served(runNamed))
  post(restOperations.createAccountChatCompletion, served(chat, true))
  post(restOperations.createAccountEmbeddings, served(passed(embeddingsPath, 'embeddings'), true))
  post(restOperations.createAccountMessage, served(passed(messagesPath, 'Messages'), true))
  post(restOperations.createAccountResponse, served(passed(responsesPath, 'Responses'), true))
  return plane.all(`${ACCOUNT}/*`, ({ request }: { request: Request }) => restFault(notFound(request)), {
    parse: 'none',
    detail: { hide: true },
  })
}

/** `Authorization` alone counts: what stands in the data plane's header is not looked at. */
function withoutOtherToken(given: Headers): Headers {
  if (!given.has('cf-aig-authorization')) return given
  const headers = new Headers(given)
  headers.delete('cf-aig-authorization')
  return headers
}

/** @throws GatewayFault 400/2008 for a provider that is not known */
function aim(exchange: Exchange, model: string): Target {
  exchange.target = targetOf(exchange.settings.registry, modelName(model))
  return exchange.target
}

/** The run path says 404 of a model that is nowhere, and has a number of its own for it (contract 2.5). */
function aimToRun(exchange: Exchange, model: string): Target {
  try {
    return aim(exchange, model)
  } catch (fault) {
    if (!(fault instanceof GatewayFault) || fault.number !== 2008) throw fault
    const { message, param } = fault
    throw new GatewayFault({ status: 404, number: 7003, code: 'model_not_found', message, ...(param && { param }) })
  }
}

function endpointAt({ target, stream }: Exchange): Endpoint | undefined {
  const { reach, model } = target!
  return endpointOf(reach.provider, placeOf(reach, model, stream))
}

const isMessages = (endpoint: Endpoint | undefined): endpoint is Endpoint =>
  endpoint !== undefined && messagesPath(endpoint) !== undefined

const messagesPath = ({ dialect, path, finish }: Endpoint) =>
  dialect === 'anthropic-messages' && !finish && !path.includes('{') ? path : undefined

/** Where a provider like OpenAI has another of its formats: beside its chat. */
function besideChat({ dialect, path }: Endpoint, name: string): string | undefined {
  const end = 'chat/completions'
  return dialect === 'openai-chat' && path.endsWith(end) && !path.includes('{')
    ? `${path.slice(0, -end.length)}${name}`
    : undefined
}

const embeddingsPath = (endpoint: Endpoint) =>
  endpoint.dialect === 'workers-ai' ? 'v1/embeddings' : besideChat(endpoint, 'embeddings')

const responsesPath = (endpoint: Endpoint) =>
  endpoint.dialect === 'workers-ai' ? 'v1/responses' : besideChat(endpoint, 'responses')

function unescaped(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)
