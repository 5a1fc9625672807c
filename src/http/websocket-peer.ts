import type { ServerWebSocket, WebSocketHandler } from 'bun'
import type { ClientSocket, SocketWay } from '../gateway/socket/peer.ts'

/** What hangs on each socket of the server's. */
export interface Attached {
  way: SocketWay
}

/** Seconds without a sign of life, pings of ours included, after which a client counts as gone. */
const SILENCE_S = 120
/** Nobody lets so much wait: who sends stops when the first byte has to. */
const NEVER_REACHED = 1024 * 1024 * 1024

/**
 * Bun's handlers for the sockets of all surfaces.
 * @param limit the largest message of a client, in bytes; a larger one ends its socket with 1009
 */
export function socketHandlers(limit: number): WebSocketHandler<Attached> {
  return {
    maxPayloadLength: limit,
    backpressureLimit: NEVER_REACHED,
    closeOnBackpressureLimit: true,
    idleTimeout: SILENCE_S,
    sendPings: true,
    perMessageDeflate: false,
    open: ws => ws.data.way.opened(new Peer(ws)),
    message: (ws, message) => ws.data.way.received(message),
    ping: (ws, data) => ws.data.way.pinged(data),
    drain: ws => ws.data.way.drained(),
    close: (ws, code, reason) => ws.data.way.closed(code, reason),
  }
}

class Peer implements ClientSocket {
  readonly #ws: ServerWebSocket<Attached>

  constructor(ws: ServerWebSocket<Attached>) {
    this.#ws = ws
  }

  send(message: string | Uint8Array): boolean {
    return this.#ws.send(message as string) >= 0
  }

  ping(data: Uint8Array): void {
    this.#ws.ping(data as Uint8Array<ArrayBuffer>)
  }

  close(code: number, reason: string): void {
    this.#ws.close(code, reason)
  }

  terminate(): void {
    this.#ws.terminate()
  }

  unsent(): number {
    return this.#ws.getBufferedAmount()
  }
}
