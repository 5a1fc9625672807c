/** The client's end of a socket, as its surface gives it. */
export interface ClientSocket {
  /** @returns false when that is enough for now: {@link SocketWay.drained} tells when there is room again */
  send(message: string | Uint8Array): boolean
  /** @param data at most 125 bytes, as in every ping */
  ping(data: Uint8Array): void
  /** Ends it in good order; 1005 stands for an end without a code. */
  close(code: number, reason: string): void
  /** Ends it without a word, as a connection that is lost. */
  terminate(): void
  /** Bytes that the client has not taken yet. */
  unsent(): number
}

/** What becomes of a client's socket. */
export interface SocketWay {
  opened(client: ClientSocket): void
  received(message: string | Uint8Array): void
  /** It was answered already. */
  pinged(data: Uint8Array): void
  drained(): void
  /** 1005 for an end without a code, 1006 for a connection that was lost. Called once, whoever ended it. */
  closed(code: number, reason: string): void
  /** The server stops: what is under way may end first. */
  leave(): void
}

/** The service restarts, or goes away (RFC 6455, section 7.4.1). */
export const GOING_AWAY = 1001
/** Whoever is at the other end is too slow, and may try again. */
export const TRY_AGAIN_LATER = 1013
