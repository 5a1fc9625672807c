import type { Database, Sql } from '../database.ts'
import {
  BLOCK,
  COLUMN_NAMES,
  COLUMNS,
  type Column,
  type Columns,
  columnOf,
  columnsOf,
  pack as packColumn,
  SELECTED,
  unpack,
  type Values,
} from './columns.ts'
import type { Row } from './row.ts'
import type { TailState, Tails } from './tails.ts'

/** Rows of one gateway whose columns are packed: those with numbers from `first` to `last`. */
export interface Block {
  first: number
  last: number
  kept: number
  /** When the first and the last of them began, in milliseconds since 1970. */
  from: number
  to: number
}

interface BlockRow {
  first: number
  last: number
  kept: number
  from_at: number
  to_at: number
}

const numbers = ({ first, last, kept, from_at, to_at }: BlockRow): Block => ({
  first: Number(first),
  last: Number(last),
  kept: Number(kept),
  from: Number(from_at),
  to: Number(to_at),
})

const BLOCKS = 'SELECT first, last, kept, from_at, to_at FROM record_blocks WHERE gateway = ?'

/** The blocks of a gateway, oldest first. */
export async function blocksOf(sql: Sql, gateway: number): Promise<Block[]> {
  return (await sql.all<BlockRow>(`${BLOCKS} ORDER BY first`, gateway)).map(numbers)
}

export async function blockWith(sql: Sql, gateway: number, seq: number): Promise<Block | undefined> {
  const row = await sql.get<BlockRow>(`${BLOCKS} AND first <= ? ORDER BY first DESC LIMIT 1`, gateway, seq)
  return row && Number(row.last) >= seq ? numbers(row) : undefined
}

/** The rows of a gateway that stand in no block yet. */
export async function tailOf(sql: Sql, gateway: number, sealed: number, most: number): Promise<Columns> {
  const rows = await sql.all<Pick<Row, Column>>(
    `SELECT ${SELECTED} FROM records WHERE gateway = ? AND seq > ? ORDER BY seq LIMIT ?`,
    gateway,
    sealed,
    most,
  )
  return columnsOf(rows)
}

export async function sealedOf(sql: Sql, gateway: number): Promise<number> {
  const row = await sql.get<{ sealed: number }>('SELECT sealed FROM record_gateways WHERE id = ?', gateway)
  return row ? Number(row.sealed) : 0
}

/**
 * Packs the next rows of a gateway, when there are enough of them for a block.
 * @param tails those that this process wrote
 * @returns whether there may be enough for another
 */
export async function seal(database: Database, gateway: number, tails: Tails): Promise<boolean> {
  const { now, held, columns, sealed } = await database.transaction(
    async sql => {
      const now = await lockGateway(sql, gateway)
      const held = tails.of(gateway, now)
      const columns = held ?? (await tailOf(sql, gateway, now.sealed, BLOCK))
      return { now, held, columns, sealed: columns.seq.length < BLOCK ? undefined : await pack(sql, gateway, columns) }
    },
    { locks: 'own' },
  )
  if (sealed !== undefined) tails.packed(gateway, now, sealed)
  else if (!held) tails.begin(gateway, columns, now)
  return sealed !== undefined
}

/** @returns the last of the rows */
async function pack(sql: Sql, gateway: number, columns: Columns): Promise<number> {
  const [first, last] = [columns.seq[0]!, columns.seq[BLOCK - 1]!]
  await sql.insert(
    'record_blocks',
    ['gateway', 'first', 'last', 'kept', 'from_at', 'to_at'],
    [[gateway, first, last, BLOCK, ...span(columns.at)]],
  )
  const packed = COLUMN_NAMES.map(name => [
    gateway,
    COLUMNS[name].number,
    first,
    packColumn(name, columns[name], first),
  ])
  await sql.insert('record_columns', ['gateway', 'name', 'first', 'data'], packed)
  await sql.run('UPDATE record_gateways SET sealed = ? WHERE id = ?', last, gateway)
  return last
}

