import type { JsonObject } from '../conversation/conversation.ts'
import type { ClientDialect } from '../dialects/dialect.ts'
import { answer } from './answer.ts'
import { askedNatively } from './asked-natively.ts'
import { attempt } from './attempt.ts'
import { asksForCache, planFor, type Question } from './cache/plan.ts'
import { throughCache } from './cache/serve.ts'
import { targetOf } from './choose-target.ts'
import { chooseCredential } from './credential.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { KeptAnswer } from './kept-answer.ts'
import { type Asked, claimLimits, isLimited } from './limits/index.ts'
import { type NativeCall, passNative, withoutOurs } from './native.ts'
import { ANY_OF_A_POOL, takePlace } from './pooled.ts'
import { withRetries } from './retry.ts'
import { routeNamed, routeWay } from './route-way.ts'
import { collects } from './tell.ts'
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
export async function chatWay(admitted: Exchange, { client, body, text }: ChatWords): Promise<Response> {
  const exchange: ChatExchange = Object.assign(admitted, { client, body, text })
  exchange.stream = body.stream === true
  watchClient(exchange)
  const model = body.model as string
  const route = routeNamed(model)
  if (route !== undefined) return routeWay(exchange, route, serveChat)
  exchange.target = targetOf(exchange.settings.registry, model)
  return serveChat(exchange)
}

/** From a chat's target to its answer. */
function serveChat(exchange: ChatExchange): Promise<Response> {
  exchange.sent = exchange.text
  const pending = chooseCredential(exchange)
  return pending ? pending.then(() => askFor(exchange)) : askFor(exchange)
}

function askFor(exchange: ChatExchange): Promise<Response> {
  keepAnswer(exchange)
  const plan = asksForCache(exchange) ? planFor(exchange, questionOf(exchange)) : undefined
  return plan ? throughCache(exchange, plan, asking) : asking(exchange)
}

/** The way of a request in a provider's own format, which is not understood and not changed. @throws GatewayFault */
export async function nativeWay(exchange: Exchange, call: NativeCall): Promise<Response> {
  watchClient(exchange)
  exchange.sent = call.body
  const pending = chooseCredential(exchange)
  if (pending) await pending
  keepAnswer(exchange)
  const asks = call.method === 'POST' && asksForCache(exchange)
  const plan = asks ? planFor(exchange, await nativeQuestion(exchange, call)) : undefined
  return plan ? throughCache(exchange, plan, one => askNatively(one, call)) : askNatively(exchange, call)
}

async function askNatively(exchange: Exchange, call: NativeCall): Promise<Response> {
  const asked = isLimited(exchange) ? await askedNatively(exchange, call) : undefined
  return withRetries(exchange, one => (asked || isPooled(one) ? passLimited(one, call, asked) : passNative(one, call)))
}

async function passLimited(exchange: Exchange, call: NativeCall, asked: Asked | undefined): Promise<Response> {
  if (isPooled(exchange)) takePlace(exchange)
  const pending = asked && claimLimits(exchange, asked)
  if (pending) await pending
  return passNative(exchange, call)
}

/** Keys and deployments out of which one is taken for each attempt. */
const isPooled = ({ key, place }: Exchange): boolean =>
  place !== undefined || (key?.of === 'house' && key.alias === ANY_OF_A_POOL)

/**
 * Keeps the answer by reference, up to a bound (contract 8.3), where the record is to have it, or where what was used has
 * to be counted although the provider may not say it.
 */
function keepAnswer(exchange: Exchange): void {
  if ((exchange.settings.sinks.length && collects(exchange)) || isLimited(exchange))
    exchange.kept = new KeptAnswer(LONGEST_BODY)
}

const LONGEST_BODY = 10 * 1024 * 1024

const asking = (exchange: ChatExchange): Promise<Response> => withRetries(exchange, askOnce)

/** A chat is asked by its own text; what its dialect or its provider adds follows from that and from these headers. */
function questionOf({ client, headers, target, text }: ChatExchange): Question {
  const told: [string, string][] = []
  for (const name of target!.reach.provider.passes) {
    const value = headers.get(name)
    if (value !== null) told.push([name, value])
  }
  return { path: 'chat/completions', surface: client.name, headers: told, body: text }
}

/** Headers that change what a provider says: versions, betas, the form of body and answer, and who pays. */
const TELLING = /(?:^accept$|^content-type$|version|beta|organization|project|^prefer$)/

async function nativeQuestion(exchange: Exchange, { path, query, headers, body }: NativeCall): Promise<Question> {
  const told: [string, string][] = []
  new Headers(headers).forEach((value, name) => {
    if (TELLING.test(name) && !name.startsWith('cf-')) told.push([name, value])
  })
  return { path: path + (await withoutOurs(exchange, query)), surface: 'native', headers: told, body }
}

async function askOnce(exchange: ChatExchange): Promise<Response> {
  const { body, text } = exchange
  const pooled = isPooled(exchange)
  if (pooled) takePlace(exchange)
  // What the cache answers needs no request to a provider, and a further attempt has the one of the first.
  if (pooled || !exchange.written) writeRequest(exchange)
  const pending = isLimited(exchange) ? claimLimits(exchange, { body: () => body, length: text.length }) : undefined
  if (pending) await pending
  return answer(exchange, await attempt(exchange))
}
