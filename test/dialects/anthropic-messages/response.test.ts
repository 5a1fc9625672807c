import { describe, expect, test } from 'bun:test'
import { ProviderFailure } from '../../../src/conversation/errors.ts'
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts'
import { inputIncludesCache } from '../../../src/dialects/anthropic-messages/quirks.ts'
import { readUsage } from '../../../src/dialects/anthropic-messages/usage.ts'
import type { Quirk } from '../../../src/dialects/dialect.ts'
import { thrown } from '../conversations.ts'
import { json } from '../replay.ts'

const read = (body: unknown, quirks: Quirk[] = []) => anthropicMessages.readReply(body, { memory: {}, quirks })
const fixture = (file: string) => read(json('anthropic-messages', `${file}.json`))

test('a text', () => {
  expect(fixture('text')).toEqual({
    id: 'msg_heron',
    model: 'claude-sonnet-4-5-20250929',
    choices: [
      { index: 0, parts: [{ type: 'text', text: 'The heron waits.' }], finish: 'stop', nativeFinish: 'end_turn' },
    ],
    usage: { input: 11, output: 7, source: 'reported' },
  })
})

test('parallel calls, one without arguments, and usage with the cache inside', () => {
  const { choices, usage } = fixture('parallel-tools')
  expect(choices[0]!.parts).toEqual([
    { type: 'text', text: 'Two look-ups.' },
    { type: 'tool-call', id: 'toolu_tide', name: 'get_tide', arguments: '{"port":"Brest"}' },
    { type: 'tool-call', id: 'toolu_wind', name: 'get_wind', arguments: '{}' },
  ])
  expect(choices[0]!.finish).toBe('tool-calls')
  expect(usage).toEqual({
    input: 500,
    output: 64,
    cacheRead: 80,
    cacheWrite: 0,
    source: 'reported',
    native: { service_tier: 'standard' },
  })
})

test('searches are counted, and said in the provider’s own words too', () => {
  const usage = {
    input_tokens: 5,
    output_tokens: 2,
    server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 },
  }
  expect(readUsage(usage)).toEqual({
    input: 5,
    output: 2,
    webSearches: 3,
    source: 'reported',
    native: { server_tool_use: { web_search_requests: 3, web_fetch_requests: 1 } },
  })
})

test('a conversation that was made shorter on the way is charged for that too', () => {
  const iterations = [
    { type: 'compaction', input_tokens: 180_000, output_tokens: 3_500, cache_read_input_tokens: 1_000 },
    { type: 'message', input_tokens: 23_000, output_tokens: 1_000 },
    // Another model's, at another price.
    { type: 'advisor_message', input_tokens: 900, output_tokens: 90 },
  ]
  expect(readUsage({ input_tokens: 23_000, output_tokens: 1_000, iterations })).toMatchObject({
    input: 204_000,
    output: 4_500,
    cacheRead: 1_000,
    native: { iterations },
  })
})

test('T62 several texts keep their order, T17 reasoning its signature, trap 32 tools of the provider are left out', () => {
  const { parts } = fixture('reasoning-and-citations').choices[0]!
  expect(parts).toMatchObject([
    { type: 'reasoning', text: 'The tide matters.', signature: 'c2lnLW9uZQ==', format: 'anthropic' },
    { type: 'reasoning', text: '', redacted: 'RU5DUllQVEVE' },
    { type: 'text', text: 'It says ' },
    { type: 'text', text: '06:12', citations: [{ title: 'Tides', quote: 'High water 06:12', start: 8, end: 13 }] },
    { type: 'text', text: '.' },
  ])
  expect(parts).toHaveLength(5)
})

test('a refusal without content', () => {
  expect(fixture('refusal').choices[0]).toMatchObject({ parts: [], finish: 'content-filter', nativeFinish: 'refusal' })
})

test.each([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['pause_turn', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['refusal', 'content-filter'],
  ['a_reason_of_tomorrow', 'stop'],
] as const)('stop reason %s is %s', (stop_reason, finish) => {
  expect(read({ content: [], stop_reason }).choices[0]).toMatchObject({ finish, nativeFinish: stop_reason })
})

test('calls decide a normal stop, never a bound', () => {
  const content = [{ type: 'tool_use', id: 't', name: 'f', input: {} }]
  expect(read({ content, stop_reason: 'end_turn' }).choices[0]!.finish).toBe('tool-calls')
  expect(read({ content, stop_reason: 'max_tokens' }).choices[0]!.finish).toBe('length')
})

test('T88 what was written to the cache counts as input', () => {
  const usage = { input_tokens: 4, cache_creation_input_tokens: 9_000, output_tokens: 70 }
  expect(read({ content: [], usage }).usage).toMatchObject({ input: 9_004, cacheWrite: 9_000, output: 70 })
})

test('T91 an input that counts the cache too is corrected by its quirk', () => {
  const body = () => ({ content: [], usage: { input_tokens: 5_250, cache_read_input_tokens: 5_000, output_tokens: 4 } })
  expect(read(body(), [inputIncludesCache]).usage!.input).toBe(5_250)
  expect(read(body()).usage!.input).toBe(10_250)
})

describe('what is no answer', () => {
  test.each([
    ['an error under 200', { type: 'error', error: { type: 'rate_limit_error', message: 'Slow down' } }, 429],
    ['an empty object', {}, 502],
    ['a text', 'hello', 502],
  ])('%s', (_, body, status) => {
    const failure = thrown(() => read(body))
    expect(failure).toBeInstanceOf(ProviderFailure)
    expect((failure as ProviderFailure).error.status).toBe(status)
  })
})
