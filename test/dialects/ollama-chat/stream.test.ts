import { describe, expect, test } from 'bun:test'
import { ollamaChat } from '../../../src/dialects/ollama-chat/index.ts'
import { eventsOf, streamed, summary, whole } from '../replay.ts'

const usage = {
  input: 30,
  output: 12,
  source: 'reported' as const,
  native: { total_duration: 900, load_duration: 100, prompt_eval_duration: 300, eval_duration: 500 },
}
const said = {
  text: { text: 'Café in 日本 for 👩‍👩‍👧.', reasoning: '', calls: [], finish: 'stop', usage },
  'parallel-tool-calls': {
    text: 'Both.',
    reasoning: '',
    calls: ['call_k1 tide {"port":"Brest"}', 'call_k2 wind {"port":"Brest","knots":true}'],
    finish: 'tool-calls',
    usage,
  },
  thinking: { text: '42', reasoning: 'Seven times six.', calls: [], finish: 'stop', usage },
}

describe.each(Object.entries(said))('%s', (name, expected) => {
  test('the stream says it', async () =>
    expect(summary(await streamed(ollamaChat, `${name}.ndjson`))).toEqual(expected))
  test('the whole answer says it', async () =>
    expect(summary(await whole(ollamaChat, `${name}.json`))).toEqual(expected))
})

test('T13 T14 any cut of the bytes gives the same events', async () => {
  const once = await streamed(ollamaChat, 'text.ndjson', 1_000_000)
  for (const slice of [1, 2, 3, 5, 17]) expect(await streamed(ollamaChat, 'text.ndjson', slice)).toEqual(once)
})

test('T98 created is in seconds', async () => {
  const seconds = Date.UTC(2026, 2, 4, 5, 6, 7) / 1_000
  expect((await streamed(ollamaChat, 'text.ndjson'))[0]).toEqual({ type: 'start', model: 'qwen3:8b', created: seconds })
  expect((await whole(ollamaChat, 'text.json')).created).toBe(seconds)
})

test('T03 a tool without arguments has {}', async () => {
  expect(summary(await streamed(ollamaChat, 'tool-without-arguments.ndjson')).calls).toEqual(['call_c1 clock {}'])
})

test('calls without an id get one each, never twice the same', async () => {
  const replies = [
    await streamed(ollamaChat, 'tool-without-id.ndjson'),
    await whole(ollamaChat, 'tool-without-id.json'),
  ]
  const ids = replies.flatMap(reply => summary(reply).calls.map(call => call.split(' ')[0]))
  expect(new Set(ids).size).toBe(4)
  for (const id of ids) expect(id).toMatch(/^call_\w+$/)
})

test('usage: what a cache served is part of the input, and may be all that is not told', async () => {
  const cached = summary(await streamed(ollamaChat, 'cached-usage.ndjson')).usage
  expect(cached).toMatchObject({ input: 2048, cacheRead: 2000, output: 12 })
  expect(summary(await streamed(ollamaChat, 'fully-cached-prompt.ndjson')).usage).toMatchObject({
    input: 0,
    output: 12,
  })
  expect(summary(await streamed(ollamaChat, 'load.ndjson'))).toMatchObject({ finish: 'stop', usage: undefined })
})

test('length stays length after a tool call', async () => {
  expect(summary(await streamed(ollamaChat, 'length-after-tool-call.ndjson')).finish).toBe('length')
})

test('an error line ends the stream as a failure', async () => {
  const events = await streamed(ollamaChat, 'error-in-mid-stream.ndjson')
  expect(events.map(event => event.type)).toEqual(['start', 'text', 'error'])
  expect(events.at(-1)).toMatchObject({ error: { status: 502, type: 'server_error' } })
})

test('a last line without its newline counts', async () => {
  expect((await streamed(ollamaChat, 'last-line-without-newline.ndjson')).at(-1)).toEqual({ type: 'end' })
})

test('T30 a stream cut off claims no success, also in the middle of a line', () => {
  const text = '{"model":"m","message":{"role":"assistant","content":"Half"},"done":false}\n'
  const types = (data: string) => eventsOf(ollamaChat, new TextEncoder().encode(data)).map(event => event.type)
  expect(types(text)).toEqual(['start', 'text'])
  expect(types(text + text.slice(0, 20))).toEqual(['start', 'text'])
  expect(types(`${text}${text.slice(0, 20)}\n`)).toEqual(['start', 'text', 'error'])
})
