import type { Usage } from '../conversation/reply.ts'
import type { Watch } from '../dialects/dialect.ts'
import { formOf, readAlong } from '../dialects/watched/index.ts'
import type { Bytes } from '../stream/byte-source.ts'
import { type Kept, keptOf, type Tapped, tap } from '../stream/tap.ts'
import type { Exchange } from './exchange.ts'
import { upstreamFault } from './fault.ts'
import { firstBytes } from './first-bytes.ts'
import { ONE_PIECE, passedHeaders } from './headers.ts'
import { jsonOf } from './json-body.ts'
import { demandAnswer, demandFirstWords, isCareful } from './native-care.ts'
import { openStream } from './open-stream.ts'
import { record } from './record.ts'
import { tell } from './tell.ts'
import type { UpstreamAnswer } from './upstream.ts'

/**
 * Hands a provider's answer on as it is: status, headers and bytes. What it used and which model answered is read from
 * it when it is through.
 * @param watch how to read along; undefined where nothing can be read
 * @throws GatewayFault when it broke off before anything of it went out
 */
export async function answerNative(exchange: Exchange, came: UpstreamAnswer, watch?: Watch): Promise<Response> {
  const headers = passedHeaders(came.headers)
  tell(exchange, headers)
  const type = came.headers.get('content-type')
  if (type !== null) {
    headers.set('content-type', type)
    exchange.outcome.type = type
  }
  const location = came.headers.get('location')
  if (location !== null) headers.set('location', location)
  const { status } = came
  const { title } = exchange.target!.reach.provider
  if (status > 599) {
    came.body?.cancel()
    throw upstreamFault('closed', title, `it answered with a status that does not exist, ${status}`)
  }
  const watched = status >= 200 && status < 300 ? watch : undefined
  const careful = watched !== undefined && isCareful(exchange)
  const length = came.headers.get('content-length')
  const isShort = length !== null && Number(length) <= ONE_PIECE
  // Bytes without a type would be given one on their way out.
  if (
    type !== null &&
    (isShort || (exchange.inOnePiece && type.includes('json'))) &&
    exchange.request.method !== 'HEAD'
  ) {
    let bytes: Bytes
    try {
      bytes = await came.bytes()
    } catch {
      throw upstreamFault('closed', title, BROKEN)
    }
    if (careful) demandAnswer(exchange, type, bytes)
    return inOnePiece(exchange, came, bytes, headers, watched)
  }
  let { body } = came
  if (!body) {
    record(exchange, status)
    return new Response(null, { status, headers })
  }
  if (exchange.request.method === 'HEAD') {
    // The length is that of an answer to GET: nothing of it will come.
    if (length !== null) headers.set('content-length', length)
    body.cancel()
    record(exchange, status)
    return new Response(null, { status, headers })
  }
  if (careful && type?.includes('json')) {
    const { bytes, more } = await firstBytes(came, ONE_PIECE).catch(() => {
      throw upstreamFault('closed', title, BROKEN)
    })
    if (!more) {
      demandAnswer(exchange, type, bytes)
      return inOnePiece(exchange, came, bytes, headers, watched)
    }
    body = more
  } else if (careful) body = await demandFirstWords(exchange, body)
  const settled = (tapped: Tapped) => {
    exchange.outcome.left ||= tapped.end === 'left'
    if (tapped.end !== 'complete') exchange.abort.abort()
    if (watched) read(exchange, came, watched, tapped, tapped.end === 'complete')
    record(exchange, status)
  }
  const close = (tapped: Tapped): undefined => {
    if (tapped.end !== 'broken') return
    const lost = upstreamFault('closed', title, BROKEN)
    exchange.outcome.error = { status: 502, message: lost.message, type: lost.type, code: lost.code }
    settled(tapped)
    // Nothing may be added to bytes that are not ours; only a connection that breaks tells the client.
    throw lost
  }
  openStream(exchange)
  return new Response(tap(body, close, settled, exchange.kept), { status, headers })
}

const BROKEN = 'the connection broke in the middle of the answer'

function inOnePiece(
  exchange: Exchange,
  came: UpstreamAnswer,
  bytes: Bytes,
  headers: Headers,
  watched: Watch | undefined,
): Response {
  const { status } = came
  exchange.kept?.add(bytes)
  if (!watched) record(exchange, status)
  // Later, everything that this needs would have to be fetched into the processor's caches again.
  else if (bytes.length <= SMALL) readWhole(exchange, came, watched, bytes)
  // Once the answer is on its way: nobody waits long for what is only for the record.
  else setImmediate(readWhole, exchange, came, watched, bytes)
  return new Response(bytes.length ? bytes : null, { status, headers })
}

function readWhole(exchange: Exchange, came: UpstreamAnswer, watch: Watch, bytes: Bytes): void {
  read(exchange, came, watch, keptOf(bytes), true)
  record(exchange, came.status)
}

/** Looked into when the answer is out, for what is not said elsewhere: a body of megabytes is left alone. */
const smallOf = (sent: Exchange['sent']) => (sent && sent.length <= SMALL ? sent : undefined)
const SMALL = 65_536

/** Clients like to begin with the model. */
const FIRST = /^\s*\{\s*"model"\s*:\s*"([^"\\]+)"/
const BEGINNING = 256

/** The model that a body asks for, as on every other surface; behind an alias another one may answer. */
function modelAsked(sent: Exchange['sent']): string | undefined {
  if (!sent?.length) return undefined
  const beginning =
    typeof sent === 'string' ? sent.slice(0, BEGINNING) : Buffer.from(sent.subarray(0, BEGINNING)).toString()
  const [, first] = FIRST.exec(beginning) ?? []
  if (first !== undefined) return first
  const model = jsonOf(smallOf(sent))?.model
  return typeof model === 'string' ? model : undefined
}

const spokenOf = (input: unknown): Usage | undefined =>
  typeof input === 'string' ? { input: 0, output: 0, characters: input.length, source: 'reported' } : undefined

/** @param complete whether the bytes came to an end by themselves */
function read(exchange: Exchange, came: UpstreamAnswer, watch: Watch, kept: Kept, complete: boolean): void {
  const { outcome } = exchange
  const { reach, model } = exchange.target!
  const form = formOf(came.headers.get('content-type'), kept)
  // Half a JSON text has no end to be read from.
  const seen =
    form && (complete || form !== 'json' || !kept.tail)
      ? readAlong(watch, kept, form, reach.provider.quirks)
      : undefined
  outcome.usage = watch.headers ? watch.headers(came.headers, seen?.usage) : seen?.usage
  outcome.model = seen?.model
  // What is spoken is charged by the character of what was to be said, which no answer tells.
  if (!outcome.usage && outcome.format === 'openai-speech')
    outcome.usage = spokenOf(jsonOf(smallOf(exchange.sent))?.input)
  const answering = model || modelAsked(exchange.sent) || seen?.model
  if (answering && answering !== model) exchange.target = { reach, model: answering }
  if (!seen?.stream) return
  exchange.stream = true
  // The client has what there was, and its own reader will see that it was not all (T30).
  if (complete && watch.end && !seen.end)
    outcome.error ??= {
      status: 502,
      message: 'the provider closed the stream before the answer was complete',
      type: 'server_error',
      code: 'upstream_closed',
    }
}
