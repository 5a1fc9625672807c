import { Database as Connection } from 'bun:sqlite'
import { closeSync, openSync } from 'node:fs'
import type { Database, Sql, Value } from './database.ts'
import { StorageError } from './errors.ts'

const busyMilliseconds = 5_000

/**
 * SQLite in a file that only its owner may read, or in memory. Several processes may have the file open: readers never
 * wait for a writer (WAL), and a writer waits for another for up to five seconds.
 *
 * @param path a file, or `:memory:`
 * @throws StorageError when the file cannot be opened
 */
export function openSqlite(path: string): Database {
  const inMemory = path === ':memory:'
  let connection: Connection | undefined
  try {
    // SQLite would make the file with the umask's mode; its companions take over the mode of the file.
    if (!inMemory) closeSync(openSync(path, 'a', 0o600))
    connection = new Connection(path, { create: true, readwrite: true, strict: true })
    connection.run(`PRAGMA busy_timeout = ${busyMilliseconds}`)
    if (!inMemory) turnOnWal(connection)
    // With WAL a crash of the machine may lose the last moments, never the file's soundness.
    connection.run('PRAGMA synchronous = NORMAL')
    // A file that is no database is found out only by reading.
    connection.query('PRAGMA user_version').get()
  } catch (error) {
    connection?.close()
    throw new StorageError(
      'use',
      `storage.database: cannot use ${inMemory ? 'memory' : path}: ${error instanceof Error ? error.message : 'unknown error'}`,
    )
  }
  return databaseOf(connection)
}

function databaseOf(connection: Connection): Database {
  let open = true
  /** The transaction under way: there is one connection, and what others ask for is no part of it. */
  let busy: Promise<unknown> | undefined
  const sql = sqlOf(connection)
  const waited =
    <Asked extends unknown[], Told>(ask: (...asked: Asked) => Promise<Told>) =>
    async (...asked: Asked): Promise<Told> => {
      while (busy) await busy
      return ask(...asked)
    }
  return {
    kind: 'sqlite',
    all: waited(sql.all) as Sql['all'],
    get: waited(sql.get) as Sql['get'],
    run: waited(sql.run),
    insert: waited(sql.insert),
    async transaction(work) {
      while (busy) await busy
      const { promise, resolve } = Promise.withResolvers<void>()
      busy = promise
      try {
        // The write lock at once: of two transactions that read first, one could not go on to write.
        connection.run('BEGIN IMMEDIATE')
        try {
          const done = await work(sql)
          connection.run('COMMIT')
          return done
        } catch (fault) {
          connection.run('ROLLBACK')
          throw fault
        }
      } finally {
        busy = undefined
        resolve()
      }
    },
    isOpen() {
      if (!open) return false
      try {
        connection.query('SELECT 1').get()
        return true
      } catch {
        return false
      }
    },
    async close() {
      if (!open) return
      open = false
      connection.close()
    },
  }
}

function sqlOf(connection: Connection): Sql {
  const insertAll = connection.transaction((statement: string, rows: readonly (readonly Value[])[]) => {
    const query = connection.query<unknown, Value[]>(statement)
    for (const row of rows) query.run(...row)
  })
  return {
    all: async <Row>(statement: string, ...values: readonly Value[]) =>
      connection.query<Row, Value[]>(statement).all(...values),
    get: async <Row>(statement: string, ...values: readonly Value[]) =>
      connection.query<Row, Value[]>(statement).get(...values) ?? undefined,
    run: async (statement, ...values) => connection.query<unknown, Value[]>(statement).run(...values).changes,
    insert: async (table, columns, rows) => {
      if (!rows.length) return
      const places = columns.map(() => '?').join(', ')
      insertAll(`INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places}) ON CONFLICT DO NOTHING`, rows)
    },
  }
}

/** The change to WAL needs the file for itself and does not wait by `busy_timeout`, so it is tried again. */
function turnOnWal(connection: Connection): void {
  const deadline = Date.now() + busyMilliseconds
  for (;;) {
    try {
      connection.run('PRAGMA journal_mode = WAL')
      return
    } catch (error) {
      if (!(error instanceof Error && error.message.includes('locked')) || Date.now() > deadline) throw error
      Bun.sleepSync(10)
    }
  }
}
