import type { Socket, SocketHandler, TCPSocketConnectOptions } from 'bun'
import type { Bytes } from '../../stream/byte-source.ts'
import { cutOff, fault } from './fault.ts'

/** Where a line leads. */
export interface LineEnd {
  /** A name, or an IP address without brackets. */
  hostname: string
  port: number
  secure: boolean
}

/** Who speaks over a line. */
export interface LineUser {
  /** It is open, and encrypted where it should be. */
  opened(): void
  /** The bytes are the user's to keep. */
  received(bytes: Bytes): void
  /**
   * The other side has closed it, or it was lost. Not called after {@link Line.destroy}.
   * @param clean the other side has closed it in good order
   */
  closed(cause: Error, clean: boolean): void
}

/** Until it is open, with TLS. The system itself would try for two minutes. */
const CONNECT_MS = 10_000
/** A server that vanished without a word is found out after a minute or so of silence. */
const PROBE_AFTER_MS = 60_000

/**
 * A connection of its own for one socket: bytes both ways, read no faster than they are wanted. It goes to the server
 * directly: proxies that the environment names are not used.
 */
export class Line {
  /** Who speaks over it now. */
  user: LineUser
  #socket: Socket<Line> | undefined
  #queue: Uint8Array[] = []
  #unsent = 0
  #paused = false
  #gone = false
  #patience: ReturnType<typeof setTimeout> | undefined

  constructor({ hostname, port, secure }: LineEnd, user: LineUser) {
    this.user = user
    this.#patience = setTimeout(() => this.lose(fault('ETIMEDOUT', 'connecting took too long')), CONNECT_MS)
    connect({ hostname, port, data: this, ...(secure ? { tls: TLS, socket: encrypted } : { socket: plain }) })
  }

  /** Bytes that the system has not taken yet. */
  get unsent(): number {
    return this.#unsent
  }

  /** Sends the whole of it, now or when the other side takes it. */
  write(bytes: Uint8Array): void {
    if (this.#gone) return
    if (this.#unsent) {
      this.#queue.push(bytes)
      this.#unsent += bytes.length
      return
    }
    const sent = this.#socket!.write(bytes)
    if (sent === bytes.length) return
    if (sent < 0) {
      // It was closed, and nobody has told yet.
      queueMicrotask(() => this.lose(cutOff('the connection was closed')))
      return
    }
    this.#queue.push(bytes.subarray(sent))
    this.#unsent = bytes.length - sent
  }

  /** Leaves what comes to the kernel, and so in the end to the server. */
  pause(): void {
    if (this.#paused || this.#gone) return
    this.#paused = true
    this.#socket!.pause()
  }

  resume(): void {
    if (!this.#paused || this.#gone) return
    this.#paused = false
    this.#socket!.resume()
  }

  /** Ends it at once, whatever is under way. */
  destroy(): void {
    if (this.#gone) return
    this.#gone = true
    this.#queue = []
    this.#unsent = 0
    clearTimeout(this.#patience)
    this.#socket?.terminate()
  }

  lose(cause: Error, clean = false): void {
    if (this.#gone) return
    this.destroy()
    this.user.closed(cause, clean)
  }

  /** It is connected; whoever asked for it may have left meanwhile. */
  connected(socket: Socket<Line>): void {
    this.#socket = socket
    if (this.#gone) socket.terminate()
  }

  opened(socket: Socket<Line>): void {
    if (this.#gone) return
    clearTimeout(this.#patience)
    socket.setKeepAlive(true, PROBE_AFTER_MS)
    socket.setNoDelay(true)
    this.user.opened()
  }

  received(bytes: Bytes): void {
    if (!this.#gone) this.user.received(bytes)
  }

  drained(socket: Socket<Line>): void {
    if (!this.#unsent) return
    const queue = this.#queue
    let at = 0
    for (; at < queue.length; at++) {
      const bytes = queue[at]!
      const sent = socket.write(bytes)
      // Whatever is wrong with it, its end tells.
      if (sent < 0) return
      this.#unsent -= sent
      if (sent === bytes.length) continue
      queue[at] = bytes.subarray(sent)
      break
    }
    this.#queue = queue.slice(at)
  }
}

// Certificate and host name are verified by Bun, as for `fetch`; NODE_EXTRA_CA_CERTS counts too.
const TLS = { ALPNProtocols: new Uint8Array(Buffer.from('\x08http/1.1')) }

const common: SocketHandler<Line, 'uint8array'> = {
  binaryType: 'uint8array',
  data: (socket, bytes) => socket.data.received(bytes),
  drain: socket => socket.data.drained(socket),
  close(socket, cause) {
    if (cause) socket.data.lose(cause)
    else socket.data.lose(cutOff('the server closed the connection'), true)
  },
  error: (socket, cause) => socket.data.lose(cause),
}
const plain: SocketHandler<Line, 'uint8array'> = {
  ...common,
  open(socket) {
    socket.data.connected(socket)
    socket.data.opened(socket)
  },
}
const encrypted: SocketHandler<Line, 'uint8array'> = {
  ...common,
  open: socket => socket.data.connected(socket),
  handshake(socket, trusted, cause) {
    if (trusted) socket.data.opened(socket)
    else socket.data.lose(cause ?? fault('ERR_TLS_HANDSHAKE', 'the TLS handshake failed'))
  },
}

/** Bun's types know only handlers that ask for a Buffer. */
type Options = Omit<TCPSocketConnectOptions<Line>, 'socket'> & { socket: SocketHandler<Line, 'uint8array'> }

async function connect(options: Options): Promise<void> {
  try {
    await Bun.connect(options as unknown as TCPSocketConnectOptions<Line>)
  } catch (cause) {
    // Even a fault of the arguments is told a turn later: the user must have the line first.
    await undefined
    options.data!.lose(cause as Error)
  }
}
