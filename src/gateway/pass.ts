import type { ProviderError } from '../conversation/errors.ts'
import { readAlong, readValue, type Sighting } from '../dialects/watched/index.ts'
import type { ByteSource, Bytes } from '../stream/byte-source.ts'
import { encodeFrames } from '../stream/encode.ts'
import { type Tapped, tap } from '../stream/tap.ts'
import type { ChatExchange } from './exchange.ts'
import { type GatewayFault, upstreamFault } from './fault.ts'
import { firstBytes, peek } from './first-bytes.ts'
import { errorInStream, failureInReply } from './first-failure.ts'
import { ONE_PIECE } from './headers.ts'
import { openStream } from './open-stream.ts'
import { record } from './record.ts'
import { streamHeaders } from './stream-headers.ts'
import type { UpstreamAnswer } from './upstream.ts'

/**
 * Hands the provider's JSON on as it is, and reads usage from it when it is through.
 * @returns the failure that was told under a status of success (trap 10)
 */
export async function passWhole(
  exchange: ChatExchange,
  came: UpstreamAnswer,
  headers: Headers,
): Promise<Response | ProviderError> {
  const { title } = exchange.target!.reach.provider
  const { dialect } = exchange.written!
  headers.set('content-type', came.headers.get('content-type') ?? 'application/json')
  const size = exchange.inOnePiece ? Number.POSITIVE_INFINITY : ONE_PIECE
  let bytes: Bytes
  let more: ByteSource | undefined
  try {
    // What is known to be small goes the short way.
    if (Number(came.headers.get('content-length') ?? Number.NaN) <= size) bytes = await came.bytes()
    else ({ bytes, more } = await firstBytes(came, size))
  } catch {
    throw upstreamFault('closed', title, 'the connection broke in the middle of the answer')
  }
  if (!more) {
    const text = textOf(bytes)
    const value = parsed(text)
    if (!value || typeof value !== 'object') throw notAnswer(title, came.status, text)
    const error = 'error' in value && value.error ? failureInReply(dialect, value) : undefined
    if (error) return error
    saw(exchange, readValue(dialect.watch, value))
    exchange.kept?.add(bytes)
    record(exchange, came.status)
    return new Response(bytes, { status: came.status, headers })
  }
  const beginning = textOf(bytes.subarray(0, 1_000))
  if (!/^\s*[{[]/.test(beginning)) {
    more.cancel()
    throw notAnswer(title, came.status, beginning)
  }
  const settled = (tapped: Tapped) => {
    exchange.outcome.left ||= tapped.end === 'left'
    if (tapped.end === 'complete') saw(exchange, readAlong(dialect.watch, tapped, 'json'))
    else exchange.abort.abort()
    record(exchange, came.status)
  }
  const close = (tapped: Tapped): undefined => {
    if (tapped.end !== 'broken') return
    exchange.outcome.error = upstreamClosed('the connection to the provider was lost in the middle of the answer')
    settled(tapped)
    // What has gone out is no JSON; only a connection that breaks tells the client so.
    throw new Error(`${title} broke off in the middle of an answer`)
  }
  return new Response(tap(more, close, settled, exchange.kept), { status: came.status, headers })
}

/**
 * Hands the provider's stream on as it is, and reads usage from it when it is through.
 * @returns the failure that came in place of the first words, of which nothing has been sent (T08)
 */
export async function passStream(
  exchange: ChatExchange,
  came: UpstreamAnswer,
  headers: Headers,
): Promise<Response | ProviderError> {
  const { watch, framing } = exchange.written!.dialect
  const { title } = exchange.target!.reach.provider
  const lost = (why: string) => upstreamFault('closed', title, why)
  if (!came.body) throw lost(`it answered ${came.status} with an empty body`)
  const { first, rest } = await peek(came.body).catch(() => {
    throw lost('the connection broke before the first word')
  })
  if (first === null) throw lost('it closed the stream without an answer')
  const error = first && errorInStream(exchange.written!.dialect, first)
  if (error) {
    exchange.abort.abort()
    return error
  }
  streamHeaders(headers)
  const close = (tapped: Tapped) => {
    const seen = readAlong(watch, tapped, framing)
    saw(exchange, seen)
    return seen.end === 'marked' ? undefined : cutOff(exchange, tapped)
  }
  const settled = (tapped: Tapped) => {
    if (tapped.end === 'left') {
      exchange.outcome.left = true
      exchange.abort.abort()
      saw(exchange, readAlong(watch, tapped, framing))
    }
    record(exchange, came.status)
  }
  openStream(exchange)
  return new Response(tap(rest, close, settled, exchange.kept), { status: came.status, headers })
}

function saw({ outcome }: ChatExchange, { usage, model }: Sighting): void {
  outcome.usage = usage
  outcome.model = model
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** As the client will read it too: a BOM in front is no part of it. */
const textOf = (bytes: Uint8Array) => decoder.decode(bytes)
const decoder = new TextDecoder()

/** A success by its status, and no answer by what is in it. */
export function notAnswer(title: string, status: number, text: string): GatewayFault {
  const found = text.trim() ? (/^\s*</.test(text) ? 'a web page' : 'something other than JSON') : 'an empty body'
  return upstreamFault('closed', title, `it answered ${status} with ${found}`)
}

/** A stream that ended without its end mark was cut off; the client must not take what it has for the whole (T30). */
function cutOff(exchange: ChatExchange, { end, head, tail = head }: Tapped): Uint8Array {
  const { client } = exchange
  const message =
    end === 'broken'
      ? 'the connection to the provider was lost in the middle of the answer'
      : 'the provider closed the stream before the answer was complete'
  const error = upstreamClosed(message)
  exchange.outcome.error = error
  const frame = encodeFrames([{ data: JSON.stringify(client.writeError(error)) }], client.framing)
  // Half a frame may stand before it.
  return tail.length && !(tail.at(-1) === 10 && tail.at(-2) === 10)
    ? Buffer.concat([Buffer.from('\n\n'), frame])
    : frame
}

const upstreamClosed = (message: string): ProviderError => ({
  status: 502,
  message,
  type: 'server_error',
  code: 'upstream_closed',
})
