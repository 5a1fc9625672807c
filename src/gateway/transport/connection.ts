import type { Socket } from 'bun'
import type { Bytes } from '../../stream/byte-source.ts'
import type { Address } from './address.ts'
import { CONNECT_MS, connect, PROBE_AFTER_MS } from './connect.ts'
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
    connect<Connection>(this, address)
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
