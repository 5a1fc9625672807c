import type { Bytes } from '../../stream/byte-source.ts'
import { malformed } from './fault.ts'
import type { BodyLength } from './framing.ts'

/** Where the bytes of a body go. */
export interface Receiver {
  push(bytes: Bytes): void
}

/** What the next byte of a chunked body belongs to. */
enum At {
  Size,
  Extension,
  SizeEnd,
  Data,
  DataEnd,
  DataEnd2,
  TrailerStart,
  Trailer,
  TrailerEnd,
  LastEnd,
}

/** Bytes of all lines between the data of two chunks, and of the trailers. */
const LONGEST_LINES = 64 * 1024
const CR = 13
const LF = 10

/** Finds the bytes of a body, wherever the reads of the connection cut it. Chunk extensions and trailers are passed over. */
export class BodyDecoder {
  readonly #receiver: Receiver
  readonly #length: BodyLength
  /** Bytes to come, of the body or of the chunk. */
  #left = 0
  #at = At.Size
  #digits = 0
  #lineBytes = 0

  constructor(length: BodyLength, receiver: Receiver) {
    this.#length = length
    this.#receiver = receiver
    if (typeof length === 'number') this.#left = length
  }

  /** Whether a body of this length ends with the connection, rather than being cut off by its end. */
  get endsWithConnection(): boolean {
    return this.#length === 'until-close'
  }

  /**
   * Hands the body's bytes among these, from `start`, to the receiver.
   * @returns where the body has ended; -1 while it goes on
   * @throws an error with the code ERR_HTTP_ANSWER
   */
  take(bytes: Bytes, start: number): number {
    if (this.#length === 'chunked') return this.#takeChunks(bytes, start)
    if (this.#length === 'until-close') {
      if (start < bytes.length) this.#receiver.push(start ? bytes.subarray(start) : bytes)
      return -1
    }
    const end = Math.min(bytes.length, start + this.#left)
    this.#left -= end - start
    if (end > start) this.#receiver.push(end - start === bytes.length ? bytes : bytes.subarray(start, end))
    return this.#left ? -1 : end
  }

  #takeChunks(bytes: Bytes, at: number): number {
    while (at < bytes.length) {
      if (this.#at === At.Data) {
        const end = Math.min(bytes.length, at + this.#left)
        this.#receiver.push(bytes.subarray(at, end))
        this.#left -= end - at
        if (!this.#left) this.#at = At.DataEnd
        at = end
      } else if (this.#step(bytes[at++]!)) return at
    }
    return -1
  }

  /** One byte of what stands between the data. @returns whether it was the last of the body */
  #step(byte: number): boolean {
    if (++this.#lineBytes > LONGEST_LINES) throw malformed('a chunk with a head too long')
    switch (this.#at) {
      case At.Size:
        this.#sizeByte(byte)
        break
      case At.Extension:
        if (byte === CR) this.#at = At.SizeEnd
        else if (byte === LF) throw malformed('a chunk')
        break
      case At.SizeEnd:
        this.#expect(byte, LF, this.#left ? At.Data : At.TrailerStart)
        if (this.#left) this.#lineBytes = 0
        break
      case At.DataEnd:
        this.#expect(byte, CR, At.DataEnd2)
        break
      case At.DataEnd2:
        this.#expect(byte, LF, At.Size)
        this.#digits = 0
        break
      case At.TrailerStart:
        if (byte === LF) throw malformed('a trailer')
        this.#at = byte === CR ? At.LastEnd : At.Trailer
        break
      case At.Trailer:
        if (byte === CR) this.#at = At.TrailerEnd
        else if (byte === LF) throw malformed('a trailer')
        break
      case At.TrailerEnd:
        this.#expect(byte, LF, At.TrailerStart)
        break
      default:
        this.#expect(byte, LF, At.LastEnd)
        return true
    }
    return false
  }

  #sizeByte(byte: number): void {
    const digit = hexDigit(byte)
    if (digit >= 0) {
      // Twelve digits are 256 TiB, and far from where numbers lose their last digit.
      if (++this.#digits > 12) throw malformed('the size of a chunk')
      this.#left = this.#left * 16 + digit
    } else if (!this.#digits) throw malformed('the size of a chunk')
    else if (byte === CR) this.#at = At.SizeEnd
    // Old servers fill the size up with spaces.
    else if (byte === 0x3b || byte === 0x20 || byte === 0x09) this.#at = At.Extension
    else throw malformed('the size of a chunk')
  }

  #expect(byte: number, wanted: number, next: At): void {
    if (byte !== wanted) throw malformed('a chunk')
    this.#at = next
  }
}

function hexDigit(byte: number): number {
  if (byte >= 48 && byte <= 57) return byte - 48
  const lower = byte | 0x20
  return lower >= 97 && lower <= 102 ? lower - 87 : -1
}
