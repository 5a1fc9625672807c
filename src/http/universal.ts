import { TypeCompiler } from '@sinclair/typebox/compiler'
import { Elysia } from 'elysia'
import { openaiChat } from '../dialects/openai-chat/index.ts'
import type { Exchange } from '../gateway/exchange.ts'
import { type GatewayFault, invalidRequest } from '../gateway/fault.ts'
import type { Gateway } from '../gateway/index.ts'
import { elementTexts, memberText } from '../gateway/json-edit.ts'
import { explain } from '../schemas/explain.ts'
import { UniversalRequest, type WrittenStep } from '../schemas/universal.ts'
import { parseJson, readText } from './body.ts'
import { universalOperation } from './documentation-universal.ts'
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
      exchange = await gateway.admit({ request, surface: 'universal', path, account, gatewayId })
      const text = await readText(request, gateway.config.server.max_body)
      return await gateway.universal(exchange, stepsIn(text), openaiChat)
    } catch (fault) {
      return envelopeResponse(exchange ? gateway.refuse(exchange, fault) : fault)
    }
  }
  const { path, detail } = universalOperation
  return new Elysia({ name: 'universal' }).post(path, run, { parse: 'none', detail })
}

/** Reads a list of steps, or a bare one. @throws GatewayFault 400 for anything else */
export function stepsIn(text: string): WrittenStep[] {
  const value = parseJson(text)
  if (!check.Check(value)) throw invalid(value)
  return stepsOf(value, text)
}

/** Each step with the text of its query: what goes upstream is what the client wrote (T85). */
function stepsOf(value: UniversalRequest, text: string): WrittenStep[] {
  const texts = Array.isArray(value) ? elementTexts(text) : [text]
  return (Array.isArray(value) ? value : [value]).map((step, index) => ({
    ...step,
    text: memberText(texts[index]!, 'query') ?? '{}',
  }))
}

function invalid(value: unknown): GatewayFault {
  const said = explain(UniversalRequest, value)
  const message = said?.message ?? 'expected a list of steps, each with provider, endpoint, headers and query'
  return invalidRequest(message)
}
