import { TOKEN } from './app.ts'

export interface SocketOptions {
  /** Undefined for the token of every test, null for none. */
  token?: string | null
  headers?: Record<string, string>
  protocols?: string[]
  /** For {@link askForSocket}. */
  signal?: AbortSignal
}

/** How a socket ended, as its client hears it. */
export interface Ended {
  code: number
  reason: string
}

export interface SocketClient {
  socket: WebSocket
  /** Everything that came, oldest first. */
  messages: (string | Buffer)[]
  /** Resolves with the first messages when that many have come. */
  until(count: number): Promise<(string | Buffer)[]>
  ended: Promise<Ended>
  send(message: unknown): void
}

const addressOf = (address: string) => address.replace(/^http/, 'ws')

/** A frame of a JSON object, parsed. */
export interface Frame {
  type: string
  metadata: Record<string, unknown>
  response?: unknown
  status?: number
  error?: { code: number; message: string }
}

export const framesOf = (messages: (string | Buffer)[]): Frame[] =>
  messages.map(text => JSON.parse(String(text)) as Frame)

/** Opens a socket. @throws when it is refused */
export async function openSocket(address: string, options: SocketOptions = {}): Promise<SocketClient> {
  const { token = TOKEN, headers, protocols = [] } = options
  const socket = new WebSocket(addressOf(address), {
    protocols,
    headers: { ...(token !== null && { 'cf-aig-authorization': `Bearer ${token}` }), ...headers },
  } as unknown as string[])
  socket.binaryType = 'nodebuffer'
  const messages: (string | Buffer)[] = []
  const { promise: ended, resolve } = Promise.withResolvers<Ended>()
  socket.onmessage = ({ data }) => void messages.push(data as string | Buffer)
  socket.onclose = ({ code, reason }) => resolve({ code, reason })
  await new Promise<void>((open, refused) => {
    socket.onopen = () => open()
    socket.onerror = event => refused(new Error((event as ErrorEvent).message))
  })
  socket.onerror = () => {}
  return {
    socket,
    messages,
    ended,
    async until(count) {
      for (let tries = 0; tries < 1_000 && messages.length < count; tries++) await Bun.sleep(10)
      if (messages.length < count)
        throw new Error(`only ${messages.length} of ${count} messages came:\n${messages.join('\n')}`)
      return messages.slice(0, count)
    },
    send: message =>
      socket.send(typeof message === 'string' || message instanceof Uint8Array ? message : JSON.stringify(message)),
  }
}

/** Asks for a socket with plain HTTP, to read a refusal whole. */
export function askForSocket(address: string, options: SocketOptions = {}): Promise<Response> {
  const { token = TOKEN, headers, protocols = [], signal } = options
  return fetch(address, {
    signal,
    headers: {
      connection: 'Upgrade',
      upgrade: 'websocket',
      'sec-websocket-version': '13',
      'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
      ...(protocols.length && { 'sec-websocket-protocol': protocols.join(', ') }),
      ...(token !== null && { 'cf-aig-authorization': `Bearer ${token}` }),
      ...headers,
    },
  })
}
