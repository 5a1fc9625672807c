import type { Bytes } from '../stream/byte-source.ts'
import type { AnswerSink } from '../stream/sink.ts'

/** What all answers under way together keep; beyond it they go on without being kept any further. */
const MOST_HELD = 128 * 1024 * 1024

let held = 0

/** What went to the client, by reference, up to a bound: the cache and the records are made of it. */
export class KeptAnswer implements AnswerSink {
  readonly pieces: (Bytes | string)[] = []
  /** When each piece went, in milliseconds since the first; only where that is asked for. */
  readonly times?: number[]
  /** About how many bytes came, kept or not. */
  size = 0
  /** About how many of them are kept. */
  kept = 0
  /** When the first piece went, from `performance.now()`; 0 before. */
  began = 0
  readonly #most: number
  #isFree = false

  constructor(most: number, timed = false) {
    this.#most = most
    if (timed) this.times = []
  }

  /** For a further attempt at the same. */
  another(): KeptAnswer {
    return new KeptAnswer(this.#most, this.times !== undefined)
  }

  /** There was more than is kept. */
  get isCut(): boolean {
    return this.kept < this.size
  }

  add(piece: Bytes | string): void {
    if (this.size === 0) this.began = performance.now()
    const { length } = piece
    const whole = this.kept === this.size
    this.size += length
    // What comes behind a gap is of no use.
    if (!whole || this.size > this.#most || held + length > MOST_HELD) return
    this.kept += length
    held += length
    this.pieces.push(piece)
    this.times?.push(Math.round(performance.now() - this.began))
  }

  /** All that is kept, each piece as bytes. */
  bytes(): Bytes[] {
    return this.pieces.map(piece => (typeof piece === 'string' ? Buffer.from(piece) : piece))
  }

  /** The answer is over, and whoever wants its pieces has them. */
  free(): void {
    if (!this.#isFree) held -= this.kept
    this.#isFree = true
  }
}
