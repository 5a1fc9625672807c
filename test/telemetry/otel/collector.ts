import { parse } from 'protobufjs'

/** The part of OTLP's messages that spans of ours use, in the words of opentelemetry-proto. */
const { root } = parse(`
  syntax = "proto3";
  package otlp;
  message ExportTraceServiceRequest { repeated ResourceSpans resource_spans = 1; }
  message ExportTraceServiceResponse { ExportTracePartialSuccess partial_success = 1; }
  message ExportTracePartialSuccess { int64 rejected_spans = 1; string error_message = 2; }
  message ResourceSpans { Resource resource = 1; repeated ScopeSpans scope_spans = 2; }
  message Resource { repeated KeyValue attributes = 1; }
  message ScopeSpans { InstrumentationScope scope = 1; repeated Span spans = 2; }
  message InstrumentationScope { string name = 1; string version = 2; }
  message Span {
    bytes trace_id = 1; bytes span_id = 2; string trace_state = 3; bytes parent_span_id = 4; string name = 5;
    int32 kind = 6; fixed64 start_time_unix_nano = 7; fixed64 end_time_unix_nano = 8;
    repeated KeyValue attributes = 9; uint32 dropped_attributes_count = 10; Status status = 15; fixed32 flags = 16;
  }
  message Status { string message = 2; int32 code = 3; }
  message KeyValue { string key = 1; AnyValue value = 2; }
  message AnyValue {
    oneof value { string string_value = 1; bool bool_value = 2; int64 int_value = 3; double double_value = 4; ArrayValue array_value = 5; }
  }
  message ArrayValue { repeated AnyValue values = 1; }
`)

type Attribute = string | number | boolean | Attribute[]

/** A span as a collector sees it, whichever way it came. */
export interface ReceivedSpan {
  name: string
  kind: number
  traceId: string
  spanId: string
  parentSpanId?: string
  /** Nanoseconds since 1970. */
  start: bigint
  end: bigint
  status: { code?: number; message?: string }
  dropped: number
  attributes: Record<string, Attribute>
  resource: Record<string, Attribute>
}

export interface Received {
  headers: Headers
  spans: ReceivedSpan[]
}

export interface Collector {
  url: string
  received: Received[]
  spans(): ReceivedSpan[]
  /** Resolves when that many spans have come. */
  until(count: number): Promise<ReceivedSpan[]>
  stop(): void
}

/** A collector on a real socket, which takes spans as JSON and as protobuf, unless it is told to answer otherwise. */
export function collector(
  answer: (request: number) => Response | undefined | Promise<Response> = () => undefined,
): Collector {
  const received: Received[] = []
  let requests = 0
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const bytes = await request.bytes()
      const refusal = await answer(requests++)
      if (refusal && !refusal.ok) return refusal
      received.push({ headers: request.headers, spans: spansOf(request.headers.get('content-type') ?? '', bytes) })
      return refusal ?? new Response()
    },
  })
  const spans = () => received.flatMap(one => one.spans)
  return {
    url: `http://127.0.0.1:${server.port}/v1/traces`,
    received,
    spans,
    async until(count) {
      for (let tries = 0; tries < 500 && spans().length < count; tries++) await Bun.sleep(10)
      if (spans().length < count) throw new Error(`only ${spans().length} of ${count} spans came`)
      return spans()
    },
    stop: () => void server.stop(true),
  }
}

/** A collector's answer in protobuf that it has not taken some of the spans. */
export function rejecting(count: number): Response {
  const type = root.lookupType('otlp.ExportTraceServiceResponse')
  const bytes = type.encode(type.create({ partialSuccess: { rejectedSpans: count, errorMessage: 'no' } })).finish()
  return new Response(new Uint8Array(bytes), { headers: { 'content-type': 'application/x-protobuf' } })
}

interface WireSpan {
  name: string
  kind: number
  traceId: string | Uint8Array
  spanId: string | Uint8Array
  parentSpanId?: string | Uint8Array
  startTimeUnixNano: string
  endTimeUnixNano: string
  status?: { code?: number; message?: string }
  droppedAttributesCount?: number
  attributes: WireAttribute[]
}
interface WireAttribute {
  key: string
  value: WireValue
}
interface WireValue {
  stringValue?: string
  boolValue?: boolean
  intValue?: string | number
  doubleValue?: number
  arrayValue?: { values: WireValue[] }
}
interface WireRequest {
  resourceSpans: { resource: { attributes: WireAttribute[] }; scopeSpans: { spans: WireSpan[] }[] }[]
}

function spansOf(contentType: string, bytes: Uint8Array): ReceivedSpan[] {
  const type = root.lookupType('otlp.ExportTraceServiceRequest')
  const request = (
    contentType === 'application/x-protobuf'
      ? type.toObject(type.decode(bytes), { longs: String })
      : JSON.parse(Buffer.from(bytes).toString())
  ) as WireRequest
  return request.resourceSpans.flatMap(({ resource, scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map(span => received(span, resource.attributes))),
  )
}

function received(span: WireSpan, resource: WireAttribute[]): ReceivedSpan {
  const parent = span.parentSpanId
  return {
    name: span.name,
    kind: span.kind,
    traceId: hex(span.traceId),
    spanId: hex(span.spanId),
    ...(parent?.length && { parentSpanId: hex(parent) }),
    start: BigInt(span.startTimeUnixNano),
    end: BigInt(span.endTimeUnixNano),
    status: span.status ?? {},
    dropped: span.droppedAttributesCount ?? 0,
    attributes: plain(span.attributes),
    resource: plain(resource),
  }
}

const hex = (id: string | Uint8Array) => (typeof id === 'string' ? id : Buffer.from(id).toString('hex'))

const plain = (attributes: WireAttribute[] = []): Record<string, Attribute> =>
  Object.fromEntries(attributes.map(({ key, value }) => [key, attributeOf(value)]))

function attributeOf({ stringValue, boolValue, intValue, doubleValue, arrayValue }: WireValue): Attribute {
  if (intValue !== undefined) return Number(intValue)
  return stringValue ?? boolValue ?? doubleValue ?? arrayValue?.values.map(attributeOf) ?? ''
}
