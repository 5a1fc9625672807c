import { asSource, type ByteSource, type Bytes } from './byte-source.ts'
import type { AnswerSink } from './sink.ts'

/** What is kept of an answer that passes: all of it, or its first and its last bytes. */
export interface Kept {
  /** The first bytes; where there is no tail, all of them. */
  head: Bytes
  /** The last bytes, where something between the two was not kept. */
  tail?: Bytes
}

/** What a tap saw of a stream that it let pass. */
export interface Tapped extends Kept {
  /** How it ended: by itself, because the client left, or because the provider's connection broke. */
  end: 'complete' | 'left' | 'broken'
}

/** Of each end; usage, the model and the end mark of every format stand in there. */
const KEPT_BYTES = 16_384

/** What a tap would keep of an answer that is here whole. */
export function keptOf(bytes: Bytes): Kept {
  if (bytes.length <= 2 * KEPT_BYTES) return { head: bytes }
  return { head: bytes.subarray(0, KEPT_BYTES), tail: bytes.subarray(-KEPT_BYTES) }
}

/**
 * Lets a stream pass unchanged and keeps its first and last bytes, by reference, for a look when it is over; so that
 * watching costs next to nothing a chunk. The stream is one of Bun's "direct" ones: what the provider's connection brings
 * is written to the client's in the same turn, and no promise is made for a chunk.
 *
 * @param close what to send after the last byte, for a stream that was cut off; given what was kept. What it throws
 * breaks the client's connection.
 * @param settled called once, when it is over
 * @param sink takes what goes to the client
 */
export function tap(
  from: ByteSource | ReadableStream<Uint8Array>,
  close: (tapped: Tapped) => Uint8Array | undefined,
  settled: (tapped: Tapped) => void,
  sink?: AnswerSink,
): ReadableStream<Bytes> {
  const source = asSource(from)
  const memory = new Memory()
  let over = false
  const end = (how: Tapped['end']): Tapped => {
    over = true
    return { ...memory.take(), end: how }
  }
  return new ReadableStream<Bytes>({
    type: 'direct',
    pull: controller =>
      new Promise<void>((resolve, reject) => {
        source.pipe({
          write(bytes) {
            memory.keep(bytes)
            sink?.add(bytes)
            const written = controller.write(bytes)
            return typeof written === 'number' ? undefined : written
          },
          end(fault) {
            const tapped = end(fault === undefined ? 'complete' : 'broken')
            try {
              const last = close(tapped)
              if (last) controller.write(last)
              controller.end()
              settled(tapped)
              resolve()
            } catch (cause) {
              reject(cause)
            }
          },
        })
      }),
    cancel(reason) {
      if (over) return
      settled(end('left'))
      source.cancel(reason)
    },
  })
}

/** The first and the last pieces of a stream; between the two, what is too old falls out. */
class Memory {
  #first: Bytes[] = []
  #missing = KEPT_BYTES
  #last: Bytes[] = []
  /** Where those of `#last` begin that have not fallen out. */
  #from = 0
  #size = 0
  #gap = false

  keep(bytes: Bytes): void {
    if (this.#missing > 0) this.#begin(bytes)
    else this.#goOn(bytes)
  }

  #begin(bytes: Bytes): void {
    const missing = this.#missing
    this.#missing -= bytes.length
    if (bytes.length <= missing) {
      this.#first.push(bytes)
      return
    }
    // A copy, since this much is held until the end, and a large piece should not be held with it.
    this.#first.push(bytes.slice(0, missing))
    this.#goOn(bytes.subarray(missing))
  }

  #goOn(bytes: Bytes): void {
    this.#last.push(bytes)
    this.#size += bytes.length
    while (this.#size - this.#last[this.#from]!.length > KEPT_BYTES) {
      this.#size -= this.#last[this.#from]!.length
      this.#last[this.#from++] = NOTHING
      this.#gap = true
    }
    // Now and then, since moving all of them up costs more than all the rest.
    if (this.#from < MOST_FALLEN) return
    this.#last = this.#last.slice(this.#from)
    this.#from = 0
  }

  take(): Kept {
    const first = this.#first
    const last = this.#from ? this.#last.slice(this.#from) : this.#last
    this.#first = []
    this.#last = []
    this.#from = 0
    if (!last.length) return { head: joined(first) }
    if (!this.#gap && this.#size <= KEPT_BYTES) return { head: joined([...first, ...last]) }
    return { head: joined(first), tail: joined(last).subarray(-KEPT_BYTES) }
  }
}

const NOTHING: Bytes = new Uint8Array()
const MOST_FALLEN = 256

const joined = (pieces: Bytes[]): Bytes => (pieces.length === 1 ? pieces[0]! : Buffer.concat(pieces))
