import type { Socket, SocketHandler, TCPSocketConnectOptions } from 'bun'
import type { Bytes } from '../../stream/byte-source.ts'
import { cutOff, fault } from './fault.ts'

/** Where a connection leads. */
export interface Remote {
  /** A name, or an IP address without brackets. */
  hostname: string
  port: number
  secure: boolean
}

/** Whoever a connection belongs to. */
export interface Owner<Self> {
  /** It is connected; it is not encrypted yet. */
  connected(socket: Socket<Self>): void
  /** It is open, and encrypted where it should be. */
  opened(socket: Socket<Self>): void
  received(bytes: Bytes): void
  /** What was written and not taken may go on. */
  drained(socket: Socket<Self>): void
  /**
   * It is gone.
   * @param clean the server has closed it in good order
   */
  lose(cause: Error, clean?: boolean): void
}

/** Until it is open, with TLS. The system itself would try for two minutes. */
export const CONNECT_MS = 10_000
/** A server that vanished without a word is found out after a minute or so of silence. */
export const PROBE_AFTER_MS = 60_000

// Certificate and host name are verified by Bun, as for `fetch`; NODE_EXTRA_CA_CERTS counts too.
const TLS = { ALPNProtocols: new Uint8Array(Buffer.from('\x08http/1.1')) }

// biome-ignore lint/suspicious/noExplicitAny: one set of handlers serves every kind of owner; `connect` says whose it is
const common: SocketHandler<Owner<any>, 'uint8array'> = {
  binaryType: 'uint8array',
  data: (socket, bytes) => socket.data.received(bytes),
  drain: socket => socket.data.drained(socket),
  close(socket, cause) {
    if (cause) socket.data.lose(cause)
    else socket.data.lose(cutOff('the server closed the connection'), true)
  },
  error: (socket, cause) => socket.data.lose(cause),
}
const plain: typeof common = {
  ...common,
  open(socket) {
    socket.data.connected(socket)
    socket.data.opened(socket)
  },
}
const encrypted: typeof common = {
  ...common,
  open: socket => socket.data.connected(socket),
  handshake(socket, trusted, cause) {
    if (trusted) socket.data.opened(socket)
    else socket.data.lose(cause ?? fault('ERR_TLS_HANDSHAKE', 'the TLS handshake failed'))
  },
}

/** Opens a connection; its owner is told everything that becomes of it, and never before this has returned. */
export async function connect<Self extends Owner<Self>>(
  owner: Self,
  { hostname, port, secure }: Remote,
): Promise<void> {
  const options = { hostname, port, data: owner, ...(secure ? { tls: TLS, socket: encrypted } : { socket: plain }) }
  try {
    // Bun's types know only handlers that ask for a Buffer.
    await Bun.connect(options as unknown as TCPSocketConnectOptions<Self>)
  } catch (cause) {
    // Even a fault of the arguments is told a turn later.
    await undefined
    owner.lose(cause as Error)
  }
}
