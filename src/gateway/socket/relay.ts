import type { Bytes } from '../../stream/byte-source.ts'
import type { Exchange } from '../exchange.ts'
import { record } from '../record.ts'
import type { Closing } from '../transport/websocket-frames.ts'
import type { SocketEvents, UpstreamSocket } from '../transport/websocket-socket.ts'
import { type ClientSocket, GOING_AWAY, type SocketWay, TRY_AGAIN_LATER } from './peer.ts'

/**
 * What a provider may leave unread of a client's. The server's end of a socket cannot stop reading, so that beyond this
 * the socket is closed.
 */
const MOST_UNSENT = 16 * 1024 * 1024
const MOST_UNSENT_TOLD = 'the provider takes too slowly what is sent: 16 MB are waiting'
/** A client that reads slowly gets what was sent before a lost connection, but has no longer for it. */
const LAST_WORDS_MS = 5_000
const SWITCHED = 101

/**
 * Hands everything on between a client and a provider: text and bytes as they are, pings, and how it ended. The one who
 * reads slowly slows the other down, as far as that can be.
 */
export class Relay implements SocketWay, SocketEvents {
  readonly #exchange: Exchange
  readonly #upstream: UpstreamSocket
  #client: ClientSocket | undefined
  #over = false
  /** The provider's connection is lost, and the client has not taken all that came before. */
  #lastWords: ReturnType<typeof setTimeout> | undefined

  constructor(exchange: Exchange, upstream: UpstreamSocket) {
    this.#exchange = exchange
    this.#upstream = upstream
  }

  opened(client: ClientSocket): void {
    this.#client = client
    this.#upstream.begin(this)
  }

  received(message: string | Uint8Array): void {
    if (this.#over) return
    if (this.#upstream.unsent <= MOST_UNSENT) {
      this.#upstream.send(message)
      return
    }
    this.#upstream.destroy()
    this.#fail('upstream_slow')
    this.#client!.close(TRY_AGAIN_LATER, MOST_UNSENT_TOLD)
  }

  pinged(data: Uint8Array): void {
    if (!this.#over) this.#upstream.sendPing(data)
  }

  closed(code: number, reason: string): void {
    clearTimeout(this.#lastWords)
    if (this.#over) return
    if (code === LOST) {
      this.#exchange.outcome.left = true
      this.#upstream.destroy()
    } else this.#upstream.close({ code, reason })
    this.#end()
  }

  leave(): void {
    if (this.#over) return
    const closing = { code: GOING_AWAY, reason: 'the gateway stops' }
    this.#upstream.close(closing)
    this.#end()
    this.#client!.close(closing.code, closing.reason)
  }

  drained(): void {
    if (!this.#over) this.#upstream.resume()
    else if (this.#lastWords && !this.#client!.unsent()) this.#client!.terminate()
  }

  message(message: string | Bytes): void {
    if (!this.#client!.send(message)) this.#upstream.pause()
  }

  ping(data: Bytes): void {
    this.#client!.ping(data)
  }

  ended({ code, reason }: Closing): void {
    const client = this.#client!
    if (code === LOST) {
      this.#fail('upstream_closed')
      // What the provider said before still goes out.
      if (client.unsent()) this.#lastWords = setTimeout(() => client.terminate(), LAST_WORDS_MS)
      else client.terminate()
    } else {
      this.#end()
      client.close(code, reason)
    }
  }

  #fail(code: string): void {
    this.#exchange.outcome.error = { status: 502, message: '', type: 'server_error', code }
    this.#end()
  }

  #end(): void {
    this.#over = true
    record(this.#exchange, SWITCHED)
  }
}

const LOST = 1006
