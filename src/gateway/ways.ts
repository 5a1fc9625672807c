import type { JsonObject } from '../conversation/conversation.ts'
import type { ClientDialect } from '../dialects/dialect.ts'
import { answer } from './answer.ts'
import { attempt } from './attempt.ts'
import { targetOf } from './choose-target.ts'
import { chooseCredential } from './credential.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { type NativeCall, passNative } from './native.ts'
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
  return withRetries(exchange, async one => {
    const response = await passNative(one, call)
    tell(one, response.headers)
    return response
  })
}

async function askOnce(exchange: ChatExchange): Promise<Response> {
  const response = await answer(exchange, await attempt(exchange))
  tell(exchange, response.headers)
  return response
}
