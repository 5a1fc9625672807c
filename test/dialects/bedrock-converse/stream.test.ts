import { describe, expect, test } from 'bun:test'
import { bedrockConverse } from '../../../src/dialects/bedrock-converse/index.ts'
import type { ReadContext } from '../../../src/dialects/dialect.ts'
import { argumentPieces, find, frames, read, textOf, types } from '../replay.ts'

const replay = (file: string, context?: Partial<ReadContext>) =>
  read(bedrockConverse, frames(bedrockConverse, `${file}.events.jsonl`), context)

test('a text from start to end, usage after the stop (trap 12)', () => {
  expect(replay('text')).toEqual([
    { type: 'start' },
    { type: 'text', choice: 0, text: 'The heron' },
    { type: 'text', choice: 0, text: ' waits.' },
    { type: 'finish', choice: 0, finish: 'stop', native: 'end_turn' },
    { type: 'usage', usage: { input: 11, output: 7, source: 'reported' } },
    { type: 'end' },
  ])
})

describe('tool calls', () => {
  test('T24 calls are numbered from 0, whatever stands before them', () => {
    const events = replay('parallel-tools')
    expect(find(events, 'tool-call')).toEqual([
      { type: 'tool-call', choice: 0, call: 0, id: 'tooluse_tide', name: 'get_tide' },
      { type: 'tool-call', choice: 0, call: 1, id: 'tooluse_wind', name: 'get_wind' },
    ])
    expect(argumentPieces(events)).toEqual([['{"port":', '"Brest"}'], ['{"port":"Brest"}']])
    expect(find(events, 'finish')[0]!.finish).toBe('tool-calls')
  })

  test('T03 a tool without arguments gets an empty object', () => {
    expect(argumentPieces(replay('no-argument-tool'))).toEqual([['{}']])
  })

  test('T61 a call that the bound cut off is given with its half arguments', () => {
    const events = replay('length-in-tool-call')
    expect(argumentPieces(events)).toEqual([['{"path": "lo']])
    expect(find(events, 'finish')[0]!.finish).toBe('length')
    expect(types(events).at(-1)).toBe('end')
  })

  test('T56 T73 names are restored, and the tool that stands in for a schema is the text', () => {
    const toolNames = new Map([['get_tide', 'harbour.tide']])
    expect(find(replay('parallel-tools', { memory: { toolNames } }), 'tool-call')[0]!.name).toBe('harbour.tide')
    const events = replay('reasoning-before-tool', { memory: { jsonTool: 'get_tide' } })
    expect(textOf(events)).toBe('{"port":"Brest"}')
    expect(find(events, 'finish')[0]!.finish).toBe('stop')
  })
})

test('T17 reasoning, its signature, then what is redacted', () => {
  expect(find(replay('reasoning-before-tool'), 'reasoning')).toEqual([
    { type: 'reasoning', choice: 0, block: 0, text: 'The tide ', format: 'bedrock' },
    { type: 'reasoning', choice: 0, block: 0, text: 'matters.', format: 'bedrock' },
    { type: 'reasoning', choice: 0, block: 0, text: '', signature: 'c2lnLW9uZQ==', format: 'bedrock' },
    { type: 'reasoning', choice: 0, block: 1, text: '', redacted: 'UlU1RFVsbFFWRVZF', format: 'bedrock' },
  ])
})

test('usage counts the cache once, though Bedrock tells it twice', () => {
  expect(find(replay('usage-with-cache'), 'usage')[0]!.usage).toEqual({
    input: 2_420,
    output: 5,
    cacheRead: 2_000,
    cacheWrite: 120,
    cacheWrite1h: 20,
    source: 'reported',
  })
})

test('a citation names the piece of the text', () => {
  expect(find(replay('citations'), 'citation')[0]!.citation).toMatchObject({
    url: 'https://tides.example/brest',
    title: 'Tides',
    quote: 'High water 06:12',
    start: 0,
    end: 13,
  })
})

test('a guardrail’s stop is a content filter, and its trace is kept', () => {
  const events = replay('guardrail')
  expect(find(events, 'finish')[0]).toMatchObject({ finish: 'content-filter', native: 'guardrail_intervened' })
  expect(find(events, 'unknown')[0]!.fields).toEqual({ trace: { guardrail: { actionReason: 'Guardrail blocked.' } } })
})

test('text outside ASCII stays itself', () => {
  expect(textOf(replay('non-ascii'))).toBe('é 日本 👩‍👩‍👧')
})

describe('failures', () => {
  test('T07 an exception in mid-stream is an error and no finish', () => {
    const events = replay('error-mid-stream')
    expect(types(events)).toEqual(['start', 'text', 'error'])
    expect(find(events, 'error')[0]!.error).toMatchObject({
      status: 429,
      type: 'rate_limit_error',
      code: 'throttlingException',
      message: 'Too many requests, please wait before trying again.',
    })
  })

  test('a malformed call is an error', () => {
    const events = replay('malformed-tool-use')
    expect(types(events).at(-1)).toBe('error')
    expect(types(events)).not.toContain('finish')
  })

  test('T30 a stream that is cut off has no finish and no end', () => {
    expect(types(replay('truncated'))).toEqual(['start', 'text'])
  })

  test('a message that was whole ends though its metadata never came', () => {
    const given = frames(bedrockConverse, 'text.events.jsonl').slice(0, -1)
    expect(types(read(bedrockConverse, given)).slice(-2)).toEqual(['finish', 'end'])
  })

  test('a payload that is no JSON, and events that we do not know', () => {
    expect(types(read(bedrockConverse, [{ event: 'contentBlockDelta', data: '{"delta"' }]))).toEqual(['error'])
    expect(read(bedrockConverse, [{ event: 'weatherReport', data: '{}' }])).toEqual([])
  })
})
