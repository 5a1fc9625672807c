import type { Usage } from '../../conversation/reply.ts'
import type { Bytes } from '../../stream/byte-source.ts'

/** Where a piece of a stream ends, and when it came. */
export interface Piece {
  /** Bytes from the beginning of the body. */
  end: number
  /** Milliseconds since the first piece. */
  at: number
}

/** An answer as it went to a client, to be given again. Nobody changes it: many requests share one. */
export interface CachedAnswer {
  status: number
  /** The provider's headers that go on, and the content type. */
  headers: [string, string][]
  /** In the client's dialect. */
  body: Bytes
  /** Of a stream, for replay at the pace that it came in. */
  pieces?: Piece[]
  meta: { provider: string; model: string; usage?: Usage; gateway: string }
  /** Milliseconds since 1970. */
  stored: number
  /** Milliseconds since 1970. */
  expires: number
}

export interface CacheSize {
  entries: number
  bytes: number
}

/**
 * Answers by their key, which is `<gateway>:<64 hexadecimal digits>` as gateway/cache/key.ts builds it. A cache that
 * cannot be reached has nothing: no request fails for it.
 */
export interface AnswerCache {
  /** What is in memory, or known not to be there, is told at once; a promise means that the store is asked. */
  get(key: string, now?: number): CachedAnswer | undefined | Promise<CachedAnswer | undefined>
  /** Takes an answer to keep, and writes it when there is time. Never waits and never throws. */
  put(key: string, answer: CachedAnswer): void
  /**
   * Throws away all answers of a gateway, or one of them.
   * @returns how many are gone
   * @throws StorageError when the store cannot be reached, so that they may still be there
   */
  purge(gateway: string, key?: string): Promise<number>
  /** What is kept; nothing where only the server knows (Redis). */
  size(): CacheSize | undefined
  /** Writes what is waiting. What is put later is not kept. */
  close(): Promise<void>
}

/**
 * Why an answer is not kept: it is larger than the bound, too many wait to be written, the store refused it or cannot be
 * reached, somebody purged it before it was written, or the cache is closed.
 */
export type DropReason = 'size' | 'queue' | 'store' | 'purged' | 'closed'

/** What a cache tells its owner, for the log and the metrics. */
export interface CacheReports {
  onDropped?(answers: number, why: DropReason): void
  /** The store fails, told once until it works again; then told once more, with `up`. The reason names no secret. */
  onFailure?(up: boolean, reason: string): void
}

/** Bounds of a cache, in bytes. */
export interface CacheBounds {
  /** An answer that is larger is not kept. Default 25 MB, as at Cloudflare (contract section 4). */
  answer: number
  /** Answers that wait to be written; beyond it they are dropped and counted. Default 32 MB. */
  waiting: number
  /** Answers in memory, as they are. Default 64 MB. */
  memory: number
  /** All that is kept, as it is kept: compressed, with its rows. Default 1 GB. */
  total: number
}

const MB = 1024 * 1024

export const DEFAULT_BOUNDS: CacheBounds = { answer: 25 * MB, waiting: 32 * MB, memory: 64 * MB, total: 1024 * MB }

/** What an answer without its body takes in memory, roughly: the objects around it, and each piece. */
const AROUND = 600
const A_PIECE = 40

/** About how many bytes an answer takes in memory. */
export function weightOf({ body, pieces, headers }: CachedAnswer): number {
  let weight = AROUND + body.length + (pieces ? pieces.length * A_PIECE : 0)
  for (const [name, value] of headers) weight += name.length + value.length + A_PIECE
  return weight
}
