import type { Socket } from 'bun'
import type { Bytes } from '../../stream/byte-source.ts'
import { CONNECT_MS, connect, PROBE_AFTER_MS, type Remote } from './connect.ts'
import { cutOff, fault } from './fault.ts'

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

  constructor(remote: Remote, user: LineUser) {
    this.user = user
    this.#patience = setTimeout(() => this.lose(fault('ETIMEDOUT', 'connecting took too long')), CONNECT_MS)
    connect<Line>(this, remote)
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
