import { describe, expect, test } from 'bun:test'
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts'
import type { UpstreamDialect } from '../../src/dialects/dialect.ts'
import { openaiChat } from '../../src/dialects/openai-chat/index.ts'
import { framer } from '../../src/stream/framer.ts'
import { Normalizer, type Outcome } from '../../src/stream/normalize.ts'
import { context } from '../dialects/corpus.ts'
import { streamFaults } from '../dialects/openai-faults.ts'

const utf8 = new TextEncoder()

/** A provider's stream that says its pieces one pull at a time, and counts. */
function provider(pieces: readonly (string | Error | 'wait')[]) {
  const seen = { pulls: 0, cancelled: undefined as unknown }
  let at = 0
  const source = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        seen.pulls++
        const piece = pieces[at++]
        if (piece === 'wait') return new Promise(() => {})
        if (piece instanceof Error) throw piece
        if (piece === undefined) controller.close()
        else controller.enqueue(utf8.encode(piece))
      },
      cancel(reason) {
        seen.cancelled = reason ?? true
      },
    },
    { highWaterMark: 0 },
  )
  return { source, seen }
}

function normalizer(pieces: readonly (string | Error)[], dialect: UpstreamDialect = openaiChat, grace?: number) {
  const { source, seen } = provider(pieces)
  const settled: Outcome[] = []
  const it = new Normalizer({
    source,
    framer: framer(dialect.framing),
    reader: dialect.reader({ memory: {}, quirks: [] }),
    writer: openaiChat.writer(context()),
    framing: 'sse',
    settled: outcome => settled.push(structuredClone(outcome)),
    ...(grace !== undefined && { grace }),
  })
  return { it, seen, settled, text: () => new Response(it.stream()).text() }
}

const chunk = (delta: object, finish: string | null = null, index = 0) =>
  `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'm', choices: [{ index, delta, finish_reason: finish }] })}\n\n`
const role = chunk({ role: 'assistant', content: '' })
const hello = chunk({ content: 'Hello' })
const stop = chunk({}, 'stop')
const usage = `data: ${JSON.stringify({ id: 'c1', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'm', choices: [], usage: { prompt_tokens: 3, completion_tokens: 1, total_tokens: 4 } })}\n\n`
const done = 'data: [DONE]\n\n'
const error = 'data: {"error":{"message":"Overloaded","type":"overloaded_error","code":null,"param":null}}\n\n'

test('a whole stream: everything in its order, settled once', async () => {
  const { it, settled, text } = normalizer([role, hello, stop, usage, done])
  expect(await it.prime()).toBeUndefined()
  const got = await text()
  expect(streamFaults(got)).toEqual([])
  expect(got).toEndWith('data: [DONE]\n\n')
  expect(settled).toEqual([{ model: 'm', finish: 'stop', usage: { input: 3, output: 1, source: 'reported' } }])
})

describe('T08 an error before the first words', () => {
  test('is given by prime, and nothing was sent', async () => {
    const { it, seen, settled } = normalizer([role, ': ping\n\n', error, hello])
    expect(await it.prime()).toMatchObject({ status: 503, message: 'Overloaded' })
    expect(settled).toHaveLength(1)
    expect(settled[0]!.error).toMatchObject({ message: 'Overloaded' })
    expect(seen.cancelled).toBeTrue()
  })

  test('in another dialect, with the status that its word stands for', async () => {
    const { it } = normalizer(
      ['event: error\ndata: {"type":"error","error":{"type":"rate_limit_error","message":"Slow down"}}\n\n'],
      anthropicMessages,
    )
    expect(await it.prime()).toMatchObject({ status: 429, message: 'Slow down' })
  })

  test.each([
    ['a body without anything', []],
    ['a stream that never begins', [role]],
    ['a connection that breaks', [role, new Error('reset by peer')]],
    ['bytes that are no chunk', ['data: <html>\n\n']],
  ] as [string, (string | Error)[]][])('%s is one too', async (_, pieces) => {
    const { it, settled } = normalizer(pieces)
    expect((await it.prime())!.status).toBe(502)
    expect(settled).toHaveLength(1)
  })

  test('a failure of the connection tells nothing of its address', async () => {
    const { it } = normalizer([new Error('connect ECONNREFUSED 10.1.2.3:443 sk-secret')])
    const { message } = (await it.prime())!
    expect(message).not.toMatch(/10\.1|sk-/)
  })
})

describe('T07 an error in mid-stream', () => {
  test.each([
    ['told by the provider', [hello, error, hello, stop, done]],
    ['by a broken connection', [hello, new Error('reset')]],
    ['by bytes that are no chunk', [hello, 'data: {"id":"c1", oops\n\n', hello, stop, done]],
    ['T30 by an end without a reason', [hello]],
    ['T30 by an end in the middle of a chunk', [hello, stop.slice(0, 60)]],
  ] as [string, (string | Error)[]][])('%s is one error frame, and nothing after it', async (_, pieces) => {
    const { it, seen, settled, text } = normalizer([role, ...pieces])
    expect(await it.prime()).toBeUndefined()
    const frames = (await text()).trim().split('\n\n')
    expect(frames).toHaveLength(2)
    expect(JSON.parse(frames[0]!.slice(6)).choices[0].delta.content).toBe('Hello')
    expect(JSON.parse(frames[1]!.slice(6)).error.message).toBeString()
    expect(settled).toHaveLength(1)
    expect(settled[0]!.error).toBeDefined()
    expect(settled[0]!.finish).toBeUndefined()
    expect(seen.pulls).toBeLessThanOrEqual(4)
  })

  test('the rest of the provider’s stream is not read', async () => {
    const { it, seen, text } = normalizer([role, hello, error, hello, hello, stop])
    await it.prime()
    await text()
    expect(seen).toMatchObject({ pulls: 3, cancelled: true })
  })

  test('what came before the error in one message is still given', async () => {
    const both = `data: {"id":"c1","created":1790000000,"model":"m","choices":[{"index":0,"delta":{"content":"Half"},"finish_reason":"error"}]}\n\n`
    const { it, text } = normalizer([hello, both])
    await it.prime()
    const got = await text()
    expect(got).toContain('"content":"Half"')
    expect(streamFaults(got)).toEqual([])
    expect(it.outcome.error).toBeDefined()
  })
})

