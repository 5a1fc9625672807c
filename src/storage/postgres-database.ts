import type { DatabaseAddress } from './address.ts'
import type { Database, Sql, TransactionOptions, Value } from './database.ts'
import { PostgresFault } from './postgres-fault.ts'
import { type Answer, type OwnConnection, type PostgresPool, postgresPool } from './postgres-pool.ts'
import { insertion, pieces } from './postgres-text.ts'
import { turns } from './turns.ts'

export interface PostgresOptions {
  /** Milliseconds that a statement may take, with waiting for its turn; ten seconds when left out. */
  patience?: number
}

const PATIENCE_MS = 10_000
/** How often something is done again that others were in the way of. */
const TRIES = 8
/** Transactions that may wait for others of this process. */
const MOST_WAITING = 10_000
/** Connections that transactions leave to everything else, so that a lock that they wait for does not stop it. */
const LEFT_FREE = 2
/** The advisory lock that transactions have one after the other: `POST` in ASCII, any number that nobody else uses. */
const LOCK = 0x504f5354

/**
 * A PostgreSQL, through a pool of connections. Each statement stands for itself and sees what is there when it begins.
 * A transaction takes a lock that only one of all replicas can have, so that nothing that it reads is changed by
 * another; one with `locks: 'own'` does without it.
 *
 * @throws StorageError when the server cannot be reached, or does not let this user in
 */
export async function openPostgres(
  { url, place }: Extract<DatabaseAddress, { kind: 'postgres' }>,
  { patience: usual = PATIENCE_MS }: PostgresOptions = {},
): Promise<Database> {
  const pool = postgresPool(url, place)
  try {
    await pool.ask('SELECT 1', [], usual)
  } catch (fault) {
    await pool.close()
    throw fault
  }
  return databaseOn(pool, place, usual)
}

function databaseOn(pool: PostgresPool, place: string, usual: number): Database {
  // Of one process only one waits for the lock: the others would each keep a connection for their waiting.
  const alone = turns(1, MOST_WAITING)
  const places = turns(Math.max(1, pool.size - LEFT_FREE), MOST_WAITING)

  async function transaction<T>(work: (sql: Sql) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const { locks = 'all', patience = usual } = options
    const turn = locks === 'all' ? alone : places
    const leave = await turn.take(patience)
    if (!leave) throw new PostgresFault(place, 'busy', 'too many transactions wait for it')
    try {
      for (let tries = 1; ; tries++) {
        const outcome = await attempt(pool, place, work, locks, patience)
        if ('done' in outcome) return outcome.done
        if (!outcome.again || tries === TRIES) throw outcome.fault
        // Those who met will not meet again in the same moment.
        await Bun.sleep(Math.random() * 5 * tries)
      }
    } finally {
      leave()
    }
  }

  async function ask(statement: string, values: readonly Value[]): Promise<Answer> {
    for (let tries = 1; ; tries++) {
      try {
        return await pool.ask(statement, values, usual)
      } catch (fault) {
        // What was written on a connection that broke may be there; what was read can be read again.
        const again =
          fault instanceof PostgresFault &&
          (fault.isConflict ? tries < TRIES : fault.isLost && tries === 1 && isReading(statement))
        if (!again) throw fault
      }
    }
  }

  const sql = sqlOf(ask)
  return {
    kind: 'postgres',
    ...sql,
    async insert(table, columns, rows) {
      const [first] = pieces(rows.length, columns.length)
      if (first === undefined || first === rows.length) return sql.insert(table, columns, rows)
      return transaction(within => within.insert(table, columns, rows), { locks: 'own' })
    },
    transaction,
    isOpen: () => pool.isUp(),
    close: () => pool.close(),
  }
}

const isReading = (statement: string) => /^\s*SELECT\b(?!.*\bFOR UPDATE\b)/is.test(statement)

type Ask = (statement: string, values: readonly Value[]) => Promise<Answer>

const sqlOf = (ask: Ask): Sql => ({
  all: async <Row>(statement: string, ...values: readonly Value[]) => [...(await ask(statement, values))] as Row[],
  get: async <Row>(statement: string, ...values: readonly Value[]) =>
    (await ask(statement, values))[0] as Row | undefined,
  run: async (statement, ...values) => (await ask(statement, values)).affectedRows,
  async insert(table, columns, rows) {
    let from = 0
    for (const piece of pieces(rows.length, columns.length)) {
      const values = rows.slice(from, from + piece).flat()
      await ask(insertion(table, columns, piece), values)
      from += piece
    }
  },
})

type Outcome<T> = { done: T } | { fault: unknown; again: boolean }

/** Does the work once. `again`: nothing of it was done, for a reason that may be gone the next time. */
async function attempt<T>(
  pool: PostgresPool,
  place: string,
  work: (sql: Sql) => Promise<T>,
  locks: 'all' | 'own',
  patience: number,
): Promise<Outcome<T>> {
  let connection: OwnConnection | undefined
  let worked = false
  try {
    connection = await pool.reserve(patience)
    const { ask, release } = connection
    await ask(beginning(locks, patience), [], patience)
    const done = await work(sqlOf((statement, values) => ask(statement, values, patience)))
    worked = true
    const { command } = await ask('COMMIT', [], patience)
    release()
    connection = undefined
    // The work caught a fault and went on, which PostgreSQL does not.
    if (command !== 'COMMIT') throw new PostgresFault(place, 'rolled back', 'a statement of the transaction failed')
    return { done }
  } catch (fault) {
    const known = fault instanceof PostgresFault ? fault : undefined
    if (known?.isOutage) connection?.end()
    else if (connection) await undo(connection, patience)
    return { fault, again: known !== undefined && (known.isConflict || (known.isLost && !worked)) }
  }
}

/**
 * In one statement, so that it costs one way there and back. The server gives up a little before this side does, and
 * ends a transaction whose owner was cut off from it and would keep its locks.
 */
function beginning(locks: 'all' | 'own', patience: number): string {
  return (
    'BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE; ' +
    `SET LOCAL statement_timeout = ${Math.ceil(patience * 0.9)}; ` +
    `SET LOCAL idle_in_transaction_session_timeout = ${patience}` +
    (locks === 'all' ? `; SELECT pg_advisory_xact_lock(${LOCK})` : '')
  )
}

async function undo(connection: OwnConnection, patience: number): Promise<void> {
  try {
    await connection.ask('ROLLBACK', [], patience)
    connection.release()
  } catch {
    connection.end()
  }
}
