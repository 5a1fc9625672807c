import type { Value } from '../database.ts'
import { BLOCK, COLUMN_NAMES, type Columns } from './columns.ts'
import { ROW_COLUMNS } from './row.ts'

/** What the database says of a gateway; see the table `record_gateways`. */
export interface TailState {
  /** The last row that stands in a block. */
  sealed: number
  /** Grows by each row that is written, and by one when what stands behind `sealed` is changed in another way. */
  touched: number
}

interface Tail extends TailState {
  columns: number[][]
}

/** Rows of a gateway that are held; beyond it they are read when they are packed. */
const MOST_ROWS = 4 * BLOCK
const MOST_GATEWAYS = 50

const PLACES = COLUMN_NAMES.map(name => (ROW_COLUMNS as readonly string[]).indexOf(name))

/**
 * The columns of rows that this process wrote and that stand in no block yet, so that they need not be read again to be
 * packed. What the database says of its gateway tells whether anybody else wrote or changed any: then they are let go.
 */
export class Tails {
  readonly #tails = new Map<number, Tail>()

  /**
   * Rows were written.
   * @param values of their rows, one behind the other, as they are written
   * @param now what the database said when it had them
   */
  add(gateway: number, values: readonly Value[], from: number, rows: number, now: TailState): void {
    const tail = this.#tails.get(gateway)
    if (!tail) return
    const isWhole = tail.sealed === now.sealed && tail.touched + rows === now.touched
    if (!isWhole || tail.columns[0]!.length + rows > MOST_ROWS) {
      this.#tails.delete(gateway)
      return
    }
    tail.touched = now.touched
    const width = ROW_COLUMNS.length
    for (let row = from; row < from + rows; row++)
      for (let i = 0; i < PLACES.length; i++) {
        // What people say of a record comes later.
        const value = PLACES[i]! < 0 ? null : values[row * width + PLACES[i]!]
        tail.columns[i]!.push(typeof value === 'number' ? value : Number.NaN)
      }
  }

  /** All rows behind `sealed`, the first of them packed at most; nothing when they are not all known. */
  of(gateway: number, now: TailState): Columns | undefined {
    const tail = this.#tails.get(gateway)
    if (tail?.sealed !== now.sealed || tail.touched !== now.touched) return undefined
    const columns = {} as Columns
    for (const [i, name] of COLUMN_NAMES.entries()) columns[name] = Float64Array.from(tail.columns[i]!.slice(0, BLOCK))
    return columns
  }

  /** The first of those that are held were packed. */
  packed(gateway: number, before: TailState, sealed: number): void {
    const tail = this.#tails.get(gateway)
    if (tail?.sealed !== before.sealed) return
    tail.sealed = sealed
    for (const values of tail.columns) values.splice(0, BLOCK)
  }

  /** Begins with what was read. */
  begin(gateway: number, columns: Columns, now: TailState): void {
    if (this.#tails.size >= MOST_GATEWAYS) this.#tails.clear()
    this.#tails.set(gateway, { ...now, columns: COLUMN_NAMES.map(name => [...columns[name]]) })
  }

  length(gateway: number): number | undefined {
    return this.#tails.get(gateway)?.columns[0]?.length
  }
}
