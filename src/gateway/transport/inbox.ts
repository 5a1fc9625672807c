import { type ByteSink, type ByteSource, type Bytes, bytesOf } from '../../stream/byte-source.ts'

/** What an inbox may ask of the connection that fills it. */
export interface Tap {
  pause(): void
  resume(): void
  /** Closes it at once: nothing more is wanted. */
  drop(): void
}

/** So much is taken from the connection while nobody reads. */
const MOST_WAITING = 256 * 1024
/** An answer that nobody has begun to read for so long has been forgotten. */
const FORGOTTEN_MS = 30_000

interface Waiting {
  resolve(bytes: Bytes | undefined): void
  reject(fault: unknown): void
}

/** A body on its way from a connection to whoever takes it: queued for the one who reads, handed on to a sink. */
export class Inbox implements ByteSource {
  readonly #tap: Tap
  #queue: Bytes[] = []
  #queued = 0
  #waiting: Waiting | undefined
  #sink: ByteSink | undefined
  #claimed = false
  #paused = false
  #over = false
  #fault: unknown
  #full: Promise<unknown> | undefined
  #forgotten: ReturnType<typeof setTimeout> | undefined

  constructor(tap: Tap) {
    this.#tap = tap
  }

  /** What the connection brought. */
  push(bytes: Bytes): void {
    if (this.#sink) {
      const full = this.#sink.write(bytes)
      if (full) this.#wait(full)
      return
    }
    if (this.#waiting) {
      const { resolve } = this.#waiting
      this.#waiting = undefined
      resolve(bytes)
      return
    }
    if (!this.#claimed && (this.#queued || bytes.length > MOST_WAITING))
      this.#forgotten ??= setTimeout(() => this.cancel(), FORGOTTEN_MS).unref()
    this.#queue.push(bytes)
    this.#queued += bytes.length
    if (this.#queued > MOST_WAITING) this.#pause()
  }

  /** The body is complete; with a fault, it broke off. The connection is no longer ours. */
  end(broken?: unknown): void {
    if (this.#over) return
    this.#over = true
    this.#fault = broken
    clearTimeout(this.#forgotten)
    this.#sink?.end(broken)
    if (!this.#waiting) return
    const { resolve, reject } = this.#waiting
    this.#waiting = undefined
    if (broken === undefined) resolve(undefined)
    else reject(broken)
  }

  read(): Promise<Bytes | undefined> {
    this.#claim()
    const next = this.#queue.shift()
    if (next) {
      this.#queued -= next.length
      if (!this.#queued) this.#resume()
      return Promise.resolve(next)
    }
    if (this.#over) return this.#fault === undefined ? Promise.resolve(undefined) : Promise.reject(this.#fault)
    return new Promise((resolve, reject) => {
      this.#waiting = { resolve, reject }
    })
  }

  pipe(sink: ByteSink): void {
    if (this.#sink || this.#waiting) throw new TypeError('the body is being read already')
    this.#claim()
    this.#sink = sink
    const queue = this.#queue
    this.#queue = []
    this.#resume()
    for (const bytes of queue) {
      const full = sink.write(bytes)
      if (full) this.#wait(full)
    }
    if (this.#over) sink.end(this.#fault)
  }

  /** The whole body. */
  bytes(): Promise<Bytes> {
    if (this.#over && this.#fault === undefined && this.#queue.length === 1) {
      this.#claim()
      return Promise.resolve(this.#queue.pop()!)
    }
    return bytesOf(this)
  }

  cancel(): void {
    this.#queue = []
    this.#sink = undefined
    if (this.#over) return
    this.end()
    this.#tap.drop()
  }

  #claim(): void {
    this.#claimed = true
    clearTimeout(this.#forgotten)
  }

  /** Stops the connection until whoever takes the bytes has room again. */
  #wait(full: Promise<unknown>): void {
    this.#full = full
    this.#pause()
    const go = () => {
      if (this.#full === full) this.#resume()
    }
    full.then(go, go)
  }

  #pause(): void {
    if (this.#paused || this.#over) return
    this.#paused = true
    this.#tap.pause()
  }

  #resume(): void {
    if (!this.#paused) return
    this.#paused = false
    if (!this.#over) this.#tap.resume()
  }
}
