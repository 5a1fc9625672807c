import { MOST_COUNT, type Row } from './row.ts'

/**
 * What is filtered, sorted and summed stands a second time beside the rows: in columns of {@link BLOCK} values, packed
 * one after the other. To look through a million rows that way takes a few hundredths of a second, whatever
 * the filter, and writing them costs nothing on the way of a row, unlike an index for each column.
 */
export const BLOCK = 1024

type Width = 'offset' | 'number' | 'count' | 'wide' | 'tiny'

/** The numbers under which they are kept never change. */
export const COLUMNS = {
  seq: { number: 0, width: 'offset' },
  kind: { number: 1, width: 'number' },
  at: { number: 2, width: 'wide' },
  duration: { number: 3, width: 'count' },
  cost: { number: 4, width: 'wide' },
  tokens_in: { number: 5, width: 'count' },
  tokens_out: { number: 6, width: 'count' },
  tokens_cached: { number: 7, width: 'count' },
  first_byte: { number: 8, width: 'count' },
  feedback: { number: 9, width: 'tiny' },
  metadata: { number: 10, width: 'number' },
} as const satisfies Record<string, { number: number; width: Width }>
export type Column = keyof typeof COLUMNS
export const COLUMN_NAMES = Object.keys(COLUMNS) as Column[]
const names = new Map<number, Column>(COLUMN_NAMES.map(name => [COLUMNS[name].number, name]))
export const columnOf = (number: number): Column | undefined => names.get(Number(number))

/** Values of a column; NaN where a row has none. */
export type Values = Float64Array
export type Columns = Record<Column, Values>

const NONE = MOST_COUNT + 1
const TINY_NONE = -128

/** The statement's list of the columns that {@link columnsOf} takes. */
export const SELECTED = COLUMN_NAMES.join(', ')

export function columnsOf(rows: readonly Pick<Row, Column>[]): Columns {
  const columns = {} as Columns
  for (const name of COLUMN_NAMES) {
    const values = new Float64Array(rows.length)
    for (let i = 0; i < rows.length; i++) {
      const value = rows[i]![name]
      values[i] = value === null ? Number.NaN : Number(value)
    }
    columns[name] = values
  }
  return columns
}

/** @param first the block's first number, from which its others are counted */
export function pack(name: Column, values: Values, first: number): Uint8Array {
  switch (COLUMNS[name].width as Width) {
    case 'offset':
      return bytesOf(Uint32Array.from(values, value => value - first))
    case 'number':
      return bytesOf(Uint32Array.from(values))
    case 'count':
      return bytesOf(Uint32Array.from(values, value => (Number.isNaN(value) ? NONE : value)))
    case 'tiny':
      return bytesOf(Int8Array.from(values, value => (Number.isNaN(value) ? TINY_NONE : value)))
    case 'wide':
      return bytesOf(values)
  }
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint32Array | Int8Array | Float64Array): Uint8Array =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)

export function unpack(name: Column, bytes: Uint8Array, first: number): Values {
  // The views below want their bytes at a multiple of eight.
  const { buffer, byteOffset } = bytes.byteOffset % 8 === 0 ? bytes : bytes.slice()
  const { width } = COLUMNS[name]
  if (width === 'wide') return new Float64Array(buffer, byteOffset, bytes.length / 8)
  if (width === 'tiny') {
    const tiny = new Int8Array(buffer, byteOffset, bytes.length)
    const values = new Float64Array(tiny.length)
    for (let i = 0; i < tiny.length; i++) values[i] = tiny[i] === TINY_NONE ? Number.NaN : tiny[i]!
    return values
  }
  const counts = new Uint32Array(buffer, byteOffset, bytes.length / 4)
  const values = new Float64Array(counts)
  if (width === 'offset') for (let i = 0; i < values.length; i++) values[i]! += first
  // Most columns have a value in each row, and to look for one that has none takes next to nothing.
  else if (width === 'count' && counts.includes(NONE))
    for (let i = 0; i < values.length; i++) if (counts[i] === NONE) values[i] = Number.NaN
  return values
}