/** Whoever changes rows of a gateway that are there already, or packs them, does this first. */
export async function lockGateway(sql: Sql, gateway: number): Promise<TailState> {
  const [now] = await sql.all<TailState>(
    'UPDATE record_gateways SET sealed = sealed WHERE id = ? RETURNING sealed, touched',
    gateway,
  )
  return { sealed: Number(now!.sealed), touched: Number(now!.touched) }
}

/** Whoever changes rows that stand in no block does this, so that nobody packs them as they were. */
export async function touchTail(sql: Sql, gateway: number): Promise<void> {
  await sql.run('UPDATE record_gateways SET touched = touched + 1 WHERE id = ?', gateway)
}

function span(at: Values): [from: number, to: number] {
  let [from, to] = [Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]
  for (const value of at) {
    if (value < from) from = value
    if (value > to) to = value
  }
  return [from, to]
}

/** Takes rows out of a block, which goes with the last of them. */
export async function takeOut(sql: Sql, gateway: number, { first }: Block, seqs: ReadonlySet<number>): Promise<void> {
  const columns = await readAll(sql, gateway, first)
  const left = [...columns.seq.keys()].filter(index => !seqs.has(columns.seq[index]!))
  if (!left.length) {
    await sql.run('DELETE FROM record_blocks WHERE gateway = ? AND first = ?', gateway, first)
    for (const name of COLUMN_NAMES)
      await sql.run(
        'DELETE FROM record_columns WHERE gateway = ? AND name = ? AND first = ?',
        gateway,
        COLUMNS[name].number,
        first,
      )
    return
  }
  const kept = (values: Values) => Float64Array.from(left, index => values[index]!)
  for (const name of COLUMN_NAMES) await writeColumn(sql, gateway, first, name, kept(columns[name]))
  await sql.run(
    'UPDATE record_blocks SET kept = ?, from_at = ?, to_at = ? WHERE gateway = ? AND first = ?',
    left.length,
    ...span(kept(columns.at)),
    gateway,
    first,
  )
}

/** Changes one value of a row that stands in a block. */
export async function change(
  sql: Sql,
  gateway: number,
  { first }: Block,
  seq: number,
  name: Column,
  value: number,
): Promise<void> {
  const columns = await readAll(sql, gateway, first)
  const index = columns.seq.indexOf(seq)
  if (index < 0) return
  const values = columns[name].slice()
  values[index] = value
  await writeColumn(sql, gateway, first, name, values)
}

async function writeColumn(sql: Sql, gateway: number, first: number, name: Column, values: Values): Promise<void> {
  await sql.run(
    'UPDATE record_columns SET data = ? WHERE gateway = ? AND name = ? AND first = ?',
    packColumn(name, values, first),
    gateway,
    COLUMNS[name].number,
    first,
  )
}

async function readAll(sql: Sql, gateway: number, first: number): Promise<Columns> {
  const [whole] = await readColumns(sql, gateway, first, first, COLUMN_NAMES)
  if (!whole) throw new Error(`the columns of block ${first} are not there`)
  return whole as Columns
}

/** Columns of the blocks that begin within a range, oldest first, as they are at one moment. */
export async function readColumns(
  sql: Sql,
  gateway: number,
  from: number,
  to: number,
  wanted: readonly Column[],
): Promise<(Partial<Columns> & { seq: Values })[]> {
  const numbers = [...new Set<Column>(['seq', ...wanted])].map(name => COLUMNS[name].number)
  const rows = await sql.all<{ first: number; name: number; data: Uint8Array }>(
    `SELECT first, name, data FROM record_columns WHERE gateway = ? AND name IN (${numbers.join(', ')})
     AND first >= ? AND first <= ?`,
    gateway,
    from,
    to,
  )
  const blocks = new Map<number, Partial<Columns>>()
  for (const { first, name, data } of rows) {
    const column = columnOf(name)
    const start = Number(first)
    if (column) blocks.getOrInsertComputed(start, () => ({}))[column] = unpack(column, data, start)
  }
  return [...blocks].sort(([a], [b]) => a - b).map(([, columns]) => columns as Partial<Columns> & { seq: Values })
}
