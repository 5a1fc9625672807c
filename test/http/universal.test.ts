import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { streamPieces, streamType } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type Connection, head, rawUpstream } from '../support/raw-upstream.ts'
import { type Pieces, said, type Wire, type WireProvider, wireProvider } from '../support/wire.ts'

/** The universal endpoint: `POST /v1/{account}/{gateway}` with a list of steps (contract 6.2, 14.2). */

const KEY = 'key-of-the-operator-4711'
const OWN = 'key-of-the-caller-0815'
const STEP = { provider: 'openai', endpoint: 'chat/completions', headers: {}, query: { model: 'm' } }
const QUESTION = { model: 'openai/m', messages: [{ role: 'user', content: 'Where does the heron stand?' }] }

let provider: WireProvider
let silent: ReturnType<typeof rawUpstream>
let waiting = Promise.withResolvers<Connection>()
let app: RunningApp
/** What the provider says to each path; everything else is fine. */
let answers: Record<string, Pieces> = {}

const json = (status: string, value: unknown, headers: Record<string, string> = {}) => [
  said(status, { 'content-type': 'application/json', ...headers }, JSON.stringify(value)),
]
const pathOf = ({ line }: Wire) => line.split(' ')[1]!

beforeAll(async () => {
  provider = wireProvider(seen => answers[pathOf(seen)] ?? json('200 OK', { from: pathOf(seen) }))
  silent = rawUpstream(connection => waiting.resolve(connection))
  const reach = { base_url: provider.address, keys: { default: KEY } }
  app = await startApp({
    providers: {
      openai: reach,
      anthropic: reach,
      'google-ai-studio': reach,
      'workers-ai': { ...reach, account: 'acc' },
      mistral: { ...reach, base_url: 'http://127.0.0.1:1' },
      groq: { ...reach, base_url: silent.address },
    },
    custom_providers: { mine: { base_url: `${provider.address}/mine` } },
    gateways: { open: { authentication: false } },
  })
})
beforeEach(() => {
  answers = {}
})
afterAll(async () => {
  await app.stop()
  provider.stop()
  silent.stop()
})

interface Options {
  headers?: Record<string, string>
  path?: string
  signal?: AbortSignal
}

