import type { Database } from '../database.ts'
import { type Kind, kindOf } from './kind.ts'

const PAGE = 2_000

/** The kinds of one gateway, for reading. Kinds never change, so that only new ones are read again. */
export class Kinds {
  readonly #kinds = new Map<number, Kind>()
  #last = 0

  get(id: number): Kind | undefined {
    return this.#kinds.get(id)
  }

  /** Reads those that have come since. */
  async refresh(database: Database, gateway: number): Promise<void> {
    for (;;) {
      const page = await database.all<{ id: number; said: string }>(
        'SELECT id, said FROM record_kinds WHERE gateway = ? AND id > ? ORDER BY id LIMIT ?',
        gateway,
        this.#last,
        PAGE,
      )
      for (const { id, said } of page) {
        this.#kinds.set(Number(id), kindOf(said))
        this.#last = Math.max(this.#last, Number(id))
      }
      if (page.length < PAGE) return
    }
  }

  /** A number for each kind, by the kind's own. */
  table(of: (kind: Kind) => number): Float64Array {
    const table = new Float64Array(this.#last + 1)
    for (const [id, kind] of this.#kinds) table[id] = of(kind)
    return table
  }

  /** The place of each kind among the others by a text or a number of it, with none before all others. */
  ranks(of: (kind: Kind) => string | number | boolean | null): Float64Array {
    const held = [...new Set([...this.#kinds.values()].map(of))].filter(value => value !== null)
    const order = held.sort((a, b) => (a === b ? 0 : a < b ? -1 : 1))
    const places = new Map(order.map((value, index) => [value, index]))
    return this.table(kind => {
      const value = of(kind)
      return value === null ? Number.NaN : places.get(value)!
    })
  }
}
