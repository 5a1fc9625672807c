import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import { streamedAnswer, streamPieces, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { streamOf } from '../support/chat.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'
import { wireProvider } from '../support/wire.ts'

/** The REST plane: `/client/v4/accounts/{account}/ai/…` (contract 1.1 rows 11 to 16, 1.7, 12.2). */

const KEY = 'key-of-the-operator-4711'
const MESSAGES = [{ role: 'user', content: 'Where does the heron stand?' }]
const SAID = 'In the reeds.'

let provider: StandIn
let app: RunningApp
let answer: (seen: Seen) => Response

interface Envelope {
  result: Record<string, unknown> | null
  success: boolean
  errors: { code: number; message: string }[]
  messages: unknown[]
  error?: { message: string; type: string }
}

beforeAll(async () => {
  provider = standIn(seen => answer(seen))
  const reach = { base_url: provider.address, keys: { default: KEY } }
  app = await startApp({
    tokens: [
      { name: 'tests', token: TOKEN },
      { name: 'reader', token: 'a-token-that-reads', permissions: ['read'] },
      { name: 'team', token: 'a-token-of-the-team', gateways: ['team'] },
    ],
    providers: {
      openai: reach,
      anthropic: reach,
      'google-ai-studio': reach,
      grok: reach,
      cohere: reach,
      'workers-ai': { ...reach, base_url: `${provider.address}/acc/ai/run` },
      mistral: { ...reach, base_url: 'http://127.0.0.1:1' },
    },
    gateways: { open: { authentication: false }, team: {} },
  })
})
beforeEach(() => {
  answer = () => wholeAnswer('openai-chat', SAID)
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

const BEARER = { authorization: `Bearer ${TOKEN}` }

function call(path: string, body: unknown, headers: Record<string, string> = BEARER, account = 'home') {
  return fetch(`${app.address}/client/v4/accounts/${account}/ai/${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body),
  })
}
const envelopeOf = async (response: Response) => (await response.json()) as Envelope
const chat = (model: string, more: Record<string, unknown> = {}) => ({ model, input: { messages: MESSAGES, ...more } })

describe('/ai/run', () => {
  test('OpenAI’s chat stands in the envelope', async () => {
    const response = await call('run', chat('openai/gpt-heron', { temperature: 0.5 }))
    expect(response.status).toBe(200)
    const body = await envelopeOf(response)
    expect(body).toMatchObject({ success: true, errors: [], messages: [] })
    expect(body.result).toMatchObject({ choices: [{ message: { content: SAID } }] })
    expect(provider.last()).toMatchObject({
      path: '/chat/completions',
      body: { messages: MESSAGES, temperature: 0.5, model: 'gpt-heron' },
    })
    expect(provider.last().headers.get('authorization')).toBe(`Bearer ${KEY}`)
  })

  test('a result keeps numbers that a double cannot hold', async () => {
    const text = `{"id":9007199254740993123,"choices":[{"index":0,"message":{"role":"assistant","content":"x"}}]}`
    answer = () => new Response(text, { headers: { 'content-type': 'application/json' } })
    const response = await call('run', chat('openai/gpt-heron'))
    expect(await response.text()).toBe(`{"result":${text},"success":true,"errors":[],"messages":[]}`)
  })

  test('Google’s answer is OpenAI’s chat there', async () => {
    answer = () => wholeAnswer('gemini', SAID)
    const { result } = await envelopeOf(await call('run', chat('google/gemini-heron')))
    expect(result).toMatchObject({ object: 'chat.completion', choices: [{ message: { content: SAID } }] })
    expect(provider.last().path).toBe('/v1beta/models/gemini-heron:generateContent')
  })

  test('xAI goes by the name of its author', async () => {
    expect((await call('run', chat('xai/grok-heron'))).status).toBe(200)
    expect(provider.last()).toMatchObject({ path: '/v1/chat/completions', body: { model: 'grok-heron' } })
  })

  test('Anthropic’s Messages stay as they are, both ways', async () => {
    answer = () => wholeAnswer('anthropic-messages', SAID)
    const input = { messages: MESSAGES, max_tokens: 64, thinking: { type: 'adaptive' } }
    const { result, success } = await envelopeOf(await call('run', { model: 'anthropic/claude-heron', input }))
    expect(success).toBe(true)
    expect(result).toMatchObject({ type: 'message', content: [{ type: 'text', text: SAID }] })
    const { path, body, headers } = provider.last()
    expect({ path, body }).toEqual({ path: '/v1/messages', body: { ...input, model: 'claude-heron' } })
    expect(headers.get('anthropic-version')).toBe('2023-06-01')
    expect(headers.get('x-api-key')).toBe(KEY)
    expect(headers.get('authorization')).toBeNull()
  })

  test('a stream has no envelope', async () => {
    answer = () => streamedAnswer('openai-chat', SAID)
    const response = await call('run', chat('openai/gpt-heron', { stream: true }))
    expect(response.headers.get('content-type')).toStartWith('text/event-stream')
    expect(await streamOf(response)).toMatchObject({ text: SAID, done: true })
  })

  test('Anthropic’s stream passes byte for byte', async () => {
    answer = () => streamedAnswer('anthropic-messages', SAID)
    const response = await call('run', chat('anthropic/claude-heron', { stream: true, max_tokens: 9 }))
    expect(await response.text()).toBe(streamPieces('anthropic-messages', SAID).join(''))
  })

  test('models that Cloudflare hosts get their inputs, and their envelope is not put in another', async () => {
    const own = { result: { response: SAID }, success: true, errors: [], messages: [] }
    answer = () => Response.json(own)
    const input = { prompt: 'Where?', raw: true }
    const response = await call('run', { model: '@cf/meta/llama-heron', input })
    expect(await response.json()).toEqual(own)
    expect(provider.last()).toMatchObject({ path: '/acc/ai/run/@cf/meta/llama-heron', body: input })
    expect(provider.last().headers.get('authorization')).toBe(`Bearer ${KEY}`)
  })

  test('what is no JSON goes on as it is', async () => {
    const bytes = Uint8Array.of(1, 2, 255, 0)
    answer = () => new Response(bytes, { headers: { 'content-type': 'audio/mpeg' } })
    const response = await call('run', { model: '@cf/voice/heron', input: { text: 'Hello' } })
    expect(response.headers.get('content-type')).toBe('audio/mpeg')
    expect(await response.bytes()).toEqual(bytes)
  })

  test('an error of the provider keeps its status and words', async () => {
    answer = () =>
      Response.json(
        { error: { message: 'too many herons', type: 'x' } },
        { status: 429, headers: { 'retry-after': '7' } },
      )
    for (const model of ['openai/gpt-heron', 'anthropic/claude-heron', '@cf/meta/llama-heron']) {
      const response = await call('run', chat(model))
      expect(response.status).toBe(429)
      expect(response.headers.get('retry-after')).toBe('7')
      expect(await envelopeOf(response)).toEqual({
        result: null,
        success: false,
        errors: [{ code: 429, message: 'too many herons' }],
        messages: [],
      })
    }
  })

  test('a provider that refuses the house’s key is 503: that is no fault of the caller’s', async () => {
    answer = () => Response.json({ error: { message: 'bad key' } }, { status: 401 })
    const response = await call('run', chat('openai/gpt-heron'))
    expect(response.status).toBe(503)
    expect((await envelopeOf(response)).errors).toEqual([{ code: 503, message: 'bad key' }])
  })

  test('an answer that is not JSON although it says so is 502', async () => {
    answer = () => new Response('{"half', { headers: { 'content-type': 'application/json' } })
    for (const model of ['openai/gpt-heron', 'anthropic/claude-heron']) {
      const response = await call('run', chat(model))
      expect(response.status).toBe(502)
      expect((await envelopeOf(response)).errors[0]!.code).toBe(2005)
    }
  })

  test('what stands beside model and input is told as left out', async () => {
    const response = await call('run', { ...chat('openai/gpt-heron'), stream: true, 'no header\n': 1 })
    expect(response.status).toBe(200)
    expect(response.headers.get('postern-dropped')).toBe('stream')
    expect(provider.last().body).not.toHaveProperty('stream')
  })

  test('a large answer arrives whole', async () => {
    const content = 'heron '.repeat(400_000)
    for (const [model, dialect] of [
      ['openai/gpt-heron', 'openai-chat'],
      ['anthropic/claude-heron', 'anthropic-messages'],
    ] as const) {
      answer = () => wholeAnswer(dialect, content)
      const { result } = await envelopeOf(await call('run', chat(model)))
      expect(JSON.stringify(result)).toContain(content)
    }
  })

  test('an answer that breaks off is 502, not half an envelope', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 5000000\r\n\r\n'
    const breaking = wireProvider(() => [head, `{"content":"${'x'.repeat(2_000_000)}`, 'hang-up'])
    const reach = { base_url: breaking.address, keys: { default: KEY } }
    const other = await startApp({ providers: { openai: reach, anthropic: reach } })
    try {
      for (const model of ['openai/gpt-heron', 'anthropic/claude-heron']) {
        const response = await fetch(`${other.address}/client/v4/accounts/home/ai/run`, {
          method: 'POST',
          headers: BEARER,
          body: JSON.stringify(chat(model)),
        })
        expect(response.status).toBe(502)
        expect((await envelopeOf(response)).errors[0]!.code).toBe(2005)
      }
    } finally {
      await other.stop()
      breaking.stop()
    }
  })

  test.each([
    ['{"model":', /not valid JSON/],
    [{ input: {} }, /^model: /],
    [{ model: 7, input: {} }, /^model: /],
    [{ model: 'openai/m' }, /^input: required/],
    [{ model: 'openai/m', input: 'hello' }, /^input: expected an object/],
    [{ model: 'openai/m', input: {} }, /^input\.messages: required/],
    [chat('llama'), /^model: expected/],
    [chat('@cf/../x'), /steps/],
  ])('%j is 400 with code 7001', async (body, message) => {
    const before = provider.seen.length
    const response = await call('run', body)
    expect(response.status).toBe(400)
    const { errors, success } = await envelopeOf(response)
    expect(success).toBe(false)
    expect(errors).toEqual([{ code: 7001, message: expect.stringMatching(message) }])
    expect(provider.seen.length).toBe(before)
  })

  test('an author that nobody knows is 404 with code 7003', async () => {
    const response = await call('run', chat('heronry/m'))
    expect(response.status).toBe(404)
    expect((await envelopeOf(response)).errors).toEqual([
      { code: 7003, message: expect.stringContaining('no provider "heronry"') },
    ])
  })

  test('no answer at all is 502 with code 2005', async () => {
    const response = await call('run', chat('mistral/m'))
    expect(response.status).toBe(502)
    expect((await envelopeOf(response)).errors[0]!.code).toBe(2005)
  })

  test('it is on record, once', async () => {
    const before = app.requests().length
    await (await call('run', chat('openai/gpt-heron'), { ...BEARER, 'cf-aig-gateway-id': 'team' })).text()
    expect(await app.record(before + 1)).toMatchObject({
      status: 200,
      gateway: 'team',
      provider: 'openai',
      model: 'gpt-heron',
      token: 'tests',
      tokens_in: 11,
    })
    expect(app.requests().length).toBe(before + 1)
  })
})

describe('/ai/run/{model}', () => {
  test.each([
    ['@cf/meta/llama-heron', '/acc/ai/run/@cf/meta/llama-heron'],
    ['@cf%2Fmeta%2Fllama-heron?debug=1', '/acc/ai/run/@cf%2Fmeta%2Fllama-heron?debug=1'],
    ['@hf/meta/llama-heron', '/acc/ai/run/@hf/meta/llama-heron'],
  ])('%s: raw inputs, as they are', async (path, arrived) => {
    answer = () => wholeAnswer('workers-ai', SAID)
    const text = '{ "prompt" : "Where?", "seed": 9007199254740993 }'
    const response = await call(`run/${path}`, text)
    expect(await response.json()).toMatchObject({ success: true, result: { response: SAID } })
    expect(provider.last()).toMatchObject({ path: arrived, text })
  })

  test('bytes that are no text arrive as they are', async () => {
    const bytes = gzipSync('not really audio')
    answer = seen =>
      Response.json({ type: seen.headers.get('content-type'), length: seen.headers.get('content-length') })
    const response = await call('run/@cf/openai/whisper', bytes, {
      ...BEARER,
      'content-type': 'application/octet-stream',
    })
    expect(await response.json()).toEqual({ type: 'application/octet-stream', length: String(bytes.length) })
  })

  test('an author’s model takes its input as the body', async () => {
    const response = await call('run/openai/gpt-heron', { messages: MESSAGES })
    expect((await envelopeOf(response)).result).toMatchObject({ choices: [{ message: { content: SAID } }] })
  })
})

describe('/ai/v1', () => {
  test('chat takes an author’s model and answers without an envelope', async () => {
    answer = () => wholeAnswer('anthropic-messages', SAID)
    const body = { model: 'anthropic/claude-heron', messages: MESSAGES }
    const response = await call('v1/chat/completions', body)
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: SAID } }] })
    expect(provider.last().path).toBe('/v1/messages')
  })

  test('chat takes a model that Cloudflare hosts', async () => {
    answer = () => wholeAnswer('workers-ai', SAID)
    const response = await call('v1/chat/completions', { model: '@cf/meta/llama-heron', messages: MESSAGES })
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: SAID } }] })
    expect(provider.last().path).toBe('/acc/ai/run/@cf/meta/llama-heron')
  })

  test('what is wrong is told to OpenAI’s clients too', async () => {
    const response = await call('v1/chat/completions', { model: 'openai/m' })
    expect(response.status).toBe(400)
    expect(await envelopeOf(response)).toMatchObject({
      success: false,
      errors: [{ code: 7001, message: 'messages: required' }],
      error: { message: 'messages: required', type: 'invalid_request_error' },
    })
  })

  test.each([
    ['openai/embed-heron', '/embeddings', 'embed-heron'],
    ['xai/embed-heron', '/v1/embeddings', 'embed-heron'],
    ['@cf/baai/bge-heron', '/acc/ai/v1/embeddings', '@cf/baai/bge-heron'],
  ])('embeddings of %s', async (model, path, own) => {
    const answered = { object: 'list', data: [{ object: 'embedding', index: 0, embedding: [0.5] }] }
    answer = () => Response.json(answered)
    const body = `{ "input" : ["heron"], "model": ${JSON.stringify(model)} }`
    const response = await call('v1/embeddings', gzipSync(body), { ...BEARER, 'content-encoding': 'gzip' })
    expect(await response.json()).toEqual(answered)
    const seen = provider.last()
    expect(seen.path).toBe(path)
    expect(seen.text).toBe(`{ "input" : ["heron"], "model": ${JSON.stringify(own)} }`)
    expect(seen.headers.get('content-encoding')).toBeNull()
    expect(seen.headers.get('authorization')).toBe(`Bearer ${KEY}`)
  })

  test.each(['anthropic/claude-heron', 'google/embed-heron', 'cohere/embed-heron'])(
    'no embeddings of %s: 400 that names it',
    async model => {
      const response = await call('v1/embeddings', { model, input: 'heron' })
      expect(response.status).toBe(400)
      expect((await envelopeOf(response)).errors[0]!.message).toContain(`"${model}"`)
    },
  )

  test('Messages of Anthropic and Responses of OpenAI pass in their own format', async () => {
    answer = () => wholeAnswer('anthropic-messages', SAID)
    const messages = { model: 'anthropic/claude-heron', max_tokens: 9, messages: MESSAGES }
    expect(await (await call('v1/messages', messages)).json()).toMatchObject({ type: 'message' })
    expect(provider.last()).toMatchObject({ path: '/v1/messages', body: { ...messages, model: 'claude-heron' } })
    expect(provider.last().headers.get('anthropic-version')).toBe('2023-06-01')
    answer = () => Response.json({ object: 'response' })
    expect(await (await call('v1/responses', { model: 'openai/gpt-heron', input: 'hi' })).json()).toEqual({
      object: 'response',
    })
    expect(provider.last()).toMatchObject({ path: '/responses', body: { model: 'gpt-heron', input: 'hi' } })
    expect((await call('v1/messages', { ...messages, model: 'openai/gpt-heron' })).status).toBe(400)
  })
})

