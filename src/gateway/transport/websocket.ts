import type { Outgoing } from '../../providers/auth/auth.ts'
import type { Bytes } from '../../stream/byte-source.ts'
import type { CallSignal } from './abort.ts'
import { addressOf } from './address.ts'
import type { Answer } from './answer.ts'
import { BodyDecoder } from './body-decoder.ts'
import { decoded, ofStream } from './decode.ts'
import { malformed } from './fault.ts'
import { framingOf } from './framing.ts'
import { type Head, readHead } from './head.ts'
import { requestBytes } from './request-bytes.ts'
import { Line, type LineUser } from './websocket-line.ts'
import { UpstreamSocket } from './websocket-socket.ts'

/** What a server says to a request for a socket: 101 with the socket, or the answer with which it refuses. */
export interface Dialled extends Answer {
  readonly socket?: UpstreamSocket
}

const LARGEST_HEAD = 64 * 1024
/** A refusal is a message, and no larger than this. */
const LARGEST_REFUSAL = 1024 * 1024
const HEAD_END = '\r\n\r\n'
/** What every server puts behind the key before it hashes it (RFC 6455, section 1.3). */
const ACCEPTED = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11'

/**
 * Asks a server for a WebSocket. Bun's own client cannot stop reading, so that a client that reads slowly would fill
 * the memory; this one can. It offers no extension, compression least of all: the bytes are to stay as they are.
 * @param outgoing with an address of the web; subprotocols stand in its headers
 * @throws (rejects with) what {@link import('./request.ts').request} does
 */
export function dial(outgoing: Outgoing, signal: CallSignal): Promise<Dialled> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted()
    const abort = { handleEvent: () => opening.fail(signal.reason) }
    const settled = () => signal.removeEventListener('abort', abort)
    const opening = new Opening(outgoing, resolve, reject, settled)
    signal.addEventListener('abort', abort)
  })
}

/** One request for a socket, until it is answered. */
class Opening implements LineUser {
  readonly #line: Line
  readonly #request: Uint8Array
  readonly #key = crypto.getRandomValues(Buffer.alloc(16)).toString('base64')
  readonly #offered: readonly string[]
  readonly #resolve: (dialled: Dialled) => void
  readonly #reject: (cause: unknown) => void
  readonly #settled: () => void
  #received: Buffer = Buffer.alloc(0)
  #refusal: { head: Head; decoder: BodyDecoder; parts: Bytes[]; size: number } | undefined
  #over = false

  /** @param settled called once, when it is answered or has failed */
  constructor(
    outgoing: Outgoing,
    resolve: (dialled: Dialled) => void,
    reject: (cause: unknown) => void,
    settled: () => void,
  ) {
    this.#resolve = resolve
    this.#reject = reject
    this.#settled = settled
    this.#offered = (outgoing.headers['sec-websocket-protocol'] ?? '').split(',').map(item => item.trim())
    const address = addressOf(outgoing.url)
    this.#request = upgradeBytes(requestBytes(address, { ...outgoing, method: 'GET', body: undefined }).data, this.#key)
    this.#line = new Line(address, this)
  }

  opened(): void {
    this.#line.write(this.#request)
  }

  received(bytes: Bytes): void {
    try {
      if (this.#refusal) this.#takeRefusal(bytes, 0)
      else this.#takeHead(bytes)
    } catch (cause) {
      this.fail(cause)
    }
  }

  closed(cause: Error, clean: boolean): void {
    if (clean && this.#refusal?.decoder.endsWithConnection) this.#refuse()
    else this.fail(cause)
  }

  fail(cause: unknown): void {
    if (this.#over) return
    this.#end()
    this.#line.destroy()
    this.#reject(cause)
  }

  #end(): void {
    this.#over = true
    this.#settled()
  }

  #takeHead(bytes: Bytes): void {
    const received = this.#received.length
      ? Buffer.concat([this.#received, bytes])
      : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
    this.#received = received
    const end = received.indexOf(HEAD_END)
    if ((end < 0 ? received.length : end) > LARGEST_HEAD) throw malformed('a head too long')
    if (end < 0) return
    const head = readHead(received.toString('latin1', 0, end + 2))
    const rest = received.subarray(end + HEAD_END.length) as Bytes
    this.#received = Buffer.alloc(0)
    if (head.status === 101) this.#accept(head, rest)
    // "Continue", "Early Hints": the answer is still to come.
    else if (head.status < 200) this.#takeHead(rest)
    else this.#beginRefusal(head, rest)
  }

  #accept(head: Head, rest: Bytes): void {
    const { headers } = head
    const accept = new Bun.CryptoHasher('sha1').update(this.#key + ACCEPTED).digest('base64')
    const switches =
      headers.get('upgrade')?.toLowerCase() === 'websocket' &&
      /(?:^|[\s,])upgrade(?:$|[\s,])/i.test(headers.get('connection') ?? '')
    if (!switches || headers.get('sec-websocket-accept') !== accept) throw malformed('a switch to something else')
    if (headers.get('sec-websocket-extensions')) throw malformed('an extension that nobody offered')
    const protocol = headers.get('sec-websocket-protocol')
    if (protocol !== null && !this.#offered.includes(protocol)) throw malformed('a subprotocol that nobody offered')
    this.#end()
    const socket = new UpstreamSocket(this.#line, rest)
    this.#resolve({ status: 101, headers, body: null, bytes: async () => new Uint8Array(), socket })
  }

  #beginRefusal(head: Head, rest: Bytes): void {
    const parts: Bytes[] = []
    const refusal = {
      head,
      parts,
      size: 0,
      decoder: new BodyDecoder(framingOf(head).length, {
        push: part => {
          refusal.size += part.length
          if (refusal.size > LARGEST_REFUSAL) throw malformed(`a refusal of more than ${LARGEST_REFUSAL} bytes`)
          parts.push(part)
        },
      }),
    }
    this.#refusal = refusal
    this.#takeRefusal(rest, 0)
  }

  #takeRefusal(bytes: Bytes, from: number): void {
    if (this.#refusal!.decoder.take(bytes, from) >= 0) this.#refuse()
  }

  #refuse(): void {
    const { head, parts } = this.#refusal!
    this.#end()
    this.#line.destroy()
    const answer = ofStream(
      head.status,
      head.headers,
      parts.length ? (new Blob(parts).stream() as ReadableStream<Bytes>) : null,
    )
    const encoding = head.headers.get('content-encoding')
    this.#resolve(answer.body && encoding && encoding !== 'identity' ? decoded(answer, encoding) : answer)
  }
}

/** The bytes of a request that has none, with what makes it one for a socket. */
function upgradeBytes(request: string | Uint8Array, key: string): Uint8Array {
  const upgrade = `connection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: ${key}\r\n\r\n`
  const bytes = typeof request === 'string' ? Buffer.from(request, 'latin1') : request
  // Without the empty line at its end.
  return Buffer.concat([bytes.subarray(0, -2), Buffer.from(upgrade)])
}
