import type { Database, Sql } from '../database.ts'
import { bodyIn, compressed, decompressed, onlyRows, type Pack } from './pack.ts'
import type { BodyName, StoredBody } from './types.ts'

type Bytes = Uint8Array<ArrayBuffer>

/** Packs that are held as they are uncompressed: whoever reads bodies reads several of a pack. */
const MOST_HELD = 4
/** Longer ones are not held. */
const MOST_HELD_BYTES = 2 * 1024 * 1024

/** Packs beyond which rows are taken to be far from each other. */
const MOST_NEAR = 100

interface Place {
  first: number
  last: number
}

const COLUMNS = ['gateway', 'first', 'last', 'bytes']
const WITH_ROW = 'FROM record_bodies WHERE gateway = ? AND first <= ? ORDER BY first DESC LIMIT 1'

/** @param first the number of the first row of the batch in its gateway */
export const insertPacks = (sql: Sql, packs: readonly (Pack & { gateway: number; first: number })[]): Promise<void> =>
  sql.insert(
    'record_bodies',
    COLUMNS,
    packs.map(({ gateway, first, from, to, bytes }) => [gateway, first + from, first + to, bytes]),
  )

/** Reads bodies of any row. */
export class StoredBodies {
  readonly #database: Database
  readonly #held = new Map<string, Bytes>()

  constructor(database: Database) {
    this.#database = database
  }

  /** @throws when what was kept is damaged */
  async read(gateway: number, seq: number, name: BodyName): Promise<StoredBody | undefined> {
    const place = await this.#database.get<Place>(`SELECT first, last ${WITH_ROW}`, gateway, seq)
    if (!place || Number(place.last) < seq) return undefined
    const first = Number(place.first)
    const whole = await this.#whole(gateway, first)
    return whole && bodyIn(whole, seq - first, name)
  }

  /** What was taken away shall not stay in memory. */
  forget(): void {
    this.#held.clear()
  }

  async #whole(gateway: number, first: number): Promise<Bytes | undefined> {
    const id = `${gateway} ${first}`
    const held = this.#held.get(id)
    if (held) return held
    const whole = await wholeOf(this.#database, gateway, first)
    if (whole && whole.length <= MOST_HELD_BYTES) {
      if (this.#held.size >= MOST_HELD) this.#held.delete(this.#held.keys().next().value!)
      this.#held.set(id, whole)
    }
    return whole
  }
}

async function wholeOf(sql: Sql, gateway: number, first: number): Promise<Bytes | undefined> {
  const row = await sql.get<{ bytes: Bytes }>(
    'SELECT bytes FROM record_bodies WHERE gateway = ? AND first = ?',
    gateway,
    first,
  )
  return row && decompressed(row.bytes)
}

/**
 * Takes away the bodies of rows that are gone. A pack goes with the last of its rows; until then it stays as it is, unless
 * it is to be rewritten.
 * @param seqs the numbers of the rows, the least first
 * @param rewrite whether somebody wants these rows gone at once. The oldest rows go one after the other, and their packs
 * with them.
 */
export async function removeBodies(
  sql: Sql,
  gateway: number,
  seqs: readonly number[],
  rewrite: (place: Place) => boolean,
): Promise<void> {
  for (const place of await packsWith(sql, gateway, seqs)) await removeFrom(sql, gateway, place, rewrite(place))
}

/** Neighbours have few packs, which are found by one statement; rows far from each other lie in as many as they are. */
async function packsWith(sql: Sql, gateway: number, seqs: readonly number[]): Promise<Place[]> {
  const [from, to] = [seqs[0]!, seqs.at(-1)!]
  const before = await sql.get<Place>(`SELECT first, last ${WITH_ROW}`, gateway, from)
  const near = await sql.all<Place>(
    'SELECT first, last FROM record_bodies WHERE gateway = ? AND first >= ? AND first <= ? ORDER BY first LIMIT ?',
    gateway,
    before?.first ?? from,
    to,
    MOST_NEAR,
  )
  const found = new Map<number, Place>()
  let next = 0
  for (const seq of seqs) {
    let place: Place | undefined
    if (near.length === MOST_NEAR) place = await sql.get<Place>(`SELECT first, last ${WITH_ROW}`, gateway, seq)
    else {
      while (next < near.length && Number(near[next]!.last) < seq) next++
      place = near[next]
    }
    if (!place) continue
    const [first, last] = [Number(place.first), Number(place.last)]
    if (first <= seq && seq <= last) found.set(first, { first, last })
  }
  return [...found.values()]
}

async function removeFrom(sql: Sql, gateway: number, { first, last }: Place, rewrite: boolean): Promise<void> {
  const rows = await sql.all<{ seq: number }>(
    `SELECT seq FROM records WHERE gateway = ? AND seq >= ? AND seq <= ?${rewrite ? '' : ' LIMIT 1'}`,
    gateway,
    first,
    last,
  )
  if (rows.length && !rewrite) return
  const left = new Set(rows.map(({ seq }) => Number(seq) - first))
  const whole = left.size ? await wholeOf(sql, gateway, first) : undefined
  const kept = whole && onlyRows(whole, row => left.has(row))
  if (kept)
    await sql.run(
      'UPDATE record_bodies SET bytes = ? WHERE gateway = ? AND first = ?',
      await compressed(kept),
      gateway,
      first,
    )
  else await sql.run('DELETE FROM record_bodies WHERE gateway = ? AND first = ?', gateway, first)
}
