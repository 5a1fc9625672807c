import type { ServerWebSocket } from 'bun'

export interface Handshake {
  /** With the query, as it stood on the wire. */
  path: string
  headers: Headers
}

export type Socket = ServerWebSocket<Handshake>

export interface SocketStandIn {
  address: string
  handshakes: Handshake[]
  last(): Handshake
  /** Everything that clients said, oldest first. */
  messages: (string | Buffer)[]
  pings: string[]
  /** How sockets ended, as the provider hears it. */
  ended: { code: number; reason: string }[]
  /** The socket that was opened last. */
  socket(): Socket
  stop(): void
}

interface Manner {
  /** What is said to a handshake in place of a socket. */
  refuse?(handshake: Handshake): Response | undefined
  /** The subprotocol that is chosen. */
  choose?(offered: string[]): string | undefined
  opened?(socket: Socket): void
  /** Echo unless it says otherwise. */
  message?(socket: Socket, message: string | Buffer): void
}

/** A provider of WebSockets, on a real socket. */
export function socketStandIn(manner: Manner = {}): SocketStandIn {
  const { refuse, choose = offered => offered[0], opened, message = (socket, text) => void socket.send(text) } = manner
  const handshakes: Handshake[] = []
  const messages: (string | Buffer)[] = []
  const ended: { code: number; reason: string }[] = []
  const pings: string[] = []
  let latest: Socket | undefined
  const server = Bun.serve<Handshake>({
    hostname: '127.0.0.1',
    port: 0,
    fetch(request, server) {
      const { pathname, search } = new URL(request.url)
      const handshake = { path: pathname + search, headers: request.headers }
      handshakes.push(handshake)
      const refusal = refuse?.(handshake)
      if (refusal) return refusal
      const offered = request.headers.get('sec-websocket-protocol')
      const chosen = offered === null ? undefined : choose(offered.split(',').map(item => item.trim()))
      const headers = { 'x-request-id': 'req-heron', ...(chosen && { 'sec-websocket-protocol': chosen }) }
      return server.upgrade(request, { data: handshake, headers }) ? undefined : new Response('no', { status: 400 })
    },
    websocket: {
      maxPayloadLength: 256 * 1024 * 1024,
      backpressureLimit: 1024 * 1024 * 1024,
      open(socket) {
        latest = socket
        opened?.(socket)
      },
      message(socket, text) {
        messages.push(text)
        message(socket, text)
      },
      ping: (_, data) => void pings.push(String(data)),
      close: (_, code, reason) => void ended.push({ code, reason }),
    },
  })
  return {
    address: `http://127.0.0.1:${server.port}`,
    handshakes,
    messages,
    pings,
    ended,
    last() {
      const one = handshakes.at(-1)
      if (!one) throw new Error('the provider was not asked')
      return one
    },
    socket() {
      if (!latest) throw new Error('no socket was opened')
      return latest
    },
    stop: () => void server.stop(true),
  }
}

/** Waits until something holds, for five seconds. */
export async function holds(check: () => boolean): Promise<void> {
  for (let tries = 0; tries < 500 && !check(); tries++) await Bun.sleep(10)
  if (!check()) throw new Error('it never held')
}
