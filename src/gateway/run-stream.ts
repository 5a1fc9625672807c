import type { ByteSource, Bytes } from '../stream/byte-source.ts'

/** Whoever reads a kept stream at the moment. */
interface Reader {
  /** Index of the next event that it gets. */
  next: number
  controller: ReadableStreamDefaultController<Bytes>
  /** It can take more at once. */
  hungry: boolean
}

/** How far a stream may be read ahead of whoever reads it, so that a slow one does not fill the memory. */
const AHEAD_BYTES = 1024 * 1024
const NEWLINE = 10

/**
 * A stream of server-sent events that outlives its client for a while: what came is kept, and another reader may go on
 * where the one before broke off. Events are counted as clients count them, by the blank line behind each.
 */
export class RunStream {
  readonly #source: ByteSource
  readonly #most: number
  readonly #changed: (size: number) => void
  #events: Bytes[] = []
  /** Events that had to be let go. */
  #gone = 0
  #size = 0
  /** The beginning of an event whose end has not come. */
  #rest: Bytes = new Uint8Array()
  #end: 'open' | 'ended' | 'broken' = 'open'
  #reader: Reader | undefined
  #reading = false

  /**
   * @param most bytes that are kept; of a longer stream the oldest events are let go
   * @param changed called with what the kept bytes come to, whenever that changes
   */
  constructor(source: ByteSource, most: number, changed: (size: number) => void) {
    this.#source = source
    this.#most = most
    this.#changed = changed
  }

  get ended(): boolean {
    return this.#end !== 'open'
  }

  /** Whether everything from this event on is still there, or still to come. */
  has(from: number): boolean {
    return from >= this.#gone && from <= this.#gone + this.#events.length
  }

  /**
   * The stream from an event on. Whoever read before gets nothing more.
   * @param left called when this reader goes before the end
   */
  from(index: number, left: () => void): ReadableStream<Bytes> {
    this.#leave()
    let reader: Reader
    return new ReadableStream<Bytes>(
      {
        start: controller => {
          reader = { next: index, controller, hungry: false }
          this.#reader = reader
        },
        pull: () => {
          reader.hungry = true
          this.#feed()
        },
        cancel: () => {
          if (this.#reader !== reader) return
          this.#reader = undefined
          left()
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Nobody comes any more: what brings the stream is let go. */
  stop(): void {
    this.#leave()
    if (this.#end === 'open') this.#source.cancel()
    this.#end = 'ended'
    this.#events = []
    this.#rest = new Uint8Array()
    this.#size = 0
  }

  #leave(): void {
    const reader = this.#reader
    this.#reader = undefined
    reader?.controller.close()
  }

  /** Gives the reader the next that there is, and asks for more where there is room. */
  #feed(): void {
    const reader = this.#reader
    if (reader?.hungry) {
      const event = this.#events[reader.next - this.#gone]
      if (event) {
        reader.next++
        reader.hungry = false
        reader.controller.enqueue(event)
      } else if (this.#end === 'ended') {
        // What stands behind the last blank line is no whole event, and yet it came.
        if (this.#rest.length) reader.controller.enqueue(this.#rest)
        this.#leave()
      } else if (this.#end === 'broken') {
        this.#reader = undefined
        reader.controller.error(new Error('the stream broke off'))
      }
    }
    if (!this.#reading && this.#end === 'open' && this.#ahead() < AHEAD_BYTES) void this.#read()
  }

  /** Bytes that came and that the reader has not had; with nobody there all that is kept counts. */
  #ahead(): number {
    if (!this.#reader) return this.#size < this.#most ? 0 : AHEAD_BYTES
    let ahead = 0
    for (let at = this.#reader.next - this.#gone; at < this.#events.length; at++) ahead += this.#events[at]!.length
    return ahead
  }

  async #read(): Promise<void> {
    this.#reading = true
    try {
      const bytes = await this.#source.read()
      if (this.#end !== 'open') return
      if (bytes) this.#take(bytes)
      else this.#end = 'ended'
    } catch {
      this.#end = 'broken'
    } finally {
      this.#reading = false
    }
    this.#changed(this.#size)
    this.#feed()
  }

  #take(bytes: Bytes): void {
    const all = this.#rest.length ? Buffer.concat([this.#rest, bytes]) : bytes
    let start = 0
    // A blank line may begin in what was there before.
    for (
      let at = all.indexOf(NEWLINE, Math.max(0, this.#rest.length - 1));
      at >= 0;
      at = all.indexOf(NEWLINE, at + 1)
    ) {
      if (all[at + 1] !== NEWLINE) continue
      this.#events.push(all.subarray(start, at + 2))
      start = at + 2
      at++
    }
    this.#rest = all.subarray(start)
    this.#size += bytes.length
    while (this.#size > this.#most && this.#events.length && (this.#reader?.next ?? 0) > this.#gone) {
      this.#size -= this.#events.shift()!.length
      this.#gone++
    }
  }
}
