import type { AttemptRecord, RecordedBodies } from '../telemetry/attempt-record.ts'
import { decisionsOf } from './decisions.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { collects } from './tell.ts'
import { traceOf } from './trace-context.ts'

/** Whether the bodies are kept with the record. */
export const collectsBodies = (exchange: Pick<Exchange, 'controls' | 'gateway'>): boolean =>
  collects(exchange) && (exchange.controls.collectPayload ?? exchange.gateway.collect_log_payload !== false)

/** Everything that is known of an attempt that is over. */
export function recordOf(exchange: Exchange, ended: number): AttemptRecord {
  const { outcome, target, caller, controls, ids, key, headers, request, started, kept } = exchange
  const { usage, cost, error, firstByte, cached } = outcome
  const collect = collects(exchange)
  const asked = askedFor(exchange)
  const trace = traceOf(exchange)
  return {
    id: ids.log,
    event: ids.event,
    request: ids.request,
    at: performance.timeOrigin + started,
    duration: round(ended - started),
    ...(firstByte !== undefined && { firstByte: round(firstByte - started) }),
    ...(exchange.stream && kept?.began && { firstWord: round(kept.began - started) }),
    gateway: exchange.gatewayId,
    method: request.method,
    path: exchange.path,
    surface: exchange.surface,
    ...(target && { provider: target.reach.provider.slug }),
    ...(target?.model && { model: target.model }),
    ...(asked !== undefined && { asked }),
    ...(exchange.step !== undefined && { step: exchange.step }),
    attempt: exchange.attempt ?? 1,
    status: outcome.status!,
    stream: exchange.stream,
    cached: cached === true,
    ...(exchange.cachePlan && (exchange.attempt ?? 1) === 1 && { cache: cached ? 'hit' : 'miss' }),
    ...(outcome.model !== undefined && { answeredBy: outcome.model }),
    ...(outcome.finish && { finish: outcome.finish }),
    ...(outcome.server && { server: outcome.server }),
    ...(trace && { trace }),
    ...(usage && { usage }),
    ...(cost && { cost }),
    customCost: controls.customCost !== undefined,
    ...(caller && { token: caller.name }),
    ...(key && { key: key.of === 'caller' ? key : { of: key.of, alias: key.alias } }),
    ...(controls.metadata && { metadata: controls.metadata }),
    requestSize: exchange.sent?.length ?? 0,
    answerSize: kept?.size ?? 0,
    ...(error && {
      error: { code: error.code ?? error.type, ...(error.number !== undefined && { number: error.number }) },
    }),
    collect,
    collectBodies: collect && collectsBodies(exchange),
    ...(collect && {
      userAgent: headers.get('user-agent') ?? undefined,
      requestType: headers.get('content-type') ?? undefined,
      answerType: outcome.type ?? (exchange.stream ? 'text/event-stream' : 'application/json'),
      ...((kept || exchange.sent !== undefined) && collectsBodies(exchange) && { bodies: bodiesOf(exchange) }),
      decisions: decisionsOf(exchange),
    }),
  }
}

/** The model's name in the client's words, where a route or an alias made another of it. */
function askedFor(exchange: Exchange): string | undefined {
  const { body, target } = exchange as Partial<ChatExchange>
  const said = body?.model
  if (typeof said !== 'string' || !target) return undefined
  return said === `${target.reach.provider.slug}/${target.model}` ? undefined : said
}

function bodiesOf(exchange: Exchange): RecordedBodies {
  const { sent, kept } = exchange
  const { written, client } = exchange as Partial<ChatExchange>
  const format = client?.name ?? exchange.outcome.format
  return {
    ...(sent !== undefined && { request: sent }),
    // Where only the model's name is another, `explain` knows it.
    ...(written?.rewritten && { upstreamRequest: written.body }),
    ...(kept && { answer: kept.bytes() }),
    ...(kept?.isCut && { cut: true }),
    ...(format !== undefined && { format }),
  }
}

const round = (milliseconds: number) => Math.round(milliseconds * 100) / 100
