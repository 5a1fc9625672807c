import { describe, expect, test } from 'bun:test'
import { collect } from '../../../src/conversation/collect.ts'
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts'
import { inputIncludesCache } from '../../../src/dialects/anthropic-messages/quirks.ts'
import type { ReadContext } from '../../../src/dialects/dialect.ts'
import type { Frame } from '../../../src/stream/frame.ts'
import { argumentPieces, find, frames, read, textOf, types } from '../replay.ts'

const replay = (file: string, context?: Partial<ReadContext>) =>
  read(anthropicMessages, frames(anthropicMessages, `${file}.sse`), context)
const wire = (...messages: unknown[]): Frame[] => messages.map(message => ({ data: JSON.stringify(message) }))
const start = {
  type: 'message_start',
  message: { id: 'msg_a', model: 'claude', usage: { input_tokens: 9, output_tokens: 1 } },
}
const stop = [
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 3 } },
  { type: 'message_stop' },
]

test('a text from start to end', () => {
  expect(replay('text')).toEqual([
    { type: 'start', id: 'msg_heron', model: 'claude-sonnet-4-5-20250929' },
    { type: 'usage', usage: { input: 11, output: 1, source: 'reported' } },
    { type: 'ping' },
    { type: 'text', choice: 0, text: 'The heron' },
    { type: 'text', choice: 0, text: ' waits.' },
    { type: 'finish', choice: 0, finish: 'stop', native: 'end_turn' },
    { type: 'usage', usage: { input: 11, output: 7, source: 'reported' } },
    { type: 'end' },
  ])
})

test('T01 pings are passed on as pings', () => {
  expect(find(replay('ping'), 'ping')).toHaveLength(2)
  expect(types(read(anthropicMessages, [{ comment: true, data: '' }]))).toEqual(['ping'])
})

describe('tool calls', () => {
  test('T03 a tool without arguments gets an empty object, once', () => {
    expect(argumentPieces(replay('no-argument-tool'))).toEqual([['{}']])
  })

  test('T04 T05 the empty input of the start is no prefix, and the first tool is number 0', () => {
    const events = replay('split-arguments-after-text')
    expect(argumentPieces(events)).toEqual([['{"', 'orde', 'r_id"', ': "order_98', '765"}']])
    expect(find(events, 'tool-call')).toEqual([
      { type: 'tool-call', choice: 0, call: 0, id: 'toolu_order', name: 'find_order' },
    ])
  })

  test('T24 parallel calls keep their own numbers', () => {
    const events = replay('parallel-tools')
    expect(find(events, 'tool-call').map(event => [event.call, event.name])).toEqual([
      [0, 'get_tide'],
      [1, 'get_wind'],
    ])
    expect(argumentPieces(events).map(pieces => pieces.join(''))).toEqual([
      '{"port": "Brest"}',
      '{"port": "Brest", "unit": "kn"}',
    ])
    expect(find(events, 'finish')[0]!.finish).toBe('tool-calls')
  })

  test('T63 a call cut by the bound keeps its half arguments', () => {
    const events = replay('length-in-tool-call')
    expect(argumentPieces(events)).toEqual([['{"path": "lo']])
    expect(find(events, 'finish')[0]!.finish).toBe('length')
  })

  test('an input that came whole with the start is given at the stop', () => {
    const block = { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } }
    const events = read(
      anthropicMessages,
      wire(
        start,
        { type: 'content_block_start', index: 0, content_block: block },
        { type: 'content_block_stop', index: 0 },
        ...stop,
      ),
    )
    expect(argumentPieces(events)).toEqual([['{"a":1}']])
    expect(find(events, 'finish')[0]!.finish).toBe('tool-calls')
  })

  test('T49 a missing and a repeated id become ids of their own', () => {
    const open = (index: number, id: string) => ({
      type: 'content_block_start',
      index,
      content_block: { type: 'tool_use', id, name: 'f', input: {} },
    })
    const ids = find(read(anthropicMessages, wire(start, open(0, 'a'), open(1, 'a'), open(2, ''))), 'tool-call').map(
      ({ id }) => id,
    )
    expect(ids.every(Boolean)).toBe(true)
    expect(new Set(ids).size).toBe(3)
  })

  test('trap 32: tools of the provider are no calls, and shift no number', () => {
    const events = replay('citations-from-web-search')
    expect(find(events, 'tool-call').map(event => [event.call, event.name])).toEqual([[0, 'save_note']])
    expect(argumentPieces(events)).toEqual([['{"text":"06:12"}']])
    expect(textOf(events)).toBe('According to the table, high water is at 06:12.')
  })

  test('T56 a shortened name is restored', () => {
    const memory = { toolNames: new Map([['get_tide', 'harbour.get tide']]) }
    expect(find(replay('reasoning-before-tool', { memory }), 'tool-call')[0]!.name).toBe('harbour.get tide')
  })

  test('T73 the tool that stands in for a schema becomes the text, and the finish is a stop', () => {
    const events = replay('split-arguments-after-text', { memory: { jsonTool: 'find_order' } })
    expect(textOf(events)).toBe('Looking.{"order_id": "order_98765"}')
    expect(find(events, 'tool-call')).toEqual([])
    expect(find(events, 'finish')[0]!.finish).toBe('stop')
    expect(textOf(replay('no-argument-tool', { memory: { jsonTool: 'now' } }))).toBe('{}')
  })
})

