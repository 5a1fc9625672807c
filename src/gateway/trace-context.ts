import type { Outgoing } from '../providers/auth/auth.ts'
import { isSignature } from '../providers/auth/credential.ts'
import type { AttemptRecord } from '../telemetry/attempt-record.ts'
import { beginTrace, nextSpan, type Trace, traceparentOf } from '../telemetry/otel/trace.ts'
import type { Exchange } from './exchange.ts'

/** Whether attempts of this gateway become spans. */
const isTraced = ({ gateway }: Exchange): boolean => gateway.otel != null && gateway.otel.length > 0

/** Whether a provider is to be told of a trace; all that it costs where there is none. */
export const hasTrace = ({ gateway, controls }: Exchange): boolean =>
  gateway.otel != null || controls.traceparent !== undefined

/**
 * Tells the provider where its own spans belong (contract 8.6): below the span of this attempt where there is to be one,
 * otherwise wherever the client says.
 */
export function carryTrace(exchange: Exchange, outgoing: Outgoing): void {
  const { headers } = outgoing
  const { traceparent, tracestate } = exchange.controls
  // A signature of the caller's may cover what stands there.
  if (headers.traceparent !== undefined && isSignature(headers.authorization ?? '')) return
  const traced = isTraced(exchange)
  const span = traced ? spanOf(exchange) : undefined
  const said = span ? traceparentOf(span) : traceparent
  if (said === undefined) return
  headers.traceparent = said
  // What vendors keep of a trace goes with it, and with no other.
  if (tracestate !== undefined && (!span || traceparent?.includes(span.traceId))) headers.tracestate = tracestate
  else delete headers.tracestate
  if (traced) exchange.outcome.server = serverOf(outgoing.url)
}

/** For the record: the attempt's span, or what the caller said of its trace. */
export function traceOf(exchange: Exchange): AttemptRecord['trace'] {
  if (isTraced(exchange)) return spanOf(exchange)
  const { otelTraceId: traceId, otelParentSpanId: parentSpanId, traceparent } = exchange.controls
  if (traceId === undefined && parentSpanId === undefined && traceparent === undefined) return undefined
  return {
    ...(traceId !== undefined && { traceId }),
    ...(parentSpanId !== undefined && { parentSpanId }),
    ...(traceparent !== undefined && { traceparent }),
  }
}

/** The span of this attempt. All steps and attempts of a request stand in one trace, unless a step names its own. */
function spanOf(exchange: Exchange): Trace {
  if (exchange.span) return exchange.span
  const { shared, controls } = exchange
  const { otelTraceId: traceId, otelParentSpanId: parentSpanId, traceparent } = controls
  const begun = shared.trace
  if (begun && (traceId === undefined || traceId === begun.traceId))
    exchange.span = { ...nextSpan(begun), ...(parentSpanId !== undefined && { parentSpanId }) }
  else {
    exchange.span = beginTrace({
      ...(traceId !== undefined && { traceId }),
      ...(parentSpanId !== undefined && { parentSpanId }),
      ...(traceparent !== undefined && { traceparent }),
    })
    shared.trace ??= exchange.span
  }
  return exchange.span
}

const PORTS: Record<string, number> = { 'https:': 443, 'http:': 80, 'wss:': 443, 'ws:': 80 }

function serverOf(url: string): AttemptRecord['server'] {
  const { hostname, port, protocol } = new URL(url)
  return { address: hostname, port: Number(port) || PORTS[protocol] || 0 }
}
