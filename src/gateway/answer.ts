import { Collector, expand } from '../conversation/collect.ts'
import { type ProviderError, ProviderFailure } from '../conversation/errors.ts'
import type { Reply } from '../conversation/reply.ts'
import { estimateUsage } from '../costs/estimate.ts'
import type { ByteSource, Bytes } from '../stream/byte-source.ts'
import { encodeFrames } from '../stream/encode.ts'
import type { Framing } from '../stream/frame.ts'
import { framer } from '../stream/framer.ts'
import { Normalizer } from '../stream/normalize.ts'
import type { ChatExchange } from './exchange.ts'
import { upstreamFault } from './fault.ts'
import { passedHeaders } from './headers.ts'
import { type ReadBody, readBody } from './json-body.ts'
import { openStream } from './open-stream.ts'
import { notAnswer, passStream, passWhole } from './pass.ts'
import { record } from './record.ts'
import { streamHeaders } from './stream-headers.ts'
import { tell } from './tell.ts'
import type { UpstreamAnswer } from './upstream.ts'

const MEDIA_TYPES: Record<Framing, string> = {
  sse: 'text/event-stream',
  ndjson: 'application/x-ndjson',
  'aws-event-stream': 'application/vnd.amazon.eventstream',
}
const JSON_TYPE = 'application/json'
/** A shorter key is a placeholder for a server that needs none, and may be a word of any text. */
const SHORTEST_KEY = 8

/**
 * Turns the provider's answer into the client's: its bytes unchanged where both speak one dialect faithfully, through
 * the normalizer otherwise. What decides between stream and JSON is what came, not what was asked for (trap 9).
 */
export async function answer(exchange: ChatExchange, came: UpstreamAnswer): Promise<Response> {
  const { dialect, dropped, unchanged } = exchange.written!
  const headers = passedHeaders(came.headers)
  if (dropped.length) headers.set('postern-dropped', dropped.join(', '))
  // Before there is an answer: the headers of one that is made already would be copied once more.
  tell(exchange, headers)
  if (came.status < 200 || came.status >= 300) return failed(exchange, came, headers)
  const type = came.headers.get('content-type') ?? ''
  const streams = isStream(type, dialect.framing, exchange.stream)
  if (unchanged && streams === exchange.stream) {
    const passed = await (streams ? passStream : passWhole)(exchange, came, headers)
    return passed instanceof Response ? passed : fail(exchange, passed, headers)
  }
  if (streams && came.body)
    return exchange.stream ? translateStream(exchange, came.body, headers) : gather(exchange, came.body, headers)
  return translateReply(exchange, await readAnswer(exchange, came), headers)
}

/** A stream by its type; where the type says nothing (none, or any binary), by what was asked for. */
function isStream(type: string, framing: Framing, asked: boolean): boolean {
  if (type.startsWith(MEDIA_TYPES[framing]) || (framing === 'ndjson' && type.startsWith('application/ndjson')))
    return true
  if (type.includes('json') || type.includes('html') || type.includes('xml')) return false
  return asked && (type === '' || type.startsWith('application/octet-stream') || type.startsWith('text/plain'))
}

async function readAnswer(exchange: ChatExchange, came: UpstreamAnswer): Promise<ReadBody> {
  const { title } = exchange.target!.reach.provider
  let body: ReadBody
  try {
    body = await readBody(came, 'answer')
  } catch (cause) {
    throw upstreamFault(
      'closed',
      title,
      cause instanceof RangeError ? cause.message : 'the connection broke in the middle of the answer',
    )
  }
  if (body.json) return body
  throw notAnswer(title, came.status, body.text)
}

/** An error of the provider, in the client's shape, with the provider's status; its own bytes where they are that already. */
async function failed(exchange: ChatExchange, came: UpstreamAnswer, headers: Headers): Promise<Response> {
  const { dialect, unchanged } = exchange.written!
  const { provider } = exchange.target!.reach
  // A redirect is not followed, since it would carry the key elsewhere; to the client that is a failure of the provider.
  if (came.status < 400) {
    exchange.abort.abort()
    const what = came.headers.get('location') !== null ? 'a redirect, which is not followed' : 'which is no answer'
    throw upstreamFault('closed', provider.title, `it answered ${came.status}, ${what}`)
  }
  if (came.status === 401 && exchange.credential) provider.forget?.(exchange.credential)
  const body = await readBody(came, 'error').catch((): ReadBody => ({ text: '', value: '', json: false }))
  const error = dialect.readError(came.status, body.value, headers)
  const own = unchanged && body.json && typeof (body.value as { error?: unknown } | null)?.error === 'object'
  return fail(exchange, error, headers, own ? body.text : undefined)
}

