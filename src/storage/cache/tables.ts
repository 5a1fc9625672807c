import type { Database, Sql, Value } from '../database.ts'
import type { CachedAnswer, CacheSize } from './answer-cache.ts'
import { numberOf } from './key-index.ts'
import { pack, unpack } from './pack.ts'

/** An answer as a row. */
export interface AnswerRow {
  /** {@link numberOf} the key. */
  number: number
  key: string
  gateway: string
  head: string
  body: Uint8Array<ArrayBuffer>
  packed: number
  /** Bytes that it counts for. */
  size: number
  stored: number
  expires: number
  /** When it was last given. */
  used: number
}

/** Answers that were thrown away by somebody's order: those of a gateway, or one, stored up to a moment. */
export interface Purge {
  gateway: string
  /** Empty: all of the gateway. */
  key: string
  at: number
}

interface Gone {
  number: number
  size: number
}

/** A key that is there, by its number. */
export interface KeptKey {
  number: number
  size: number
  expires: number
}

/** Beside head and body: the key, the numbers, and four indexes. */
const ROW_BYTES = 300
/** Rows that one transaction takes away, so that nobody waits long for it. */
const STEP = 200
/** By then every process has seen it. */
const PURGE_KEPT_MS = 600_000

const COLUMNS = ['number', 'key', 'gateway', 'head', 'body', 'packed', 'size', 'stored', 'expires', 'used']

/** The row of an answer, which may have been given before it is written. */
export async function rowOf(
  number: number,
  key: string,
  answer: CachedAnswer,
  used = answer.stored,
): Promise<AnswerRow> {
  const { head, body, packed } = await pack(answer)
  return {
    number,
    key,
    gateway: answer.meta.gateway,
    head,
    body,
    packed: packed ? 1 : 0,
    size: ROW_BYTES + head.length + body.length,
    stored: answer.stored,
    expires: answer.expires,
    used,
  }
}

/**
 * The tables of the answer cache. How much is kept stands in a row of its own, which every transaction changes first and
 * with it locks: so that of several processes one writes at a time, and the total is exact.
 */
export class AnswerTables {
  readonly #database: Database

  constructor(database: Database) {
    this.#database = database
  }

  /** Counts what is there. To be called once, before anything else. */
  async open(): Promise<CacheSize> {
    await this.#database.insert('answer_totals', ['one', 'entries', 'bytes'], [[1, 0, 0]])
    return this.#locked(async (sql, totals) => {
      const there = await sql.get<CacheSize>('SELECT COUNT(*) AS entries, COALESCE(SUM(size), 0) AS bytes FROM answers')
      totals.entries = Number(there!.entries)
      totals.bytes = Number(there!.bytes)
      return totals
    })
  }

  async totals(): Promise<CacheSize> {
    return numbers((await this.#database.get<CacheSize>('SELECT entries, bytes FROM answer_totals WHERE one = 1'))!)
  }

  /** A page of the keys by when they expire, from behind the last of the page before. */
  async keys(behind: KeptKey | undefined, most: number): Promise<KeptKey[]> {
    const { expires, size, number } = behind ?? { expires: -1, size: 0, number: 0 }
    const page = await this.#database.all<KeptKey>(
      `SELECT number, size, expires FROM answers WHERE (expires, size, number) > (?, ?, ?)
       ORDER BY expires, size, number LIMIT ?`,
      expires,
      size,
      number,
      most,
    )
    return page.map(({ number, size, expires }) => ({
      number: Number(number),
      size: Number(size),
      expires: Number(expires),
    }))
  }

  async read(key: string, now: number): Promise<CachedAnswer | undefined> {
    const row = await this.#database.get<Pick<AnswerRow, 'head' | 'body' | 'packed'>>(
      'SELECT head, body, packed FROM answers WHERE number = ? AND key = ? AND expires > ?',
      numberOf(key),
      key,
      now,
    )
    return row && unpack({ head: row.head, body: row.body, packed: Number(row.packed) === 1 })
  }

  /**
   * Writes rows in the place of those with the same numbers, and makes room first: what has expired goes, then what was
   * unused for longest. What was purged since it was stored is left out.
   * @param rows each with another number
   * @param bound of all, in bytes; each row fits it
   * @returns how many of the rows, from the first, are dealt with; for the others more room has to be made, by another call
   */
  write(
    rows: readonly AnswerRow[],
    bound: number,
    now: number,
  ): Promise<{ done: number; written: AnswerRow[]; gone: number[]; totals: CacheSize }> {
    return this.#locked(async (sql, totals) => {
      const purges = await sql.all<Purge>('SELECT gateway, key, at FROM answer_purges')
      const wanted = purges.length ? rows.filter(row => !purges.some(purge => isPurged(row, purge))) : rows
      const gone = await takeAway(sql, totals, await already(sql, wanted))
      let over = totals.bytes - bound
      for (const { size } of wanted) over += size
      if (over > 0) gone.push(...(await makeRoom(sql, totals, over, now)))
      const written: AnswerRow[] = []
      for (const row of wanted) {
        if (totals.bytes + row.size > bound) break
        totals.entries++
        totals.bytes += row.size
        written.push(row)
      }
      await sql.insert('answers', COLUMNS, written.map(valuesOf))
      const done = written.length === wanted.length ? rows.length : rows.indexOf(wanted[written.length]!)
      return { done, written, gone, totals }
    })
  }

  /** Notes when answers were last used. */
  async touch(uses: readonly (readonly [key: string, at: number])[]): Promise<void> {
    for (let from = 0; from < uses.length; from += STEP) {
      if (from) await Bun.sleep(0)
      await this.#locked(async sql => {
        for (const [key, at] of uses.slice(from, from + STEP))
          await sql.run('UPDATE answers SET used = ? WHERE number = ? AND used < ?', at, numberOf(key), at)
      })
    }
  }

  /** Takes away some of what has expired. @returns the numbers; fewer than {@link STEP} when there are no more */
  async expire(now: number): Promise<{ gone: number[]; more: boolean; totals: CacheSize }> {
    return this.#locked(async (sql, totals) => {
      const gone = await takeAway(sql, totals, await expired(sql, now))
      return { gone, more: gone.length === STEP, totals }
    })
  }

  /** Makes a purge known to the other processes. */
  async announce({ gateway, key, at }: Purge): Promise<void> {
    await this.#locked(async sql => {
      await sql.run('DELETE FROM answer_purges WHERE at < ?', at - PURGE_KEPT_MS)
      await sql.run(
        `INSERT INTO answer_purges (gateway, key, at) VALUES (?, ?, ?)
         ON CONFLICT (gateway, key) DO UPDATE SET at = excluded.at`,
        gateway,
        key,
        at,
      )
    })
  }

  purges(): Promise<Purge[]> {
    return this.#database.all<Purge>('SELECT gateway, key, at FROM answer_purges')
  }

  /** Takes away some answers of a gateway, or one. @returns their numbers */
  async remove(gateway: string, key?: string): Promise<{ gone: number[]; more: boolean; totals: CacheSize }> {
    return this.#locked(async (sql, totals) => {
      const found =
        key === undefined
          ? await sql.all<Gone>('SELECT number, size FROM answers WHERE gateway = ? LIMIT ?', gateway, STEP)
          : await sql.all<Gone>(
              'SELECT number, size FROM answers WHERE number = ? AND key = ? AND gateway = ?',
              numberOf(key),
              key,
              gateway,
            )
      const gone = await takeAway(sql, totals, found)
      return { gone, more: gone.length === STEP, totals }
    })
  }

  /** Works while nobody else changes the tables. What the work makes of the totals is written behind it. */
  #locked<T>(work: (sql: Sql, totals: CacheSize) => Promise<T>): Promise<T> {
    const whole = async (sql: Sql) => {
      const [row] = await sql.all<CacheSize>(
        'UPDATE answer_totals SET entries = entries WHERE one = 1 RETURNING entries, bytes',
      )
      const totals = numbers(row!)
      const { entries, bytes } = totals
      const done = await work(sql, totals)
      if (totals.entries !== entries || totals.bytes !== bytes)
        await sql.run('UPDATE answer_totals SET entries = ?, bytes = ? WHERE one = 1', totals.entries, totals.bytes)
      return done
    }
    return this.#database.transaction(whole, { locks: 'own' })
  }
}

