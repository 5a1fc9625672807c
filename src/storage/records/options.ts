import type { AttemptRecord } from '../../telemetry/attempt-record.ts'

/**
 * Why something is not kept. A row: too many wait to be written (`queue`), the gateway has as many as it may have and
 * inserts no more (`limit`), the store refuses it (`store`), it makes no sense (`invalid`), or the store is closed
 * (`closed`). A row's bodies, with the row kept: too many bytes wait (`bodies`).
 */
export type RecordDrop = 'queue' | 'limit' | 'store' | 'invalid' | 'closed' | 'bodies'

/** The part of a gateway's settings that says how much of it is kept (contract section 8.4). */
export interface Keeping {
  /** Rows; as many as there are when left out. */
  most?: number | null
  /** What happens beyond it: `DELETE_OLDEST` when left out. */
  strategy?: 'STOP_INSERTING' | 'DELETE_OLDEST' | null
}

export interface RecordBounds {
  /** Records that wait to be written. */
  waiting: number
  /** Bytes of bodies that wait. */
  waitingBytes: number
  /** Bytes that are kept of a body. */
  body: number
  /** Characters of base64 from which on a picture or a sound within a body is kept by reference only. */
  media: number
}

const MB = 1024 * 1024

export const DEFAULT_BOUNDS: RecordBounds = {
  waiting: 20_000,
  waitingBytes: 128 * MB,
  body: 10 * MB,
  media: 64 * 1024,
}

/**
 * Puts a stream's bytes together into one reply as text.
 * @returns nothing when the format is not known or the bytes are not what it says: they are then kept as they came
 */
export type Assemble = (format: string, bytes: Uint8Array<ArrayBuffer>, record: AttemptRecord) => string | undefined

/** What looks like a secret, by name. */
export interface SecretPattern {
  name: string
  /** Text that is in each of them, so that most bodies need not be looked through. */
  hint: string
  /** With the flag `g`. */
  pattern: RegExp
}

export interface RecordOptions {
  /**
   * What is asked before rows of a gateway are written or taken away; everything is kept when left out. Where it says
   * nothing there is no gateway of that name: somebody asked for it in vain, and nothing of that is counted or kept.
   */
  keeping?: (gateway: string) => Keeping | undefined
  /** Days after which records go; never when left out. Asked each time, since settings change. */
  retentionDays?: () => number | undefined
  /** Keys of metadata whose values are counted by the hour, too; at most 20. */
  metadataKeys?: readonly string[]
  /** Whether what looks like a secret is taken out of bodies; it is, when left out. */
  redact?: boolean
  /** Further secrets. */
  secrets?: readonly SecretPattern[]
  assemble?: Assemble
  bounds?: Partial<RecordBounds>
  /** Called for what is not kept; with the store's own words where it refused a row. They name no secret. */
  onDropped?(count: number, why: RecordDrop, reason?: string): void
  /** The store fails, told once until it works again; then told once more, with `up`. The reason names no secret. */
  onFailure?(up: boolean, reason: string): void
}
