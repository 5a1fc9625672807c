import type { CachedAnswer } from '../../storage/cache/answer-cache.ts'
import { asSource, type Bytes, webStreamOf } from '../../stream/byte-source.ts'
import type { Exchange } from '../exchange.ts'
import { GatewayFault } from '../fault.ts'
import { KeptAnswer } from '../kept-answer.ts'
import { record } from '../record.ts'
import { tell } from '../tell.ts'
import { watchClient } from '../watch-client.ts'
import type { CachePlan } from './plan.ts'
import { replayed } from './replay.ts'

/** A larger answer is not kept (contract section 4). */
const LONGEST_ANSWER = 25 * 1024 * 1024

/** What those who share a call get of it beside the body. */
export interface FlightHead {
  status: number
  headers: Headers
}

type Ask<E extends Exchange> = (exchange: E) => Promise<Response>

/**
 * Answers from the cache where it can, and asks the provider otherwise; what it says well is kept. Where the gateway says
 * so, those who ask the same at the same time share one call.
 */
export async function throughCache<E extends Exchange>(exchange: E, plan: CachePlan, ask: Ask<E>): Promise<Response> {
  const { cache } = exchange.settings.live
  exchange.cachePlan = plan
  const found = cache.get(plan.key)
  const hit = found instanceof Promise ? await found : found
  if (hit) return answerFrom(exchange, hit)
  return exchange.gateway.cache_coalesce ? shared(exchange, plan, ask) : kept(exchange, plan, ask)
}

/** Gives an answer again: a stream as a stream, at once or at the pace that it came in. */
function answerFrom(exchange: Exchange, hit: CachedAnswer): Response {
  const { outcome, gateway } = exchange
  const headers = new Headers(hit.headers)
  const { meta, status } = hit
  if (hit.pieces) exchange.stream = true
  outcome.cached = true
  outcome.usage = meta.usage
  exchange.target = { reach: exchange.target!.reach, model: meta.model || exchange.target!.model }
  exchange.kept?.add(hit.body)
  tell(exchange, headers)
  const paced = hit.pieces && gateway.cache_replay === 'recorded'
  const body = paced ? replayed(hit.body, hit.pieces!, left => done(left)) : hit.body
  const done = (left: boolean) => {
    outcome.left ||= left
    record(exchange, status)
  }
  if (!paced) done(false)
  return new Response(body, { status, headers })
}

/** Asks, and keeps the answer when it has come to a good end. */
async function kept<E extends Exchange>(exchange: E, plan: CachePlan, ask: Ask<E>): Promise<Response> {
  const began = Date.now()
  let headers: [string, string][] | undefined
  let over: [E, KeptAnswer] | undefined
  const put = (one: Exchange, answer: KeptAnswer) => {
    if (!answer.isCut && answer.size)
      one.settings.live.cache.put(plan.key, cachedOf(one, answer, headers!, began, plan.ttl))
  }
  exchange.kept = new KeptAnswer(LONGEST_ANSWER, true)
  exchange.cacheable = (one, answer) => {
    // An answer in one piece is over before its headers are ready.
    if (headers) put(one, answer)
    else over = [one as E, answer]
  }
  const response = await ask(exchange)
  headers = keptHeaders(response.headers)
  if (over) put(...over)
  return response
}

/** @param began when it was asked for: a purge while it came is a purge of it too */
function cachedOf(
  { outcome, target, stream, gatewayId }: Exchange,
  answer: KeptAnswer,
  headers: [string, string][],
  began: number,
  ttl: number,
): CachedAnswer {
  const { usage, status } = outcome
  const { reach, model } = target!
  const pieces = answer.bytes()
  return {
    status: status!,
    headers,
    body: pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces),
    ...(stream && answer.times && { pieces: ends(pieces, answer.times) }),
    meta: { provider: reach.provider.slug, model, ...(usage && { usage }), gateway: gatewayId },
    stored: began,
    expires: began + ttl * 1_000,
  }
}

function ends(pieces: readonly Bytes[], times: readonly number[]) {
  let end = 0
  return pieces.map((piece, index) => {
    end += piece.length
    return { end, at: times[index]! }
  })
}

/** What is only true of the first time. */
const ONCE = /^(?:cf-aig-|.*ratelimit|retry-after|age$|x-should-retry|postern-attempt)/

function keptHeaders(headers: Headers): [string, string][] {
  const list: [string, string][] = []
  headers.forEach((value, name) => {
    if (!ONCE.test(name)) list.push([name, value])
  })
  return list
}

/** Nobody answered: that is the same for all who share a call. */
const NO_ANSWER = 2005
/** Nginx's number for a client that closed the connection before the answer was complete. */
const LEFT = 499

/** One call for all who ask the same at the same time. */
async function shared<E extends Exchange>(exchange: E, plan: CachePlan, ask: Ask<E>): Promise<Response> {
  const { flights } = exchange.settings
  let led = false
  const joining = flights.join(
    plan.key,
    async signal => {
      led = true
      // Not its own client decides how long the call goes on, but all who share it.
      exchange.shared.outlives = true
      exchange.shared.until = signal
      watchClient(exchange)
      const response = await kept(exchange, plan, ask)
      const { status, body } = response
      const head = { status, headers: response.headers }
      return { head, body: body ? asSource(body) : (new Uint8Array() as Bytes) }
    },
    exchange.request.signal,
  )
  const { signal } = exchange.request
  const joined = await joining.catch((fault: unknown) => {
    if (signal.aborted && fault === signal.reason) return null
    // What the gateway refuses to one caller it may allow another.
    if (led || !(fault instanceof GatewayFault) || fault.number === NO_ANSWER) throw fault
    return undefined
  })
  if (joined === null) {
    // Nobody reads this. The call goes on for the others, and is put on record by the one who made it when it is over.
    if (!led) record(exchange, LEFT)
    return new Response(null, { status: LEFT })
  }
  if (!joined) return kept(exchange, plan, ask)
  const { status } = joined.head
  const headers = new Headers(joined.head.headers)
  const body = joined.body instanceof Uint8Array ? joined.body : webStreamOf(joined.body)
  if (joined.first) return new Response(body, { status, headers })
  for (const name of OWN) headers.delete(name)
  exchange.outcome.cached = true
  tell(exchange, headers)
  watchClient(exchange)
  record(exchange, status)
  return new Response(body, { status, headers })
}

/** What each of those who share an answer is told for itself. */
const OWN = [
  'cf-aig-log-id',
  'cf-aig-event-id',
  'cf-aig-request-id',
  'cf-aig-step',
  'postern-dropped',
  'ratelimit-limit',
  'ratelimit-remaining',
  'ratelimit-reset',
]
