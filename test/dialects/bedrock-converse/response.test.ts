import { expect, test } from 'bun:test'
import { ProviderFailure } from '../../../src/conversation/errors.ts'
import { bedrockConverse } from '../../../src/dialects/bedrock-converse/index.ts'
import { readValue } from '../../../src/dialects/watched/index.ts'
import { thrown } from '../conversations.ts'
import { json } from '../replay.ts'

const read = (body: unknown) => bedrockConverse.readReply(body, { memory: {}, quirks: [] })
const fixture = (file: string) => read(json('bedrock-converse', `${file}.json`))

test('a text', () => {
  expect(fixture('text')).toEqual({
    choices: [
      { index: 0, parts: [{ type: 'text', text: 'The heron waits.' }], finish: 'stop', nativeFinish: 'end_turn' },
    ],
    usage: { input: 11, output: 7, source: 'reported' },
  })
})

test('parallel calls, and usage with the cache inside', () => {
  const { choices, usage } = fixture('parallel-tools')
  expect(choices[0]!.parts.slice(1)).toEqual([
    { type: 'tool-call', id: 'tooluse_tide', name: 'get_tide', arguments: '{"port":"Brest"}' },
    { type: 'tool-call', id: 'tooluse_wind', name: 'get_wind', arguments: '{}' },
  ])
  expect(choices[0]!.finish).toBe('tool-calls')
  expect(usage).toEqual({ input: 500, output: 64, cacheRead: 80, source: 'reported' })
})

test('the service tier stands beside the usage, in a stream too', () => {
  const usage = { inputTokens: 11, outputTokens: 7 }
  const serviceTier = { type: 'flex' }
  expect(read({ output: {}, usage, serviceTier }).usage).toMatchObject({ input: 11, tier: 'flex' })
  expect(readValue(bedrockConverse.watch, { output: {}, usage, serviceTier }).usage).toMatchObject({ tier: 'flex' })
  const reader = bedrockConverse.reader({ memory: {}, quirks: [] })
  const [, event] = reader.read({ event: 'metadata', data: JSON.stringify({ usage, serviceTier }) })
  expect(event).toMatchObject({ type: 'usage', usage: { input: 11, tier: 'flex' } })
})

test('T17 T62 reasoning with its signature, texts in order, citations', () => {
  expect(fixture('reasoning-and-citations').choices[0]!.parts).toMatchObject([
    { type: 'reasoning', text: 'The tide matters.', signature: 'c2lnLW9uZQ==', format: 'bedrock' },
    { type: 'reasoning', text: '', redacted: 'UlU1RFVsbFFWRVZF', format: 'bedrock' },
    { type: 'text', text: 'It says ' },
    { type: 'text', text: '06:12', citations: [{ url: 'https://tides.example/brest', start: 8, end: 13 }] },
  ])
})

test.each([
  ['end_turn', 'stop'],
  ['stop_sequence', 'stop'],
  ['max_tokens', 'length'],
  ['model_context_window_exceeded', 'length'],
  ['content_filtered', 'content-filter'],
  ['guardrail_intervened', 'content-filter'],
] as const)('stop reason %s is %s', (stopReason, finish) => {
  expect(read({ output: { message: { content: [] } }, stopReason }).choices[0]!.finish).toBe(finish)
})

test.each([
  ['a malformed call', { output: { message: { content: [] } }, stopReason: 'malformed_tool_use' }],
  ['an error under 200', { message: 'The model is busy' }],
  ['nothing', {}],
])('%s is a failure', (_, body) => {
  const failure = thrown(() => read(body))
  expect(failure).toBeInstanceOf(ProviderFailure)
  expect((failure as ProviderFailure).error.status).toBe(502)
})
