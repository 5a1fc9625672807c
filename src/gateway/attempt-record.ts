import type { AttemptRecord, Decision, RecordedBodies } from '../telemetry/attempt-record.ts'
import type { ChatExchange, Exchange } from './exchange.ts'
import { collects } from './tell.ts'

/** Whether the bodies are kept with the record. */
export const collectsBodies = (exchange: Pick<Exchange, 'controls' | 'gateway'>): boolean =>
  collects(exchange) && (exchange.controls.collectPayload ?? exchange.gateway.collect_log_payload !== false)

/** Everything that is known of an attempt that is over. */
export function recordOf(exchange: Exchange, ended: number): AttemptRecord {
  const { outcome, target, caller, controls, ids, key, headers, request, started } = exchange
  const { usage, cost, error, firstByte, cached } = outcome
  const collect = collects(exchange)
  const asked = askedFor(exchange)
  return {
    id: ids.log,
    event: ids.event,
    request: ids.request,
    at: performance.timeOrigin + started,
    duration: round(ended - started),
    ...(firstByte !== undefined && { firstByte: round(firstByte - started) }),
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
    ...(usage && { usage }),
    ...(cost && { cost }),
    customCost: controls.customCost !== undefined,
    ...(caller && { token: caller.name }),
    ...(key && { key: key.of === 'caller' ? key : { of: key.of, alias: key.alias } }),
    ...(controls.metadata && { metadata: controls.metadata }),
    requestSize: exchange.sent?.length ?? 0,
    answerSize: exchange.kept?.size ?? 0,
    ...(error && {
      error: { code: error.code ?? error.type, ...(error.number !== undefined && { number: error.number }) },
    }),
    collect,
    collectBodies: collect && collectsBodies(exchange),
    ...(collect && {
      userAgent: headers.get('user-agent') ?? undefined,
      requestType: headers.get('content-type') ?? undefined,
      answerType: outcome.type ?? (exchange.stream ? 'text/event-stream' : 'application/json'),
      ...(exchange.kept && collectsBodies(exchange) && { bodies: bodiesOf(exchange) }),
      decisions: decisionsOf(exchange),
      trace: traceOf(exchange),
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
  const { sent, kept, target } = exchange
  const { written, client } = exchange as Partial<ChatExchange>
  const format = client?.name ?? exchange.outcome.format
  return {
    ...(sent !== undefined && { request: sent }),
    ...(written && !written.unchanged && target && { upstreamRequest: written.body }),
    ...(kept && { answer: kept.bytes() }),
    ...(kept?.isCut && { cut: true }),
    ...(format !== undefined && { format }),
  }
}

function traceOf({ controls, headers }: Exchange): AttemptRecord['trace'] {
  const traceparent = headers.get('traceparent')
  const { otelTraceId, otelParentSpanId } = controls
  if (!otelTraceId && !otelParentSpanId && traceparent === null) return undefined
  return {
    ...(otelTraceId && { traceId: otelTraceId }),
    ...(otelParentSpanId && { parentSpanId: otelParentSpanId }),
    ...(traceparent !== null && { traceparent }),
  }
}

/** What was decided on the way, as far as it shows in what the request has become. */
function decisionsOf(exchange: Exchange): Decision[] {
  const { caller, gateway, gatewayId, key, place, target, outcome, claimed, shared, cacheKey } = exchange
  const decisions: Decision[] = [
    caller
      ? { step: 'authenticate', what: `the token "${caller.name}"` }
      : { step: 'authenticate', what: 'no token, on an open gateway' },
    { step: 'gateway', what: gatewayId, facts: { authentication: gateway.authentication !== false } },
  ]
  for (const turn of shared.turns ?? [])
    decisions.push({
      step: 'route',
      what: `${turn.node}: ${turn.why}`,
      facts: { type: turn.type, output: turn.output },
    })
  if (cacheKey) decisions.push({ step: 'cache', what: outcome.cached ? 'a hit' : 'a miss', facts: { key: cacheKey } })
  for (const { claims } of claimed)
    for (const { limit, counts } of claims)
      decisions.push({ step: 'limits', what: limit.key, facts: { counts, limit: limit.limit, taken: limit.amount } })
  if (key)
    decisions.push({ step: 'key', what: key.of === 'caller' ? 'the caller’s own' : `"${key.alias}" of the ${key.of}` })
  if (place) decisions.push({ step: 'pool', what: place.member.id })
  if (target) decisions.push({ step: 'target', what: `${target.reach.provider.slug}/${target.model}` })
  return decisions
}

const round = (milliseconds: number) => Math.round(milliseconds * 100) / 100
