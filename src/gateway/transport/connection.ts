import type { Socket, SocketHandler, TCPSocketConnectOptions } from 'bun'
import type { Bytes } from '../../stream/byte-source.ts'
import type { Address } from './address.ts'
import { cutOff, fault } from './fault.ts'
import { forget, hasRoom, keepIdle, type Pool } from './pool.ts'

/** Who has a connection for the time of one request and its answer. */
export interface Tenant {
  /** A new connection is open, and encrypted where it should be. */
  opened(connection: Connection): void
  /** The bytes are the tenant's to keep. */
  received(bytes: Bytes): void
  /**
   * It is gone, and no longer the tenant's.
   * @param clean the server has closed it in good order, after the last byte
   */
  closed(cause: Error, clean: boolean): void
}

/** Until it is open, with TLS. The system itself would try for two minutes. */
const CONNECT_MS = 10_000
/** A server that vanished without a word is found out after a minute or so of silence. */
const PROBE_AFTER_MS = 60_000

/** One connection to a server, with one request under way on it or none. */
export class Connection {
  readonly pool: Pool
  tenant: Tenant | undefined
  /** Whether it has served a request before. */
  reused = false
  /** From `performance.now()`. */
  idleUntil = 0
  #socket: Socket<Connection> | undefined
  #unsent: Uint8Array | undefined
  #paused = false
  #gone = false
  #patience: ReturnType<typeof setTimeout> | undefined

  constructor(address: Address, tenant: Tenant) {
    this.pool = address.pool
    this.tenant = tenant
    this.#patience = setTimeout(() => this.lose(fault('ETIMEDOUT', 'connecting took too long')), CONNECT_MS)
    const { hostname, port, secure } = address
    connect({ hostname, port, data: this, ...(secure ? { tls: TLS, socket: encrypted } : { socket: plain }) })
  }

  /**
   * Sends the whole of it, now and as the other side takes it.
   * @param size in bytes
   */
  write(data: string | Uint8Array, size: number): void {
    const sent = this.#socket!.write(data)
    if (sent === size) return
    if (sent < 0) {
      // It was closed, and nobody has told yet.
      queueMicrotask(() => this.lose(cutOff('the connection was closed')))
      return
    }
    const bytes = typeof data === 'string' ? Buffer.from(data) : data
    this.#unsent = bytes.subarray(sent)
  }

  /** The answer is through: to be used again for so many seconds, or never where that is 0. */
  release(seconds: number): void {
    this.tenant = undefined
    if (this.#gone) return
    // A request that was answered before it was sent leaves half of itself behind.
    if (seconds <= 0 || this.#unsent || !hasRoom(this.pool)) {
      this.close()
      return
    }
    this.reused = true
    this.resume()
    this.#socket!.unref()
    keepIdle(this.pool, this, seconds)
  }

  /** The counterpart of {@link release}. */
  rent(tenant: Tenant): void {
    this.tenant = tenant
    this.#socket!.ref()
  }

  /** Leaves what comes to the kernel, and so in the end to the server. */
  pause(): void {
    if (this.#paused) return
    this.#paused = true
    this.#socket?.pause()
  }

  resume(): void {
    if (!this.#paused) return
    this.#paused = false
    this.#socket?.resume()
  }

  /** Ends a connection that nobody uses. */
  close(): void {
    this.#leave()
    this.#socket?.end()
  }

  /** Ends it at once, whatever is under way. */
  destroy(): void {
    this.#leave()
    this.#socket?.terminate()
  }

  /** It is gone, or of no use any more. */
  lose(cause: Error, clean = false): void {
    if (this.#gone) return
    const { tenant } = this
    if (!tenant) forget(this.pool, this)
    this.destroy()
    tenant?.closed(cause, clean)
  }

  /** It is connected; whoever asked for it may have left meanwhile. */
  connected(socket: Socket<Connection>): void {
    this.#socket = socket
    if (this.#gone) socket.terminate()
  }

  /** It is ready for a request. */
  opened(socket: Socket<Connection>): void {
    if (this.#gone) return
    clearTimeout(this.#patience)
    socket.setKeepAlive(true, PROBE_AFTER_MS)
    this.tenant?.opened(this)
  }

  received(bytes: Bytes): void {
    if (this.tenant) this.tenant.received(bytes)
    else if (!this.#gone) this.lose(cutOff('the server spoke without being asked'))
  }

  drained(socket: Socket<Connection>): void {
    if (!this.#unsent) return
    const sent = socket.write(this.#unsent)
    if (sent >= 0) this.#unsent = sent < this.#unsent.length ? this.#unsent.subarray(sent) : undefined
  }

  #leave(): void {
    this.#gone = true
    this.tenant = undefined
    clearTimeout(this.#patience)
  }
}

// Certificate and host name are verified by Bun, as for `fetch`; NODE_EXTRA_CA_CERTS counts too.
const TLS = { ALPNProtocols: new Uint8Array(Buffer.from('\x08http/1.1')) }

const common: SocketHandler<Connection, 'uint8array'> = {
  binaryType: 'uint8array',
  data: (socket, bytes) => socket.data.received(bytes),
  drain: socket => socket.data.drained(socket),
  close(socket, cause) {
    if (cause) socket.data.lose(cause)
    else socket.data.lose(cutOff('the server closed the connection'), true)
  },
  error: (socket, cause) => socket.data.lose(cause),
}
const plain: SocketHandler<Connection, 'uint8array'> = {
  ...common,
  open(socket) {
    socket.data.connected(socket)
    socket.data.opened(socket)
  },
}
const encrypted: SocketHandler<Connection, 'uint8array'> = {
  ...common,
  open: socket => socket.data.connected(socket),
  handshake(socket, trusted, cause) {
    if (trusted) socket.data.opened(socket)
    else socket.data.lose(cause ?? fault('ERR_TLS_HANDSHAKE', 'the TLS handshake failed'))
  },
}

/** Bun's types know only handlers that ask for a Buffer. */
type Options = Omit<TCPSocketConnectOptions<Connection>, 'socket'> & { socket: SocketHandler<Connection, 'uint8array'> }

async function connect(options: Options): Promise<void> {
  try {
    await Bun.connect(options as unknown as TCPSocketConnectOptions<Connection>)
  } catch (cause) {
    // Even a fault of the arguments is told a turn later: the tenant must have the connection first.
    await undefined
    options.data!.lose(cause as Error)
  }
}
