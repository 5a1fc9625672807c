import type { Database } from '../database.ts'
import { bytesOfUuid } from './ids.ts'
import { kindOf } from './kind.ts'
import { Kinds } from './kinds.ts'
import { NO_METADATA } from './metadata-filter.ts'
import { type Row, recordOf } from './row.ts'
import { find, type Place } from './scan.ts'
import { isOneOf } from './statements.ts'
import { StoredBodies } from './stored-bodies.ts'
import type { BodyName, Metadata, RecordPage, RecordQuery, Selection, StoredBody, StoredRecord } from './types.ts'

const PER_PAGE = 20
/** Gateways whose kinds are held for reading. */
const MOST_GATEWAYS = 200

/** Reads records of any gateway. */
export class RecordReader {
  readonly #database: Database
  readonly #kinds = new Map<number, Kinds>()
  readonly #bodies: StoredBodies

  constructor(database: Database) {
    this.#database = database
    this.#bodies = new StoredBodies(database)
  }

  /** Rows were taken away. */
  forget(): void {
    this.#bodies.forget()
  }

  /** @returns nothing for a gateway of which nothing was ever recorded */
  async place(gateway: string): Promise<Place | undefined> {
    const row = await this.#database.get<{ id: number }>('SELECT id FROM record_gateways WHERE name = ?', gateway)
    if (!row) return undefined
    const id = Number(row.id)
    const kinds = this.#kinds.get(id) ?? new Kinds()
    if (this.#kinds.size >= MOST_GATEWAYS && !this.#kinds.has(id)) this.#kinds.clear()
    this.#kinds.set(id, kinds)
    await kinds.refresh(this.#database, id)
    return { database: this.#database, gateway: id, kinds }
  }

  async list(
    gateway: string,
    { page = 1, perPage = PER_PAGE, metaInfo, ...selection }: RecordQuery,
  ): Promise<RecordPage> {
    const place = await this.place(gateway)
    if (!place) return { records: [], total: 0, ...(metaInfo && { metaInfo: {} }) }
    const found = await find(place, selection, (page - 1) * perPage, perPage, metaInfo)
    return {
      records: await this.records(gateway, place, found.seqs),
      total: found.total,
      ...(found.metaInfo && { metaInfo: found.metaInfo }),
    }
  }

  /** The numbers of rows, in the order asked for. */
  async seqs(place: Place, selection: Selection, limit: number): Promise<number[]> {
    return (await find(place, selection, 0, limit)).seqs
  }

  /** Records by the numbers of their rows, in that order; those that are gone are left out. */
  async records(gateway: string, place: Place, seqs: readonly number[]): Promise<StoredRecord[]> {
    if (!seqs.length) return []
    const list = isOneOf(seqs)
    const rows = await this.#database.all<Row>(`SELECT * FROM records WHERE seq ${list.text}`, ...list.values)
    const bySeq = new Map(rows.map(row => [Number(row.seq), row]))
    const metadata = await this.#metadata(rows)
    return seqs.flatMap(seq => {
      const row = bySeq.get(seq)
      const kind = row && place.kinds.get(Number(row.kind))
      return kind ? [recordOf(row, kind, gateway, metadata.get(Number(row.metadata)))] : []
    })
  }

  async row(gateway: string, id: string): Promise<Row | undefined> {
    const bytes = bytesOfUuid(id)
    return (
      bytes &&
      this.#database.get<Row>(
        `SELECT records.* FROM records JOIN record_gateways ON record_gateways.id = records.gateway
         WHERE records.id = ? AND record_gateways.name = ?`,
        bytes,
        gateway,
      )
    )
  }

  async get(gateway: string, id: string): Promise<StoredRecord | undefined> {
    const row = await this.row(gateway, id)
    if (!row) return undefined
    const kind = await this.#database.get<{ said: string }>('SELECT said FROM record_kinds WHERE id = ?', row.kind)
    const metadata = await this.#metadata([row])
    return kind && recordOf(row, kindOf(kind.said), gateway, metadata.get(Number(row.metadata)))
  }

  async body(gateway: string, id: string, name: BodyName): Promise<StoredBody | undefined> {
    const row = await this.row(gateway, id)
    return row && this.#bodies.read(Number(row.gateway), Number(row.seq), name)
  }

  /**
   * Records in the order in which they were written, from behind one of them: for an export, or to follow what comes. What
   * is asked of them is looked at by whoever asks.
   * @param behind what was given with the last of the page before
   */
  async after(gateway: string, behind: number, count: number): Promise<{ records: StoredRecord[]; last: number }> {
    const place = await this.place(gateway)
    if (!place) return { records: [], last: behind }
    const rows = await this.#database.all<{ seq: number }>(
      'SELECT seq FROM records WHERE gateway = ? AND seq > ? ORDER BY seq LIMIT ?',
      place.gateway,
      behind,
      count,
    )
    const seqs = rows.map(({ seq }) => Number(seq))
    return { records: await this.records(gateway, place, seqs), last: seqs.at(-1) ?? behind }
  }

  async #metadata(rows: readonly Row[]): Promise<Map<number, Metadata>> {
    const ids = [...new Set(rows.map(row => Number(row.metadata)))].filter(id => id !== NO_METADATA)
    if (!ids.length) return new Map()
    const list = isOneOf(ids)
    const documents = await this.#database.all<{ id: number; said: string }>(
      `SELECT id, said FROM record_metadata WHERE id ${list.text}`,
      ...list.values,
    )
    return new Map(documents.map(({ id, said }) => [Number(id), JSON.parse(said) as Metadata]))
  }
}
