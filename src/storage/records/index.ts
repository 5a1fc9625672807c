import type { AttemptRecord } from '../../telemetry/attempt-record.ts'
import type { Database } from '../database.ts'
import { StorageError } from '../errors.ts'
import { type Analytics, analytics } from './analytics.ts'
import type { BodyRules } from './bodies.ts'
import { type Checkpoints, checkpoints } from './checkpoints.ts'
import { Dictionary } from './dictionary.ts'
import { Intake } from './intake.ts'
import { DEFAULT_BOUNDS, type RecordDrop, type RecordOptions } from './options.ts'
import { Packer } from './packer.ts'
import { patchRow } from './patch.ts'
import { RecordQueue } from './queue.ts'
import { RecordReader } from './read.ts'
import { hintsOf, redactor } from './redact.ts'
import { removeRows } from './remove.ts'
import { MetadataValues } from './sums.ts'
import { Tails } from './tails.ts'
import type { BodyName, RecordChange, RecordPage, RecordQuery, Selection, StoredBody, StoredRecord } from './types.ts'
import { Upkeep } from './upkeep.ts'

const MOST_METADATA_KEYS = 20
/** Rows that are looked for at once when all are to go. */
const PAGE = 5_000

/** Everything on record: a row for each attempt, its bodies apart, and the sums of each hour, which outlive the rows. */
export interface Records {
  /** Takes a record to keep, and writes it when there is time. Never waits and never throws. */
  put(record: AttemptRecord): void
  /** @throws RecordQueryFault for a filter that makes no sense */
  list(gateway: string, query?: RecordQuery): Promise<RecordPage>
  get(gateway: string, id: string): Promise<StoredRecord | undefined>
  body(gateway: string, id: string, name: BodyName): Promise<StoredBody | undefined>
  /** @returns whether there was such a record */
  patch(gateway: string, id: string, change: RecordChange): Promise<boolean>
  /**
   * Takes away what a selection finds, in its order; all of it when there is no limit. The sums stay.
   * @returns how many records are gone
   */
  remove(gateway: string, selection: Selection, limit?: number): Promise<number>
  /** In the order in which they were written: for exports, and to follow what comes. Begins behind 0. */
  after(gateway: string, behind: number, count: number): Promise<{ records: StoredRecord[]; last: number }>
  /** How many records of each gateway there are. */
  counts(): Promise<Map<string, number>>
  readonly analytics: Analytics
  /** How many wait to be written. */
  waiting(): number
  /** Writes what waits, and does what is due. */
  flush(): Promise<void>
  /** Takes away what is too old or too much, without waiting for the time of it. */
  sweep(now?: number): Promise<void>
  /** Writes what is left. What is put later is not kept. */
  close(): Promise<void>
}

/**
 * The records in a database.
 *
 * @throws StorageError when the database cannot be used
 */
export async function records(database: Database, options: RecordOptions = {}): Promise<Records> {
  const bounds = { ...DEFAULT_BOUNDS, ...options.bounds }
  const { onDropped, onFailure, keeping = () => ({}), retentionDays = () => undefined } = options
  const drop = (count: number, why: RecordDrop, fault?: unknown) => {
    if (count) onDropped?.(count, why, fault === undefined ? undefined : reasonOf(fault))
  }
  let up = true
  const failed = (fault: unknown) => {
    if (up) onFailure?.(false, reasonOf(fault))
    up = false
  }
  const worked = () => {
    if (!up) onFailure?.(true, 'it works again')
    up = true
  }
  const dictionary = new Dictionary()
  let log: Checkpoints
  try {
    await dictionary.open(database)
    log = await checkpoints(database, failed)
  } catch (fault) {
    throw fault instanceof StorageError ? fault : new StorageError('use', `the records: ${reasonOf(fault)}`)
  }
  const redact = options.redact === false ? undefined : redactor(options.secrets)
  const rules: BodyRules = {
    bounds,
    ...(redact && { redact }),
    ...(options.assemble && { assemble: options.assemble }),
  }
  const queue = new RecordQueue(bounds, drop)
  const tails = new Tails()
  const upkeep = new Upkeep({ database, tails, keeping, retentionDays, failed })
  const metadataKeys = (options.metadataKeys ?? []).slice(0, MOST_METADATA_KEYS)
  const intake = new Intake({
    queue,
    writer: { database, dictionary, keeping, metadataKeys, metadataValues: new MetadataValues(), tails },
    rules,
    packer: new Packer(redact && { redact, hints: hintsOf(options.secrets) }),
    drop,
    failed,
    worked,
    written(written, rows) {
      upkeep.after(written, rows)
      log.after(rows)
    },
  })
  const reader = new RecordReader(database)
  let closed = false
  return {
    put(record) {
      if (closed) return drop(1, 'closed')
      queue.add(record)
      intake.wake()
    },
    list: (gateway, query = {}) => reader.list(gateway, query),
    get: (gateway, id) => reader.get(gateway, id),
    body: (gateway, id, name) => reader.body(gateway, id, name),
    async patch(gateway, id, change) {
      const row = await reader.row(gateway, id)
      return row ? patchRow(database, dictionary, row, change) : false
    },
    async remove(gateway, selection, limit = Number.POSITIVE_INFINITY) {
      const place = await reader.place(gateway)
      if (!place) return 0
      let removed = 0
      while (removed < limit) {
        const seqs = await reader.seqs(place, selection, Math.min(PAGE, limit - removed))
        const gone = seqs.length ? await removeRows(database, place.gateway, seqs, true) : 0
        removed += gone
        if (gone < seqs.length || seqs.length < PAGE) break
      }
      reader.forget()
      return removed
    },
    after: (gateway, behind, count) => reader.after(gateway, behind, count),
    async counts() {
      const rows = await database.all<{ name: string; kept: number }>('SELECT name, kept FROM record_gateways')
      return new Map(rows.map(({ name, kept }) => [name, Number(kept)]))
    },
    analytics: analytics(database, reader),
    waiting: () => queue.length,
    async flush() {
      await intake.flush()
      await upkeep.settled()
    },
    sweep: now => upkeep.sweep(now),
    async close() {
      if (closed) return
      closed = true
      await intake.close()
      await upkeep.close()
      await log.close()
    },
  }
}

const reasonOf = (fault: unknown): string => (fault instanceof Error ? fault.message : 'unknown error')

export type { Analytics } from './analytics.ts'
export type { Keeping, RecordBounds, RecordDrop, RecordOptions, SecretPattern } from './options.ts'
export * from './types.ts'
