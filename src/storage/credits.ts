import type { Database, Sql } from './database.ts'

/** What an account or a token has paid for in advance. Amounts are picodollars (1e-12 USD). */
export interface Credit {
  /** `account`, or `token:<name>`. */
  owner: string
  balance: bigint
  /** The part of the balance that requests under way may still use. */
  held: bigint
}

/** A change of a balance by hand. */
export interface CreditEntry {
  id: string
  owner: string
  /** Milliseconds since 1970. */
  at: number
  /** Below zero where something was taken away. */
  amount: bigint
  note: string
}

/** What was charged within one hour. */
export interface CreditUsage {
  owner: string
  /** Its beginning, in milliseconds since 1970. */
  hour: number
  amount: bigint
  requests: number
}

export interface CreditStore {
  /** Nothing for an owner who never had any. */
  of(owner: string): Promise<Credit | undefined>
  list(): Promise<Credit[]>
  /** @returns the balance after it */
  add(owner: string, amount: bigint, note: string): Promise<bigint>
  /**
   * Sets an amount aside, before it is known what a request will really cost.
   * @returns an id for {@link settle}, or nothing when the balance does not cover it
   */
  hold(owner: string, amount: number): Promise<string | undefined>
  /**
   * Charges what it came to, and lets go of what was held. A hold that was given up meanwhile is charged all the same.
   * @param again whether it was tried before, and nobody knows what came of it: then a hold that is gone was charged
   */
  settle(id: string, owner: string, amount: number, again?: boolean): Promise<void>
  /** Gives up holds from before a time: what held them is gone. @returns how many */
  release(before: number): Promise<number>
  /** The newest first. */
  entries(owner: string, limit: number, offset?: number): Promise<CreditEntry[]>
  /** By hour, from one time until before another. */
  usage(owner: string, from: number, to: number): Promise<CreditUsage[]>
}

const HOUR_MS = 3_600_000

/** As it comes from the database: a balance may be more than a number holds. */
interface Row {
  owner: string
  balance: string
  held: string
}

const SELECT = 'SELECT owner, CAST(balance AS TEXT) AS balance, CAST(held AS TEXT) AS held FROM credits'
const creditOf = ({ owner, balance, held }: Row): Credit => ({ owner, balance: BigInt(balance), held: BigInt(held) })

/** The tables of credit. Every change is one transaction, so that a balance is right however many take from it at once. */
export function creditStore(database: Database): CreditStore {
  // The row of an owner is changed by one statement, which locks it: those of other owners need not wait.
  const transaction = <T>(work: (sql: Sql) => Promise<T>) => database.transaction(work, { locks: 'own' })
  return {
    async of(owner) {
      const row = await database.get<Row>(`${SELECT} WHERE owner = ?`, owner)
      return row && creditOf(row)
    },
    async list() {
      return (await database.all<Row>(`${SELECT} ORDER BY owner`)).map(creditOf)
    },
    add: (owner, amount, note) =>
      transaction(async sql => {
        await sql.run(
          `INSERT INTO credits (owner, balance, held) VALUES (?, ?, 0)
           ON CONFLICT (owner) DO UPDATE SET balance = credits.balance + excluded.balance`,
          owner,
          amount,
        )
        await sql.run(
          'INSERT INTO credit_entries (id, owner, at, amount, note) VALUES (?, ?, ?, ?, ?)',
          Bun.randomUUIDv7(),
          owner,
          Date.now(),
          amount,
          note,
        )
        return creditOf((await sql.get<Row>(`${SELECT} WHERE owner = ?`, owner))!).balance
      }),
    hold: (owner, amount) =>
      transaction(async sql => {
        const covered = await sql.run(
          'UPDATE credits SET held = held + ? WHERE owner = ? AND balance > held AND balance - held >= ?',
          amount,
          owner,
          amount,
        )
        if (!covered) return undefined
        const id = Bun.randomUUIDv7()
        await sql.run(
          'INSERT INTO credit_holds (id, owner, amount, at) VALUES (?, ?, ?, ?)',
          id,
          owner,
          amount,
          Date.now(),
        )
        return id
      }),
    settle: (id, owner, amount, again = false) =>
      transaction(async sql => {
        const held = await sql.get<{ amount: number }>('DELETE FROM credit_holds WHERE id = ? RETURNING amount', id)
        if (!held && again) return
        await sql.run(
          'UPDATE credits SET held = held - ?, balance = balance - ? WHERE owner = ?',
          held?.amount ?? 0,
          amount,
          owner,
        )
        if (!amount) return
        const hour = Math.floor(Date.now() / HOUR_MS) * HOUR_MS
        await sql.run(
          `INSERT INTO credit_usage (owner, hour, amount, requests) VALUES (?, ?, ?, 1)
           ON CONFLICT (owner, hour) DO UPDATE SET amount = credit_usage.amount + excluded.amount,
             requests = credit_usage.requests + 1`,
          owner,
          hour,
          amount,
        )
      }),
    release: before =>
      transaction(async sql => {
        const stale = await sql.all<{ owner: string; amount: number }>(
          'DELETE FROM credit_holds WHERE at < ? RETURNING owner, amount',
          before,
        )
        for (const { owner, amount } of stale)
          await sql.run('UPDATE credits SET held = held - ? WHERE owner = ?', amount, owner)
        return stale.length
      }),
    async entries(owner, limit, offset = 0) {
      const rows = await database.all<Omit<CreditEntry, 'amount'> & { amount: string }>(
        `SELECT id, owner, at, CAST(amount AS TEXT) AS amount, note FROM credit_entries WHERE owner = ?
         ORDER BY id DESC LIMIT ? OFFSET ?`,
        owner,
        limit,
        offset,
      )
      return rows.map(row => ({ ...row, amount: BigInt(row.amount) }))
    },
    async usage(owner, from, to) {
      const rows = await database.all<Omit<CreditUsage, 'amount'> & { amount: string }>(
        `SELECT owner, hour, CAST(amount AS TEXT) AS amount, requests FROM credit_usage
         WHERE owner = ? AND hour >= ? AND hour < ? ORDER BY hour`,
        owner,
        from,
        to,
      )
      return rows.map(row => ({ ...row, amount: BigInt(row.amount) }))
    },
  }
}
