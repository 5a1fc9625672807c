import type { Usage } from '../conversation/reply.ts'
import type { Watch } from '../dialects/dialect.ts'
import { encodeFrames } from '../stream/encode.ts'
import { framer } from '../stream/framer.ts'
import { type Tapped, tap } from '../stream/tap.ts'
import type { Exchange } from './exchange.ts'
import { upstreamFault } from './fault.ts'
import { record } from './record.ts'
import { streamHeaders } from './stream-headers.ts'
import type { UpstreamAnswer } from './upstream.ts'

/** Up to this size an answer of known length goes out in one piece; a larger one is passed on as it comes. */
const ONE_PIECE = 1024 * 1024

/** Hands the provider's bytes on as they are, and reads usage from them when they are through. */
export async function passUnchanged(exchange: Exchange, came: UpstreamAnswer, headers: Headers): Promise<Response> {
  const { provider } = exchange.target!.reach
  const { watch, framing } = exchange.written!.dialect
  if (exchange.stream) streamHeaders(headers)
  else headers.set('content-type', came.headers.get('content-type') ?? 'application/json')

  const length = Number(came.headers.get('content-length') ?? Number.NaN)
  if (!exchange.stream && length <= ONE_PIECE) {
    const bytes = await came.bytes().catch(() => {
      throw upstreamFault('closed', provider.title, 'the connection broke in the middle of the answer')
    })
    if (!bytes.length) throw upstreamFault('closed', provider.title, `it answered ${came.status} with an empty body`)
    if (watch)
      exchange.outcome.usage = usageInText(watch, Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString())
    record(exchange, came.status)
    return new Response(bytes, { status: came.status, headers })
  }
  if (!came.body) throw upstreamFault('closed', provider.title, `it answered ${came.status} with an empty body`)
  const body = tap(
    came.body,
    tapped => (exchange.stream && watch && !watch.complete(tapped.tail) ? cutOff(exchange, tapped) : undefined),
    ({ tail, end }) => {
      if (end === 'left') {
        exchange.outcome.left = true
        exchange.abort.abort()
      }
      if (watch) exchange.outcome.usage = exchange.stream ? usageInTail(watch, tail, framing) : usageInText(watch, tail)
      record(exchange, came.status)
    },
  )
  return new Response(body, { status: came.status, headers })
}

/** A stream that ended without its end mark was cut off; the client must not take what it has for the whole (T30). */
function cutOff(exchange: Exchange, { end, tail }: Tapped): Uint8Array {
  const { client } = exchange
  const message =
    end === 'broken'
      ? 'the connection to the provider was lost in the middle of the answer'
      : 'the provider closed the stream before the answer was complete'
  const error = { status: 502, message, type: 'server_error', code: 'upstream_closed' }
  exchange.outcome.error = error
  const frame = encodeFrames([{ data: JSON.stringify(client.writeError(error)) }], client.framing)
  // Half a frame may stand before it.
  return tail && !tail.endsWith('\n\n') ? Buffer.concat([Buffer.from('\n\n'), frame]) : frame
}

function usageInText(watch: Watch, text: string): Usage | undefined {
  try {
    return watch.usage(JSON.parse(text))
  } catch {
    return undefined
  }
}

/** The last message of the stream that tells usage; the first one of the tail may be cut. */
function usageInTail(watch: Watch, tail: string, framing: 'sse' | 'ndjson' | 'aws-event-stream'): Usage | undefined {
  const frames = framer(framing).push(Buffer.from(tail))
  for (const frame of frames.reverse()) {
    const usage = frame.data.includes('usage') ? usageInText(watch, frame.data) : undefined
    if (usage) return usage
  }
  return undefined
}
