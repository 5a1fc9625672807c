import { describe, expect, test } from 'bun:test'
import type { Frame } from '../../src/stream/frame.ts'
import { StreamFault } from '../../src/stream/frame.ts'
import { framer } from '../../src/stream/framer.ts'

const utf8 = new TextEncoder()

/** The frames of a text, given in pieces of `size` bytes. */
function cut(text: string | Uint8Array, size = 1_000_000, limit?: number): Frame[] {
  const bytes = typeof text === 'string' ? utf8.encode(text) : text
  const sse = framer('sse', limit)
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; at += size) frames.push(...sse.push(bytes.subarray(at, at + size)))
  return [...frames, ...sse.end()]
}
const data = (...list: string[]): Frame[] => list.map(each => ({ data: each }))

describe('T15 line ends', () => {
  const events = ['{"a":1}', '{"b":"é 日本 👩‍👩‍👧"}', '[DONE]']
  test.each([
    ['LF', '\n'],
    ['CR', '\r'],
    ['CRLF', '\r\n'],
  ])('%s, however the bytes are cut', (_, end) => {
    const text = events.map(each => `data: ${each}${end}${end}`).join('')
    for (const size of [1, 2, 3, 7, 1_000]) expect(cut(text, size)).toEqual(data(...events))
  })

  test('CRLF cut between its two characters is one line end (trap 1)', () => {
    const sse = framer('sse')
    const pieces = ['data: {"a":1}\r', '\n\r', '\ndata: {"b":2}\r\n\r', '\n']
    const frames = pieces.flatMap(piece => sse.push(utf8.encode(piece)))
    expect([...frames, ...sse.end()]).toEqual(data('{"a":1}', '{"b":2}'))
  })

  test('a line separator inside a string is no line end', () => {
    expect(cut('data: {"a":"\u2028\u0085"}\n\n')).toEqual(data('{"a":"\u2028\u0085"}'))
  })
})

test('a byte order mark at the start belongs to nothing (trap 8)', () => {
  const bytes = new Uint8Array([0xef, 0xbb, 0xbf, ...utf8.encode('data: {"a":1}\n\n')])
  for (const size of [1, 2, 99]) expect(cut(bytes, size)).toEqual(data('{"a":1}'))
})

test('T12 no space after the colon; of two spaces one belongs to the data (trap 2)', () => {
  expect(cut('event:message_start\ndata:{"a":1}\n\ndata:  x\n\n')).toEqual([
    { event: 'message_start', data: '{"a":1}' },
    { data: ' x' },
  ])
})

test('T15 several data lines are one text with line ends between them (trap 3)', () => {
  expect(cut('data: {\ndata:  "a": 1\ndata: }\n\n')).toEqual(data('{\n "a": 1\n}'))
})

test('T15 comments keep the line alive, wherever they stand (trap 4)', () => {
  const text = ': hi\n\ndata: {"a":\n: in between\ndata: 1}\n\n: after\n\ndata: [DONE]\n\n:408: late\n\n'
  const frames = cut(text)
  expect(frames.filter(frame => !frame.comment)).toEqual(data('{"a":\n1}', '[DONE]'))
  expect(frames.filter(frame => frame.comment)).toHaveLength(4)
})

test('an event without data is a sign of life', () => {
  expect(cut('event: heartbeat\ndata:\n\n')).toEqual([{ data: '', comment: true }])
})

test('event names are kept for their event only; id and retry are let pass (trap 5)', () => {
  const text = 'event: error\nid: 7\nretry: 10\ndata: {"a":1}\n\ndata: {"b":2}\n\nretry: 10\n\n'
  expect(cut(text)).toEqual([{ event: 'error', data: '{"a":1}' }, { data: '{"b":2}' }])
})

test('a field that nobody knows is let pass', () => {
  expect(cut('color: blue\ndata: {"a":1}\n\n')).toEqual(data('{"a":1}'))
})

test('llama.cpp’s error field is an error event (section 21)', () => {
  expect(cut('data: {"a":1}\n\nerror: {"code":500,"message":"out of memory"}\n\n')).toEqual([
    { data: '{"a":1}' },
    { event: 'error', data: '{"code":500,"message":"out of memory"}' },
  ])
})

describe('T15 the last event without its blank line (trap 6)', () => {
  test.each(['', '\n', '\r', '\r\n'])('ends in %j', end => {
    expect(cut(`data: {"a":1}\n\ndata: {"b":2}${end}`)).toEqual(data('{"a":1}', '{"b":2}'))
    expect(cut(`data: {"a":1}\n\ndata: [DONE]${end}`)).toEqual(data('{"a":1}', '[DONE]'))
  })

  test('but half a JSON was never said', () => {
    expect(cut('data: {"a":1}\n\ndata: {"b":"é')).toEqual(data('{"a":1}'))
    expect(cut('data: {"a":1}\n\ndata: {"b":\n')).toEqual(data('{"a":1}'))
    expect(cut('data: {"a":1}\n\ndata: [DO')).toEqual(data('{"a":1}'))
    expect(cut('data: {"a":1}\n\nda')).toEqual(data('{"a":1}'))
  })

  test('nor is half a character', () => {
    const bytes = utf8.encode('data: {"a":1}\n\ndata: {"b":"日')
    expect(cut(bytes.subarray(0, -1))).toEqual(data('{"a":1}'))
  })
})

test('an event beyond the limit is a fault, not a growing heap', () => {
  const long = `data: {"a":"${'x'.repeat(500)}`
  expect(() => cut(long, 64, 256)).toThrow(StreamFault)
  expect(() => cut(`${'data: y\n'.repeat(400)}`, 64, 256)).toThrow(StreamFault)
  expect(cut(`data: ${'x'.repeat(100)}\n\n`.repeat(50), 64, 256)).toHaveLength(50)
})

test('a stream of nothing is nothing', () => {
  expect(cut('')).toEqual([])
  expect(cut('\n\n\r\n\r\n')).toEqual([])
})
