import { Database } from 'bun:sqlite'
import { closeSync, openSync } from 'node:fs'
import { StorageError } from './errors.ts'
import { migrate } from './migrations.ts'
import { type OwnSecret, secretInFile, secretInMemory } from './own-secret.ts'
import { sqliteKeys } from './sqlite-keys.ts'
import { sqliteTokens } from './sqlite-tokens.ts'
import type { Store } from './store.ts'

const busyMilliseconds = 5_000

/**
 * SQLite in a file that only its owner may read, or in memory. Several processes may have the file open: readers never
 * wait for a writer (WAL), and a writer waits for another for up to five seconds.
 *
 * @param path a file, or `:memory:`
 * @throws StorageError when the file cannot be opened or is newer than this executable
 */
export function openSqlite(path: string): Store {
  const inMemory = path === ':memory:'
  const place = inMemory ? 'memory' : path
  let database: Database | undefined
  try {
    // SQLite would make the file with the umask's mode; its companions take over the mode of the file.
    if (!inMemory) closeSync(openSync(path, 'a', 0o600))
    database = new Database(path, { create: true, readwrite: true, strict: true })
    database.run(`PRAGMA busy_timeout = ${busyMilliseconds}`)
    if (!inMemory) turnOnWal(database)
    // With WAL a crash of the machine may lose the last moments, never the file's soundness.
    database.run('PRAGMA synchronous = NORMAL')
    migrate(database, place)
  } catch (error) {
    database?.close()
    if (error instanceof StorageError) throw error
    throw new StorageError('use', `storage.database: cannot use ${place}: ${reason(error)}`)
  }
  return store(database, place, inMemory ? secretInMemory() : secretInFile(`${path}.key`))
}

function store(database: Database, place: string, ownSecret: OwnSecret): Store {
  let open = true
  return {
    place,
    isOpen() {
      if (!open) return false
      try {
        database.query('SELECT 1').get()
        return true
      } catch {
        return false
      }
    },
    async close() {
      if (!open) return
      open = false
      database.close()
    },
    tokens: sqliteTokens(database),
    keys: sqliteKeys(database),
    ownSecret,
  }
}

/** The change to WAL needs the file for itself and does not wait by `busy_timeout`, so it is tried again. */
function turnOnWal(database: Database): void {
  const deadline = Date.now() + busyMilliseconds
  for (;;) {
    try {
      database.run('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!reason(error).includes('locked') || Date.now() > deadline) throw error
      Bun.sleepSync(10)
    }
  }
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : 'unknown error')