test('T17 thinking, then its signature, then what is redacted, in this order', () => {
  expect(find(replay('reasoning-before-tool'), 'reasoning')).toEqual([
    { type: 'reasoning', choice: 0, block: 0, text: 'The tide ', format: 'anthropic' },
    { type: 'reasoning', choice: 0, block: 0, text: 'matters.', format: 'anthropic' },
    { type: 'reasoning', choice: 0, block: 0, text: '', signature: 'c2lnLW9uZQ==', format: 'anthropic' },
    { type: 'reasoning', choice: 0, block: 1, text: '', redacted: 'RU5DUllQVEVE', format: 'anthropic' },
  ])
})

test('a citation names the piece of the whole text that it stands for', () => {
  expect(find(replay('citations-from-web-search'), 'citation')[0]!.citation).toMatchObject({
    url: 'https://tides.example/brest',
    title: 'Tides',
    quote: 'High water 06:12',
    start: 24,
    end: 46,
  })
})

describe('usage', () => {
  const last = (...messages: unknown[]) => find(read(anthropicMessages, wire(...messages)), 'usage').at(-1)!.usage
  const begun = (usage: object) => ({ type: 'message_start', message: { id: 'm', usage } })
  const ended = (usage: object) => ({ type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage })

  test('T09 T93 counts that come only at the end, the hour of the cache apart', () => {
    expect(find(replay('usage-with-cache'), 'usage').at(-1)!.usage).toEqual({
      input: 2_420,
      output: 5,
      cacheRead: 2_000,
      cacheWrite: 120,
      cacheWrite1h: 20,
      source: 'reported',
    })
  })

  test('T10 fields are merged one by one', () => {
    expect(last(begun({ input_tokens: 700 }), ended({ output_tokens: 12, cache_read_input_tokens: 300 }))).toEqual({
      input: 1_000,
      output: 12,
      cacheRead: 300,
      source: 'reported',
    })
  })

  test('T11 a zero at the end replaces nothing, and nothing is added twice', () => {
    const usage = { input_tokens: 40, cache_read_input_tokens: 8, output_tokens: 1 }
    expect(last(begun(usage), ended({ ...usage, input_tokens: 0, output_tokens: 6 }))).toMatchObject({
      input: 48,
      output: 6,
    })
  })

  test('thinking is counted inside the output', () => {
    expect(find(replay('reasoning-before-tool'), 'usage').at(-1)!.usage).toMatchObject({ output: 77, reasoning: 40 })
  })

  test('T91 a server whose input counts the cache too', () => {
    const usage = { input_tokens: 5_250, cache_read_input_tokens: 5_000 }
    const given = wire(begun(usage), ended({ ...usage, output_tokens: 4 }))
    const events = read(anthropicMessages, given, { quirks: [inputIncludesCache] })
    expect(find(events, 'usage').at(-1)!.usage).toEqual({
      input: 5_250,
      output: 4,
      cacheRead: 5_000,
      source: 'reported',
    })
  })
})

describe('failures', () => {
  test('T07 an error in mid-stream is an error and no finish', () => {
    const events = replay('error-mid-stream')
    expect(types(events)).toEqual(['start', 'usage', 'text', 'error'])
    expect(find(events, 'error')[0]!.error).toMatchObject({
      status: 529,
      type: 'overloaded_error',
      message: 'Overloaded',
    })
  })

  test('T30 a stream that is cut off has no finish and no end', () => {
    expect(types(replay('truncated'))).toEqual(['start', 'usage', 'text'])
  })

  test('a frame that is half a JSON', () => {
    const events = read(anthropicMessages, [...wire(start), { data: '{"type":"content_blo' }, ...wire(...stop)])
    expect(types(events)).toEqual(['start', 'usage', 'error'])
    expect(find(events, 'error')[0]!.error).toMatchObject({ status: 502, type: 'server_error' })
  })

  test('a second message in the stream is an error, the same one again is not', () => {
    const other = { type: 'message_start', message: { id: 'msg_b' } }
    expect(types(read(anthropicMessages, wire(start, other))).at(-1)).toBe('error')
    expect(types(read(anthropicMessages, wire(start, start, ...stop)))).toEqual([
      'start',
      'usage',
      'finish',
      'usage',
      'end',
    ])
  })

  test('messages and blocks that we do not know are skipped', () => {
    const unknown = [
      { type: 'content_block_start', index: 0, content_block: { type: 'hologram' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'hologram_delta', light: 'x' } },
      { type: 'content_block_stop', index: 0 },
      { type: 'weather_report' },
    ]
    expect(types(read(anthropicMessages, wire(start, ...unknown, ...stop)))).toEqual([
      'start',
      'usage',
      'finish',
      'usage',
      'end',
    ])
  })
})

test('a refusal is a content filter, with the provider’s reason', () => {
  const [choice] = collect(replay('refusal')).choices
  expect(choice).toMatchObject({ finish: 'content-filter', nativeFinish: 'refusal' })
  expect(choice!.unknown).toEqual({ stop_details: { type: 'refusal', category: 'cyber', explanation: 'Not this.' } })
})

test('T14 text outside ASCII stays itself', () => {
  expect(textOf(replay('non-ascii'))).toBe('é 日本 👩‍👩‍👧')
})
