import { Elysia } from 'elysia'
import { openaiChat } from '../dialects/openai-chat/index.ts'
import type { Exchange } from '../gateway/exchange.ts'
import type { Gateway } from '../gateway/index.ts'
import { ChatCompletionRequest } from '../schemas/chat-request.ts'
import { readJsonBody } from './body.ts'
import { routes } from './documentation.ts'

/** What belongs to a request between reading it and answering it: Elysia hands on the parsed body alone. */
interface Held {
  exchange: Exchange
  text: string
}

/** Forms of the address that clients really use (contract 1.3, 1.6); only the first is documented. */
const OTHER_CHAT_PATHS = [
  '/v1/:account/:gateway/compat/v1/chat/completions',
  '/v1/:account/:gateway/compat/chat/completion',
  '/v1/:account/:gateway/compat/chat/completions/chat/completions',
]

/**
 * The unified endpoint: OpenAI Chat Completions for every provider, at Cloudflare's address and at the short one.
 * Who calls is settled before a body is read, and the text of the body is kept beside what it means.
 */
export function compatRoutes(gateway: Gateway) {
  const held = new WeakMap<Request, Held>()

  const admit = (request: Request, account: string | undefined, gatewayId: string | undefined) =>
    gateway.admit({
      request,
      path: pathOf(request.url),
      account: account ?? gateway.config.accounts[0]!,
      gatewayId: gatewayId ?? 'default',
      client: openaiChat,
    })

  const parse = async ({ request, params }: { request: Request; params: Partial<Record<string, string>> }) => {
    const exchange = await admit(request, params.account, params.gateway)
    try {
      const { text, value } = await readJsonBody(request, gateway.config.server.max_body)
      held.set(request, { exchange, text })
      return value
    } catch (fault) {
      throw gateway.refuse(exchange, fault)
    }
  }
  const chat = ({ request, body }: { request: Request; body: unknown }) => {
    const { exchange, text } = held.get(request)!
    return gateway.serve(exchange, body as Exchange['body'], text)
  }
  const models = async ({ request, params }: { request: Request; params: Partial<Record<string, string>> }) => {
    const exchange = await admit(request, params.account, params.gateway)
    return Response.json(await gateway.models(exchange))
  }

  const { createChatCompletion, createGatewayChatCompletion, listModels, listGatewayModels } = routes
  const app = new Elysia({ name: 'compat', normalize: false })
    .post(createGatewayChatCompletion.path, chat, {
      parse,
      body: ChatCompletionRequest,
      detail: createGatewayChatCompletion.detail,
    })
    .post(createChatCompletion.path, chat, { parse, body: ChatCompletionRequest, detail: createChatCompletion.detail })
    .get(listGatewayModels.path, models, { detail: listGatewayModels.detail })
    .get(listModels.path, models, { detail: listModels.detail })
    .onError({ as: 'local' }, ({ request, code, error }) => {
      // A body that does not fit: on record like every other refusal.
      if (code === 'VALIDATION' && held.has(request)) gateway.refuse(held.get(request)!.exchange, error)
    })
  for (const path of OTHER_CHAT_PATHS)
    app.post(path, chat, { parse, body: ChatCompletionRequest, detail: { hide: true } })
  return app
}

/** The path of an address, without the cost of parsing all of it. */
export function pathOf(url: string): string {
  const start = url.indexOf('/', url.indexOf('://') + 3)
  if (start < 0) return '/'
  const query = url.indexOf('?', start)
  return query < 0 ? url.slice(start) : url.slice(start, query)
}
