import type { ByteSource, Bytes } from '../../stream/byte-source.ts'
import type { CallSignal } from './abort.ts'
import type { Address } from './address.ts'
import type { Answer } from './answer.ts'
import { BodyDecoder } from './body-decoder.ts'
import { Connection, type Tenant } from './connection.ts'
import { decoded } from './decode.ts'
import { malformed } from './fault.ts'
import { framingOf } from './framing.ts'
import { type AnswerHeaders, readHead } from './head.ts'
import { Inbox, type Tap } from './inbox.ts'
import { takeIdle } from './pool.ts'
import type { RequestBytes } from './request-bytes.ts'

const LARGEST_HEAD = 64 * 1024
const HEAD_END = Buffer.from('\r\n\r\n')
/** The Buffer's own ways, for bytes that are none: making one of them costs more than the search. */
const indexOf = Buffer.prototype.indexOf as (this: Uint8Array, value: Uint8Array, from?: number) => number
const latin1 = (Buffer.prototype as unknown as { latin1Slice(this: Uint8Array, from: number, to: number): string })
  .latin1Slice

/** One request and its answer, on one connection; on a second one when the first had died of age. */
export class Call implements Tenant, Tap, Answer {
  status = 0
  headers!: AnswerHeaders
  #inbox: Inbox | undefined
  #connection: Connection | undefined
  #decoder: BodyDecoder | undefined
  #keep = 0
  /** What came of a head that is not complete. */
  #partial: Bytes | undefined
  #heard = false
  #over = false
  readonly #address: Address
  readonly #request: RequestBytes
  readonly #signal: CallSignal
  #resolve!: (answer: Answer) => void
  #reject!: (cause: unknown) => void

  constructor(address: Address, request: RequestBytes, signal: CallSignal) {
    this.#address = address
    this.#request = request
    this.#signal = signal
  }

  /** Sends the request. @returns the answer, once its head has come */
  send(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#resolve = resolve
      this.#reject = reject
      this.#signal.addEventListener('abort', this)
      const idle = takeIdle(this.#address.pool)
      if (!idle) {
        this.#connection = new Connection(this.#address, this)
        return
      }
      this.#connection = idle
      idle.rent(this)
      idle.write(this.#request.data, this.#request.size)
    })
  }

  get body(): ByteSource | null {
    return this.#inbox ?? null
  }

  bytes(): Promise<Bytes> {
    return this.#inbox ? this.#inbox.bytes() : Promise.resolve(new Uint8Array())
  }

  opened(connection: Connection): void {
    connection.write(this.#request.data, this.#request.size)
  }

  received(bytes: Bytes): void {
    this.#heard = true
    try {
      if (this.#decoder) this.#takeBody(bytes, 0)
      else this.#takeHead(bytes)
    } catch (cause) {
      this.#fail(cause)
    }
  }

  closed(cause: Error, clean: boolean): void {
    const stale = this.#connection?.reused && !this.#heard
    this.#connection = undefined
    if (stale) {
      // The server had closed it while it was idle, and has not seen the request.
      this.#connection = new Connection(this.#address, this)
    } else if (this.#decoder?.endsWithConnection && clean) this.#finish()
    else this.#fail(cause)
  }

  /** The signal was aborted. */
  handleEvent(): void {
    const reason: unknown = this.#signal.reason ?? new DOMException('The operation was aborted.', 'AbortError')
    const inbox = this.#inbox
    if (!inbox) {
      this.#fail(reason)
      return
    }
    this.drop()
    // A turn later: whoever aborts because the client has left is about to cancel, and that is no broken answer.
    setImmediate(() => inbox.end(reason))
  }

  pause(): void {
    this.#connection?.pause()
  }

  resume(): void {
    this.#connection?.resume()
  }

  drop(): void {
    this.#leave()?.destroy()
  }

  #takeHead(read: Bytes): void {
    const bytes = this.#partial ? Buffer.concat([this.#partial, read]) : read
    let from = 0
    let end = indexOf.call(bytes, HEAD_END, from)
    while (end >= 0 && end - from <= LARGEST_HEAD) {
      const head = readHead(latin1.call(bytes, from, end + 2))
      from = end + HEAD_END.length
      if (head.status >= 200) {
        this.#partial = undefined
        this.#begin(head, bytes, from)
        return
      }
      // "Continue", "Early Hints": the answer is still to come. Nobody asked to switch protocols.
      if (head.status === 101) throw malformed('a switch of protocols')
      end = indexOf.call(bytes, HEAD_END, from)
    }
    this.#partial = from ? bytes.subarray(from) : bytes
    refuseEarly(this.#partial)
  }

  #begin(head: ReturnType<typeof readHead>, bytes: Bytes, from: number): void {
    const { length, keep } = framingOf(head)
    this.status = head.status
    this.headers = head.headers
    this.#keep = keep
    if (length === 0) {
      this.#finish(bytes.length - from)
    } else {
      this.#inbox = new Inbox(this)
      this.#decoder = new BodyDecoder(length, this.#inbox)
      if (from < bytes.length) this.#takeBody(bytes, from)
    }
    const encoding = this.#inbox && head.headers.get('content-encoding')
    this.#resolve(encoding && encoding !== 'identity' ? decoded(this, encoding) : this)
  }

  #takeBody(bytes: Bytes, from: number): void {
    const end = this.#decoder!.take(bytes, from)
    if (end >= 0) this.#finish(bytes.length - end)
  }

  /** @param surplus bytes that came behind the answer, to which nobody had asked anything */
  #finish(surplus = 0): void {
    this.#leave()?.release(surplus ? 0 : this.#keep)
    this.#inbox?.end()
  }

  #fail(cause: unknown): void {
    this.drop()
    this.#inbox?.end(cause)
    // Nobody hears it when the head had come before.
    this.#reject(cause)
  }

  #leave(): Connection | undefined {
    if (!this.#over) {
      this.#over = true
      this.#signal.removeEventListener('abort', this)
    }
    const connection = this.#connection
    this.#connection = undefined
    return connection
  }
}

/** Refuses what will never become a head, rather than waiting for its end. */
function refuseEarly(bytes: Uint8Array): void {
  if (bytes.length > LARGEST_HEAD) throw malformed('a head too long')
  const start = latin1.call(bytes, 0, Math.min(bytes.length, 7))
  if (!'HTTP/1.'.startsWith(start)) throw malformed('its first bytes')
}
