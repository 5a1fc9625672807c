import type { Database, Sql, Value } from '../database.ts'
import { insertion, pieces } from '../postgres-text.ts'

/** Places for a list of values: powers of two, so that there are few statements to prepare. */
export function placesFor(count: number): { text: string; count: number } {
  const size = 2 ** Math.ceil(Math.log2(Math.max(1, count)))
  return { text: Array(size).fill('?').join(', '), count: size }
}

/** `IN (…)` with its values, of which there is at least one; the last is said again in the places that are left. */
export function isOneOf(values: readonly Value[]): { text: string; values: Value[] } {
  const { text, count } = placesFor(values.length)
  return { text: `IN (${text})`, values: [...values, ...Array(count - values.length).fill(values.at(-1)!)] }
}

const PAGE = 1_000

/** All rows of a statement with the places `id > ?` and `LIMIT ?`, page by page, so that requests go on between them. */
export async function* inPages<Row extends { id: number }>(
  database: Database,
  statement: string,
  most = Number.POSITIVE_INFINITY,
  ...values: readonly Value[]
): AsyncGenerator<Row> {
  let behind = 0
  for (let read = 0; read < most; ) {
    const page = await database.all<Row>(statement, ...values, behind, PAGE)
    yield* page
    read += page.length
    if (page.length < PAGE) return
    behind = Number(page.at(-1)!.id)
    await breath()
  }
}

/** Lets what waits go first. */
export const breath = (): Promise<void> => new Promise(resolve => setImmediate(resolve))

/** Rows of one statement: in SQLite one of its own costs half as much again as a row of many. */
const ROWS_AT_ONCE = { sqlite: 64, postgres: 256 } as const
const insertions = new Map<string, string>()

/**
 * Adds rows whose values stand one behind the other.
 * @param columns always the same of a table
 */
export async function insertValues(
  sql: Sql,
  kind: Database['kind'],
  table: string,
  columns: readonly string[],
  values: readonly Value[],
): Promise<void> {
  const width = columns.length
  let from = 0
  while (from < values.length) {
    // Powers of two, so that there are few statements to prepare.
    const piece = Math.min(ROWS_AT_ONCE[kind], 2 ** Math.floor(Math.log2((values.length - from) / width)))
    const end = from + piece * width
    // The same text each time, so that it need not be read again to find what was prepared.
    const statement = insertions.getOrInsertComputed(`${table} ${piece}`, () => insertion(table, columns, piece))
    await sql.run(statement, ...values.slice(from, end))
    from = end
  }
}

/**
 * Adds to the sums of rows, and makes those that are not there.
 * @param keys the columns that name a row
 * @param sums the columns that are added to
 */
export async function addUp(
  sql: Sql,
  kind: Database['kind'],
  table: string,
  keys: readonly string[],
  sums: readonly string[],
  rows: readonly (readonly Value[])[],
): Promise<void> {
  const columns = [...keys, ...sums]
  const places = `(${columns.map(() => '?').join(', ')})`
  const statement = (count: number) =>
    `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${Array(count).fill(places).join(', ')}
     ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${sums.map(sum => `${sum} = ${table}.${sum} + excluded.${sum}`).join(', ')}`
  if (kind === 'sqlite') {
    const one = statement(1)
    for (const row of rows) await sql.run(one, ...row)
    return
  }
  let from = 0
  for (const piece of pieces(rows.length, columns.length)) {
    await sql.run(statement(piece), ...rows.slice(from, from + piece).flat())
    from += piece
  }
}
