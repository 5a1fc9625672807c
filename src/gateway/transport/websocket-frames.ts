import type { Bytes } from '../../stream/byte-source.ts'

/** What a frame is, by the number in its head (RFC 6455, section 5.2). */
export const Opcode = { more: 0x0, text: 0x1, binary: 0x2, close: 0x8, ping: 0x9, pong: 0xa } as const

/** The end of a socket as its close frame tells it; 1005 where it names no code. */
export interface Closing {
  code: number
  reason: string
}

/** Takes what a server says, in the order in which it says it. */
export interface FrameReceiver {
  message(message: string | Bytes): void
  ping(data: Bytes): void
  closing(closing: Closing): void
}

/** What came breaks the protocol. The code is the one with which the socket is to be closed. */
export class FrameFault extends Error {
  constructor(
    readonly code: 1002 | 1007 | 1009,
    message: string,
  ) {
    super(message)
  }
}

const LARGEST_CONTROL = 125
const NOTHING: Bytes = new Uint8Array(0)
/** A byte order mark is part of a message like anything else. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** Finds the messages in a server's bytes, wherever the reads of the connection cut them. */
export class FrameReader {
  readonly #receiver: FrameReceiver
  readonly #limit: number
  /** The head of the frame that comes, as far as it is there. */
  readonly #head = new Uint8Array(10)
  #headSize = 0
  #inFrame = false
  #opcode = 0
  #final = false
  /** Bytes of the frame that are still to come. */
  #left = 0
  #control: Bytes[] = []
  /** The message that comes: its kind, and its parts so far. */
  #kind = 0
  #parts: Bytes[] = []
  #size = 0
  #over = false

  /** @param limit the largest message, in bytes */
  constructor(receiver: FrameReceiver, limit: number) {
    this.#receiver = receiver
    this.#limit = limit
  }

