import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import {
  type Closing,
  closeFrame,
  FrameFault,
  FrameReader,
  frameOf,
  maySend,
  Opcode,
} from '../../../src/gateway/transport/websocket-frames.ts'
import type { Bytes } from '../../../src/stream/byte-source.ts'

/** WebSocket frames of both directions (RFC 6455, section 5). */

type Event = ['message', string | Buffer] | ['ping', Buffer] | ['closing', Closing]

/** Reads bytes in pieces of these sizes, again and again. */
function read(bytes: Uint8Array, cuts: readonly number[] = [bytes.length || 1], limit = 1_000_000): Event[] {
  const events: Event[] = []
  const reader = new FrameReader(
    {
      message: said => void events.push(['message', typeof said === 'string' ? said : Buffer.from(said)]),
      ping: data => void events.push(['ping', Buffer.from(data)]),
      closing: closing => void events.push(['closing', closing]),
    },
    limit,
  )
  for (let at = 0, cut = 0; at < bytes.length; cut++) {
    const size = cuts[cut % cuts.length]!
    reader.push(bytes.slice(at, at + size) as Bytes)
    at += size
  }
  return events
}

/** A frame as a server writes it, after the letter of the standard. */
function serverFrame(opcode: number, payload: Uint8Array, { final = true, wide = false } = {}): Buffer {
  const { length } = payload
  let head: Buffer
  if (length < 126 && !wide) head = Buffer.from([0, length])
  else if (length < 65_536 && !wide) {
    head = Buffer.from([0, 126, 0, 0])
    head.writeUInt16BE(length, 2)
  } else {
    head = Buffer.alloc(10)
    head[1] = 127
    head.writeBigUInt64BE(BigInt(length), 2)
  }
  head[0] = (final ? 0x80 : 0) | opcode
  return Buffer.concat([head, payload])
}

/** What a server makes of a client's frame. */
function unmasked(frame: Uint8Array): { first: number; payload: Buffer } {
  const bytes = Buffer.from(frame)
  expect(bytes[1]! & 0x80).toBe(0x80)
  let length = bytes[1]! & 0x7f
  let at = 2
  if (length === 126) {
    length = bytes.readUInt16BE(2)
    at = 4
  } else if (length === 127) {
    length = Number(bytes.readBigUInt64BE(2))
    at = 10
  }
  const key = bytes.subarray(at, at + 4)
  const payload = bytes.subarray(at + 4)
  expect(payload).toHaveLength(length)
  return { first: bytes[0]!, payload: payload.map((byte, index) => byte ^ key[index % 4]!) as Buffer }
}

const faultOf = (bytes: number[] | Uint8Array, limit?: number): number => {
  try {
    read(Uint8Array.from(bytes), undefined, limit)
  } catch (fault) {
    if (fault instanceof FrameFault) return fault.code
    throw fault
  }
  return 0
}

