import type { Database, Sql } from '../database.ts'
import { kindOf } from './kind.ts'
import { RecentKinds } from './recent-kinds.ts'
import { inPages, placesFor } from './statements.ts'

/** Kinds of a gateway beyond which what callers write as they like is kept with the row instead. */
const MOST_KINDS = 10_000
/** Names and kinds that are remembered here; beyond it they are forgotten, and kept a second time when they come again. */
const MOST_REMEMBERED = 100_000
const MOST_DOCUMENTS = 20_000

/** A metadata document, and the last day on which it is known to have been used. */
interface Document {
  id: number
  used: number
}

/** The numbers of a kind and of what its hours are counted by. */
export interface KindNumbers {
  kind: number
  series: number
}

interface Known {
  gateways: Map<string, number>
  series: Map<string, number>
  kinds: Map<string, KindNumbers>
  documents: Map<string, Document>
}

const nothing = (): Known => ({ gateways: new Map(), series: new Map(), kinds: new Map(), documents: new Map() })

/** The dimensions by which hours are counted. */
type Series = [provider: string | null, model: string | null, token: string | null, status: number, cached: 0 | 1]

/**
 * The numbers of gateways, kinds and metadata documents that this process knows. Two processes may give the same kind two
 * numbers, and so may one that forgot: that costs a row and changes nothing else. Only gateways have one number each.
 */
export class Dictionary {
  /** Those of records that were written. */
  readonly recent = new RecentKinds()
  readonly #known = nothing()
  readonly #kindsOf = new Map<number, number>()

  /** Reads what there is. To be called once, before anything else. */
  async open(database: Database): Promise<void> {
    await database.insert('record_state', ['one', 'seq', 'kinds', 'documents'], [[1, 0, 0, 0]])
    const { gateways, series, kinds } = this.#known
    for (const { id, name } of await database.all<{ id: number; name: string }>('SELECT id, name FROM record_gateways'))
      gateways.set(name, Number(id))
    type SeriesRow = {
      id: number
      gateway: number
      provider: string
      model: string
      token: string
      status: number
      cached: number
    }
    const allSeries = inPages<SeriesRow>(
      database,
      'SELECT * FROM record_series WHERE id > ? ORDER BY id LIMIT ?',
      MOST_REMEMBERED,
    )
    for await (const { id, gateway, provider, model, token, status, cached } of allSeries)
      series.set(`${gateway} ${JSON.stringify([provider, model, token, status, cached])}`, Number(id))
    const allKinds = inPages<{ id: number; gateway: number; series: number; said: string }>(
      database,
      'SELECT id, gateway, series, said FROM record_kinds WHERE id > ? ORDER BY id LIMIT ?',
      MOST_REMEMBERED,
    )
    for await (const { id, gateway, series, said } of allKinds) {
      kinds.set(`${gateway} ${said}`, { kind: Number(id), series: Number(series) })
      this.#count(gateway)
    }
  }

  /** Whether the gateway has so many kinds that there shall be no more by what callers write as they like. */
  isFull(gateway: string): boolean {
    const id = this.#known.gateways.get(gateway)
    return id !== undefined && (this.#kindsOf.get(id) ?? 0) >= MOST_KINDS
  }

  knows(gateway: string, said: string): boolean {
    const id = this.#known.gateways.get(gateway)
    return id !== undefined && this.#known.kinds.has(`${id} ${said}`)
  }

  gateway(name: string): number | undefined {
    return this.#known.gateways.get(name)
  }

  /** For one transaction: what it adds is known to others when it is {@link Draft.done}. */
  draft(sql: Sql, state: { kinds: number; documents: number }): Draft {
    return new Draft(sql, this.#known, state, added => this.#take(added))
  }

  #take({ gateways, series, kinds, documents }: Known): void {
    const known = this.#known
    for (const [name, id] of gateways) known.gateways.set(name, id)
    if (known.series.size > MOST_REMEMBERED) known.series.clear()
    for (const [text, id] of series) known.series.set(text, id)
    if (known.kinds.size > MOST_REMEMBERED) known.kinds.clear()
    for (const [text, id] of kinds) {
      known.kinds.set(text, id)
      this.#count(Number(text.slice(0, text.indexOf(' '))))
    }
    for (const [text, document] of documents) {
      // Those used last stand at the end.
      known.documents.delete(text)
      known.documents.set(text, document)
    }
    for (const text of known.documents.keys()) {
      if (known.documents.size <= MOST_DOCUMENTS) break
      known.documents.delete(text)
    }
  }

  #count(gateway: number): void {
    this.#kindsOf.set(gateway, (this.#kindsOf.get(gateway) ?? 0) + 1)
  }
}

/** A document that is used on another day than before. */
interface Use {
  text: string
  gateway: number
  said: string
  document: Document
}

