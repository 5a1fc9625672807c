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
]

const IN_SQLITE: readonly [RegExp, string][] = [
  [/\bBIGINT\b/g, 'INTEGER'],
  [/\bBYTEA\b/g, 'BLOB'],
  [/\bDOUBLE PRECISION\b/g, 'REAL'],
  // Or a column would take a value of any type.
  [/^(CREATE TABLE.*\))\s*$/s, '$1 STRICT'],
]

const worded = (step: string, kind: Database['kind']) =>
  kind === 'postgres' ? step : IN_SQLITE.reduce((said, [word, other]) => said.replace(word, other), step)

/**
 * Brings the tables up to date. Everything happens in one transaction, so that of several processes starting together
 * one does the work and the others find it done.
 *
 * @param place the database, for messages
 * @param steps the migrations to know of; tests pass their own
 * @throws StorageError when the database is newer than this executable
 */
export async function migrate(database: Database, place: string, steps: readonly string[] = migrations): Promise<void> {
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
  })
}

async function versionOf(sql: Sql): Promise<number> {
  await sql.run('CREATE TABLE IF NOT EXISTS postern_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)')
  await sql.insert('postern_schema', ['one', 'version'], [[1, 0]])
  return (await sql.get<{ version: number }>('SELECT version FROM postern_schema'))!.version
}
