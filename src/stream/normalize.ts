import type { ProviderError } from '../conversation/errors.ts'
import type { Event } from '../conversation/events.ts'
import type { Finish, Usage } from '../conversation/reply.ts'
import { encodeFrames } from './encode.ts'
import { type Frame, type Framer, type Framing, StreamFault } from './frame.ts'
import type { Reader, Writer } from './translator.ts'

/** What became of a stream, for the record. */
export interface Outcome {
  usage?: Usage
  finish?: Finish
  error?: ProviderError
  /** The client left before the end. */
  left?: boolean
}

export interface NormalizerParts {
  source: ReadableStream<Uint8Array>
  framer: Framer
  reader: Reader
  writer: Writer
  /** How the client's frames are written. */
  framing: Framing
  /** Called once, when the last byte is out, the client has left or the stream has failed. */
  settled?: (outcome: Outcome) => void
  /** Milliseconds that a provider has for its last words after the answer was complete. */
  grace?: number
}

interface Read {
  done: boolean
  value?: Uint8Array | undefined
}
interface ByteReader {
  read(): Promise<Read>
  cancel(reason?: unknown): Promise<void>
}

/**
 * How long a stream that has begun but said nothing yet may hold back the status line. Until then a failure is still
 * told as an HTTP status (T08) and can still be answered by another target.
 */
const HOLD_MS = 5_000

/** Providers without an end mark, or with one, may keep the connection open (T29): their usage comes at once or not at all. */
const GRACE_MS = 3_000

/**
 * The shared streaming normalizer: a provider's bytes → frames → neutral events → the client's frames → bytes, one read
 * at a time and only as fast as the client reads. It knows no dialect; it guarantees that a stream ends in exactly one
 * way: cleanly, or with an error frame.
 */
export class Normalizer {
  readonly outcome: Outcome = {}
  readonly #parts: NormalizerParts
  readonly #source: ByteReader
  #held: Frame[] = []
  #pending?: Promise<Read>
  #begun = false
  /** The provider's own end mark was read. */
  #ended = false
  /** How many choices have said something, and how many have said why they stopped. */
  #choices = 0
  #finished = 0
  /** When the last words must have come. */
  #deadline = 0
  #over = false
  #settled = false

  constructor(parts: NormalizerParts) {
    this.#parts = parts
    this.#source = parts.source.getReader()
  }

  /**
   * Reads until the answer has really begun.
   * @returns the failure that came instead, for which nothing has been sent yet; undefined when {@link stream} may go out
   */
  async prime(): Promise<ProviderError | undefined> {
    let release: ReturnType<typeof setTimeout> | undefined
    const patience = new Promise<'waited'>(resolve => {
      release = setTimeout(resolve, HOLD_MS, 'waited')
    })
    try {
      for (;;) {
        this.#pending ??= this.#source.read()
        // Silence before the first byte is the attempt's own time-out; patience counts once the stream has begun.
        const read = this.#held.length ? await Promise.race([this.#pending, patience]) : await this.#pending
        if (read === 'waited') return undefined
        this.#pending = undefined
        this.#advance(read)
        if (this.outcome.error) {
          this.#settle()
          return this.outcome.error
        }
        if (this.#over || this.#begun) return undefined
      }
    } catch {
      // Nothing was written yet that could be complete.
      this.#fail(lost())
      this.#settle()
      return this.outcome.error
    } finally {
      clearTimeout(release)
    }
  }

  /** The client's bytes. Cancelling it cancels the provider's stream. */
  stream(): ReadableStream<Uint8Array> {
    return new ReadableStream<Uint8Array>(
      {
        pull: async controller => {
          try {
            while (!this.#held.length && !this.#over) this.#advance(await this.#next())
          } catch {
            // A connection that breaks behind the whole answer has taken nothing away.
            this.#finish(lost())
          }
          if (this.#held.length) {
            controller.enqueue(encodeFrames(this.#held, this.#parts.framing))
            this.#held = []
          }
          if (this.#over) {
            controller.close()
            this.#settle()
          }
        },
        cancel: async reason => {
          this.outcome.left = true
          this.#settle()
          await this.#source.cancel(reason).catch(() => {})
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** The next read; once the answer is complete the provider is not waited for any longer than its last words need. */
  #next(): Promise<Read> {
    const read = this.#pending ?? this.#source.read()
    this.#pending = undefined
    if (!this.#isComplete()) return read
    this.#deadline ||= performance.now() + (this.#parts.grace ?? GRACE_MS)
    return new Promise<Read>((resolve, reject) => {
      const timer = setTimeout(() => {
        resolve({ done: true })
        this.#source.cancel().catch(() => {})
      }, this.#deadline - performance.now())
      read.then(resolve, reject).finally(() => clearTimeout(timer))
    })
  }

  /** Every choice that began has said why it stopped, or the provider has said that it is done. */
  #isComplete(): boolean {
    return this.#ended || (this.#finished > 0 && this.#finished >= this.#choices)
  }

  /** Takes one read of the source and leaves the client's frames in `#held`. */
  #advance(read: Read): void {
    try {
      const frames = read.done ? this.#parts.framer.end() : this.#parts.framer.push(read.value!)
      for (const frame of frames) if (!this.#take(this.#parts.reader.read(frame))) return
      if (read.done && this.#take(this.#parts.reader.end())) this.#finish(closed())
    } catch (fault) {
      this.#fail(fault instanceof StreamFault ? { ...lost(), message: fault.message } : lost())
    }
  }

  /** @returns false when the events ended the stream by an error */
  #take(events: Event[]): boolean {
    for (let at = 0; at < events.length; at++) {
      const event = events[at]!
      this.#begun ||= hasBegun(event)
      if ('choice' in event && event.type !== 'unknown' && event.choice >= this.#choices)
        this.#choices = event.choice + 1
      if (event.type === 'usage') this.outcome.usage = event.usage
      else if (event.type === 'end') this.#ended = true
      else if (event.type === 'finish') {
        this.outcome.finish = event.finish
        this.#finished++
      } else if (event.type === 'error') {
        if (at) this.#write(events.slice(0, at))
        this.#fail(event.error)
        return false
      }
    }
    if (events.length) this.#write(events)
    return true
  }

  #write(events: readonly Event[]): void {
    const frames = this.#parts.writer.write(events)
    if (!this.#held.length) this.#held = frames
    else this.#held.push(...frames)
  }

  /** A stream that just stops, without a finish and without its end mark, was cut off: that is no success (T30). */
  #finish(otherwise: ProviderError): void {
    if (this.#over) return
    if (!this.#isComplete()) this.#fail(otherwise)
    else {
      this.#held.push(...this.#parts.writer.end())
      this.#over = true
    }
  }

  #fail(error: ProviderError): void {
    this.outcome.error = error
    this.#held.push(...this.#parts.writer.fail(error))
    this.#over = true
    this.#source.cancel().catch(() => {})
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    this.#parts.settled?.(this.outcome)
  }
}

const lost = (): ProviderError => ({
  status: 502,
  message: 'the connection to the provider was lost in the middle of the answer',
  type: 'server_error',
  code: 'upstream_closed',
})

const closed = (): ProviderError => ({
  ...lost(),
  message: 'the provider closed the stream before the answer was complete',
})

/** Whether an event is part of the answer itself, rather than its preliminaries. */
function hasBegun({ type }: Event): boolean {
  return type !== 'start' && type !== 'ping' && type !== 'unknown' && type !== 'usage'
}