const numbers = ({ entries, bytes }: CacheSize): CacheSize => ({ entries: Number(entries), bytes: Number(bytes) })

const isPurged = (row: AnswerRow, { gateway, key, at }: Purge) =>
  row.gateway === gateway && row.stored <= Number(at) && (key === '' || key === row.key)

const valuesOf = ({ number, key, gateway, head, body, packed, size, stored, expires, used }: AnswerRow): Value[] => [
  number,
  key,
  gateway,
  head,
  body,
  packed,
  size,
  stored,
  expires,
  used,
]

/** What stands where these rows are to be written. */
async function already(sql: Sql, rows: readonly AnswerRow[]): Promise<Gone[]> {
  if (!rows.length) return []
  const { places, values } = listed(rows)
  return sql.all<Gone>(`SELECT number, size FROM answers WHERE number IN (${places})`, ...values)
}

async function takeAway(sql: Sql, totals: CacheSize, rows: readonly Gone[]): Promise<number[]> {
  if (!rows.length) return []
  const { places, values } = listed(rows)
  await sql.run(`DELETE FROM answers WHERE number IN (${places})`, ...values)
  totals.entries -= rows.length
  for (const { size } of rows) totals.bytes -= Number(size)
  return values.slice(0, rows.length)
}

/** The numbers of rows for a statement: in few lengths, the last repeated, so that there are few statements to prepare. */
function listed(rows: readonly Pick<Gone, 'number'>[]): { places: string; values: number[] } {
  const length = 2 ** Math.ceil(Math.log2(rows.length))
  const values = Array.from({ length }, (_, at) => Number(rows[Math.min(at, rows.length - 1)]!.number))
  return { places: `?${', ?'.repeat(length - 1)}`, values }
}

const expired = (sql: Sql, now: number) =>
  sql.all<Gone>('SELECT number, size FROM answers WHERE expires <= ? ORDER BY expires LIMIT ?', now, STEP)

/** Takes away rows until so many bytes are free, or as many rows as one step may. */
async function makeRoom(sql: Sql, totals: CacheSize, over: number, now: number): Promise<number[]> {
  const aim = totals.bytes - over
  const gone = await takeAway(sql, totals, await expired(sql, now))
  if (totals.bytes <= aim) return gone
  const oldest = await sql.all<Gone>('SELECT number, size FROM answers ORDER BY used LIMIT ?', STEP)
  // Where nothing is left, nothing is what it comes to, whatever somebody did to the tables by hand.
  if (!oldest.length) Object.assign(totals, { entries: 0, bytes: 0 })
  let count = 0
  for (let left = totals.bytes; left > aim && count < oldest.length; count++) left -= Number(oldest[count]!.size)
  return gone.concat(await takeAway(sql, totals, oldest.slice(0, count)))
}
