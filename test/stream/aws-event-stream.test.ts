import { describe, expect, test } from 'bun:test'
import { type Frame, StreamFault } from '../../src/stream/frame.ts'
import { framer } from '../../src/stream/framer.ts'
import { awsFrame } from '../dialects/corpus.ts'

const event = (name: string, body: unknown) =>
  awsFrame({ ':event-type': name, ':content-type': 'application/json', ':message-type': 'event' }, JSON.stringify(body))
const first = event('contentBlockDelta', { delta: { text: 'é 日本 👩‍👩‍👧' }, p: 'abc' })
const second = event('messageStop', { stopReason: 'end_turn' })
const both = new Uint8Array([...first, ...second])
const said: Frame[] = [
  { event: 'contentBlockDelta', data: '{"delta":{"text":"é 日本 👩‍👩‍👧"},"p":"abc"}' },
  { event: 'messageStop', data: '{"stopReason":"end_turn"}' },
]

function cut(bytes: Uint8Array, size = 1_000_000, limit?: number): Frame[] {
  const aws = framer('aws-event-stream', limit)
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; at += size) frames.push(...aws.push(bytes.subarray(at, at + size)))
  return [...frames, ...aws.end()]
}

test.each([1, 2, 3, 4, 5, 11, 13, 64, 1_000])('frames in pieces of %d bytes (trap 12)', size => {
  expect(cut(both, size)).toEqual(said)
})

test('the caller may use its buffer again', () => {
  const aws = framer('aws-event-stream')
  const buffer = new Uint8Array(16)
  const frames: Frame[] = []
  for (let at = 0; at < both.length; at += buffer.length) {
    const piece = both.subarray(at, at + buffer.length)
    buffer.set(piece)
    frames.push(...aws.push(buffer.subarray(0, piece.length)))
    buffer.fill(0)
  }
  expect(frames).toEqual(said)
})

describe('damage is a fault', () => {
  const damaged = (at: number) => {
    const bytes = new Uint8Array(first)
    bytes[at]! ^= 0x01
    return bytes
  }
  test.each([
    ['the checksum of the lengths', 8],
    ['the length of the headers', 7],
    ['a header', 20],
    ['the body', -10],
    ['the checksum of the whole', -1],
  ])('in %s', (_, at) => {
    const place = at < 0 ? first.length + at : at
    expect(() => cut(damaged(place))).toThrow(StreamFault)
    expect(() => cut(damaged(place), 1)).toThrow(StreamFault)
  })

  test('every single bit of a frame counts', () => {
    for (let at = 0; at < first.length; at++)
      for (const bit of [0x01, 0x80]) {
        const bytes = new Uint8Array(first)
        bytes[at]! ^= bit
        expect(() => cut(bytes)).toThrow(StreamFault)
      }
  })

  test('in its length: never waits for gigabytes', () => {
    expect(() => cut(new Uint8Array([0, 0, 0, 15, 0, 0, 0, 0]))).toThrow(StreamFault)
    expect(() => framer('aws-event-stream', 1_024).push(new Uint8Array([0, 0, 4, 1]))).toThrow(StreamFault)
  })

  test('T59 an error page that is read as frames', () => {
    for (const page of ['{"message":"Too many requests"}', '<html><body>502</body></html>'])
      expect(() => framer('aws-event-stream').push(new TextEncoder().encode(page))).toThrow(StreamFault)
  })

  test('a stream that ends inside a frame', () => {
    expect(() => cut(both.subarray(0, -1))).toThrow(StreamFault)
    expect(cut(first)).toHaveLength(1)
  })

  test('the message holds nothing of the bytes', () => {
    try {
      cut(new TextEncoder().encode('{"secret":"sk-1234567890"}'))
      throw new Error('was taken for a stream')
    } catch (fault) {
      expect((fault as Error).message).not.toContain('sk-')
    }
  })
})

test('T07 an exception is marked as one, whatever its name', () => {
  const headers = { ':message-type': 'exception', ':exception-type': 'throttlingException' }
  expect(cut(awsFrame(headers, '{"message":"Slow down"}'))).toEqual([
    { event: 'throttlingException', data: '{"message":"Slow down"}', exception: true },
  ])
})

test('an error frame tells itself in headers', () => {
  const headers = { ':message-type': 'error', ':error-code': 'InternalFailure', ':error-message': 'It broke' }
  expect(cut(awsFrame(headers, ''))).toEqual([
    { event: 'InternalFailure', data: '{"message":"It broke"}', exception: true },
  ])
  const [bare] = cut(awsFrame({ ':message-type': 'error' }, ''))
  expect(bare).toMatchObject({ event: 'error', exception: true })
  expect(JSON.parse(bare!.data).message).toBeString()
})

test('a frame without a name is a frame', () => {
  expect(cut(awsFrame({}, '{}'))).toEqual([{ event: undefined, data: '{}' }])
})
