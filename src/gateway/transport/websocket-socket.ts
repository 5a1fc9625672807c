import type { Bytes } from '../../stream/byte-source.ts'
import {
  type Closing,
  closeFrame,
  FrameFault,
  FrameReader,
  type FrameReceiver,
  frameOf,
  Opcode,
} from './websocket-frames.ts'
import type { Line, LineUser } from './websocket-line.ts'

/** Takes what a server says over a socket. */
export interface SocketEvents {
  message(message: string | Bytes): void
  /** It was answered already. */
  ping(data: Bytes): void
  /** Once, unless it was we who ended it; 1006 where the connection was lost. */
  ended(closing: Closing): void
}

/** The largest message of a server, whose parts are held until it is whole. */
export const LARGEST_MESSAGE = 64 * 1024 * 1024
/** How long a server may take for a close frame of its own, or stand still before it has taken all that was sent. */
const LINGER_MS = 1_000
/** While so much waits to be sent, a server that sends pings does not read their answers. */
const MOST_PONGS = 64 * 1024

/** The end of a WebSocket that faces a server. Nothing is read before {@link begin}. */
export class UpstreamSocket implements LineUser, FrameReceiver {
  readonly #line: Line
  readonly #reader = new FrameReader(this, LARGEST_MESSAGE)
  #events: SocketEvents | undefined
  /** What came behind the head of the answer. */
  #early: Bytes[]
  /** How it ended before anybody listened. */
  #ended: Closing | undefined
  #told = false
  #closing = false
  #linger: ReturnType<typeof setInterval> | undefined

  constructor(line: Line, early: Bytes) {
    this.#line = line
    this.#early = early.length ? [early] : []
    line.user = this
    line.pause()
  }

  begin(events: SocketEvents): void {
    this.#events = events
    const early = this.#early
    this.#early = []
    this.#line.resume()
    for (const bytes of early) this.received(bytes)
    if (this.#ended) this.#tell(this.#ended)
  }

  /** Bytes that the server has not taken yet. */
  get unsent(): number {
    return this.#line.unsent
  }

  send(message: string | Uint8Array): void {
    if (!this.#closing) this.#line.write(frameOf(typeof message === 'string' ? Opcode.text : Opcode.binary, message))
  }

  /** @param data at most 125 bytes, as in every ping */
  sendPing(data: Uint8Array): void {
    if (!this.#closing && this.#line.unsent < MOST_PONGS) this.#line.write(frameOf(Opcode.ping, data))
  }

  pause(): void {
    this.#line.pause()
  }

  resume(): void {
    this.#line.resume()
  }

  /** Ends it in good order, after all that was sent; the server has a second for its part. */
  close(closing: Closing): void {
    this.#told = true
    this.#sendClose(closing)
  }

  /** Ends it at once, without a word. */
  destroy(): void {
    this.#told = true
    clearInterval(this.#linger)
    this.#line.destroy()
  }

  opened(): void {}

  received(bytes: Bytes): void {
    if (!this.#events) {
      this.#early.push(bytes)
      return
    }
    try {
      this.#reader.push(bytes)
    } catch (fault) {
      if (!(fault instanceof FrameFault)) throw fault
      this.#break(fault)
    }
  }

  closed(): void {
    clearInterval(this.#linger)
    this.#tell({ code: 1006, reason: '' })
  }

  message(message: string | Bytes): void {
    if (!this.#told) this.#events!.message(message)
  }

  ping(data: Bytes): void {
    if (this.#closing) return
    if (this.#line.unsent < MOST_PONGS) this.#line.write(frameOf(Opcode.pong, data))
    this.#events!.ping(data)
  }

  closing(closing: Closing): void {
    this.#sendClose(closing)
    this.#tell(closing)
  }

  /** What came is no WebSocket; the client hears that it was not its own doing. */
  #break({ code, message }: FrameFault): void {
    this.#sendClose({ code, reason: message })
    if (code === 1009) this.#tell({ code, reason: `the provider sent ${message}` })
    else this.#tell({ code: 1011, reason: `the provider broke the protocol: ${message}` })
  }

  #sendClose(closing: Closing): void {
    if (this.#closing) return
    this.#closing = true
    this.#line.write(closeFrame(closing))
    this.#line.resume()
    let left = this.#line.unsent
    this.#linger = setInterval(() => {
      const { unsent } = this.#line
      if (unsent && unsent < left) left = unsent
      else this.destroy()
    }, LINGER_MS)
  }

  #tell(closing: Closing): void {
    if (this.#told) return
    if (!this.#events) {
      this.#ended ??= closing
      return
    }
    this.#told = true
    this.#events.ended(closing)
  }
}
