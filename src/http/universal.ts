import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Elysia } from 'elysia'
import { openaiChat } from '../dialects/openai-chat/index.ts'
import type { Exchange } from '../gateway/exchange.ts'
import { type GatewayFault, invalidRequest } from '../gateway/fault.ts'
import type { Gateway } from '../gateway/index.ts'
import { explain } from '../schemas/explain.ts'
import { UniversalRequest } from '../schemas/universal.ts'
import { parseJson, readText } from './body.ts'
import { envelopeResponse } from './faults.ts'
import { pathOf } from './path.ts'

const check = TypeCompiler.Compile(UniversalRequest)

/** The universal endpoint: a list of steps, or a bare one, of which the first success is the answer (contract 6.2). */
export function universalRoutes(gateway: Gateway) {
  const run = async ({ request }: { request: Request }): Promise<Response> => {
    const path = pathOf(request.url)
    const [, , account = '', gatewayId = ''] = path.split('/')
    let exchange: Exchange | undefined
    try {
      exchange = await gateway.admit({ request, path, account, gatewayId })
      const value = parseJson(await readText(request, gateway.config.server.max_body))
      if (!check.Check(value)) throw invalid(value)
      return await gateway.universal(exchange, Array.isArray(value) ? value : [value], openaiChat)
    } catch (fault) {
      return envelopeResponse(exchange ? gateway.refuse(exchange, fault) : fault)
    }
  }
  return new Elysia({ name: 'universal' }).post('/v1/:account/:gateway', run, { parse: 'none', detail: { hide: true } })
}

function invalid(value: unknown): GatewayFault {
  const said = explain(UniversalRequest, value)
  const message = said?.message ?? 'expected a list of steps, each with provider, endpoint, headers and query'
  return invalidRequest(message)
}