describe('the end', () => {
  test('T29 a stream that has said why it stopped needs no [DONE]', async () => {
    const { it, text } = normalizer([hello, stop])
    await it.prime()
    expect(streamFaults(await text())).toEqual([])
    expect(it.outcome.error).toBeUndefined()
  })

  test('[DONE] alone is an end too: the reason is then an ordinary stop', async () => {
    const { it, text } = normalizer([hello, done])
    await it.prime()
    const got = await text()
    expect(streamFaults(got)).toEqual([])
    expect(got).toContain('"finish_reason":"stop"')
  })

  test('a connection that breaks behind the whole answer has taken nothing away', async () => {
    const { it, text } = normalizer([hello, stop, usage, done, new Error('reset')])
    await it.prime()
    expect(streamFaults(await text())).toEqual([])
    expect(it.outcome.error).toBeUndefined()
  })

  test('T30 T33 of two answers both must have come to their end', async () => {
    const { it, text } = normalizer([hello, chunk({ content: 'Hi' }, null, 1), stop])
    await it.prime()
    const got = await text()
    expect(got).not.toContain('[DONE]')
    expect(it.outcome.error).toBeDefined()
  })

  test('T29 a provider that keeps the line open behind its last words is not waited for', async () => {
    const { it, seen, settled, text } = normalizer([hello, stop, usage, 'wait'], openaiChat, 20)
    await it.prime()
    const got = await text()
    expect(streamFaults(got)).toEqual([])
    expect(got).toContain('"total_tokens":4')
    expect(settled).toHaveLength(1)
    expect(seen.cancelled).toBeTrue()
  })

  test('[DONE] twice, and chunks behind it, change nothing (trap 11)', async () => {
    const { it, text } = normalizer([hello, stop, done, hello, done])
    await it.prime()
    const got = await text()
    expect(streamFaults(got)).toEqual([])
    expect(got.match(/Hello/g)).toHaveLength(1)
  })
})

describe('the client', () => {
  test('T95 that leaves takes the provider’s stream with it', async () => {
    const { it, seen, settled } = normalizer([hello, hello, hello, stop, done])
    await it.prime()
    const reader = it.stream().getReader()
    await reader.read()
    await reader.cancel('gone')
    expect(seen.cancelled).toBe('gone')
    expect(settled).toHaveLength(1)
    expect(settled[0]).toMatchObject({ left: true })
  })

  test('that leaves has its usage so far recorded', async () => {
    const { it, settled } = normalizer([hello, usage, hello, stop, done])
    await it.prime()
    const reader = it.stream().getReader()
    await reader.read()
    await reader.read()
    await reader.cancel()
    expect(settled[0]!.usage).toMatchObject({ input: 3 })
  })

  test('that reads slowly is not overtaken by more than a stream may hold', async () => {
    const long = chunk({ content: 'Hello '.repeat(2_000) })
    const { it, seen } = normalizer([...Array(500).fill(long), stop, done])
    await it.prime()
    expect(seen.pulls).toBe(1)
    const reader = it.stream().getReader()
    await Bun.sleep(1)
    expect(seen.pulls).toBe(1)
    for (let reads = 1; reads <= 3; reads++) {
      await reader.read()
      await Bun.sleep(5)
      expect(seen.pulls).toBeLessThan(20 * reads)
    }
    await reader.cancel()
  })

  test('that never reads costs one read', async () => {
    const { it, seen } = normalizer(Array(50).fill(hello))
    await it.prime()
    it.stream()
    await Bun.sleep(2)
    expect(seen.pulls).toBe(1)
  })

  test('gets the frames of one read in one piece', async () => {
    const { it } = normalizer([hello + hello + hello, stop + usage + done])
    await it.prime()
    const pieces: string[] = []
    for await (const piece of it.stream()) pieces.push(new TextDecoder().decode(piece))
    expect(pieces[0]!.match(/Hello/g)).toHaveLength(3)
    expect(pieces).toHaveLength(3)
  })
})

describe('T01 signs of life', () => {
  test('before the stream has a name are comments, behind it empty chunks', async () => {
    const { it, text } = normalizer([': one\n\n', ': two\n\n', hello, ': three\n\n', stop, done])
    await it.prime()
    const got = await text()
    expect(got.match(/^: keep-alive$/gm)).toHaveLength(2)
    expect(got).toContain('"choices":[{"index":0,"delta":{},"finish_reason":null}]')
    expect(streamFaults(got)).toEqual([])
  })

  test('are not the beginning of an answer', async () => {
    const { it } = normalizer([': one\n\n', role, ': two\n\n', error])
    expect(await it.prime()).toMatchObject({ message: 'Overloaded' })
  })
})