describe('who may', () => {
  test.each([
    ['no token', {}, 'home'],
    ['a wrong token', { authorization: 'Bearer sk-of-somebody' }, 'home'],
    ['a token in the data plane’s header', { 'cf-aig-authorization': `Bearer ${TOKEN}` }, 'home'],
    ['another account', BEARER, 'elsewhere'],
    ['no token at an open gateway', { 'cf-aig-gateway-id': 'open' }, 'home'],
    ['a key at an open gateway', { 'cf-aig-gateway-id': 'open', authorization: 'Bearer sk-of-somebody' }, 'home'],
  ] as [string, Record<string, string>, string][])('%s: 401 with code 10000', async (_, headers, account) => {
    const before = provider.seen.length
    for (const path of ['run', 'run/@cf/meta/llama', 'v1/embeddings']) {
      const response = await call(path, chat('openai/m'), headers, account)
      expect(response.status).toBe(401)
      const { errors, success, result } = await envelopeOf(response)
      expect({ success, result }).toEqual({ success: false, result: null })
      expect(errors).toEqual([{ code: 10000, message: expect.stringContaining('Authentication error') }])
    }
    expect(provider.seen.length).toBe(before)
  })

  test('a token in Authorization counts although another header holds a wrong one', async () => {
    const response = await call('run', chat('openai/m'), { ...BEARER, 'cf-aig-authorization': 'Bearer wrong' })
    expect(response.status).toBe(200)
    expect(JSON.stringify([...provider.last().headers])).not.toContain(TOKEN)
  })

  test.each([
    ['lacks the permission', 'a-token-that-reads'],
    ['does not open the gateway', 'a-token-of-the-team'],
  ])('a token that %s: 403 with code 10000', async (words, token) => {
    const response = await call('run', chat('openai/m'), { authorization: `Bearer ${token}` })
    expect(response.status).toBe(403)
    expect((await envelopeOf(response)).errors).toEqual([{ code: 10000, message: expect.stringContaining(words) }])
  })

  test('a gateway that does not exist: 400 with code 2001', async () => {
    const response = await call('run', chat('openai/m'), { ...BEARER, 'cf-aig-gateway-id': 'nowhere' })
    expect(response.status).toBe(400)
    expect((await envelopeOf(response)).errors[0]!.code).toBe(2001)
  })
})

test('an address that is not there: 404 in the envelope', async () => {
  const response = await call('websearch', {})
  expect(response.status).toBe(404)
  expect((await envelopeOf(response)).errors[0]!.code).toBe(7003)
})