  /** Behind a close frame nothing is read any more. @throws FrameFault */
  push(bytes: Bytes): void {
    let at = 0
    while (at < bytes.length && !this.#over) {
      if (!this.#inFrame) {
        this.#head[this.#headSize++] = bytes[at++]!
        if (this.#headSize < headLength(this.#head, this.#headSize)) continue
        this.#begin()
      } else {
        const end = Math.min(bytes.length, at + this.#left)
        this.#left -= end - at
        const part = bytes.subarray(at, end)
        if (this.#opcode >= Opcode.close) this.#control.push(part)
        else this.#parts.push(part)
        at = end
      }
      if (this.#inFrame && !this.#left) this.#end()
    }
  }

  #begin(): void {
    const head = this.#head
    const first = head[0]!
    if (first & 0x70) throw new FrameFault(1002, 'a reserved bit is set')
    if (head[1]! & 0x80) throw new FrameFault(1002, 'a frame of a server is masked')
    this.#opcode = first & 0x0f
    this.#final = (first & 0x80) !== 0
    this.#left = lengthIn(head)
    this.#headSize = 0
    this.#inFrame = true
    if (this.#opcode >= Opcode.close) this.#beginControl()
    else this.#beginData()
  }

  #beginControl(): void {
    if (this.#opcode > Opcode.pong) throw new FrameFault(1002, 'a frame of an unknown kind')
    if (!this.#final) throw new FrameFault(1002, 'a control frame in parts')
    if (this.#left > LARGEST_CONTROL) throw new FrameFault(1002, 'a control frame too long')
  }

  #beginData(): void {
    if (this.#opcode > Opcode.binary) throw new FrameFault(1002, 'a frame of an unknown kind')
    if ((this.#opcode === Opcode.more) === (this.#kind === 0))
      throw new FrameFault(1002, this.#kind ? 'a message within a message' : 'the rest of no message')
    if (this.#opcode !== Opcode.more) this.#kind = this.#opcode
    this.#size += this.#left
    if (this.#size > this.#limit) throw new FrameFault(1009, `a message of more than ${this.#limit} bytes`)
  }

  #end(): void {
    this.#inFrame = false
    if (this.#opcode >= Opcode.close) {
      const data = joined(this.#control)
      this.#control = []
      this.#takeControl(data)
    } else if (this.#final) {
      const data = joined(this.#parts)
      const isText = this.#kind === Opcode.text
      this.#kind = 0
      this.#parts = []
      this.#size = 0
      this.#receiver.message(isText ? textOf(data) : data)
    }
  }

  #takeControl(data: Bytes): void {
    if (this.#opcode === Opcode.ping) this.#receiver.ping(data)
    else if (this.#opcode === Opcode.close) {
      this.#over = true
      this.#receiver.closing(closingIn(data))
    }
    // A pong answers a ping of ours, and that it came is all that it says.
  }
}

/** Bytes that a head takes, as far as that is known from its beginning. */
function headLength(head: Uint8Array, size: number): number {
  if (size < 2) return 2
  const length = head[1]! & 0x7f
  if (length < 126) return 2
  return length === 126 ? 4 : 10
}

function lengthIn(head: Uint8Array): number {
  const length = head[1]! & 0x7f
  if (length < 126) return length
  if (length === 126) return head[2]! * 256 + head[3]!
  // No message is that long, and the sum of more bytes is not exact.
  if (head[2] || head[3] || head[4]) throw new FrameFault(1009, 'a frame without end')
  let sum = 0
  for (let at = 5; at < 10; at++) sum = sum * 256 + head[at]!
  return sum
}

const joined = (parts: Bytes[]): Bytes => (parts.length > 1 ? Buffer.concat(parts) : (parts[0] ?? NOTHING))

function textOf(data: Bytes): string {
  try {
    return utf8.decode(data)
  } catch {
    throw new FrameFault(1007, 'a text that is not UTF-8')
  }
}

function closingIn(data: Bytes): Closing {
  if (!data.length) return { code: 1005, reason: '' }
  const code = data.length < 2 ? 0 : data[0]! * 256 + data[1]!
  if (!maySend(code)) throw new FrameFault(1002, 'a close code that must not be sent')
  return { code, reason: textOf(data.subarray(2)) }
}

/** Codes that may stand in a close frame (RFC 6455, section 7.4, and the registry of IANA). */
export const maySend = (code: number): boolean =>
  (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) || (code >= 3000 && code <= 4999)

/** A frame of a client, masked, with the whole of a message or of a control frame in it. */
export function frameOf(opcode: number, payload: string | Uint8Array): Uint8Array {
  const length = typeof payload === 'string' ? Buffer.byteLength(payload) : payload.length
  const head = (length < 126 ? 2 : length < 65_536 ? 4 : 10) + 4
  // The payload begins where a word begins, so that it can be masked by words.
  const lead = (4 - (head % 4)) % 4
  const whole = Buffer.allocUnsafeSlow(lead + head + Math.ceil(length / 4) * 4)
  const frame = whole.subarray(lead, lead + head + length)
  frame[0] = 0x80 | opcode
  if (length < 126) frame[1] = 0x80 | length
  else if (length < 65_536) {
    frame[1] = 0x80 | 126
    frame.writeUInt16BE(length, 2)
  } else {
    frame[1] = 0x80 | 127
    frame.writeUInt32BE(Math.floor(length / 2 ** 32), 2)
    frame.writeUInt32BE(length % 2 ** 32, 6)
  }
  if (typeof payload === 'string') frame.write(payload, head)
  else frame.set(payload, head)
  mask(whole, lead + head, frame.subarray(head - 4, head))
  return frame
}

/** The close frame that tells this end; its reason is cut to what fits into one. */
export function closeFrame({ code, reason }: Closing): Uint8Array {
  if (!maySend(code)) return frameOf(Opcode.close, NOTHING)
  let told = Buffer.from(reason)
  // A character is not cut in two.
  for (let end = LARGEST_CONTROL - 2; told.length > LARGEST_CONTROL - 2; end--)
    if ((told[end]! & 0xc0) !== 0x80) told = told.subarray(0, end)
  return frameOf(Opcode.close, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), told]))
}

/** Keys for masks, which nobody may foresee (RFC 6455, section 10.3), drawn many at a time. */
const keys = new Uint32Array(1024)
let nextKey = keys.length

/** @param from a multiple of four, behind the place of the key */
function mask(whole: Buffer, from: number, place: Uint8Array): void {
  if (nextKey === keys.length) {
    crypto.getRandomValues(keys)
    nextKey = 0
  }
  const words = new Uint32Array(whole.buffer, whole.byteOffset + from, (whole.length - from) / 4)
  const key = keys[nextKey++]!
  place.set(new Uint8Array(Uint32Array.of(key).buffer))
  for (let at = 0; at < words.length; at++) words[at]! ^= key
}
