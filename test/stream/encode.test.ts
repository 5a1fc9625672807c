import { expect, test } from 'bun:test'
import { encodeFrames } from '../../src/stream/encode.ts'
import type { Frame, Framing } from '../../src/stream/frame.ts'

const text = (frames: Frame[], framing: Framing) => new TextDecoder().decode(encodeFrames(frames, framing))

test('frames of one read go out together', () => {
  const frames = [{ data: '{"a":1}' }, { event: 'ping', data: '{}' }, { data: '[DONE]' }]
  expect(text(frames, 'sse')).toBe('data: {"a":1}\n\nevent: ping\ndata: {}\n\ndata: [DONE]\n\n')
  expect(text(frames.slice(0, 1), 'sse')).toBe('data: {"a":1}\n\n')
})

test('T31 a comment is one bare line, since a blank line behind it is an empty event to some clients', () => {
  expect(text([{ data: 'keep-alive', comment: true }], 'sse')).toBe(': keep-alive\n')
})

test('lines of JSON know no comments', () => {
  expect(text([{ data: '{"a":1}' }, { data: '', comment: true }, { data: '{"b":2}' }], 'ndjson')).toBe(
    '{"a":1}\n{"b":2}\n',
  )
})
