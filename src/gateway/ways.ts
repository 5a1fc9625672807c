import type { JsonObject } from '../conversation/conversation.ts'
import type { ClientDialect } from '../dialects/dialect.ts'
import { answer } from './answer.ts'
import { attempt } from './attempt.ts'
import { targetOf } from './choose-target.ts'
import { chooseCredential } from './credential.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { type NativeCall, passNative } from './native.ts'
import { tell } from './tell.ts'
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
  const response = await answer(exchange, await attempt(exchange))
  tell(exchange, response.headers)
  return response
}

/** The way of a request in a provider's own format, which is not understood and not changed. @throws GatewayFault */
export async function nativeWay(exchange: Exchange, call: NativeCall): Promise<Response> {
  watchClient(exchange)
  const pending = chooseCredential(exchange)
  if (pending) await pending
  const response = await passNative(exchange, call)
  tell(exchange, response.headers)
  return response
}

/** A client that leaves ends the call to the provider. */
function watchClient(exchange: Exchange): void {
  const leave = () => {
    exchange.outcome.left = true
    exchange.abort.abort()
  }
  exchange.request.signal.addEventListener('abort', leave, { once: true })
}
