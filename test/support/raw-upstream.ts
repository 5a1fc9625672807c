import type { Socket } from 'bun'

/** One connection of a server that may misbehave as it likes. */
export interface Connection {
  /** Writes all of it, as fast as the other side reads. */
  write(data: string | Uint8Array): Promise<void>
  /** Ends with a FIN, whatever was promised. */
  end(): void
  /** Ends with a reset. */
  reset(): void
  /** Resolves when the other side has hung up. */
  readonly closed: Promise<void>
  readonly isClosed: boolean
  /** Bytes that the system has taken so far. */
  readonly written: number
}

export interface RawUpstream {
  address: string
  connections: number
  /** The requests so far, head and body as they came. */
  requests: string[]
  stop(): void
}

interface State {
  received: Buffer
  drained: (() => void) | undefined
  close: () => void
  connection: Connection & { gone: boolean }
}

/** The length of the first whole request in these bytes, or nothing when it has not arrived yet. */
function requestLength(bytes: Buffer): number | undefined {
  const head = bytes.indexOf('\r\n\r\n')
  if (head < 0) return undefined
  const length = Number(/^content-length: *(\d+)/im.exec(bytes.toString('latin1', 0, head))?.[1] ?? 0)
  return bytes.length >= head + 4 + length ? head + 4 + length : undefined
}

/** A server that speaks in bytes: what it says is what stands on the wire. */
export function rawUpstream(answer: (connection: Connection, request: string) => unknown): RawUpstream {
  const requests: string[] = []
  const all = { connections: 0 }
  const server = Bun.listen<State>({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      open(socket) {
        all.connections++
        socket.data = stateOf(socket)
      },
      data(socket, bytes) {
        const { data } = socket
        data.received = Buffer.concat([data.received, bytes])
        for (let end = requestLength(data.received); end !== undefined; end = requestLength(data.received)) {
          const request = data.received.toString('utf8', 0, end)
          data.received = data.received.subarray(end)
          requests.push(request)
          void Promise.resolve(answer(data.connection, request)).catch(() => {})
        }
      },
      drain: socket => socket.data.drained?.(),
      close: socket => socket.data?.close(),
      error: () => {},
    },
  })
  return {
    address: `http://127.0.0.1:${server.port}`,
    requests,
    get connections() {
      return all.connections
    },
    stop: () => server.stop(true),
  }
}

function stateOf(socket: Socket<State>): State {
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const state: State = {
    received: Buffer.alloc(0),
    drained: undefined,
    close() {
      state.connection.gone = true
      state.drained?.()
      resolve()
    },
    connection: {
      gone: false,
      written: 0,
      closed,
      get isClosed() {
        return this.gone
      },
      async write(data) {
        let rest: Uint8Array = typeof data === 'string' ? Buffer.from(data) : data
        while (rest.length && !state.connection.gone) {
          const taken = socket.write(rest)
          if (taken < 0) {
            // Closed; the event that says so comes later, and a writer in a loop would never let it come.
            state.connection.gone = true
            return
          }
          ;(state.connection as { written: number }).written += taken
          rest = rest.subarray(taken)
          if (!rest.length) return
          await new Promise<void>(done => {
            state.drained = done
          })
          state.drained = undefined
        }
      },
      end: () => void socket.end(),
      reset: () => socket.terminate(),
    },
  }
  return state
}

/** The head of an answer, with the empty line behind it. */
export function head(status: string, headers: Record<string, string | number>): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`)
  return `HTTP/1.1 ${status}\r\n${lines.join('')}\r\n`
}

/** One piece of a chunked body. */
export const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`

export const LAST_CHUNK = '0\r\n\r\n'

/** A whole answer of known length. */
export function whole(status: string, body: string, headers: Record<string, string> = {}): string {
  const all = { 'content-type': 'application/json', ...headers, 'content-length': Buffer.byteLength(body) }
  return head(status, all) + body
}