function run(body: unknown, { headers = {}, path = '/v1/home/default', signal }: Options = {}) {
  return fetch(app.address + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'cf-aig-authorization': `Bearer ${TOKEN}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
    signal,
  })
}

/** Runs steps, and gives the answer and what the provider was asked. */
async function ran(body: unknown, options?: Options) {
  const before = provider.seen.length
  const response = await run(body, options)
  const text = await response.text()
  return {
    status: response.status,
    step: response.headers.get('cf-aig-step'),
    type: response.headers.get('content-type'),
    text,
    value: (text.startsWith('{') ? JSON.parse(text) : undefined) as Record<string, unknown>,
    seen: provider.seen.slice(before),
  }
}

describe('the forms of a request', () => {
  test('a list', async () => {
    const { status, step, value, seen } = await ran([STEP])
    expect([status, step, value]).toEqual([200, '0', { from: '/chat/completions' }])
    expect(seen[0]!.line).toBe('POST /chat/completions HTTP/1.1')
    expect(seen[0]!.body.toString()).toBe('{"model":"m"}')
  })

  test('a single object, and a slash at the end', async () => {
    expect(await ran(STEP)).toMatchObject({ status: 200, step: '0' })
    expect(await ran(STEP, { path: '/v1/home/default/' })).toMatchObject({ status: 200, step: '0' })
    expect(await ran([STEP], { path: '/v1/home/default/' })).toMatchObject({ status: 200, step: '0' })
  })

  test.each([[{}], [undefined], [null]])('headers %p', async headers => {
    const { status, seen } = await ran([{ ...STEP, headers }])
    expect(status).toBe(200)
    expect(seen[0]!.headers).toMatchObject({ 'content-type': 'application/json', authorization: `Bearer ${KEY}` })
  })

  test('headers that are no strings, in any case', async () => {
    const headers = {
      'X-Number': 7,
      'x-BOOL': true,
      'X-Object': { a: [1] },
      'x-null': null,
      'Content-Type': 'application/json; charset=utf-8',
      'User-Agent': 'ai/7',
      'CF-AIG-Metadata': { team: 'a' },
      'cf-aig-cache-ttl': 3600,
    }
    const { seen } = await ran([{ ...STEP, headers }])
    expect(seen[0]!.headers).toEqual({
      host: provider.address.slice(7),
      accept: '*/*',
      'accept-encoding': 'identity',
      'content-length': '13',
      'content-type': 'application/json; charset=utf-8',
      'user-agent': 'ai/7',
      'x-number': '7',
      'x-bool': 'true',
      'x-object': '{"a":[1]}',
      authorization: `Bearer ${KEY}`,
    })
  })

  test.each([
    ['/chat/completions', '/chat/completions'],
    ['v1/chat/completions', '/v1/chat/completions'],
    ['//chat/completions?a=%20b&c[]=1', '/chat/completions?a=%20b&c[]=1'],
    ['models/a%3Ab%2Fc?x=y?z', '/models/a%3Ab%2Fc?x=y?z'],
  ])('an endpoint %s', async (endpoint, arrived) => {
    const { seen } = await ran([{ ...STEP, endpoint }])
    expect([arrived, arrived.replace('/v1', '')]).toContain(pathOf(seen[0]!))
  })

  test('the member `authorization` of the oldest clients', async () => {
    const { seen } = await ran([{ ...STEP, authorization: `Bearer ${OWN}` }])
    expect(seen[0]!.headers.authorization).toBe(`Bearer ${OWN}`)
    const both = await ran([{ ...STEP, headers: { Authorization: 'Bearer first' }, authorization: `Bearer ${OWN}` }])
    expect(both.seen[0]!.headers.authorization).toBe('Bearer first')
  })

  test('14.5 as tanstack’s client writes it: `messages`, `run/@cf/…` without a model, placeholders for keys', async () => {
    const anthropic = {
      provider: 'anthropic',
      endpoint: 'messages',
      headers: { 'x-api-key': 'unused' },
      query: { a: 1 },
    }
    const { seen } = await ran(anthropic)
    expect(pathOf(seen[0]!)).toBe('/v1/messages')
    expect(seen[0]!.headers['x-api-key']).toBe(KEY)
    const cf = await ran({ provider: 'workers-ai', endpoint: 'run/@cf/meta/llama', query: { prompt: 'x' } })
    expect(pathOf(cf.seen[0]!)).toContain('@cf/meta/llama')
  })

  test('T85 a query goes upstream as it was written', async () => {
    const query = '{ "seed": 12345678901234567890,\n  "x": 1.0, "model":"m" }'
    const step = `{"provider": "openai", "query": ${query}, "endpoint": "chat/completions"}`
    for (const body of [step, `[${step}]`]) expect((await ran(body)).seen[0]!.body.toString()).toBe(query)
  })

  test('no query is an empty one', async () => {
    const { query: _, ...bare } = STEP
    expect((await ran([bare])).seen[0]!.body.toString()).toBe('{}')
  })
})

describe('which step answers', () => {
  const bad = { ...STEP, endpoint: 'bad' }

  test('the first success, and nobody is asked after it', async () => {
    const { step, seen } = await ran([STEP, { ...STEP, endpoint: 'second' }])
    expect([step, seen.length]).toEqual(['0', 1])
  })

  test.each(['400 Bad', '401 No', '404 Not', '429 Much', '500 Oh', '529 Over', '302 Found'])(
    'after %s the next',
    async status => {
      answers['/bad'] = json(status, { error: 1 })
      const { step, value, seen } = await ran([bad, { ...STEP, endpoint: 'second' }])
      expect([step, value.from, seen.length]).toEqual(['1', '/second', 2])
    },
  )

  test('after a provider that is not there, not known, or without a key, the next', async () => {
    const steps = [
      { ...STEP, provider: 'mistral' },
      { ...STEP, provider: 'heron' },
      { ...STEP, provider: 'cerebras' },
      { ...STEP, provider: 'custom-mine', endpoint: 'deep/er' },
    ]
    expect(await ran(steps)).toMatchObject({ status: 200, step: '3', value: { from: '/mine/deep/er' } })
  })

  test('when none does, the last provider’s own words, with its number', async () => {
    answers['/bad'] = json('429 Much', { error: 'first' })
    answers['/v1/messages'] = json(
      '529 Over',
      { type: 'error', error: { type: 'overloaded_error' } },
      { 'retry-after': '3' },
    )
    const messages = { provider: 'anthropic', endpoint: 'v1/messages', query: {} }
    const { status, step, value } = await ran([bad, messages])
    expect([status, step, value]).toEqual([529, '1', { type: 'error', error: { type: 'overloaded_error' } }])
    // Also when one that did not answer comes after it.
    expect(await ran([bad, { ...STEP, provider: 'mistral' }])).toMatchObject({
      status: 429,
      step: '0',
      value: { error: 'first' },
    })
  })

  test('2.5 none within reach: 400 with code 2005', async () => {
    const { status, step, value } = await ran([
      { ...STEP, provider: 'mistral' },
      { ...STEP, provider: 'mistral' },
    ])
    expect(status).toBe(400)
    expect(value).toMatchObject({ success: false, error: [{ code: 2005 }], errors: [{ code: 2005 }], httpCode: 400 })
    expect(step).toBeNull()
  })

  test('a step that failed is recorded with its own status, and its connection is let go', async () => {
    const { promise: hungUp, resolve } = Promise.withResolvers<void>()
    const endless = rawUpstream(async connection => {
      await connection.write(head('500 Oh', { 'content-type': 'text/plain', 'transfer-encoding': 'chunked' }))
      await connection.write('3\r\nabc\r\n')
      await connection.closed
      resolve()
    })
    const other = await startApp({
      custom_providers: { endless: { base_url: endless.address }, mine: { base_url: provider.address } },
    })
    const response = await fetch(`${other.address}/v1/home/default`, {
      method: 'POST',
      headers: { 'cf-aig-authorization': TOKEN },
      body: JSON.stringify(['custom-endless', 'custom-mine'].map(name => ({ provider: name, endpoint: 'x' }))),
    })
    expect(await response.json()).toEqual({ from: '/x' })
    await hungUp
    const lines = [await other.record(1), await other.record(2)].map(({ provider, status }) => [provider, status])
    expect(lines.sort()).toEqual([
      ['custom-endless', 500],
      ['custom-mine', 200],
    ])
    await other.stop()
    endless.stop()
  })

  test('a stream, byte for byte', async () => {
    const bytes = Buffer.concat(streamPieces('anthropic-messages', 'Im Röhricht.').map(piece => Buffer.from(piece)))
    const pieces: Pieces = [
      `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncontent-length: ${bytes.length}\r\n\r\n`,
    ]
    for (let cut = 0; cut < bytes.length; cut += 33) pieces.push(bytes.subarray(cut, cut + 33))
    answers['/v1/messages'] = pieces
    answers['/bad'] = json('500 Oh', {})
    const messages = { provider: 'anthropic', endpoint: 'v1/messages', query: { stream: true } }
    const { step, type, text } = await ran([bad, messages])
    expect([step, type]).toEqual(['1', streamType('anthropic-messages')])
    expect(text).toBe(bytes.toString())
  })

  test('a step of `compat` is translated like any chat, whichever its place', async () => {
    answers['/v1/messages'] = json('200 OK', {
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'm',
      content: [{ type: 'text', text: 'There.' }],
      stop_reason: 'end_turn',
      usage: { input_tokens: 1, output_tokens: 1 },
    })
    answers['/bad'] = json('500 Oh', {})
    const chat = { provider: 'compat', endpoint: 'chat/completions', query: { ...QUESTION, model: 'anthropic/m' } }
    const { step, value } = await ran([bad, chat])
    expect(step).toBe('1')
    expect(value).toMatchObject({ object: 'chat.completion', choices: [{ message: { content: 'There.' } }] })
  })

  test.each<[unknown, string]>([
    [{ messages: [] }, 'query.'],
    [{ model: 'openai/m', messages: [null] }, 'query.messages[0]'],
    [{ model: 'openai/m', messages: 'x' }, 'query.messages'],
    [null, 'query'],
    [7, 'query'],
  ])('a step of `compat` that is no chat: 400 that says what is wrong with %j', async (query, where) => {
    const { status, value, seen } = await ran([{ provider: 'compat', endpoint: 'chat/completions', query }])
    expect([status, seen.length]).toEqual([400, 0])
    expect(value.message as string).toStartWith(where)
  })
})

describe('keys', () => {
  test('our token in a step’s header stands for the stored key', async () => {
    const outer = { headers: { 'cf-aig-authorization': '' }, path: '/v1/home/open' }
    for (const [name, endpoint, header, value, put] of [
      ['openai', 'x', 'Authorization', `Bearer ${TOKEN}`, ['authorization', `Bearer ${KEY}`]],
      ['anthropic', 'v1/messages', 'x-api-key', TOKEN, ['x-api-key', KEY]],
      ['google-ai-studio', 'v1beta/models/m:x', 'x-goog-api-key', TOKEN, ['x-goog-api-key', KEY]],
      ['openai', 'x', 'cf-aig-authorization', TOKEN, ['authorization', `Bearer ${KEY}`]],
    ] as const) {
      const { status, seen } = await ran([{ provider: name, endpoint, headers: { [header]: value }, query: {} }], outer)
      expect(status).toBe(200)
      expect(seen[0]!.headers[put[0]]).toBe(put[1])
    }
    expect(await ran([STEP], outer)).toMatchObject({ status: 400, seen: [] })
  })

  test('a key in the query of a step', async () => {
    const google = { provider: 'google-ai-studio', headers: {}, query: {} }
    const { seen } = await ran([{ ...google, endpoint: `v1beta/models/m:x?alt=sse&key=${TOKEN}` }])
    expect(pathOf(seen[0]!)).toBe('/v1beta/models/m:x?alt=sse')
    expect(seen[0]!.headers['x-goog-api-key']).toBe(KEY)
    const own = await ran([{ ...google, endpoint: `v1beta/models/m:x?key=${OWN}` }])
    expect(pathOf(own.seen[0]!)).toBe(`/v1beta/models/m:x?key=${OWN}`)
    expect(own.seen[0]!.headers['x-goog-api-key']).toBeUndefined()
    // What stands in the query of the list's own address is for nobody.
    const outer = await ran([{ ...google, endpoint: 'v1beta/models/m:x' }], { path: `/v1/home/default?key=${OWN}` })
    expect(outer.seen[0]!.headers['x-goog-api-key']).toBe(KEY)
  })

  test('outer headers stay here', async () => {
    const { seen } = await ran([STEP], {
      headers: { 'x-outer': 'a', authorization: `Bearer ${OWN}`, 'openai-organization': 'o', cookie: 'c=1' },
    })
    const { headers } = seen[0]!
    for (const name of ['x-outer', 'openai-organization', 'cookie']) expect(headers[name]).toBeUndefined()
    expect(headers.authorization).toBe(`Bearer ${KEY}`)
  })

  test('each step has its own', async () => {
    answers['/bad'] = json('401 No', {})
    const { seen } = await ran([{ ...STEP, endpoint: 'bad', headers: { authorization: `Bearer ${OWN}` } }, STEP])
    expect(seen.map(({ headers }) => headers.authorization)).toEqual([`Bearer ${OWN}`, `Bearer ${KEY}`])
  })
})

describe('time', () => {
  const slow = { ...STEP, provider: 'groq' }
  test.each<[string, object, Record<string, string>]>([
    ['a header of the step', { headers: { 'cf-aig-request-timeout': 40 } }, {}],
    ['`config`', { config: { requestTimeout: 40 } }, {}],
    ['a header of the request', {}, { 'cf-aig-request-timeout': '40' }],
    ['the step before the request', { config: { requestTimeout: 40 } }, { 'cf-aig-request-timeout': '9000' }],
  ])('%s', async (_, more, headers) => {
    const started = performance.now()
    expect(await ran([{ ...slow, ...more }, STEP], { headers })).toMatchObject({ status: 200, step: '1' })
    expect(performance.now() - started).toBeWithin(35, 1_500)
  })

  test('a client that leaves in the second step ends the call, and there is no third', async () => {
    waiting = Promise.withResolvers()
    answers['/bad'] = json('500 Oh', {})
    const leaving = new AbortController()
    // The line of an answer is written when it is out.
    await Bun.sleep(20)
    const before = provider.seen.length
    const lines = app.requests().length
    const asked = run([{ ...STEP, endpoint: 'bad' }, slow, STEP], { signal: leaving.signal })
    asked.catch(() => {})
    const connection = await waiting.promise
    const left = performance.now()
    leaving.abort()
    await connection.closed
    expect(performance.now() - left).toBeLessThan(1_000)
    await app.record(lines + 2)
    await Bun.sleep(20)
    expect(provider.seen).toHaveLength(before + 1)
    expect(
      app
        .requests()
        .slice(lines)
        .filter(line => line.provider === 'openai'),
    ).toHaveLength(1)
    expect(app.requests().slice(lines)).toContainEqual(expect.objectContaining({ provider: 'groq', status: 499 }))
  })
})

describe('what is refused', () => {
  test.each<[string, unknown, number, string]>([
    ['an empty list', [], 400, 'the body: expected a list that is not empty'],
    ['nothing', '', 400, 'empty'],
    ['no JSON', '[{', 400, 'JSON'],
    ['a number', '7', 400, 'the body'],
    ['an empty object', {}, 400, 'provider: required'],
    ['a step without a provider', [STEP, { endpoint: 'x' }], 400, '[1].provider: required'],
    ['a step without an endpoint', [{ provider: 'openai' }], 400, '[0].endpoint: required'],
    ['a step that is none', [STEP, 'x'], 400, '[1]: expected an object'],
    ['headers that are a list', [{ ...STEP, headers: ['a'] }], 400, '[0].headers: expected an object'],
    [
      'a wrong control in a header of a step',
      [{ ...STEP, headers: { 'cf-aig-request-timeout': 'soon' } }],
      400,
      '[0].headers.cf-aig-request-timeout: expected milliseconds',
    ],
    [
      'a wrong time',
      [{ ...STEP, config: { requestTimeout: 'x' } }],
      400,
      '[0].config.requestTimeout: expected an integer',
    ],
    ['a header’s name that is none', [STEP, { ...STEP, headers: { 'a b': 'x' } }], 400, '[1].headers: '],
    ['a header’s value with a line break', [{ ...STEP, headers: { a: 'x\r\ncf-a: 1' } }], 400, '[0].headers: '],
    ['an unknown provider alone', [{ ...STEP, provider: 'heron' }], 400, 'Invalid provider'],
  ])('%s', async (_, body, status, words) => {
    const { status: got, value, seen } = await ran(body)
    expect(got).toBe(status)
    expect(value).toMatchObject({
      success: false,
      name: 'AiGatewayError',
      error: [{ message: expect.stringContaining(words) }],
    })
    expect(value.errors).toEqual(value.error)
    expect(seen).toHaveLength(0)
  })

  test('14.4 the two errors that clients know: 401 with 2009, 400 with 2001', async () => {
    const wrong = await ran([STEP], { headers: { 'cf-aig-authorization': 'Bearer undefined' } })
    expect(wrong).toMatchObject({ status: 401, value: { success: false, error: [{ code: 2009 }] } })
    const nowhere = await ran([STEP], { path: '/v1/home/nothing' })
    expect(nowhere).toMatchObject({ status: 400, value: { success: false, error: [{ code: 2001 }] } })
  })
})

test('nothing upstream held our token or a header of ours; no line of the log a key; no fault was our own', () => {
  expect(provider.everything()).not.toContain(TOKEN)
  expect(provider.everything() + silent.requests.join('')).not.toMatch(/^cf-/im)
  for (const secret of [TOKEN, KEY, OWN]) expect(app.logged()).not.toContain(secret)
  const errors = app
    .logged()
    .split('\n')
    .filter(line => line.includes('"level":"error"'))
  expect(errors).toEqual([])
})
