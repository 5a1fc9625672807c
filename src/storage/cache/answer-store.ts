import type { CacheBounds, CachedAnswer, CacheReports, CacheSize, DropReason } from './answer-cache.ts'
import { KeyIndex, numberOf } from './key-index.ts'
import { type AnswerTables, type KeptKey, rowOf } from './tables.ts'
import { Waiting } from './waiting.ts'

/** In one transaction, so that it holds up nobody for longer than some milliseconds. */
const MOST_ROWS = 200
const MOST_BYTES = 1024 * 1024
/** And of all that may be kept: what makes room for so much at once would throw out what was just used. */
const MOST_PART = 1 / 8
/** So many last uses are noted between two writings; of those beyond, the order of eviction knows nothing. */
const MOST_USES = 10_000
/** Keys that are read at once for the index. */
const PAGE = 2_000

/**
 * What is kept in the tables, and what waits to be. All that is async here runs one after the other: whoever calls it
 * sees to that.
 */
export class AnswerStore {
  readonly waiting: Waiting
  readonly index = new KeyIndex()
  readonly #tables: AnswerTables
  readonly #bounds: CacheBounds
  readonly #reports: CacheReports
  readonly #uses = new Map<string, number>()
  #totals: CacheSize
  #closed = false

  constructor(tables: AnswerTables, totals: CacheSize, bounds: CacheBounds, reports: CacheReports) {
    this.#tables = tables
    this.#totals = totals
    this.#bounds = bounds
    this.#reports = reports
    this.waiting = new Waiting(bounds.waiting)
  }

  get totals(): CacheSize {
    return this.#totals
  }

  /** An answer was given at this moment. */
  use(key: string, at: number): void {
    if (this.#uses.size < MOST_USES || this.#uses.has(key)) this.#uses.set(key, at)
  }

  /** Long work ends early. */
  close(): void {
    this.#closed = true
  }

  /** Writes what waits now; what is put meanwhile waits for the next time, when it comes with many others again. */
  async writeWaiting(): Promise<void> {
    for (const batch of inBatches(this.waiting.all(), Math.min(MOST_BYTES, this.#bounds.total * MOST_PART))) {
      try {
        await this.#write(batch)
      } catch (fault) {
        // Tried once: a store that is full or gone would otherwise fill the memory too.
        for (const { key, answer } of batch) this.waiting.done(key, answer)
        this.#drop(batch.length, 'store')
        throw fault
      }
      await Bun.sleep(0)
    }
  }

  async #write(batch: readonly Numbered[]): Promise<void> {
    const packed = await Promise.all(
      batch.map(({ number, key, answer }) => rowOf(number, key, answer, this.#uses.get(key))),
    )
    let rows = packed.filter(({ size }) => size <= this.#bounds.total)
    this.#drop(packed.length - rows.length, 'size')
    const bytes = rows.reduce((sum, { size }) => sum + size, 0)
    // What is thrown out now is chosen by the last use.
    if (this.#totals.bytes + bytes > this.#bounds.total) await this.writeUses()
    while (rows.length) {
      const { done, written, gone, totals } = await this.#tables.write(rows, this.#bounds.total, Date.now())
      this.#gone(gone, totals)
      for (const { number, expires } of written) this.index.add(number, expires)
      this.#drop(done - written.length, 'purged')
      rows = rows.slice(done)
      if (rows.length) await Bun.sleep(0)
    }
    for (const { key, answer } of batch) this.waiting.done(key, answer)
  }

  async writeUses(): Promise<void> {
    const uses: [key: string, at: number][] = []
    for (const use of this.#uses) {
      // What still waits is written with its last use.
      if (this.waiting.get(use[0])) continue
      this.#uses.delete(use[0])
      uses.push(use)
    }
    await this.#tables.touch(uses)
  }

  /** Takes away what has expired. */
  async sweep(): Promise<void> {
    for (;;) {
      const { gone, more, totals } = await this.#tables.expire(Date.now())
      this.#gone(gone, totals)
      if (!more || this.#closed) return
      await Bun.sleep(0)
    }
  }

  /** Takes away all answers of a gateway, or one. @returns how many there were */
  async remove(gateway: string, key?: string): Promise<number> {
    let count = 0
    let left: number | undefined
    for (;;) {
      const { gone, more, totals } = await this.#tables.remove(gateway, key)
      this.#gone(gone, totals)
      count += gone.length
      // No more than there were: others may go on storing new ones.
      left = left === undefined ? totals.entries : left - gone.length
      if (!more || left <= 0) return count
      await Bun.sleep(0)
    }
  }

  /** Learns what other processes have written or taken away. */
  async refreshTotals(): Promise<void> {
    this.#totals = await this.#tables.totals()
  }

  async fillIndex(): Promise<void> {
    let last: KeptKey | undefined
    while (this.index.useful && !this.#closed) {
      const page = await this.#tables.keys(last, PAGE)
      for (const { number, expires } of page) this.index.add(number, expires)
      if (page.length < PAGE) {
        this.index.completed()
        return
      }
      last = page.at(-1)
      await Bun.sleep(0)
    }
  }

  #gone(numbers: readonly number[], totals: CacheSize): void {
    for (const number of numbers) this.index.delete(number)
    this.#totals = totals
  }

  #drop(answers: number, why: DropReason): void {
    if (answers) this.#reports.onDropped?.(answers, why)
  }
}

interface Numbered {
  number: number
  key: string
  answer: CachedAnswer
}

/** Answers in the order of their numbers, so that each batch changes few pages of the index; no number twice in one. */
function* inBatches(answers: readonly (readonly [string, CachedAnswer])[], most: number): Generator<Numbered[]> {
  const sorted = answers.map(([key, answer]) => ({ number: numberOf(key), key, answer }))
  sorted.sort((one, other) => one.number - other.number)
  let batch: Numbered[] = []
  let bytes = 0
  for (const each of sorted) {
    bytes += each.answer.body.length
    if (batch.length && (batch.length >= MOST_ROWS || bytes > most || batch.at(-1)!.number === each.number)) {
      yield batch
      batch = []
      bytes = each.answer.body.length
    }
    batch.push(each)
  }
  if (batch.length) yield batch
}
