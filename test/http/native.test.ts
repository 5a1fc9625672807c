import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { gzipSync } from 'node:zlib'
import type { DialectName } from '../../src/dialects/dialect.ts'
import { streamPieces, streamType, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import {
  chunked,
  type Pieces,
  said,
  type Wire,
  type WireProvider,
  type WireRequest,
  wire,
  wireProvider,
} from '../support/wire.ts'

/** Provider-native addresses: what goes in comes out, both ways (contract sections 1.1, 1.5, 2.5, 3). */

const KEY = 'key-of-the-operator'
const OURS = { 'cf-aig-authorization': `Bearer ${TOKEN}` }
const OK = said('200 OK', { 'content-type': 'application/json' }, '{"ok":true}')

let provider: WireProvider
let app: RunningApp
let small: RunningApp
let say: (seen: Wire) => Pieces = () => [OK]

beforeAll(async () => {
  provider = wireProvider(seen => say(seen))
  const base_url = provider.address
  const keys = { default: KEY }
  app = await startApp({
    providers: {
      openai: { base_url, keys, headers: { 'X-Operator': 'says-this' } },
      anthropic: { base_url, keys },
      mistral: { base_url: 'http://127.0.0.1:1', keys },
      groq: { base_url },
      'aws-bedrock': { base_url },
    },
    custom_providers: { own: { base_url: `${base_url}/deep/er`, keys } },
  })
  small = await startApp({ server: { max_body: 1_000 }, providers: { openai: { base_url, keys } } })
})
afterAll(async () => {
  await app.stop()
  await small.stop()
  provider.stop()
})

const ask = (request: WireRequest, answer: Pieces = [OK]) => {
  say = () => answer
  return wire(app.port, { ...request, headers: { ...OURS, ...request.headers } })
}
const at = (path: string, slug = 'openai') => `/v1/home/default/${slug}${path && `/${path}`}`
const targetOf = ({ line }: Wire) => line.split(' ')[1]

describe('the request', () => {
  test.each(['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'HEAD'])('%s arrives as it is', async method => {
    const { status } = await ask({ method, target: at('files/file-heron') })
    expect(status).toBe(200)
    expect(provider.last().line).toBe(`${method} /files/file-heron HTTP/1.1`)
  })

  test.each([
    ['files?limit=2&after=a%20b&x[]=1&empty=&flag', '/files?limit=2&after=a%20b&x[]=1&empty=&flag'],
    ['files?at=12:30+01:00&q=a/b?c', '/files?at=12:30+01:00&q=a/b?c'],
    ['files?', '/files?'],
    ['files?a=%zz&b=%', '/files?a=%zz&b=%'],
    ['model/a%3Ab%2Fc%2fd/x', '/model/a%3Ab%2Fc%2fd/x'],
    ['models/ft:gpt@1,2;v=1/(x)!*', '/models/ft:gpt@1,2;v=1/(x)!*'],
    ['files/', '/files/'],
    ['files/%E2%82%AC', '/files/%E2%82%AC'],
  ])('its address goes on byte for byte: %s', async (path, arrived) => {
    await ask({ method: 'GET', target: at(path) })
    // An empty query is no query to whoever parses an address.
    expect([arrived, arrived.replace(/\?$/, '')]).toContain(targetOf(provider.last())!)
  })

  test('a provider without a path is asked at its base', async () => {
    await ask({ method: 'GET', target: at('', 'custom-own') })
    expect(targetOf(provider.last())).toBe('/deep/er')
    await ask({ method: 'GET', target: `${at('', 'custom-own')}?a=1` })
    expect(targetOf(provider.last())).toBe('/deep/er?a=1')
  })

  const boundary = 'heron-0123'
  const multipart = Buffer.concat([
    Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="a\u00e9.wav"\r\n\r\n`),
    Buffer.from([0, 255, 13, 10, 13, 10, 128, 0]),
    Buffer.from(`\r\n--${boundary}--\r\n`),
  ])
  test.each<[string, string, string | Uint8Array, Record<string, string>]>([
    [
      'JSON with odd white space',
      'application/json',
      '\t{ "n" : 1.0,\r\n"big":12345678901234567890, "n":1e0 }\n\n',
      {},
    ],
    ['broken JSON', 'application/json', '{"model":', {}],
    ['a form with a file', `multipart/form-data; boundary=${boundary}`, multipart, {}],
    ['binary', 'audio/wav', Buffer.from(Array.from({ length: 4_096 }, (_, byte) => byte % 256)), {}],
    ['half a character', 'text/plain', Buffer.from([0xef, 0xbb, 0xbf, 0xe2, 0x82]), {}],
    ['a packed body', 'application/json', gzipSync('{"a":1}'), { 'content-encoding': 'gzip' }],
    ['nothing of known length', 'application/json', '', {}],
  ])('its bytes are unchanged: %s', async (_, type, body, headers) => {
    await ask({ target: at('audio'), headers: { 'Content-Type': type, ...headers }, body })
    const seen = provider.last()
    expect(seen.body.equals(Buffer.from(body))).toBe(true)
    expect(seen.headers).toMatchObject({
      'content-type': type,
      'content-length': String(Buffer.byteLength(body)),
      ...headers,
    })
  })

  test('an upload in chunks arrives whole, with its length', async () => {
    const parts = [Buffer.from([1, 2, 3]), Buffer.from('}{'), Buffer.alloc(70_000, 7)]
    const body = Buffer.concat([...parts.map(chunked), Buffer.from('0\r\n\r\n')])
    await ask({ method: 'PUT', target: at('x'), headers: { 'transfer-encoding': 'chunked' }, body, framed: true })
    expect(provider.last().body.equals(Buffer.concat(parts))).toBe(true)
    expect(provider.last().headers['content-length']).toBe('70005')
    expect(provider.last().headers['transfer-encoding']).toBeUndefined()
  })

  test('DELETE with a body keeps it', async () => {
    await ask({ method: 'DELETE', target: at('x'), body: '{"why":1}' })
    expect(provider.last().body.toString()).toBe('{"why":1}')
  })

  test('headers go on, but for those of the connection and the gateway', async () => {
    await ask({
      target: at('chat/completions'),
      headers: {
        'OpenAI-Beta': 'assistants=v2',
        'User-Agent': 'heron/1.0',
        Accept: 'audio/mpeg',
        'X-Stainless-Lang': 'js',
        'Accept-Language': 'de',
        Connection: 'close, X-Hop',
        'X-Hop': 'secret-of-the-hop',
        'Keep-Alive': 'timeout=9',
        TE: 'trailers',
        'Proxy-Authorization': 'Basic eA==',
        Cookie: 'session=of-the-gateway',
        'CF-AIG-Metadata': '{"team":"a"}',
        'cf-aig-cache-ttl': '60',
        'CF-Connecting-IP': '192.0.2.1',
        'cf-ray': 'abc',
      },
      body: '{}',
    })
    const { headers } = provider.last()
    expect(headers).toEqual({
      host: provider.address.slice(7),
      'content-length': '2',
      'accept-encoding': 'identity',
      'openai-beta': 'assistants=v2',
      'user-agent': 'heron/1.0',
      accept: 'audio/mpeg',
      'x-stainless-lang': 'js',
      'accept-language': 'de',
      authorization: `Bearer ${KEY}`,
      'x-operator': 'says-this',
    })
  })

  test('a signature that the client made goes on with what it signed', async () => {
    const signed = {
      authorization:
        'AWS4-HMAC-SHA256 Credential=AKIA/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host, Signature=ab',
      'x-amz-date': '20260101T000000Z',
      'x-amz-security-token': 'session',
      'x-amz-content-sha256': 'cd',
    }
    const target = at('bedrock-runtime/us-east-1/model/a.b-v1%3A0/converse', 'aws-bedrock')
    await ask({ target, headers: signed, body: '{ }' })
    expect(targetOf(provider.last())).toBe('/model/a.b-v1%3A0/converse')
    expect(provider.last().headers).toMatchObject(signed)
    expect(provider.last().body.toString()).toBe('{ }')
  })
})

describe('the answer', () => {
  const dialects: DialectName[] = [
    'openai-chat',
    'anthropic-messages',
    'gemini',
    'bedrock-converse',
    'cohere-chat',
    'ollama-chat',
    'workers-ai',
  ]

  test.each(dialects)('whole, byte for byte: %s', async dialect => {
    const body = ` ${JSON.stringify(await wholeAnswer(dialect, 'Im Röhricht. 🪶').json(), null, 1)}\n`
    const type = 'application/json; charset=utf-8'
    const answer = await ask({ target: at('x'), body: '{}' }, [said('200 OK', { 'content-type': type }, body)])
    expect(answer.body.toString()).toBe(body)
    expect(answer.headers['content-type']).toBe(type)
    expect(answer.complete).toBe(true)
  })

  test.each(dialects)('streamed and cut anywhere, byte for byte: %s', async dialect => {
    const body = Buffer.concat(streamPieces(dialect, 'Im Röhricht. 🪶').map(piece => Buffer.from(piece)))
    for (const step of [7, 61]) {
      const pieces: Pieces = [
        `HTTP/1.1 200 OK\r\ncontent-type: ${streamType(dialect)}\r\ntransfer-encoding: chunked\r\n\r\n`,
      ]
      for (let cut = 0; cut < body.length; cut += step) pieces.push(chunked(body.subarray(cut, cut + step)))
      // Also where the framing itself is cut.
      const wireBytes = Buffer.concat([...pieces, '0\r\n\r\n'].map(piece => Buffer.from(piece)))
      const cuts: Pieces = []
      for (let cut = 0; cut < wireBytes.length; cut += step * 5) cuts.push(wireBytes.subarray(cut, cut + step * 5))
      const answer = await ask({ target: at('x'), body: '{"stream":true}' }, cuts)
      expect(answer.body.equals(body)).toBe(true)
      expect(answer.headers['content-type']).toBe(streamType(dialect))
      expect(answer.complete).toBe(true)
    }
  })

  test.each([
    ['binary', 'audio/mpeg', Buffer.from(Array.from({ length: 9_000 }, (_, byte) => (byte * 7) % 256))],
    ['no type', '', Buffer.from('raw')],
    ['an empty body', 'application/json', Buffer.from('')],
    ['broken JSON', 'application/json', Buffer.from('{"a":')],
    ['a web page', 'text/html', Buffer.from('<html>')],
  ])('%s', async (_, type, body) => {
    const answer = await ask({ method: 'GET', target: at('x') }, [
      said('200 OK', type ? { 'content-type': type } : {}, body),
    ])
    expect(answer.body.equals(body)).toBe(true)
    expect(answer.headers['content-type'] ?? '').toBe(type)
  })

  test('a body that ends with the connection', async () => {
    const answer = await ask({ target: at('x') }, ['HTTP/1.1 200 OK\r\ncontent-type: a/b\r\n\r\nHe', 'ron', 'hang-up'])
    expect(answer.body.toString()).toBe('Heron')
    expect(answer.complete).toBe(true)
  })

  test('a packed body is unpacked, for the client was not asked what it takes', async () => {
    const packed = said('200 OK', { 'content-type': 'text/plain', 'content-encoding': 'gzip' }, gzipSync('Heron'))
    const answer = await ask({ target: at('x'), headers: { 'accept-encoding': 'gzip' } }, [packed])
    expect(answer.body.toString()).toBe('Heron')
    expect(answer.headers['content-encoding']).toBeUndefined()
  })

  test.each([
    '200 OK',
    '201 Created',
    '202 Accepted',
    '206 Partial Content',
    '400 Bad Request',
    '401 Unauthorized',
    '402 Payment Required',
    '403 Forbidden',
    '404 Not Found',
    '405 Method Not Allowed',
    '408 Request Timeout',
    '409 Conflict',
    '413 Content Too Large',
    '415 Unsupported Media Type',
    '422 Unprocessable Content',
    '424 Failed Dependency',
    '429 Too Many Requests',
    '451 Unavailable',
    '499 Client Closed',
    '500 Internal',
    '501 No',
    '502 Bad',
    '503 Busy',
    '504 Late',
    '529 Overloaded',
  ])('status and body of %s are the provider’s', async status => {
    const body = ` {"type":"error","error":{"type":"heron_error","message":"${status}"}}`
    const answer = await ask({ target: at('v1/messages', 'anthropic'), body: '{}' }, [
      said(status, { 'content-type': 'application/json', 'retry-after': '7', 'request-id': 'req_1' }, body),
    ])
    expect(answer.status).toBe(Number(status.slice(0, 3)))
    expect(answer.body.toString()).toBe(body)
    expect(answer.headers).toMatchObject({ 'retry-after': '7', 'request-id': 'req_1' })
  })

  test.each(['204 No Content', '304 Not Modified'])('%s has no body', async status => {
    const answer = await ask({ method: 'GET', target: at('x') }, [`HTTP/1.1 ${status}\r\netag: "1"\r\n\r\n`])
    expect(answer).toMatchObject({ status: Number(status.slice(0, 3)), complete: true })
    expect(answer.headers.etag).toBe('"1"')
    expect(answer.body).toHaveLength(0)
  })

  test.each(['301 Moved', '302 Found', '303 See Other', '307 Temporary', '308 Permanent'])(
    '%s is not followed',
    async status => {
      const before = provider.seen.length
      const location = `${provider.address}/elsewhere?a=%2F`
      const answer = await ask({ target: at('x'), body: '{}' }, [said(status, { location }, 'moved')])
      expect(answer.status).toBe(Number(status.slice(0, 3)))
      expect(answer.headers.location).toBe(location)
      expect(answer.body.toString()).toBe('moved')
      expect(provider.seen).toHaveLength(before + 1)
    },
  )

  test('its headers come back, but for those of the connection', async () => {
    const answer = await ask({ target: at('x') }, [
      said('200 OK', {
        'content-type': 'application/json',
        'x-request-id': 'req_heron',
        'x-ratelimit-remaining-tokens': '149000',
        'anthropic-organization-id': 'org',
        'content-disposition': 'attachment; filename="a.mp3"',
        'content-range': 'bytes 0-1/9',
        etag: '"e"',
        'set-cookie': '__cf_bm=1',
        connection: 'keep-alive, x-hop',
        'x-hop': '1',
        'keep-alive': 'timeout=5',
        'access-control-allow-origin': '*',
      }),
    ])
    expect(answer.headers).toMatchObject({
      'x-request-id': 'req_heron',
      'x-ratelimit-remaining-tokens': '149000',
      'anthropic-organization-id': 'org',
      'content-disposition': 'attachment; filename="a.mp3"',
      'content-range': 'bytes 0-1/9',
      etag: '"e"',
    })
    for (const name of ['set-cookie', 'x-hop', 'keep-alive']) expect(answer.headers[name]).toBeUndefined()
  })

  test('HEAD has the head of the answer and nothing else', async () => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\nx-a: 1\r\ncontent-length: 12\r\n\r\n'
    for (let times = 0; times < 2; times++) {
      const answer = await ask({ method: 'HEAD', target: at('api/hello', 'anthropic') }, [head])
      expect(answer.status).toBe(200)
      expect(answer.headers).toMatchObject({ 'content-type': 'text/plain', 'x-a': '1' })
      expect(answer.body).toHaveLength(0)
      expect(app.requests().at(-1)).toMatchObject({ method: 'HEAD', status: 200 })
    }
    const missing = await ask({ method: 'HEAD', target: at('x') }, [
      'HTTP/1.1 404 Not Found\r\ncontent-length: 9\r\n\r\n',
    ])
    expect(missing.status).toBe(404)
  })

  test('one that breaks off breaks the client’s connection', async () => {
    const before = app.requests().length
    const answer = await ask({ target: at('x'), body: '{}' }, [
      'HTTP/1.1 200 OK\r\ncontent-length: 2000000\r\n\r\nhalf',
      'hang-up',
    ])
    expect(answer).toMatchObject({ status: 200, complete: false })
    expect(await app.record(before + 1)).toMatchObject({ status: 200, error: 'upstream_closed' })
    // A short one is held until it is whole, so that its failure can still be told.
    const short = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: 99\r\n\r\nhalf'
    expect(await ask({ target: at('x'), body: '{}' }, [short, 'hang-up'])).toMatchObject({
      status: 502,
      complete: true,
    })
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
    const streamed = await ask({ target: at('x'), body: '{}' }, [head, chunked(Buffer.from('data: {}\n\n')), 'hang-up'])
    expect(streamed.complete).toBe(false)
    expect(streamed.body.toString()).not.toContain('error')
  })
})

describe('what the gateway refuses itself', () => {
  const refused = async (request: WireRequest, to = app) => {
    const before = provider.seen.length
    const answer = await wire(to.port, request)
    const body = JSON.parse(answer.body.toString()) as Record<string, unknown>
    return { status: answer.status, body, asked: provider.seen.length - before }
  }
  const envelope = (status: number, number: number, message: unknown) => ({
    success: false,
    result: [],
    messages: [],
    error: [{ code: number, message }],
    errors: [{ code: number, message }],
    name: 'AiGatewayError',
    httpCode: status,
    internalCode: number,
    message,
    description: message,
  })

  test.each<[string, number, number, WireRequest, string]>([
    ['an unknown provider', 400, 2008, { target: at('x', 'heron'), headers: OURS }, 'heron'],
    ['an unknown custom provider', 400, 2008, { target: at('x', 'custom-heron'), headers: OURS }, 'custom-heron'],
    ['an unknown gateway', 400, 2001, { target: '/v1/home/nothing/openai/x', headers: OURS }, 'nothing'],
    ['no token', 401, 2009, { target: at('x') }, 'Unauthorized'],
    ['a wrong token', 401, 2009, { target: at('x'), headers: { authorization: 'Bearer wrong' } }, 'Unauthorized'],
    ['no token at an unknown provider', 401, 2009, { target: at('x', 'heron') }, 'Unauthorized'],
    ['no key', 400, 400, { target: at('x', 'groq'), headers: OURS }, 'providers.groq.keys.default'],
    ['an unreachable provider', 502, 2005, { target: at('x', 'mistral'), headers: OURS }, 'refused the connection'],
    [
      'a path that is none of Bedrock’s',
      400,
      2008,
      { target: at('heron', 'aws-bedrock'), headers: { ...OURS, authorization: 'Bearer k' } },
      'service of Bedrock',
    ],
  ])('%s: %d with code %d', async (_, status, number, request, words) => {
    const { status: got, body, asked } = await refused({ body: '{}', ...request })
    expect(got).toBe(status)
    expect(body).toEqual(envelope(status, number, expect.stringContaining(words)))
    expect(asked).toBe(0)
  })

  test.each(['a/../../../admin', 'a/%2e%2E/admin', '%2e%2e%2fadmin', 'a%5c..%5cadmin', '..%252fadmin', './a'])(
    'a path does not leave the provider’s base: %s',
    async path => {
      say = () => [OK]
      const before = provider.seen.length
      const answer = await wire(app.port, { target: at(path, 'custom-own'), headers: OURS, body: '{}' })
      // Steps that are not hidden are taken by whoever reads the address first.
      for (const seen of provider.seen.slice(before)) expect(targetOf(seen)).toStartWith('/deep/er/')
      if (provider.seen.length === before) expect(answer.status).toBeOneOf([400, 404])
    },
  )

  test('a provider that takes too long: 504 with code 2005, and it is let go', async () => {
    say = () => []
    const headers = { ...OURS, 'cf-aig-request-timeout': '40' }
    const answer = await wire(app.port, { target: at('x'), headers, body: '{}' })
    expect(answer.status).toBe(504)
    expect(JSON.parse(answer.body.toString())).toEqual(envelope(504, 2005, expect.stringContaining('40 ms')))
  })

  test('one that hangs up or speaks nonsense: 502 with code 2005', async () => {
    for (const answer of [
      ['hang-up'],
      ['SSH-2.0-heron\r\n'],
      ['HTTP/1.1 700 Odd\r\ncontent-length: 0\r\n\r\n'],
    ] as Pieces[]) {
      const { status, body } = await ask({ target: at('x'), body: '{}' }, answer)
      expect([status, JSON.parse(body.toString()).internalCode]).toEqual([502, 2005])
    }
  })

  test('a body above server.max_body: 413, of known length or not', async () => {
    const body = 'x'.repeat(1_001)
    const first = await refused({ target: at('x'), headers: OURS, body }, small)
    expect(first).toEqual({
      status: 413,
      asked: 0,
      body: envelope(413, 413, expect.stringContaining('server.max_body')),
    })
    const framed = Buffer.concat([chunked(Buffer.from(body)), Buffer.from('0\r\n\r\n')])
    const headers = { ...OURS, 'transfer-encoding': 'chunked' }
    expect((await refused({ target: at('x'), headers, body: framed, framed: true }, small)).status).toBe(413)
    say = () => [OK]
    expect((await wire(small.port, { target: at('x'), headers: OURS, body: body.slice(1) })).status).toBe(200)
  })

  test('none of all that was a fault of our own', () => {
    expect(
      app
        .logged()
        .split('\n')
        .filter(line => line.includes('"level":"error"')),
    ).toEqual([])
  })
})
