import { describe, expect, test } from 'bun:test'
import { workersAi } from '../../../src/dialects/workers-ai/index.ts'
import { eventsOf, streamed, summary, whole } from '../replay.ts'

const usage = (input: number, output: number, more = {}) => ({ input, output, ...more, source: 'reported' as const })
const plain = { text: '', reasoning: '', calls: [] as string[], finish: 'stop' }
const tide = '{"port":"Brest"}'

test.each([
  ['native-text.sse', { ...plain, text: 'Café in 日本 for 👩‍👩‍👧.', usage: usage(21, 9) }],
  [
    'native-tool-calls.sse',
    { ...plain, calls: [`call_w1 tide ${tide}`, `call_w2 wind ${tide}`], finish: 'tool-calls', usage: usage(80, 25) },
  ],
  ['completion-text.sse', { ...plain, text: 'Hello', usage: usage(5, 2, { cacheRead: 4 }) }],
  [
    'completion-reasoning.sse',
    { ...plain, text: '42', reasoning: 'Seven times six.', usage: usage(8, 30, { reasoning: 27 }) },
  ],
  [
    'completion-tool-calls.sse',
    {
      ...plain,
      calls: [`functions.tide:0 tide ${tide}`, 'functions.clock:1 clock {}'],
      finish: 'tool-calls',
      usage: usage(60, 18),
    },
  ],
  [
    'length-in-tool-call.sse',
    { ...plain, calls: ['functions.tide:0 tide {"port":"Bre'], finish: 'length', usage: undefined },
  ],
])('the stream %s', async (file, expected) => {
  const events = await streamed(workersAi, file)
  expect(summary(events)).toEqual(expected)
  expect(events.filter(event => event.type === 'finish')).toHaveLength(1)
  expect(events.at(-1)).toEqual({ type: 'end' })
})

test.each([
  ['native-text.json', { ...plain, text: 'Café in 日本 for 👩‍👩‍👧.', usage: usage(21, 9) }],
  [
    'native-tool-calls.json',
    { ...plain, calls: [`call_w1 tide ${tide}`, 'call_w2 clock {}'], finish: 'tool-calls', usage: usage(80, 25) },
  ],
  ['native-json-schema.json', { ...plain, text: '{"port":"Brest","metres":6.2}', usage: usage(40, 11) }],
  ['completion-json-schema.json', { ...plain, text: '{"port":"Brest"}', usage: undefined }],
])('the whole answer %s', async (file, expected) => expect(summary(await whole(workersAi, file))).toEqual(expected))

test('an answer without the envelope, as a binding gives it', () => {
  const reply = workersAi.readReply({ response: 7, usage: null }, { memory: {}, quirks: [] })
  expect(summary(reply)).toEqual({ ...plain, text: '7', usage: undefined })
})

test('T13 T14 any cut of the bytes gives the same events', async () => {
  const once = await streamed(workersAi, 'native-text.sse', 1_000_000)
  for (const slice of [1, 2, 3, 5, 17]) expect(await streamed(workersAi, 'native-text.sse', slice)).toEqual(once)
})

test('a tool id that comes twice becomes two', async () => {
  const { calls } = summary(await streamed(workersAi, 'repeated-tool-id.sse'))
  expect(calls.map(call => call.replace(/^\S+ /, ''))).toEqual([`tide ${tide}`, 'tide {"port":"Nantes"}'])
  expect(new Set(calls.map(call => call.split(' ')[0])).size).toBe(2)
})

describe('T04 an empty {} before the real arguments', () => {
  const chunk = (text: string) =>
    `data: {"tool_calls":[{"index":0,"id":"call_1","function":{"name":"order","arguments":${JSON.stringify(text)}}}]}\n\n`
  const read = (...texts: string[]) =>
    summary(eventsOf(workersAi, new TextEncoder().encode(`${texts.map(chunk).join('')}data: [DONE]\n\n`))).calls
  test('is no part of them', () =>
    expect(read('{}', '{"', 'orde', 'r_id": 3}')).toEqual(['call_1 order {"order_id": 3}']))
  test('is all of them where nothing follows', () => expect(read('{}')).toEqual(['call_1 order {}']))
  test('T03 nothing at all is {}', () => expect(read('', '')).toEqual(['call_1 order {}']))
})

test('an error in mid-stream has the status of its code and no finish', async () => {
  const events = await streamed(workersAi, 'error-in-mid-stream.sse')
  expect(events.map(event => event.type)).toEqual(['text', 'error'])
  expect(events.at(-1)).toMatchObject({ error: { status: 429, type: 'rate_limit_error', code: '3040' } })
})

test('T30 a stream without a reason and without [DONE] claims no success', async () => {
  expect((await streamed(workersAi, 'cut-off.sse')).map(event => event.type)).toEqual(['text'])
})

test('the word error is a failure', () => {
  const bytes = new TextEncoder().encode(
    'data: {"response":"x"}\n\ndata: {"finish_reason":"error"}\n\ndata: [DONE]\n\n',
  )
  expect(eventsOf(workersAi, bytes).map(event => event.type)).toEqual(['text', 'error'])
})
