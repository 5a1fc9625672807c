import type { ProviderError } from '../conversation/errors.ts'
import type { Event } from '../conversation/events.ts'
import type { Finish, Usage } from '../conversation/reply.ts'
import { asSource, type ByteSource, type Bytes } from './byte-source.ts'
import { textOfFrames } from './encode.ts'
import { type Frame, type Framer, type Framing, StreamFault } from './frame.ts'
import type { AnswerSink } from './sink.ts'
import type { Reader, Writer } from './translator.ts'

/** What became of a stream, for the record. */
export interface Outcome {
  /** Which model answers, as the stream says it. */
  model?: string
  usage?: Usage
  finish?: Finish
  error?: ProviderError
  /** The client left before the end. */
  left?: boolean
}

export interface NormalizerParts {
  source: ByteSource | ReadableStream<Uint8Array>
  framer: Framer
  reader: Reader
  writer: Writer
  /** How the client's frames are written. */
  framing: Framing
  /** Called once, when the last byte is out, the client has left or the stream has failed. */
  settled?: (outcome: Outcome) => void
  /** Takes what goes to the client. */
  sink?: AnswerSink
  /** Milliseconds that a provider has for its last words after the answer was complete. */
  grace?: number
}

/**
 * How long a stream that has begun but said nothing yet may hold back the status line. Until then a failure is still
 * told as an HTTP status (T08) and can still be answered by another target.
 */
const HOLD_MS = 5_000

/** Providers without an end mark, or with one, may keep the connection open (T29): their usage comes at once or not at all. */
const GRACE_MS = 3_000

/**
 * The shared streaming normalizer: a provider's bytes → frames → neutral events → the client's frames → bytes, no faster
 * than the client reads. It knows no dialect; it guarantees that a stream ends in exactly one
 * way: cleanly, or with an error frame.
 */
export class Normalizer {
  readonly outcome: Outcome = {}
  readonly #parts: NormalizerParts
  readonly #source: ByteSource
  #held: Frame[] = []
  #pending?: Promise<Bytes | undefined>
  #begun = false
  /** The provider's own end mark was read. */
  #ended = false
  /** How many choices have said something, and how many have said why they stopped. */
  #choices = 0
  #finished = 0
  /** Runs out when the last words must have come. */
  #grace?: ReturnType<typeof setTimeout>
  #over = false
  #settled = false

  constructor(parts: NormalizerParts) {
    this.#parts = parts
    this.#source = asSource(parts.source)
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
        if (read === 'waited') {
          // The client may leave before anybody reads on.
          this.#pending.catch(() => {})
          return undefined
        }
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

  /** The client's bytes, given once. Cancelling it cancels the provider's stream. */
  stream(): ReadableStream<Bytes> {
    return new ReadableStream<Bytes>({
      type: 'direct',
      pull: controller => this.#flow(controller),
      cancel: reason => {
        this.outcome.left = true
        this.#over = true
        this.#settle()
        this.#source.cancel(reason)
      },
    })
  }

  /** Writes to the client as the provider speaks. @returns when the stream is over */
  async #flow(controller: ReadableStreamDirectController): Promise<void> {
    const { promise: over, resolve } = Promise.withResolvers<void>()
    /** Sends what is held. @returns a promise while the client has enough */
    const send = (): Promise<unknown> | undefined => {
      let full: Promise<unknown> | undefined
      if (this.#held.length) {
        const text = textOfFrames(this.#held, this.#parts.framing)
        this.#parts.sink?.add(text)
        const written = controller.write(text)
        if (typeof written !== 'number') full = written
        this.#held = []
      }
      if (this.#over) {
        controller.end()
        this.#settle()
        resolve()
      } else if (this.#isComplete()) this.#endSoon(send)
      return full
    }
    const write = (bytes: Bytes) => {
      if (this.#over) return
      this.#advance(bytes)
      return send()
    }
    const end = (fault?: unknown) => {
      if (this.#over) return
      if (fault === undefined) this.#advance(undefined)
      // A connection that breaks behind the whole answer has taken nothing away.
      else this.#finish(lost())
      send()
    }
    send()
    try {
      const pending = await this.#pending
      if (pending) await write(pending)
      else if (this.#pending) end()
    } catch (fault) {
      end(fault ?? lost())
    }
    if (!this.#over) this.#source.pipe({ write, end })
    return over
  }

  /** The provider is not waited for any longer than its last words need. */
  #endSoon(send: () => unknown): void {
    this.#grace ??= setTimeout(() => {
      if (this.#over) return
      this.#source.cancel()
      this.#advance(undefined)
      send()
    }, this.#parts.grace ?? GRACE_MS)
  }

  /** Every choice that began has said why it stopped, or the provider has said that it is done. */
  #isComplete(): boolean {
    return this.#ended || (this.#finished > 0 && this.#finished >= this.#choices)
  }

  /** Takes one read of the source, or its end, and leaves the client's frames in `#held`. */
  #advance(bytes: Bytes | undefined): void {
    try {
      const frames = bytes ? this.#parts.framer.push(bytes) : this.#parts.framer.end()
      for (const frame of frames) if (!this.#take(this.#parts.reader.read(frame))) return
      if (!bytes && this.#take(this.#parts.reader.end())) this.#finish(closed())
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
      else if (event.type === 'start') this.outcome.model ??= event.model
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
    this.#source.cancel()
  }

  #settle(): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#grace)
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
