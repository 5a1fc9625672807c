import type { ProtobufTraceSerializer } from '@opentelemetry/otlp-transformer'
import type { AttemptRecord } from '../attempt-record.ts'
import type { Described } from './attributes.ts'
import type { Trace } from './trace.ts'

/** A span as OpenTelemetry's serializers take it. */
export type Span = Parameters<typeof ProtobufTraceSerializer.serializeRequest>[0][number]
type Resource = Span['resource']

/** As it was seen on the wire (contract 8.6). */
const NAME = 'cf.aig.request'
const SERVICE = 'ai-gateway'

/** OpenTelemetry's numbers: a span about asking somebody else, a status that says nothing, and one that says failure. */
const CLIENT = 2
const UNSET = 0
const ERROR = 2
const SAMPLED = 1

const NANOS_IN_MS = 1_000_000

/** Where spans come from. */
export interface Origin {
  resource: Resource
  scope: { name: string; version: string }
}

/** @param version of this program */
export function origin(version: string): Origin {
  const resource = {
    attributes: { 'service.name': SERVICE, 'service.version': version },
    merge: (other: Resource | null) => other ?? resource,
    getRawAttributes: () => Object.entries(resource.attributes),
  } as Resource
  return { resource, scope: { name: 'postern', version } }
}

/** The span of an attempt. */
export function spanOf(
  record: AttemptRecord,
  { traceId, spanId, parentSpanId }: Trace,
  { attributes, dropped }: Described,
  { resource, scope }: Origin,
): Span {
  const { error, status } = record
  const failed = error !== undefined || status >= 400
  const context = { traceId, spanId, traceFlags: SAMPLED }
  return {
    name: NAME,
    kind: CLIENT,
    spanContext: () => context,
    ...(parentSpanId !== undefined && {
      parentSpanContext: { traceId, spanId: parentSpanId, traceFlags: SAMPLED, isRemote: true },
    }),
    startTime: timeOf(record.at),
    endTime: timeOf(record.at + record.duration),
    duration: timeOf(record.duration),
    status: failed ? { code: ERROR, message: error?.code ?? String(status) } : { code: UNSET },
    attributes,
    links: [],
    events: [],
    ended: true,
    resource,
    instrumentationScope: scope,
    droppedAttributesCount: dropped,
    droppedEventsCount: 0,
    droppedLinksCount: 0,
  }
}

/** Seconds and nanoseconds. */
function timeOf(milliseconds: number): [number, number] {
  const seconds = Math.floor(milliseconds / 1_000)
  return [seconds, Math.round((milliseconds - seconds * 1_000) * NANOS_IN_MS)]
}
