import { Database as Connection, SQLiteError } from 'bun:sqlite'
import { closeSync, openSync } from 'node:fs'
import type { Database, Sql, Value } from './database.ts'
import { StorageError } from './errors.ts'

/** How long a writer waits for those of other processes. */
const PATIENCE_MS = 5_000
/** Between two tries, at most. A write takes less than a millisecond as a rule. */
const LONGEST_PAUSE_MS = 16

/**
 * SQLite in a file that only its owner may read, or in memory. Several processes may have the file open: readers never
 * wait for a writer (WAL), and a writer waits for another for up to five seconds. It waits here, not in SQLite, whose
 * `busy_timeout` sleeps with the whole process.
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
    // While it opens nobody is served yet.
    connection.run(`PRAGMA busy_timeout = ${PATIENCE_MS}`)
    if (!inMemory) turnOnWal(connection)
    // With WAL a crash of the machine may lose the last moments, never the file's soundness.
    connection.run('PRAGMA synchronous = NORMAL')
    // A file that is no database is found out only by reading.
    connection.query('PRAGMA user_version').get()
    connection.run('PRAGMA busy_timeout = 0')
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
  const statements = statementsOf(connection)

  /**
   * Asks as soon as no transaction of this process is under way, and again while another process writes. What was asked
   * in vain has changed nothing.
   * @param within it belongs to the transaction under way
   */
  const patiently = async <Told>(ask: () => Told, within = false): Promise<Told> => {
    const deadline = performance.now() + PATIENCE_MS
    for (let pause = 1; ; pause = Math.min(pause * 2, LONGEST_PAUSE_MS)) {
      while (busy && !within) await busy
      try {
        return ask()
      } catch (fault) {
        if (!isBusy(fault) || performance.now() > deadline) throw fault
      }
      // Those who failed together do not come again together.
      await Bun.sleep(pause * (1 + Math.random()))
    }
  }
  return {
    kind: 'sqlite',
    all: <Row>(statement: string, ...values: readonly Value[]) =>
      patiently(() => statements.all<Row>(statement, values)),
    get: <Row>(statement: string, ...values: readonly Value[]) =>
      patiently(() => statements.get<Row>(statement, values)),
    run: (statement, ...values) => patiently(() => statements.run(statement, values)),
    insert: (table, columns, rows) => patiently(() => statements.insert(table, columns, rows)),
    async transaction(work) {
      const { promise, resolve } = Promise.withResolvers<void>()
      await patiently(() => {
        // The write lock at once: of two transactions that read first, one could not go on to write.
        connection.run('BEGIN IMMEDIATE')
        busy = promise
      })
      try {
        const done = await work(inTransaction(statements))
        // On a file system without WAL it has to wait for readers too.
        await patiently(() => connection.run('COMMIT'), true)
        return done
      } catch (fault) {
        // Some faults, such as a full disk, have ended it already.
        if (connection.inTransaction) connection.run('ROLLBACK')
        throw fault
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

/** `SQLITE_BUSY` in its lower byte; above it stands why. */
const isBusy = (fault: unknown): boolean => fault instanceof SQLiteError && (fault.errno & 0xff) === 5

type Statements = ReturnType<typeof statementsOf>

/** The statements of one connection, which answer at once or throw. */
function statementsOf(connection: Connection) {
  const insertAll = connection.transaction((statement: string, rows: readonly (readonly Value[])[]) => {
    const query = connection.query<unknown, Value[]>(statement)
    for (const row of rows) query.run(...row)
  })
  return {
    all: <Row>(statement: string, values: readonly Value[]): Row[] =>
      connection.query<Row, Value[]>(statement).all(...values),
    get: <Row>(statement: string, values: readonly Value[]): Row | undefined =>
      connection.query<Row, Value[]>(statement).get(...values) ?? undefined,
    run: (statement: string, values: readonly Value[]): number =>
      connection.query<unknown, Value[]>(statement).run(...values).changes,
    insert(table: string, columns: readonly string[], rows: readonly (readonly Value[])[]): void {
      if (!rows.length) return
      const places = columns.map(() => '?').join(', ')
      const statement = `INSERT INTO ${table} (${columns.join(', ')}) VALUES (${places}) ON CONFLICT DO NOTHING`
      // Inside of a transaction it becomes a savepoint of it.
      insertAll.immediate(statement, rows)
    },
  }
}

/** The same for the work of a transaction, which has the lock already. */
const inTransaction = (statements: Statements): Sql => ({
  all: async <Row>(statement: string, ...values: readonly Value[]) => statements.all<Row>(statement, values),
  get: async <Row>(statement: string, ...values: readonly Value[]) => statements.get<Row>(statement, values),
  run: async (statement, ...values) => statements.run(statement, values),
  insert: async (table, columns, rows) => statements.insert(table, columns, rows),
})

/** The change to WAL needs the file for itself and does not wait by `busy_timeout`, so it is tried again. */
function turnOnWal(connection: Connection): void {
  const deadline = Date.now() + PATIENCE_MS
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