/** Finds or makes numbers within one transaction, and writes all that is new in one go. */
export class Draft {
  readonly #sql: Sql
  readonly #known: Known
  readonly #added = nothing()
  readonly #state: { kinds: number; documents: number }
  readonly #publish: (added: Known) => void
  /** Rows of new kinds, documents and series. */
  readonly #rows = {
    kinds: [] as [number, number, number, string][],
    series: [] as [number, number, ...Series][],
    documents: [] as [number, number, string, number][],
    used: [] as Use[],
  }

  constructor(sql: Sql, known: Known, state: { kinds: number; documents: number }, publish: (added: Known) => void) {
    this.#sql = sql
    this.#known = known
    this.#state = { ...state }
    this.#publish = publish
  }

  async gateway(name: string): Promise<number> {
    const known = this.#known.gateways.get(name) ?? this.#added.gateways.get(name)
    if (known !== undefined) return known
    const there = await this.#sql.get<{ id: number }>('SELECT id FROM record_gateways WHERE name = ?', name)
    let id = there && Number(there.id)
    if (id === undefined) {
      const last = await this.#sql.get<{ id: number }>('SELECT COALESCE(MAX(id), 0) AS id FROM record_gateways')
      id = Number(last!.id) + 1
      await this.#sql.insert('record_gateways', ['id', 'name', 'kept', 'sealed', 'touched'], [[id, name, 0, 0, 0]])
    }
    this.#added.gateways.set(name, id)
    return id
  }

  /** @param said the text of a kind */
  kind(gateway: number, said: string): KindNumbers {
    const text = `${gateway} ${said}`
    const known = this.#known.kinds.get(text) ?? this.#added.kinds.get(text)
    if (known) return known
    const { provider, model, token, status, cached } = kindOf(said)
    const series = this.#series(gateway, [provider, model, token, status, cached ? 1 : 0])
    const numbers = { kind: ++this.#state.kinds, series }
    this.#added.kinds.set(text, numbers)
    this.#rows.kinds.push([numbers.kind, gateway, series, said])
    return numbers
  }

  /** @param day of the record: documents that were not used since the oldest record are swept */
  document(gateway: number, said: string, day: number): number {
    const text = `${gateway} ${said}`
    const known = this.#added.documents.get(text) ?? this.#known.documents.get(text)
    if (known) {
      const document = { id: known.id, used: Math.max(day, known.used) }
      if (document.used > known.used) this.#rows.used.push({ text, gateway, said, document })
      this.#added.documents.set(text, document)
      return known.id
    }
    const document = { id: ++this.#state.documents, used: day }
    this.#added.documents.set(text, document)
    this.#rows.documents.push([document.id, gateway, said, day])
    return document.id
  }

  /** Writes what is new. @returns the numbers of documents that were swept meanwhile, and what they are now */
  async write(): Promise<Map<number, number>> {
    const { kinds, series, documents, used } = this.#rows
    const moved = await this.#touch(used)
    if (series.length)
      await this.#sql.insert(
        'record_series',
        ['id', 'gateway', 'provider', 'model', 'token', 'status', 'cached'],
        series,
      )
    if (kinds.length) await this.#sql.insert('record_kinds', ['id', 'gateway', 'series', 'said'], kinds)
    if (documents.length) await this.#sql.insert('record_metadata', ['id', 'gateway', 'said', 'used'], documents)
    if (kinds.length || series.length || documents.length)
      await this.#sql.run(
        'UPDATE record_state SET kinds = ?, documents = ? WHERE one = 1',
        this.#state.kinds,
        this.#state.documents,
      )
    return moved
  }

  /** The transaction is over. */
  done(): void {
    this.#publish(this.#added)
  }

  #series(gateway: number, series: Series): number {
    const text = `${gateway} ${JSON.stringify(series)}`
    const known = this.#known.series.get(text) ?? this.#added.series.get(text)
    if (known !== undefined) return known
    const id = ++this.#state.kinds
    this.#added.series.set(text, id)
    this.#rows.series.push([id, gateway, ...series])
    return id
  }

  async #touch(used: readonly Use[]): Promise<Map<number, number>> {
    const moved = new Map<number, number>()
    if (!used.length) return moved
    const ids = used.map(({ document }) => document.id)
    const places = placesFor(ids.length)
    const padded = [...ids, ...Array(places.count - ids.length).fill(ids[0]!)]
    const there = await this.#sql.all<{ id: number }>(
      `SELECT id FROM record_metadata WHERE id IN (${places.text})`,
      ...padded,
    )
    const alive = new Set(there.map(({ id }) => Number(id)))
    for (const { text, gateway, said, document } of used) {
      if (alive.has(document.id)) {
        await this.#sql.run('UPDATE record_metadata SET used = ? WHERE id = ?', document.used, document.id)
        continue
      }
      const id = ++this.#state.documents
      moved.set(document.id, id)
      this.#added.documents.set(text, { id, used: document.used })
      this.#rows.documents.push([id, gateway, said, document.used])
    }
    return moved
  }
}
