import type { JsonObject } from '../conversation/conversation.ts'
import type { ClientDialect } from '../dialects/dialect.ts'
import { answer } from './answer.ts'
import { attempt } from './attempt.ts'
import { targetOf } from './choose-target.ts'
import { chooseCredential } from './credential.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { type Asked, claimLimits, isLimited } from './limits/index.ts'
import { addressOf, type NativeCall, passNative } from './native.ts'
import { withRetries } from './retry.ts'
import { tell } from './tell.ts'
import { watchClient } from './watch-client.ts'
import { writeRequest } from './write-request.ts'

/** What a chat request says, and in whose words. */
export interface ChatWords {
  client: ClientDialect
  body: JsonObject & { model?: unknown }
  text: string
}

/**
 * The way of a chat behind the door, from its model to its answer; the same for a request and for a step of a list.
 * @throws GatewayFault, of which nothing has been sent yet
 */
export async function chatWay(admitted: Exchange, words: ChatWords): Promise<Response> {
  const exchange: ChatExchange = Object.assign(admitted, words)
  exchange.stream = words.body.stream === true
  watchClient(exchange)
  exchange.target = targetOf(exchange.settings.registry, words.body.model as string)
  const pending = chooseCredential(exchange)
  if (pending) await pending
  writeRequest(exchange)
  return withRetries(exchange, askOnce)
}

/** The way of a request in a provider's own format, which is not understood and not changed. @throws GatewayFault */
export async function nativeWay(exchange: Exchange, call: NativeCall): Promise<Response> {
  watchClient(exchange)
  const pending = chooseCredential(exchange)
  if (pending) await pending
  const asked = isLimited(exchange) ? askedNatively(exchange, call) : undefined
  return withRetries(exchange, async one => {
    const pending = asked && claimLimits(one, asked)
    if (pending) await pending
    const response = await passNative(one, call)
    tell(one, response.headers)
    return response
  })
}

async function askOnce(exchange: ChatExchange): Promise<Response> {
  const { body, text } = exchange
  const pending = isLimited(exchange) ? claimLimits(exchange, { body: () => body, length: text.length }) : undefined
  if (pending) await pending
  const response = await answer(exchange, await attempt(exchange))
  tell(exchange, response.headers)
  return response
}

/** What limits have to know of a request that is otherwise not looked into: its model too, where the path has none. */
function askedNatively(exchange: Exchange, call: NativeCall): Asked {
  const target = exchange.target!
  const body = jsonOf(call.body)
  const model = target.model || addressOf(exchange, target.reach, call).model || body?.model
  exchange.target = { ...target, model: typeof model === 'string' ? model : '' }
  return { body: () => body, length: call.body?.length ?? 0 }
}

function jsonOf(body: NativeCall['body']): JsonObject | undefined {
  if (!body?.length) return undefined
  try {
    const value: unknown = JSON.parse(typeof body === 'string' ? body : Buffer.from(body).toString('utf8'))
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined
  } catch {
    return undefined
  }
}