describe('what a server says', () => {
  test('is the same wherever its bytes are cut, with controls between the parts of a message', () => {
    const part = fc.uint8Array({ maxLength: 300 })
    const message = fc.record({
      text: fc.option(fc.string({ unit: 'grapheme', maxLength: 200 }), { nil: undefined }),
      parts: fc.array(part, { minLength: 1, maxLength: 4 }),
      ping: fc.option(fc.uint8Array({ maxLength: 125 }), { nil: undefined }),
      wide: fc.boolean(),
    })
    const cuts = fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 8 })
    fc.assert(
      fc.property(fc.array(message, { maxLength: 6 }), cuts, (messages, cuts) => {
        const frames: Buffer[] = []
        const said: Event[] = []
        for (const { text, parts, ping, wide } of messages) {
          const whole = text === undefined ? Buffer.concat(parts) : Buffer.from(text)
          // A text is cut without regard for its characters.
          const pieces = text === undefined ? parts : [whole.subarray(0, 1), whole.subarray(1)]
          for (const [at, piece] of pieces.entries()) {
            const opcode = at ? Opcode.more : text === undefined ? Opcode.binary : Opcode.text
            frames.push(serverFrame(opcode, piece, { final: at === pieces.length - 1, wide }))
            if (at < pieces.length - 1 && ping) {
              frames.push(serverFrame(Opcode.ping, ping))
              said.push(['ping', Buffer.from(ping)])
            }
          }
          said.push(['message', text ?? whole])
        }
        expect(read(Buffer.concat(frames), cuts)).toEqual(said)
      }),
      { numRuns: 300 },
    )
  })

  test('is cut at every byte', () => {
    const bytes = Buffer.concat([
      serverFrame(Opcode.text, Buffer.from('Rohrdommel 🐦')),
      serverFrame(Opcode.binary, Buffer.alloc(70_000, 7)),
      serverFrame(Opcode.ping, Buffer.from('p')),
      closeFrameOf(1000, 'bye'),
    ])
    const whole = read(bytes)
    expect(whole).toHaveLength(4)
    expect(read(bytes, [1])).toEqual(whole)
    for (let first = 1; first < 40; first++) expect(read(bytes, [first, bytes.length])).toEqual(whole)
  })

  test('a byte order mark is part of a text', () => {
    const text = '\uFEFFa'
    expect(read(serverFrame(Opcode.text, Buffer.from(text)))).toEqual([['message', text]])
  })

  test('nothing is read behind a close frame, and a pong is nothing', () => {
    const bytes = Buffer.concat([
      serverFrame(Opcode.pong, Buffer.from('x')),
      closeFrameOf(4999, 'why 🐦'),
      serverFrame(Opcode.text, Buffer.from('late')),
    ])
    expect(read(bytes)).toEqual([['closing', { code: 4999, reason: 'why 🐦' }]])
    expect(read(serverFrame(Opcode.close, Buffer.alloc(0)))).toEqual([['closing', { code: 1005, reason: '' }]])
  })

  test.each<[string, number[] | Buffer, number]>([
    ['a reserved bit', [0xc1, 0], 1002],
    ['a mask', [0x81, 0x80, 0, 0, 0, 0], 1002],
    ['an unknown kind', [0x83, 0], 1002],
    ['an unknown control', [0x8b, 0], 1002],
    ['a control in parts', [0x09, 0], 1002],
    ['a control too long', [0x89, 126, 0, 126], 1002],
    ['the rest of nothing', [0x80, 0], 1002],
    ['a message within a message', [0x01, 0, 0x81, 0], 1002],
    ['half a close code', [0x88, 1, 3], 1002],
    ['a close code that must not be sent', [0x88, 2, 0x03, 0xee], 1002],
    ['a text that is no UTF-8', serverFrame(Opcode.text, Buffer.from([0xff])), 1007],
    ['a reason that is no UTF-8', serverFrame(Opcode.close, Buffer.from([3, 232, 0xff])), 1007],
    ['a length beyond all numbers', [0x82, 127, 255, 255, 255, 255, 255, 255, 255, 255], 1009],
  ])('%s is a fault', (_, bytes, code) => {
    expect(faultOf(bytes)).toBe(code)
  })

  test('a message may be as large as the limit, in one frame or in parts, and no larger', () => {
    const half = Buffer.alloc(50)
    const parts = (size: number) =>
      Buffer.concat([serverFrame(Opcode.binary, half, { final: false }), serverFrame(Opcode.more, Buffer.alloc(size))])
    expect(read(parts(50), undefined, 100)).toHaveLength(1)
    expect(faultOf(parts(51), 100)).toBe(1009)
    expect(faultOf(serverFrame(Opcode.binary, Buffer.alloc(101)), 100)).toBe(1009)
    // It is found out from the head: nothing of it has to come.
    expect(faultOf([0x82, 127, 0, 0, 0, 0, 0, 1, 0, 0], 65_535)).toBe(1009)
  })
})

describe('what we say', () => {
  test('comes out of its mask as it was', () => {
    const sizes = [0, 1, 2, 3, 4, 5, 124, 125, 126, 127, 128, 65_534, 65_535, 65_536, 65_537, 70_001]
    for (const size of sizes) {
      const bytes = crypto.getRandomValues(Buffer.alloc(size))
      const { first, payload } = unmasked(frameOf(Opcode.binary, bytes))
      expect(first).toBe(0x82)
      expect(payload.equals(bytes)).toBe(true)
    }
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', maxLength: 300 }), text => {
        const { first, payload } = unmasked(frameOf(Opcode.text, text))
        expect(first).toBe(0x81)
        expect(payload.toString()).toBe(text)
      }),
      { numRuns: 200 },
    )
  })

  test('leaves what it was given as it was, and has a mask of its own each time', () => {
    const bytes = Buffer.from('a heron stands in the reeds')
    const frames = [frameOf(Opcode.binary, bytes), frameOf(Opcode.binary, bytes)].map(frame => Buffer.from(frame))
    expect(bytes.toString()).toBe('a heron stands in the reeds')
    expect(frames[0]!.equals(frames[1]!)).toBe(false)
  })

  test('an end has its code and a reason that fits, cut between characters', () => {
    const { payload } = unmasked(closeFrame({ code: 1013, reason: '🐦'.repeat(60) }))
    expect(payload.readUInt16BE(0)).toBe(1013)
    expect(payload.toString('utf8', 2)).toBe('🐦'.repeat(30))
    expect(unmasked(closeFrame({ code: 1005, reason: 'x' })).payload).toHaveLength(0)
  })

  test('codes that must not stand on the wire', () => {
    const not = [0, 999, 1004, 1005, 1006, 1015, 1016, 2999, 5000]
    expect([...not, 1000, 1011, 1014, 3000, 4999].filter(maySend)).toEqual([1000, 1011, 1014, 3000, 4999])
  })
})

function closeFrameOf(code: number, reason: string): Buffer {
  return serverFrame(Opcode.close, Buffer.concat([Buffer.from([code >> 8, code & 0xff]), Buffer.from(reason)]))
}