function fail(exchange: ChatExchange, error: ProviderError, headers: Headers, text?: string): Response {
  headers.set('content-type', JSON_TYPE)
  exchange.outcome.error = error
  const body = withoutKey(exchange, text ?? JSON.stringify(exchange.client.writeError(error)))
  exchange.kept?.add(body)
  record(exchange, error.status)
  return new Response(body, { status: error.status, headers })
}

/** Providers like to quote the key that they refuse; the operator's is not for the client's eyes. */
function withoutKey({ credential, callerKey }: ChatExchange, text: string): string {
  if (callerKey !== undefined || !credential || credential.length < SHORTEST_KEY) return text
  return text.includes(credential) ? text.replaceAll(credential, '***') : text
}

async function translateStream(exchange: ChatExchange, source: ByteSource, headers: Headers): Promise<Response> {
  const { client } = exchange
  const { dialect, memory } = exchange.written!
  let going = false
  const normalizer = new Normalizer({
    source,
    framer: framer(dialect.framing),
    reader: dialect.reader({ memory, quirks: exchange.target!.reach.provider.quirks }),
    writer: client.writer(writeContext(exchange)),
    framing: client.framing,
    sink: exchange.kept,
    settled: ({ model, usage, finish, error, left }) => {
      Object.assign(exchange.outcome, { model, usage, error, left, ...(finish && { finish: [finish] }) })
      if (left) exchange.abort.abort()
      // Before the first word it is a failure, with a status of its own.
      if (going) record(exchange, 200)
    },
  })
  const error = await normalizer.prime()
  if (error) return fail(exchange, error, headers)
  going = true
  streamHeaders(headers)
  openStream(exchange)
  return new Response(normalizer.stream(), { status: 200, headers })
}

/** The client wants one answer, and a stream came. */
async function gather(exchange: ChatExchange, source: ByteSource, headers: Headers): Promise<Response> {
  const { dialect, memory } = exchange.written!
  const reader = dialect.reader({ memory, quirks: exchange.target!.reach.provider.quirks })
  const cutter = framer(dialect.framing)
  const collector = new Collector()
  let broken = false
  const take = (frames: ReturnType<typeof cutter.push>) => {
    for (const frame of frames) for (const event of reader.read(frame)) collector.add(event)
  }
  try {
    for (let bytes = await source.read(); bytes; bytes = await source.read()) {
      take(cutter.push(bytes))
      if (collector.ended) break
    }
    // Some keep the connection open behind their end mark (T29).
    if (collector.ended) source.cancel()
    else take(cutter.end())
    for (const event of reader.end()) collector.add(event)
  } catch (fault) {
    if (fault instanceof ProviderFailure) return fail(exchange, fault.error, headers)
    broken = true
  }
  const { title } = exchange.target!.reach.provider
  if (broken || !collector.complete)
    throw upstreamFault('closed', title, 'it closed the stream before the answer was complete')
  return writeWhole(exchange, collector.reply(), headers)
}

function translateReply(exchange: ChatExchange, body: ReadBody, headers: Headers): Response {
  const { dialect, memory } = exchange.written!
  let reply: Reply
  try {
    reply = dialect.readReply(body.value, { memory, quirks: exchange.target!.reach.provider.quirks })
  } catch (fault) {
    if (fault instanceof ProviderFailure) return fail(exchange, fault.error, headers)
    throw fault
  }
  return exchange.stream ? writeAsStream(exchange, reply, headers) : writeWhole(exchange, reply, headers)
}

function writeWhole(exchange: ChatExchange, reply: Reply, headers: Headers): Response {
  headers.set('content-type', JSON_TYPE)
  understood(exchange, reply)
  const body = JSON.stringify(exchange.client.writeReply(reply, writeContext(exchange)))
  exchange.kept?.add(body)
  record(exchange, 200)
  return new Response(body, { status: 200, headers })
}

/** The client wants a stream, and one answer came: it gets the stream that the answer stands for. */
function writeAsStream(exchange: ChatExchange, reply: Reply, headers: Headers): Response {
  const { client } = exchange
  const writer = client.writer(writeContext(exchange))
  const frames = expand(reply).flatMap(event => writer.write([event]))
  streamHeaders(headers)
  understood(exchange, reply)
  const body = encodeFrames([...frames, ...writer.end()], client.framing) as Bytes
  exchange.kept?.add(body)
  record(exchange, 200)
  return new Response(body, { status: 200, headers })
}

function understood({ outcome }: ChatExchange, { usage, model, choices }: Reply): void {
  outcome.usage = usage
  outcome.model = model
  outcome.finish = choices.map(({ finish }) => finish)
}

function writeContext(exchange: ChatExchange) {
  const options = exchange.body.stream_options as { include_usage?: boolean } | null | undefined
  return {
    model: exchange.target!.model,
    includeUsage: options?.include_usage === true,
    estimate: (answered: number) => estimateUsage(exchange.text.length, answered),
  }
}
