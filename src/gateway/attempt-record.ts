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
  // Member by member: every request pays for this, and objects spread into one another cost several times as much.
  const made: AttemptRecord = {
    id: ids.log,
    event: ids.event,
    request: ids.request,
    at: performance.timeOrigin + started,
    duration: round(ended - started),
    gateway: exchange.gatewayId,
    method: request.method,
    path: exchange.path,
    surface: exchange.surface,
    attempt: exchange.attempt ?? 1,
    status: outcome.status!,
    stream: exchange.stream,
    cached: cached === true,
    customCost: controls.customCost !== undefined,
    requestSize: (exchange.wrapped ?? exchange.sent)?.length ?? 0,
    answerSize: kept?.size ?? 0,
    collect,
    collectBodies: collect && collectsBodies(exchange),
  }
  if (firstByte !== undefined) made.firstByte = round(firstByte - started)
  if (exchange.stream && kept?.began) made.firstWord = round(kept.began - started)
  if (target) made.provider = target.reach.provider.slug
  if (target?.model) made.model = target.model
  if (asked !== undefined) made.asked = asked
  if (exchange.step !== undefined) made.step = exchange.step
  if (exchange.cachePlan && made.attempt === 1) made.cache = cached ? 'hit' : 'miss'
  if (outcome.model !== undefined) made.answeredBy = outcome.model
  if (outcome.finish) made.finish = outcome.finish
  if (outcome.server) made.server = outcome.server
  if (trace) made.trace = trace
  if (usage) made.usage = usage
  if (cost) made.cost = cost
  if (caller) made.token = caller.name
  if (key) made.key = key.of === 'caller' ? key : { of: key.of, alias: key.alias }
  if (controls.metadata) made.metadata = controls.metadata
  if (error) {
    made.error = { code: error.code ?? error.type }
    if (error.number !== undefined) made.error.number = error.number
  }
  if (!collect) return made
  made.userAgent = headers.get('user-agent') ?? undefined
  made.requestType = headers.get('content-type') ?? undefined
  made.answerType = outcome.type ?? (exchange.stream ? 'text/event-stream' : 'application/json')
  if (made.collectBodies && (kept || exchange.sent !== undefined)) made.bodies = bodiesOf(exchange)
  made.decisions = decisionsOf(exchange)
  return made
}

/** The model's name in the client's words, where a route or an alias made another of it. */
function askedFor(exchange: Exchange): string | undefined {
  const { body, target } = exchange as Partial<ChatExchange>
  const said = body?.model
  if (typeof said !== 'string' || !target) return undefined
  return said === `${target.reach.provider.slug}/${target.model}` ? undefined : said
}

function bodiesOf(exchange: Exchange): RecordedBodies {
  const { wrapped, sent = wrapped, kept } = exchange
  const { written, client } = exchange as Partial<ChatExchange>
  const format = client?.name ?? exchange.outcome.format
  return {
    ...(sent !== undefined && { request: wrapped ?? sent }),
    // Where only the model's name is another, `explain` knows it.
    ...(written?.rewritten && { upstreamRequest: written.body }),
    ...(kept && { answer: kept.bytes() }),
    ...(kept?.isCut && { cut: true }),
    ...(format !== undefined && { format }),
  }
}

const round = (milliseconds: number) => Math.round(milliseconds * 100) / 100
