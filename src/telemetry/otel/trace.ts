/** Where the span of one attempt belongs. Ids are in lower-case hex. */
export interface Trace {
  /** 32 digits. */
  traceId: string
  /** 16 digits. */
  spanId: string
  parentSpanId?: string
  /** False where the caller's trace is recorded by nobody; then this span is not exported either. */
  sampled: boolean
}

/** What a request says of the trace that it belongs to; the first two were checked when its headers were read. */
export interface AskedTrace {
  /** `cf-aig-otel-trace-id` */
  traceId?: string
  /** `cf-aig-otel-parent-span-id` */
  parentSpanId?: string
  /** As it came. One that cannot be read counts as none, as W3C Trace Context has it. */
  traceparent?: string
}

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/
const NO_TRACE = '0'.repeat(32)
const NO_SPAN = '0'.repeat(16)
const SAMPLED = 1

/**
 * Makes the ids of an attempt's span, before its provider is asked. The gateway's own headers (contract 8.6) go before
 * `traceparent`, whose span is the parent where both speak of one trace.
 * @see https://www.w3.org/TR/trace-context/#traceparent-header
 */
export function beginTrace({ traceId, parentSpanId, traceparent }: AskedTrace): Trace {
  const caller = traceparent === undefined ? undefined : readTraceparent(traceparent)
  const joined = caller && (traceId === undefined || traceId === caller.traceId) ? caller : undefined
  const parent = parentSpanId ?? joined?.spanId
  return {
    traceId: traceId ?? joined?.traceId ?? newId(16),
    spanId: newId(8),
    ...(parent !== undefined && { parentSpanId: parent }),
    sampled: traceId !== undefined || (joined?.sampled ?? true),
  }
}

/** The span of a further attempt at the same request: beside the first one, with an id of its own. */
export const nextSpan = (trace: Trace): Trace => ({ ...trace, spanId: newId(8) })

/** The header `traceparent` for the provider, so that its spans stand below ours. */
export const traceparentOf = ({ traceId, spanId, sampled }: Trace): string =>
  `00-${traceId}-${spanId}-${sampled ? '01' : '00'}`

function readTraceparent(text: string): { traceId: string; spanId: string; sampled: boolean } | undefined {
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(text.trim()) ?? []
  if (traceId === undefined || spanId === undefined || version === 'ff') return undefined
  // The first version has no more than four parts.
  if (version === '00' && rest !== undefined) return undefined
  if (traceId === NO_TRACE || spanId === NO_SPAN) return undefined
  return { traceId, spanId, sampled: (Number.parseInt(flags!, 16) & SAMPLED) === SAMPLED }
}

function newId(bytes: number): string {
  // All zeros would mean "none"; it has never been seen.
  return crypto.getRandomValues(Buffer.allocUnsafe(bytes)).toString('hex')
}
