import type { Database } from 'bun:sqlite'
import { StorageError } from './errors.ts'

/** Each step brings the tables from its place in the list to the next. Steps are only ever added, never changed. */
export const migrations: readonly string[] = [
  `CREATE TABLE tokens (
     name TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     permissions TEXT NOT NULL,
     gateways TEXT,
     created INTEGER NOT NULL
   ) STRICT`,
  `CREATE TABLE keys (
     id TEXT PRIMARY KEY,
     provider TEXT NOT NULL,
     alias TEXT NOT NULL,
     gateway TEXT NOT NULL,
     is_default INTEGER NOT NULL,
     ciphertext BLOB NOT NULL,
     nonce BLOB NOT NULL,
     preview TEXT NOT NULL,
     rate_limit INTEGER,
     rate_limit_period INTEGER,
     created INTEGER NOT NULL,
     modified INTEGER NOT NULL,
     UNIQUE (provider, gateway, alias)
   ) STRICT`,
]

const versionOf = (database: Database): number =>
  database.query<{ user_version: number }, []>('PRAGMA user_version').get()?.user_version ?? 0

/**
 * Brings the tables up to date. Everything happens in one transaction that takes the write lock at once, so that of
 * several processes starting together one does the work and the others find it done.
 *
 * @param steps the migrations to know of; tests pass their own
 * @throws StorageError when the database is newer than this executable
 */
export function migrate(database: Database, place: string, steps: readonly string[] = migrations): void {
  if (versionOf(database) === steps.length) return
  const work = database.transaction(() => {
    const version = versionOf(database)
    if (version > steps.length) {
      throw new StorageError(
        'use',
        `${place} was written by a newer Postern (its tables are version ${version}, this executable knows ${steps.length}): ` +
          'run that version, or name another file under storage.database',
      )
    }
    for (const step of steps.slice(version)) database.run(step)
    // A pragma takes no parameter; the value is our own number.
    database.run(`PRAGMA user_version = ${steps.length}`)
  })
  work.immediate()
}
