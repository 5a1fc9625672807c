import type { AttemptRecord } from '../../telemetry/attempt-record.ts'
import type { BodyRules } from './bodies.ts'
import type { RecordDrop } from './options.ts'
import type { Packer } from './packer.ts'
import { type Prepared, prepare } from './prepare.ts'
import type { RecordQueue } from './queue.ts'
import { breath } from './statements.ts'
import { byGateway, packsOf, type WriterParts, type Written, write } from './writer.ts'

/** A record waits so long for others. */
const GATHER_MS = 250
/** When so many wait they are written at once. */
const ENOUGH = 500
/** SQLite writes while nothing else runs: a batch is made so large that it takes about this long. */
const AIM_MS = 3
const SMALLEST = 16
const LARGEST = 500
/** After a failure. */
const AGAIN_MS = 500
/** How often a row alone is tried that the store refuses while it takes others. */
const TRIES = 3

export interface IntakeParts {
  queue: RecordQueue
  writer: WriterParts
  rules: BodyRules
  packer: Packer
  drop(count: number, why: RecordDrop, fault?: unknown): void
  failed(fault: unknown): void
  worked(): void
  /** Called after each batch, for what has to be done when there are more rows. */
  written(written: Written, rows: number): void
}

/** Takes records from the queue and writes them in batches, one after the other. */
export class Intake {
  readonly #parts: IntakeParts
  #timer: ReturnType<typeof setTimeout> | undefined
  #writing: Promise<void> | undefined
  #batch = 64
  #ready: Prepared[] = []
  #refusals = 0
  #closed = false

  constructor(parts: IntakeParts) {
    this.#parts = parts
  }

  /** There is something in the queue. */
  wake(): void {
    if (this.#closed || this.#writing) return
    if (this.#parts.queue.length >= ENOUGH) {
      clearTimeout(this.#timer)
      this.#start()
    } else this.#timer ??= setTimeout(() => this.#start(), GATHER_MS)
  }

  /** Writes all that waits now. @returns whether nothing is left */
  async flush(): Promise<boolean> {
    clearTimeout(this.#timer)
    this.#timer = undefined
    // Two may ask at once: one of them writes, and the other after it.
    while (this.#writing) await this.#writing
    await this.#run(this.#work(Number.POSITIVE_INFINITY))
    return this.#isEmpty
  }

  /** Writes what is left; what the store still refuses is dropped. */
  async close(): Promise<void> {
    this.#closed = true
    if (await this.flush()) return
    const { drop, queue } = this.#parts
    drop(this.#ready.length + queue.take(Number.POSITIVE_INFINITY).length, 'store')
  }

  get #isEmpty(): boolean {
    return this.#ready.length === 0 && this.#parts.queue.length === 0
  }

  #start(): void {
    this.#timer = undefined
    // Whoever put the last record goes on first.
    void this.#run(breath().then(() => this.#work(this.#parts.queue.length)))
  }

  #run(work: Promise<void>): Promise<void> {
    this.#writing = work.finally(() => {
      this.#writing = undefined
      if (this.#isEmpty || this.#closed) return
      if (this.#refusals === 0) this.wake()
      else this.#timer ??= setTimeout(() => this.#start(), AGAIN_MS)
    })
    return this.#writing
  }

  /**
   * Goes on until the queue is empty or the store refuses.
   * @param due how many of those that wait are written however few they are. What comes meanwhile waits for others of its
   * kind: most of a small batch's cost is its transaction's.
   */
  async #work(due: number): Promise<void> {
    const { queue, worked, failed } = this.#parts
    while (!this.#isEmpty) {
      if (!this.#ready.length) {
        if (due <= 0 && queue.length < ENOUGH) return
        const taken = queue.take(this.#batch)
        due -= taken.length
        this.#prepare(taken)
      }
      if (!this.#ready.length) continue
      try {
        await this.#writeReady()
        this.#refusals = 0
        worked()
      } catch (fault) {
        if (await this.#putAside(fault)) continue
        failed(fault)
        return
      }
      await breath()
    }
  }

  #prepare(records: readonly AttemptRecord[]): void {
    const { writer, queue, drop } = this.#parts
    for (const record of records) {
      let prepared: Prepared | undefined
      try {
        prepared = prepare(record, writer.dictionary)
      } catch {
        // What was decided could not be told.
      }
      if (prepared) this.#ready.push(prepared)
      else {
        queue.settled([record])
        drop(1, 'invalid')
      }
    }
  }

  async #writeReady(): Promise<void> {
    const { writer, queue, drop, written, packer, rules } = this.#parts
    // Fewer than were made ready, after one that took too long or was refused.
    const batch = byGateway(this.#ready.slice(0, this.#batch))
    const { packs, lost } = await packsOf(batch, packer, rules)
    const started = performance.now()
    const done = await write(batch, packs, writer)
    const took = performance.now() - started
    this.#ready = this.#ready.slice(batch.length)
    queue.settled(batch.map(({ record }) => record))
    if (done.refused) drop(done.refused, 'limit')
    if (lost) drop(lost, 'bodies')
    this.#adapt(batch.length, took)
    written(done, batch.length)
  }

  /** A server has threads of its own, and only its way there and back counts. */
  #adapt(count: number, took: number): void {
    if (this.#parts.writer.database.kind === 'postgres') this.#batch = LARGEST
    else if (count === this.#batch || took > AIM_MS) {
      // Slowly up, quickly down: another process may have been in the way once.
      const fitting = (count * AIM_MS) / Math.max(took, 0.1)
      this.#batch = Math.round(
        Math.max(SMALLEST, Math.min(LARGEST, this.#batch * 1.5, Math.max(fitting, this.#batch / 2))),
      )
    }
  }

  /**
   * The store refused a batch. When it takes other things, the fault is in a row, which must not hold up all others for
   * ever: the batch is made smaller until that row stands alone, and then it goes.
   * @returns whether to go on at once; otherwise nothing can be written
   */
  async #putAside(fault: unknown): Promise<boolean> {
    this.#refusals++
    const { writer, queue, drop } = this.#parts
    try {
      await writer.database.run('UPDATE record_state SET seq = seq WHERE one = 1')
    } catch {
      return false
    }
    if (this.#batch > 1 && this.#ready.length > 1) {
      this.#batch = Math.max(1, Math.floor(Math.min(this.#batch, this.#ready.length) / 4))
      this.#refusals = 0
    } else if (this.#refusals >= TRIES) {
      queue.settled(this.#ready.splice(0, 1).map(({ record }) => record))
      drop(1, 'store', fault)
      this.#refusals = 0
    }
    return true
  }
}
