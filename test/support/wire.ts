import type { Socket } from 'bun'

/** Both ends of a request as bytes: a client and a provider between which nothing is tidied up by a library. */

/** A request or an answer as it stood on the wire. */
export interface Wire {
  /** The request line or the status line. */
  line: string
  /** In lower case; a name that came twice has its values joined. */
  headers: Record<string, string>
  body: Buffer
  /** The message ended as its head had promised. */
  complete: boolean
}

const HEAD_END = '\r\n\r\n'

/** Reads the first message of these bytes, as far as it has come; nothing while its head is not complete. */
function readWire(bytes: Buffer, bodiless = false): (Wire & { length: number }) | undefined {
  const end = bytes.indexOf(HEAD_END)
  if (end < 0) return undefined
  const [line = '', ...lines] = bytes.toString('latin1', 0, end).split('\r\n')
  const headers: Record<string, string> = {}
  for (const each of lines) {
    const colon = each.indexOf(':')
    const name = each.slice(0, colon).toLowerCase()
    const value = each.slice(colon + 1).trim()
    headers[name] = name in headers ? `${headers[name]}, ${value}` : value
  }
  const start = end + HEAD_END.length
  const rest = bytes.subarray(start)
  if (headers['transfer-encoding'] === 'chunked' && !bodiless) {
    const { body, length } = unchunked(rest)
    return { line, headers, body, complete: length >= 0, length: length < 0 ? -1 : start + length }
  }
  const length = bodiless ? 0 : Number(headers['content-length'] ?? 0)
  const complete = rest.length >= length
  return { line, headers, body: rest.subarray(0, length), complete, length: complete ? start + length : -1 }
}

function unchunked(bytes: Buffer): { body: Buffer; length: number } {
  const pieces: Buffer[] = []
  for (let at = 0; ; ) {
    const end = bytes.indexOf('\r\n', at)
    const size = end < 0 ? Number.NaN : Number.parseInt(bytes.toString('latin1', at, end), 16)
    if (Number.isNaN(size) || end + 2 + size + 2 > bytes.length) return { body: Buffer.concat(pieces), length: -1 }
    pieces.push(bytes.subarray(end + 2, end + 2 + size))
    at = end + 2 + size + 2
    if (size === 0) return { body: Buffer.concat(pieces), length: at }
  }
}

export interface WireProvider {
  address: string
  seen: Wire[]
  last(): Wire
  /** What was on the wire of all requests, one character for each byte. */
  everything(): string
  stop(): void
}

/** What a provider says: pieces of bytes, each in a write of its own; `hang-up` ends the connection there. */
export type Pieces = (string | Uint8Array | 'hang-up')[]

/** A provider that answers in bytes and keeps every request as it came. */
export function wireProvider(answer: (seen: Wire) => Pieces | Promise<Pieces>): WireProvider {
  const seen: Wire[] = []
  let everything = ''
  const server = Bun.listen<{ received: Buffer }>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        socket.data = { received: Buffer.alloc(0) }
      },
      data(socket, bytes) {
        everything += Buffer.from(bytes).toString('latin1')
        socket.data.received = Buffer.concat([socket.data.received, bytes])
        const message = readWire(socket.data.received)
        if (!message?.complete) return
        socket.data.received = socket.data.received.subarray(message.length)
        seen.push(message)
        void say(socket, answer(message))
      },
      error: () => {},
    },
  })
  return {
    address: `http://127.0.0.1:${server.port}`,
    seen,
    last() {
      const one = seen.at(-1)
      if (!one) throw new Error('the provider was not asked')
      return one
    },
    everything: () => everything,
    stop: () => server.stop(true),
  }
}

async function say(socket: Socket<unknown>, pieces: Pieces | Promise<Pieces>): Promise<void> {
  for (const piece of await pieces) {
    if (piece === 'hang-up') {
      socket.end()
      return
    }
    socket.write(piece)
    socket.flush()
    await Bun.sleep(1)
  }
}

export interface WireRequest {
  method?: string
  target: string
  headers?: Record<string, string>
  body?: string | Uint8Array
  /** The body as it stands on the wire, with its own framing in the headers. */
  framed?: boolean
}

/** Sends one request in bytes and reads until the connection is closed. */
export async function wire(port: number, request: WireRequest): Promise<Wire & { status: number }> {
  const { method = 'POST', target, headers = {}, body, framed = false } = request
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const pieces: Buffer[] = []
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data: (_, bytes) => void pieces.push(Buffer.from(bytes)),
      close: () => resolve(),
      error: () => resolve(),
    },
  })
  const all: Record<string, string> = { host: 'postern.test', connection: 'close', ...headers }
  if (body !== undefined && !framed) all['content-length'] = String(Buffer.byteLength(body))
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  socket.write(
    Buffer.concat([
      Buffer.from(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`, 'latin1'),
      Buffer.from(body ?? ''),
    ]),
  )
  await closed
  const status = (message: Wire) => Number(message.line.split(' ')[1])
  const all_ = Buffer.concat(pieces)
  const first = readWire(all_)
  if (!first) throw new Error(`no answer: ${all_.toString('latin1').slice(0, 200)}`)
  const bodiless = method === 'HEAD' || status(first) === 204 || status(first) === 304
  const { length: _, ...message } = bodiless ? readWire(all_, true)! : first
  return { ...message, status: status(message) }
}

/** A whole answer of a provider, of known length. */
export function said(status: string, headers: Record<string, string>, body: string | Uint8Array = ''): Uint8Array {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  const head = `HTTP/1.1 ${status}\r\n${lines.join('')}content-length: ${Buffer.byteLength(body)}\r\n\r\n`
  return Buffer.concat([Buffer.from(head, 'latin1'), Buffer.from(body)])
}

/** One piece of a chunked body. */
export const chunked = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])
