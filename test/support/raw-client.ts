import type { Socket } from 'bun'
import { TOKEN } from './app.ts'
import { COMPAT } from './chat.ts'

/** A client that is a socket: it reads when it likes, and no library's limits hold for it. */
export interface RawClient {
  /** What it has read so far. */
  text(): string
  readonly received: number
  /** For a client that begins `paused`: takes one read from the socket. */
  sip(): void
  /** Resolves when the server has closed the connection. */
  closed: Promise<void>
  leave(): void
}

/** Sends a chat request and reads from then on. */
export async function rawChat(
  port: number,
  body: unknown,
  options: { token?: string; path?: string; paused?: boolean } = {},
): Promise<RawClient> {
  const { token = TOKEN, path = COMPAT, paused = false } = options
  const { promise: closed, resolve } = Promise.withResolvers<void>()
  const pieces: Buffer[] = []
  let received = 0
  const socket: Socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data(socket, bytes) {
        if (paused) socket.pause()
        pieces.push(Buffer.from(bytes))
        received += bytes.length
      },
      close: () => resolve(),
      error: () => resolve(),
    },
  })
  if (paused) socket.pause()
  const text = JSON.stringify(body)
  const head = [
    `POST ${path} HTTP/1.1`,
    `host: 127.0.0.1:${port}`,
    `authorization: Bearer ${token}`,
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
  ]
  socket.write(`${head.join('\r\n')}\r\n\r\n${text}`)
  return {
    text: () => Buffer.concat(pieces).toString(),
    get received() {
      return received
    },
    sip: () => void socket.resume(),
    closed,
    leave: () => socket.terminate(),
  }
}
