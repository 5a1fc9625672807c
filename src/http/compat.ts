import { Elysia } from 'elysia'
import { openaiChat } from '../dialects/openai-chat/index.ts'
import { type GatewayFault, invalidRequest } from '../gateway/fault.ts'
import type { Gateway } from '../gateway/index.ts'
import { explainBody, isChatRequest } from '../schemas/explain.ts'
import { readJsonBody } from './body.ts'
import { routes } from './documentation.ts'
import { pathOf } from './path.ts'

/** What Elysia hands to a handler, as far as it is asked for: naming more would make it prepare more. */
interface Call {
  request: Request
  /** Absent on addresses without variable parts. */
  params?: Partial<Record<string, string>>
}

/** Forms of the address that clients really use (contract 1.3, 1.6); only the first is documented. */
const OTHER_CHAT_PATHS = [
  '/v1/:account/:gateway/compat/v1/chat/completions',
  '/v1/:account/:gateway/compat/chat/completion',
  '/v1/:account/:gateway/compat/chat/completions/chat/completions',
]

/**
 * The unified endpoint: OpenAI Chat Completions for every provider, at Cloudflare's address and at the short one.
 *
 * Bodies are parsed and checked here rather than by Elysia (`parse: 'none'`): who calls is settled before a body is
 * read, its text stays for the provider (T85), and Elysia's own way makes a stream of every body, which costs more than
 * all the rest. The schema that checks is the one that the document shows.
 */
export function compatRoutes(gateway: Gateway) {
  const admit = ({ request, params }: Call) =>
    gateway.admit({
      request,
      surface: 'compat',
      path: pathOf(request.url),
      account: params?.account ?? gateway.config.accounts[0]!,
      gatewayId: params?.gateway ?? 'default',
    })

  const chat = async ({ request, params }: Call) => {
    const exchange = await admit({ request, params })
    try {
      const { text, value } = await readJsonBody(request, gateway.config.server.max_body)
      if (!isChatRequest(value)) throw invalidBody(value)
      return await gateway.chat(exchange, { client: openaiChat, body: value, text })
    } catch (fault) {
      throw gateway.refuse(exchange, fault)
    }
  }
  const models = async ({ request, params }: Call) => {
    const exchange = await admit({ request, params })
    return Response.json(await gateway.models(exchange))
  }

  const { createChatCompletion, createGatewayChatCompletion, listModels, listGatewayModels } = routes
  const app = new Elysia({ name: 'compat' })
    .post(createGatewayChatCompletion.path, chat, { parse: 'none', detail: createGatewayChatCompletion.detail })
    .post(createChatCompletion.path, chat, { parse: 'none', detail: createChatCompletion.detail })
    .get(listGatewayModels.path, models, { detail: listGatewayModels.detail })
    .get(listModels.path, models, { detail: listModels.detail })
  for (const path of OTHER_CHAT_PATHS) app.post(path, chat, { parse: 'none', detail: { hide: true } })
  return app
}

/** What a body that does not fit the schema has wrong, in one sentence that repeats nothing of it. */
function invalidBody(value: unknown): GatewayFault {
  const said = explainBody(value)
  return invalidRequest(said?.message ?? 'the body does not fit the schema of this operation', said?.path)
}
