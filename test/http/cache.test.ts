import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setSystemTime, test } from 'bun:test'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'

/** The answer cache (contract section 4). */

const LAPTOP = 'a-token-of-the-laptop'
const PHONE = 'a-token-of-the-phone'

let provider: StandIn
let app: RunningApp
let answer: (seen: Seen) => Response | Promise<Response>

beforeAll(async () => {
  provider = standIn(seen => answer(seen))
  const base_url = provider.address
  const keys = { default: 'the-key', other: 'another-key' }
  app = await startApp({
    tokens: [
      { name: 'laptop', token: LAPTOP },
      { name: 'phone', token: PHONE },
    ],
    providers: { openai: { base_url, keys }, anthropic: { base_url, keys } },
    gateways: {
      default: {},
      kept: { cache_ttl: 300, rate_limiting_limit: 1_000, rate_limiting_interval: 60 },
      joined: { cache_ttl: 300, cache_coalesce: true },
      paced: { cache_ttl: 300, cache_replay: 'recorded' },
      few: { cache_ttl: 300, rate_limiting_limit: 1, rate_limiting_interval: 3_600 },
    },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})
let said = 0
beforeEach(() => {
  answer = ({ body }) => {
    said++
    return body.stream
      ? streamedAnswer('openai-chat', `Answer ${said}.`)
      : wholeAnswer('openai-chat', `Answer ${said}.`)
  }
})
afterEach(() => setSystemTime())

interface Way {
  gateway?: string
  path?: string
  headers?: Record<string, string>
  token?: string
  signal?: AbortSignal
}

let number = 0
/** A question that nobody asked before. */
const question = (more: object = {}) => ({
  model: 'openai/gpt-5-mini',
  messages: [{ role: 'user', content: `Question ${number++}` }],
  ...more,
})

function send(
  body: unknown,
  { gateway = 'kept', path = '/compat/chat/completions', headers, token = LAPTOP, signal }: Way = {},
) {
  return fetch(`${app.address}/v1/home/${gateway}${path}`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    ...(signal && { signal }),
  })
}

async function ask(body: unknown, way: Way = {}) {
  const before = provider.seen.length
  const response = await send(body, way)
  const text = await response.text()
  return {
    status: response.status,
    cache: response.headers.get('cf-aig-cache-status'),
    headers: response.headers,
    text,
    asked: provider.seen.length - before,
  }
}

describe('what is kept', () => {
  test('an answer is given again, byte for byte, without asking the provider', async () => {
    const body = question()
    const first = await ask(body)
    const second = await ask(body)
    expect([first.status, first.cache, first.asked]).toEqual([200, 'MISS', 1])
    expect([second.status, second.cache, second.asked]).toEqual([200, 'HIT', 0])
    expect(second.text).toBe(first.text)
    expect(second.headers.get('content-type')).toBe(first.headers.get('content-type'))
    expect(second.headers.get('cf-aig-log-id')).not.toBe(first.headers.get('cf-aig-log-id'))
    const lines = app.requests().slice(-2)
    expect(lines[1]).toMatchObject({ cached: true, provider: 'openai', model: 'gpt-5-mini' })
    expect(lines[1]!.cost).toBeUndefined()
  })

  test('a stream as a stream', async () => {
    const body = question({ stream: true, stream_options: { include_usage: true } })
    const first = await ask(body)
    const second = await ask(body)
    expect([second.cache, second.asked, second.text]).toEqual(['HIT', 0, first.text])
    expect(second.headers.get('content-type')).toStartWith('text/event-stream')
    expect(second.text).toContain('data: [DONE]')
  })

  test('a translated answer, streamed and not, in the client’s own words', async () => {
    answer = ({ body }) => (body.stream ? streamedAnswer : wholeAnswer)('anthropic-messages', 'In the reeds.')
    for (const stream of [false, true]) {
      const body = question({ model: 'anthropic/claude-sonnet-4-5', stream })
      const first = await ask(body)
      const second = await ask(body)
      expect([second.cache, second.asked, second.text]).toEqual(['HIT', 0, first.text])
      expect(second.text).toContain('reeds')
    }
  })

  test('native answers, and steps of a list each for itself', async () => {
    const native = { path: '/openai/chat/completions' }
    const body = question({ model: 'gpt-5-mini' })
    const first = await ask(body, native)
    const second = await ask(body, native)
    expect([first.asked, second.cache, second.asked, second.text]).toEqual([1, 'HIT', 0, first.text])
    const step = { provider: 'openai', endpoint: 'chat/completions', query: question({ model: 'gpt-5-mini' }) }
    const ttl = { headers: { 'cf-aig-cache-ttl': 60 } }
    const list = [{ ...step, ...ttl }]
    await ask(list, { gateway: 'default', path: '' })
    const again = await ask(list, { gateway: 'default', path: '/' })
    expect([again.cache, again.asked, again.headers.get('cf-aig-step')]).toEqual(['HIT', 0, '0'])
    expect((await ask([step], { gateway: 'default', path: '' })).asked).toBe(1)
  })

  test('pictures and sound', async () => {
    const bytes = new Uint8Array([0x89, 0x50, 0, 255, 13, 10])
    answer = () => new Response(bytes, { headers: { 'content-type': 'audio/mpeg' } })
    const body = question()
    const way = { path: '/openai/audio/speech' }
    await send(body, way).then(response => response.arrayBuffer())
    const again = await send(body, way)
    expect([again.headers.get('cf-aig-cache-status'), new Uint8Array(await again.arrayBuffer())]).toEqual([
      'HIT',
      bytes,
    ])
  })

  test.each([400, 401, 429, 500, 503])('never an error: %d', async status => {
    answer = () => Response.json({ error: { message: 'no' } }, { status })
    const body = question()
    expect((await ask(body)).status).toBe(status)
    expect((await ask(body)).asked).toBe(1)
  })

  test('never half an answer', async () => {
    const half = async (stream: boolean) => {
      answer = () =>
        new Response(
          new ReadableStream({
            start(controller) {
              controller.enqueue(
                new TextEncoder().encode('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'),
              )
              controller.close()
            },
          }),
          { headers: { 'content-type': 'text/event-stream' } },
        )
      const body = question({ stream })
      await ask(body)
      return (await ask(body)).asked
    }
    expect(await half(true)).toBe(1)
  })

  test('what a client left in the middle is not kept', async () => {
    const rest = Promise.withResolvers<void>()
    answer = () =>
      new Response(
        new ReadableStream({
          async start(controller) {
            controller.enqueue(new TextEncoder().encode('data: {"choices":[{"index":0,"delta":{"content":"a"}}]}\n\n'))
            await rest.promise
          },
        }),
        { headers: { 'content-type': 'text/event-stream' } },
      )
    const body = question({ stream: true })
    const leaving = new AbortController()
    const response = await send(body, { signal: leaving.signal })
    await response.body!.getReader().read()
    leaving.abort()
    rest.resolve()
    answer = () => streamedAnswer('openai-chat', 'Whole.')
    expect((await ask(body)).asked).toBe(1)
  })
})

describe('whose it is', () => {
  test('neither the order of members nor white space matters, everything else does', async () => {
    const text = `${number++}`
    await ask(`{"model":"openai/m","messages":[{"role":"user","content":"${text}"}],"seed":1}`)
    const other = `{ "seed": 1, "messages": [ {"content":"${text}", "role":"user"} ],\n "model":"openai/m" }`
    expect((await ask(other)).cache).toBe('HIT')
    expect((await ask(other.replace('1', '1.0'))).asked).toBe(1)
  })

  test('two tokens with the house’s key share; a key of one’s own shares with nobody', async () => {
    const body = question()
    await ask(body)
    expect((await ask(body, { token: PHONE })).cache).toBe('HIT')
    const mine = { headers: { authorization: 'Bearer sk-mine' } }
    expect((await ask(body, mine)).asked).toBe(1)
    expect((await ask(body, mine)).cache).toBe('HIT')
    expect((await ask(body, { headers: { authorization: 'Bearer sk-yours' } })).asked).toBe(1)
    expect((await ask(body, { headers: { 'cf-aig-byok-alias': 'other' } })).asked).toBe(1)
  })

  test('each gateway has its own', async () => {
    const body = question()
    await ask(body)
    expect((await ask(body, { gateway: 'paced' })).asked).toBe(1)
  })

  test('metadata is no part of it', async () => {
    const body = question()
    await ask(body, { headers: { 'cf-aig-metadata': '{"user":1}' } })
    expect((await ask(body, { headers: { 'cf-aig-metadata': '{"user":2}' } })).cache).toBe('HIT')
  })
})

describe('what a request may say', () => {
  const off = { gateway: 'default' }

  test('without a word nothing is kept', async () => {
    const body = question()
    await ask(body, off)
    expect(await ask(body, off)).toMatchObject({ cache: 'MISS', asked: 1 })
  })

  test.each(['cf-aig-cache-ttl', 'cf-cache-ttl'])('%s keeps it so long', async name => {
    const body = question()
    const way = { ...off, headers: { [name]: '60' } }
    await ask(body, way)
    expect((await ask(body, way)).cache).toBe('HIT')
    setSystemTime(new Date(Date.now() + 61_000))
    expect((await ask(body, way)).asked).toBe(1)
  })

  test.each(['cf-aig-skip-cache', 'cf-skip-cache'])('%s goes past it, both ways', async name => {
    const body = question()
    const skip = { headers: { [name]: 'true' } }
    await ask(body, skip)
    expect((await ask(body)).asked).toBe(1)
    expect((await ask(body, skip)).asked).toBe(1)
  })

  test('a time of 0 turns it off', async () => {
    const body = question()
    await ask(body, { headers: { 'cf-aig-cache-ttl': '0' } })
    expect((await ask(body)).asked).toBe(1)
  })

  test('a key of its own stands for everything, for five minutes', async () => {
    const way = { ...off, headers: { 'cf-aig-cache-key': `mine ${number}` } }
    const first = await ask(question(), way)
    const second = await ask(question({ temperature: 0 }), way)
    expect([second.cache, second.text]).toEqual(['HIT', first.text])
    setSystemTime(new Date(Date.now() + 301_000))
    expect((await ask(question(), way)).asked).toBe(1)
  })
})

test('hits do not count against limits', async () => {
  const body = question()
  const statuses = []
  for (let count = 0; count < 5; count++) statuses.push((await ask(body, { gateway: 'few' })).status)
  expect(statuses).toEqual([200, 200, 200, 200, 200])
  expect((await ask(question(), { gateway: 'few' })).status).toBe(429)
})

test('a stream at the pace that it came in', async () => {
  const piece = (text: string) =>
    `data: {"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`
  answer = () =>
    new Response(
      (async function* () {
        yield piece('a')
        await Bun.sleep(120)
        yield `${piece('b')}data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n`
      })() as unknown as ReadableStream,
      { headers: { 'content-type': 'text/event-stream' } },
    )
  const body = question({ stream: true })
  const first = await ask(body, { gateway: 'paced' })
  const started = performance.now()
  const second = await ask(body, { gateway: 'paced' })
  expect([second.cache, second.text]).toEqual(['HIT', first.text])
  expect(performance.now() - started).toBeGreaterThan(90)
  // A reader that leaves is put on record as one.
  const leaving = new AbortController()
  const response = await send(body, { gateway: 'paced', signal: leaving.signal })
  await response.body!.getReader().read()
  const lines = app.requests().length
  leaving.abort()
  expect(await app.record(lines + 1)).toMatchObject({ status: 499, cached: true })
})

describe('identical requests at the same time', () => {
  test('share one call', async () => {
    let release = () => {}
    const gate = new Promise<void>(resolve => {
      release = resolve
    })
    answer = async ({ body }) => {
      await gate
      return (body.stream ? streamedAnswer : wholeAnswer)('openai-chat', 'Shared.')
    }
    for (const stream of [false, true]) {
      const body = question({ stream })
      const before = provider.seen.length
      const all = Array.from({ length: 20 }, () => ask(body, { gateway: 'joined' }))
      await provider.until(before + 1)
      await Bun.sleep(20)
      release()
      const answers = await Promise.all(all)
      expect(provider.seen.length - before).toBe(1)
      expect(new Set(answers.map(({ text }) => text)).size).toBe(1)
      expect(answers.map(({ status }) => status)).toEqual(Array(20).fill(200))
      expect(answers.filter(({ cache }) => cache === 'MISS')).toHaveLength(1)
      expect(new Set(answers.map(({ headers }) => headers.get('cf-aig-log-id'))).size).toBe(20)
      expect((await ask(body, { gateway: 'joined' })).cache).toBe('HIT')
    }
  })

  test('whoever leaves, the first too, takes nothing from the others; the last ends the call', async () => {
    const gate = Promise.withResolvers<void>()
    const aborted = Promise.withResolvers<void>()
    answer = async ({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve())
      await gate.promise
      return wholeAnswer('openai-chat', 'Shared.')
    }
    const body = question()
    const before = provider.seen.length
    const leaving = Array.from({ length: 3 }, () => new AbortController())
    const calls = leaving.map(({ signal }) => send(body, { gateway: 'joined', signal }).catch(() => undefined))
    await provider.until(before + 1)
    await Bun.sleep(20)
    leaving[0]!.abort()
    leaving[1]!.abort()
    await Bun.sleep(30)
    gate.resolve()
    expect(await (await calls[2])!.text()).toContain('Shared.')
    expect(provider.seen.length - before).toBe(1)

    const stuck = Promise.withResolvers<void>()
    answer = async ({ signal }) => {
      signal.addEventListener('abort', () => aborted.resolve())
      await stuck.promise
      return wholeAnswer('openai-chat', 'Never.')
    }
    const alone = new AbortController()
    const call = send(question(), { gateway: 'joined', signal: alone.signal }).catch(() => {})
    await provider.until(before + 2)
    alone.abort()
    await Promise.all([call, aborted.promise])
    stuck.resolve()
  })
})
