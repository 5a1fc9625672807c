import type { Database, Sql } from './database.ts'
import { StorageError } from './errors.ts'

/**
 * Each step brings the tables from its place in the list to the next. Steps are only ever added, never changed. They are
 * written with PostgreSQL's types; {@link worded} says the same to SQLite.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE tokens (
     name TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     permissions TEXT NOT NULL,
     gateways TEXT,
     created BIGINT NOT NULL
   )`,
  `CREATE TABLE keys (
     id TEXT PRIMARY KEY,
     provider TEXT NOT NULL,
     alias TEXT NOT NULL,
     gateway TEXT NOT NULL,
     is_default BIGINT NOT NULL,
     ciphertext BYTEA NOT NULL,
     nonce BYTEA NOT NULL,
     preview TEXT NOT NULL,
     rate_limit BIGINT,
     rate_limit_period BIGINT,
     created BIGINT NOT NULL,
     modified BIGINT NOT NULL,
     UNIQUE (provider, gateway, alias)
   )`,
  // The answer cache (see cache/tables.ts): the answers, how much they come to, and what was thrown away of late.
  `CREATE TABLE answers (
     key TEXT PRIMARY KEY,
     gateway TEXT NOT NULL,
     size BIGINT NOT NULL,
     stored BIGINT NOT NULL,
     expires BIGINT NOT NULL,
     used BIGINT NOT NULL,
     packed BIGINT NOT NULL,
     head TEXT NOT NULL,
     body BYTEA NOT NULL
   )`,
  // What each index is asked for stands in it, so that no row with its body has to be read for the books.
  'CREATE INDEX answers_by_use ON answers (used, size, key)',
  'CREATE INDEX answers_by_expiry ON answers (expires, size, key)',
  'CREATE INDEX answers_by_gateway ON answers (gateway, size, key)',
  `CREATE TABLE answer_totals (
     one BIGINT PRIMARY KEY,
     entries BIGINT NOT NULL,
     bytes BIGINT NOT NULL
   )`,
  `CREATE TABLE answer_purges (
     gateway TEXT NOT NULL,
     key TEXT NOT NULL,
     at BIGINT NOT NULL,
     PRIMARY KEY (gateway, key)
   )`,
  // Limits and money (see counters/table.ts): the buckets of time of each counter, as JSON.
  `CREATE TABLE counters (
     key TEXT PRIMARY KEY,
     buckets TEXT NOT NULL,
     expires BIGINT NOT NULL
   )`,
  'CREATE INDEX counters_expires ON counters (expires)',
  // Credit in picodollars (see credits.ts).
  `CREATE TABLE credits (
     owner TEXT PRIMARY KEY,
     balance BIGINT NOT NULL,
     held BIGINT NOT NULL
   )`,
  `CREATE TABLE credit_holds (
     id TEXT PRIMARY KEY,
     owner TEXT NOT NULL,
     amount BIGINT NOT NULL,
     at BIGINT NOT NULL
   )`,
  'CREATE INDEX credit_holds_at ON credit_holds (at)',
  `CREATE TABLE credit_entries (
     id TEXT PRIMARY KEY,
     owner TEXT NOT NULL,
     at BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     note TEXT NOT NULL
   )`,
  `CREATE TABLE credit_usage (
     owner TEXT NOT NULL,
     hour BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     requests BIGINT NOT NULL,
     PRIMARY KEY (owner, hour)
   )`,
  // See settings.ts.
  `CREATE TABLE settings (
     name TEXT PRIMARY KEY,
     value TEXT NOT NULL,
     modified BIGINT NOT NULL
   )`,
  // Policies of gateways (see policies.ts): one row in force, one that is a draft.
  `CREATE TABLE policies (
     gateway TEXT NOT NULL,
     id TEXT NOT NULL,
     draft BIGINT NOT NULL,
     policy TEXT NOT NULL,
     created BIGINT NOT NULL,
     modified BIGINT NOT NULL,
     PRIMARY KEY (gateway, id, draft)
   )`,
]

const IN_SQLITE: readonly [RegExp, string][] = [
  [/\bBIGINT\b/g, 'INTEGER'],
  [/\bBYTEA\b/g, 'BLOB'],
  [/\bDOUBLE PRECISION\b/g, 'REAL'],
  // Or a column would take a value of any type.
  [/^(CREATE TABLE.*\))\s*$/s, '$1 STRICT'],
]

/** Texts in the order of their bytes, as in SQLite, whatever language the database was made for. */
const IN_POSTGRES: readonly [RegExp, string][] = [[/\bTEXT\b/g, 'TEXT COLLATE "C"']]

const worded = (step: string, kind: Database['kind']) =>
  (kind === 'postgres' ? IN_POSTGRES : IN_SQLITE).reduce((said, [word, other]) => said.replace(word, other), step)

/** A step may have many rows to go through, and the other replicas wait for it. */
const PATIENCE_MS = 600_000

/**
 * Brings the tables up to date. Everything happens in one transaction, so that of several processes starting together
 * one does the work and the others find it done.
 *
 * @param place the database, for messages
 * @param steps the migrations to know of; tests pass their own
 * @throws StorageError when the database is newer than this executable
 */
export async function migrate(database: Database, place: string, steps: readonly string[] = migrations): Promise<void> {
  const options = { patience: PATIENCE_MS }
  await database.transaction(async sql => {
    const version = await versionOf(sql)
    if (version > steps.length) {
      throw new StorageError(
        'use',
        `${place} was written by a newer Postern (its tables are version ${version}, this executable knows ${steps.length}): ` +
          'run that version, or name another database under storage.database',
      )
    }
    if (version === steps.length) return
    for (const step of steps.slice(version)) await sql.run(worded(step, database.kind))
    await sql.run('UPDATE postern_schema SET version = ?', steps.length)
  }, options)
}

async function versionOf(sql: Sql): Promise<number> {
  await sql.run('CREATE TABLE IF NOT EXISTS postern_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)')
  await sql.insert('postern_schema', ['one', 'version'], [[1, 0]])
  return (await sql.get<{ version: number }>('SELECT version FROM postern_schema'))!.version
}
