import { describe, expect, test } from 'bun:test'
import { type Frame, StreamFault } from '../../src/stream/frame.ts'
import { framer } from '../../src/stream/framer.ts'

function cut(text: string | Uint8Array, size = 1_000_000, limit?: number): Frame[] {
  const bytes = typeof text === 'string' ? new TextEncoder().encode(text) : text
  const ndjson = framer('ndjson', limit)
  const frames: Frame[] = []
  for (let at = 0; at < bytes.length; at += size) frames.push(...ndjson.push(bytes.subarray(at, at + size)))
  return [...frames, ...ndjson.end()]
}

describe('lines of JSON (trap 13)', () => {
  const lines = [{ data: '{"a":"é"}' }, { data: '{"b":"日本 👩‍👩‍👧"}' }, { data: '{"c":3}' }]
  const text = lines.map(({ data }) => data).join('\n')

  test.each([1, 2, 3, 5, 1_000])('in pieces of %d bytes', size => {
    expect(cut(`${text}\n`, size)).toEqual(lines)
  })

  test('the last line may lack its end', () => expect(cut(text)).toEqual(lines))
  test('CRLF and empty lines are the same', () =>
    expect(cut(`\n${text.replaceAll('\n', '\r\n\r\n')}\r\n`)).toEqual(lines))
  test('only LF ends a line', () => expect(cut('{"a":"x\ry\u2028z"}\n')).toEqual([{ data: '{"a":"x\ry\u2028z"}' }]))
  test('half a line at the end was never said', () => expect(cut(`${text}\n{"d":"h`)).toEqual(lines))
})

test('a line beyond the limit is a fault', () => {
  expect(() => cut(`{"a":"${'x'.repeat(500)}`, 64, 256)).toThrow(StreamFault)
  expect(cut(`{"a":"${'x'.repeat(100)}"}\n`.repeat(50), 64, 256)).toHaveLength(50)
})
