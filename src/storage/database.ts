/**
 * What a column holds: text, a number, bytes, or nothing. Truth is 0 or 1, and a time the milliseconds since 1970. Numbers
 * that may be above 2^53 are written as `bigint` and asked for as text (`CAST(… AS TEXT)`).
 */
export type Value = string | number | bigint | Uint8Array | null

/**
 * One database, whichever kind. Statements are written once for all kinds: with `?` for values, `ON CONFLICT` for rows
 * that are there already, and without functions that only one kind has.
 */
export interface Sql {
  all<Row>(statement: string, ...values: readonly Value[]): Promise<Row[]>
  get<Row>(statement: string, ...values: readonly Value[]): Promise<Row | undefined>
  /** @returns how many rows it changed */
  run(statement: string, ...values: readonly Value[]): Promise<number>
  /** Adds rows, all or none of them. Those that are there already, by any key of the table, stay as they are. */
  insert(table: string, columns: readonly string[], rows: readonly (readonly Value[])[]): Promise<void>
}

export interface TransactionOptions {
  /**
   * `all`, when left out: of all transactions, in whatever process, one goes after the other. `own`: the work locks the
   * rows that matter by its own first statements (`UPDATE`, or `SELECT … FOR UPDATE` on PostgreSQL), and others go on
   * beside it; what it reads without a lock may change. For what happens often. SQLite knows only `all`.
   */
  locks?: 'all' | 'own'
  /** Milliseconds that PostgreSQL may take for each statement of it, when that is more than usual. */
  patience?: number
}

export interface Database extends Sql {
  readonly kind: 'sqlite' | 'postgres'
  /**
   * Does all of the work or, when it throws, nothing of it. Whoever writes in it has written what others read after it,
   * and what it reads no other transaction changes until it is over. Where others were in the way (PostgreSQL), the work
   * is done again from its beginning, so it keeps nothing outside of itself.
   * @throws what the work throws
   */
  transaction<T>(work: (sql: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>
  isOpen(): boolean
  close(): Promise<void>
}
