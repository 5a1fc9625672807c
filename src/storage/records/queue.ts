import type { AttemptRecord } from '../../telemetry/attempt-record.ts'
import { weightOf } from './bodies.ts'
import type { RecordBounds, RecordDrop } from './options.ts'

/** What waits to be written, in the order it came, within bounds. */
export class RecordQueue {
  #waiting: AttemptRecord[] = []
  #start = 0
  #bytes = 0
  readonly #bounds: RecordBounds
  readonly #drop: (count: number, why: RecordDrop) => void

  constructor(bounds: RecordBounds, drop: (count: number, why: RecordDrop) => void) {
    this.#bounds = bounds
    this.#drop = drop
  }

  get length(): number {
    return this.#waiting.length - this.#start
  }

  /** A record for which there is no room is dropped, and so are bodies alone where there is none for them. */
  add(record: AttemptRecord): void {
    if (this.length >= this.#bounds.waiting) {
      this.#drop(1, 'queue')
      return
    }
    if (record.bodies && record.collectBodies && record.collect) {
      const weight = weightOf(record.bodies)
      if (this.#bytes + weight > this.#bounds.waitingBytes) {
        this.#drop(1, 'bodies')
        record = { ...record, bodies: undefined }
      } else this.#bytes += weight
    } else if (record.bodies) record = { ...record, bodies: undefined }
    this.#waiting.push(record)
  }

  /** The next, which are no longer among those that wait. */
  take(most: number): AttemptRecord[] {
    const taken = this.#waiting.slice(this.#start, this.#start + most)
    this.#start += taken.length
    if (this.#start > 1_000 || this.#start === this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#start)
      this.#start = 0
    }
    return taken
  }

  /** Their bodies take no more room. */
  settled(records: readonly AttemptRecord[]): void {
    for (const { bodies } of records) if (bodies) this.#bytes -= weightOf(bodies)
  }
}
