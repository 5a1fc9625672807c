import type { Value } from './database.ts'

/** Text in quotes, names in quotes and comments, where a question mark is no place for a value. */
const QUOTED_OR_PLACE = /'(?:[^']|'')*'|"(?:[^"]|"")*"|--[^\n]*|\?/g

const KNOWN_STATEMENTS = 1_000
const known = new Map<string, string>()

/** The statement with `$1`, `$2` and so on in the places of its question marks. */
export function numbered(statement: string): string {
  const before = known.get(statement)
  if (before !== undefined) return before
  let count = 0
  const said = statement.replace(QUOTED_OR_PLACE, found => (found === '?' ? `$${++count}` : found))
  // The statements of a program are few; whoever makes them anew each time must not fill the memory.
  if (known.size >= KNOWN_STATEMENTS) known.clear()
  known.set(statement, said)
  return said
}

/**
 * A value as PostgreSQL takes it. A number that is no whole one goes as text, because its driver would round it for a
 * column of whole numbers, which SQLite refuses. Text cannot hold a zero character there; it becomes U+FFFD.
 */
export function valueFor(value: Value): Value {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? value : String(value)
  if (typeof value === 'string' && value.includes('\0')) return value.replaceAll('\0', '\ufffd')
  return value
}

/** PostgreSQL's numbers of the types that are told otherwise than {@link Value} says. */
const BOOL = 16
const BYTEA = 17
const INT8 = 20
const NUMERIC = 1700

interface Column {
  name: string
  type: number
}

/** Brings rows into the form that SQLite gives them: numbers, 0 or 1 for truth, plain bytes. It changes them in place. */
export function toValues(rows: Record<string, unknown>[], columns: readonly Column[]): void {
  for (const { name, type } of columns) {
    const read = readers[type]
    if (!read) continue
    for (const row of rows) {
      const value = row[name]
      if (value !== null) row[name] = read(value)
    }
  }
}

const readers: Record<number, ((value: unknown) => Value) | undefined> = {
  [BOOL]: value => (value ? 1 : 0),
  [BYTEA]: value => {
    const { buffer, byteOffset, length } = value as Buffer
    return new Uint8Array(buffer, byteOffset, length)
  },
  [INT8]: Number,
  // The sum of a column of BIGINT.
  [NUMERIC]: Number,
}

const MOST_VALUES = 8_192

/**
 * The sizes of the pieces in which rows are written: powers of two, so that there are few statements to prepare, and
 * below what one statement may hold.
 */
export function* pieces(rows: number, columns: number): Generator<number> {
  const largest = 2 ** Math.floor(Math.log2(Math.max(1, MOST_VALUES / Math.max(1, columns))))
  for (let left = rows; left > 0; ) {
    const piece = Math.min(largest, 2 ** Math.floor(Math.log2(left)))
    yield piece
    left -= piece
  }
}

/** Adds so many rows, and leaves those that are there as they are. */
export function insertion(table: string, columns: readonly string[], rows: number): string {
  const places = `(${columns.map(() => '?').join(', ')})`
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${Array(rows).fill(places).join(', ')} ON CONFLICT DO NOTHING`
}
