import { describe, expect, test } from 'bun:test'
import type { Event } from '../../../src/conversation/events.ts'
import { cohereChat } from '../../../src/dialects/cohere-chat/index.ts'
import { eventsOf, streamed, summary, whole } from '../replay.ts'

const usage = (input: number, output: number, more = {}) => ({
  input,
  output,
  ...more,
  // Less is charged than was read: Cohere's own preamble is not the caller's.
  billedInput: 11,
  billedOutput: 7,
  source: 'reported' as const,
  native: { billed_units: { input_tokens: 11, output_tokens: 7 } },
})
const family = '👩‍👩‍👧'
const tools = ['tide_a1 tide {"port":"Brest"}', 'wind_b2 wind {"port":"Brest","unit":"kn"}']

const said = {
  text: { text: `Café in 日本 for ${family}.`, reasoning: '', calls: [], finish: 'stop', usage: usage(512, 14) },
  'parallel-tool-calls': {
    text: '',
    reasoning: 'Ask both stations.',
    calls: tools,
    finish: 'tool-calls',
    usage: usage(700, 40),
  },
  thinking: {
    text: '42',
    reasoning: 'Seven times six.',
    calls: [],
    finish: 'stop',
    usage: usage(90, 60, { reasoning: 55 }),
  },
}

describe.each(Object.entries(said))('%s', (name, expected) => {
  test('the stream says it', async () => expect(summary(await streamed(cohereChat, `${name}.sse`))).toEqual(expected))
  test('the whole answer says it', async () =>
    expect(summary(await whole(cohereChat, `${name}.json`))).toEqual(expected))
})

test('T13 T14 any cut of the bytes gives the same events', async () => {
  const once = await streamed(cohereChat, 'text.sse', 1_000_000)
  for (const slice of [1, 2, 3, 5, 17]) expect(await streamed(cohereChat, 'text.sse', slice)).toEqual(once)
})

test('T03 a tool without arguments gets {} at its end, and only then', async () => {
  const events = await streamed(cohereChat, 'tool-without-arguments.sse')
  expect(events.filter(event => event.type === 'tool-arguments')).toEqual([
    { type: 'tool-arguments', choice: 0, call: 0, text: '{}' },
  ])
  const { calls } = summary(await whole(cohereChat, 'tool-without-arguments.json'))
  expect(calls).toEqual(['clock_1 clock {}', 'clock_2 clock {}'])
})

test('T63 arguments cut by the token limit stay as the model wrote them', async () => {
  const { calls, finish } = summary(await streamed(cohereChat, 'length-in-tool-call.sse'))
  expect(calls).toEqual(['tide_a1 tide {"port":"Bre'])
  expect(finish).toBe('length')
})

test('cached tokens are part of the input', async () => {
  const { usage: read } = summary(await streamed(cohereChat, 'cached-usage.sse'))
  expect(read).toEqual(usage(2048, 3, { cacheRead: 1920 }))
})

describe('citations', () => {
  // The wave is one code point and two UTF-16 units.
  const places = [
    { start: 4, end: 9, quote: 'Brest', title: 'Ports', url: 'https://ports.example/brest' },
    { start: 4, end: 9, quote: 'Brest', title: 'tide_a1:0' },
  ]
  test('come from a stream with offsets in UTF-16 units', async () => {
    const events = await streamed(cohereChat, 'citations.sse')
    const found = events.flatMap(event => (event.type === 'citation' ? [event.citation] : []))
    expect(found).toMatchObject(places)
    expect('🌊, Brest is a port.'.slice(4, 9)).toBe('Brest')
  })
  test('stand on the text of a whole answer', async () => {
    const [part] = (await whole(cohereChat, 'citations.json')).choices[0]!.parts
    expect(part).toMatchObject({ type: 'text', citations: places })
  })
})

test('an error in message-end ends the stream as a failure, without a finish', async () => {
  const events = await streamed(cohereChat, 'error-in-mid-stream.sse')
  expect(events.at(-1)).toMatchObject({ type: 'error', error: { status: 502, message: 'the model crashed' } })
  expect(events.some(event => event.type === 'finish' || event.type === 'end')).toBe(false)
})

test('message-end is an end, with or without [DONE]', async () => {
  for (const file of ['text.sse', 'without-done.sse'])
    expect((await streamed(cohereChat, file)).filter(event => event.type === 'end')).toHaveLength(1)
})

test('T30 a stream cut off claims no success', () => {
  const bytes = new TextEncoder().encode(
    'data: {"type":"message-start","id":"x"}\n\ndata: {"type":"content-delta","index":0,"delta":{"message":{"content":{"text":"Half"}}}}\n\n',
  )
  const types = eventsOf(cohereChat, bytes).map(event => event.type)
  expect(types).toEqual(['start', 'text'])
})

test('half a JSON is an error, unknown events are skipped, comments keep the line alive', () => {
  const read = (data: string): Event[] => eventsOf(cohereChat, new TextEncoder().encode(data))
  expect(read('data: {"type":"content-de\n\n')).toMatchObject([{ type: 'error', error: { status: 502 } }])
  expect(read('data: {"type":"from-the-future"}\n\n')).toEqual([])
  expect(read('event: error\ndata: {"message":"gone"}\n\n')).toMatchObject([
    { type: 'error', error: { message: 'gone' } },
  ])
  expect(read(': ping\n\n')).toEqual([{ type: 'ping' }])
})

test('T56 shortened tool names come back', async () => {
  const memory = { toolNames: new Map([['tide', 'mcp.harbour.tide']]) }
  expect(summary(await streamed(cohereChat, 'parallel-tool-calls.sse', 99, memory)).calls[0]).toContain(
    'mcp.harbour.tide',
  )
  expect(summary(await whole(cohereChat, 'parallel-tool-calls.json', memory)).calls[0]).toContain('mcp.harbour.tide')
})

test('log probabilities take the shape of OpenAI', async () => {
  const { logprobs } = (await whole(cohereChat, 'logprobs.json')).choices[0]!
  expect(logprobs?.content).toMatchObject([
    { token: 'Yes', logprob: -0.25, bytes: [89, 101, 115] },
    { token: '.', logprob: -0.75 },
  ])
})
