import type { Database, Sql } from '../database.ts'
import { type Counter, readCounter, writeBuckets } from './counter.ts'

/** The table `counters`: one row for each counter, with its buckets (see `writeBuckets`). */
interface Row {
  key: string
  buckets: string
  expires: number
}

const counterOf = ({ key, buckets, expires }: Row): Counter => readCounter(key, buckets, Number(expires))

/** Those that still count; when there are more than `most`, those that count longest. */
export async function liveCounters(sql: Sql, now: number, most: number): Promise<Counter[]> {
  const rows = await sql.all<Row>(
    'SELECT key, buckets, expires FROM counters WHERE expires > ? ORDER BY expires DESC LIMIT ?',
    now,
    most,
  )
  return rows.map(counterOf)
}

/**
 * @param keys at most {@link MOST_KEYS_READ}
 * @returns the counters that are there, by key
 */
export async function readCounters(sql: Sql, keys: readonly string[]): Promise<Map<string, Counter>> {
  const rows = await readRows(sql, keys, '')
  return new Map(rows.map(row => [row.key, counterOf(row)]))
}

/** The same, in a transaction that will write them: nobody else reads them for writing until it is over. */
export async function lockCounters(
  sql: Sql,
  kind: Database['kind'],
  keys: readonly string[],
): Promise<Map<string, Counter>> {
  // A transaction of SQLite has the write lock from its beginning.
  if (kind === 'sqlite') return readCounters(sql, keys)
  // In one order everywhere, or two transactions could wait for each other.
  const ordered = [...keys].sort()
  for (;;) {
    // A row that is not there cannot be locked.
    await sql.insert(
      'counters',
      ['key', 'buckets', 'expires'],
      ordered.map(key => [key, '[]', 0]),
    )
    const rows = await readRows(sql, ordered, 'ORDER BY key FOR UPDATE')
    // One that was there a moment ago may have been removed as expired.
    if (rows.length === ordered.length) return new Map(rows.map(row => [row.key, counterOf(row)]))
  }
}

export const MOST_KEYS_READ = 1024

/** Statements of few lengths, so that the database need not prepare one for every number of keys. */
const LENGTHS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, MOST_KEYS_READ]

async function readRows(sql: Sql, keys: readonly string[], rest: string): Promise<Row[]> {
  if (!keys.length) return []
  const length = LENGTHS.find(length => length >= keys.length)!
  const values = Array.from({ length }, (_, at) => keys[at] ?? keys[0]!)
  const places = values.map(() => '?').join(', ')
  return sql.all<Row>(`SELECT key, buckets, expires FROM counters WHERE key IN (${places}) ${rest}`, ...values)
}

/** Writes counters over what is there. */
export async function writeCounters(sql: Sql, counters: readonly Counter[]): Promise<void> {
  const writing = counters.map(({ key, buckets, until }) =>
    sql.run(
      `INSERT INTO counters (key, buckets, expires) VALUES (?, ?, ?)
       ON CONFLICT (key) DO UPDATE SET buckets = excluded.buckets, expires = excluded.expires`,
      key,
      writeBuckets(buckets),
      until,
    ),
  )
  await Promise.all(writing)
}

/** @returns how many of the expired were removed, at most `most` */
export function removeExpired(database: Database, now: number, most: number): Promise<number> {
  const unlocked = database.kind === 'postgres' ? 'FOR UPDATE SKIP LOCKED' : ''
  return database.run(
    `DELETE FROM counters WHERE key IN (SELECT key FROM counters WHERE expires <= ? LIMIT ? ${unlocked})`,
    now,
    most,
  )
}
