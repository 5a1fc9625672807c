import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type Connection, type RawUpstream, rawUpstream } from '../support/raw-upstream.ts'
import { askForSocket, openSocket, type SocketClient, type SocketOptions } from '../support/socket-client.ts'
import { holds, type SocketStandIn, socketStandIn } from '../support/socket-stand-in.ts'

/** Providers' own sockets, handed on as they are (contract 1.9, second half). */

const KEY = 'key-of-the-operator-4711'
const OWN = 'key-of-the-caller-0815'

let provider: SocketStandIn
let refusing: SocketStandIn
let silent: RawUpstream
/** The last connection on which the silent provider was asked. */
let waiting = Promise.withResolvers<Connection>()
let app: RunningApp
let clients: SocketClient[] = []

beforeAll(async () => {
  provider = socketStandIn({ choose: offered => offered.find(item => item === 'realtime') })
  refusing = socketStandIn({
    refuse: () =>
      Response.json({ error: { message: 'no such voice' } }, { status: 404, headers: { 'x-request-id': 'req-9' } }),
  })
  silent = rawUpstream(connection => waiting.resolve(connection))
  const reach = { base_url: provider.address, keys: { default: KEY, second: 'key-two-of-the-operator' } }
  app = await startApp({
    providers: {
      openai: { ...reach, base_url: `${provider.address}/v1` },
      'google-ai-studio': reach,
      cartesia: reach,
      elevenlabs: reach,
      fal: reach,
      deepgram: reach,
      'workers-ai': { ...reach, base_url: `${provider.address}/accounts/acc/ai/run` },
      grok: { ...reach, headers: { 'X-Team': 'herons' } },
      mistral: { ...reach, base_url: refusing.address },
      groq: { ...reach, base_url: 'http://127.0.0.1:1' },
      cerebras: { ...reach, base_url: silent.address },
      anthropic: { base_url: provider.address },
    },
    custom_providers: { voice: { base_url: `${provider.address}/mine` } },
    gateways: { open: { authentication: false }, lab: {} },
    server: { domains: { 'ai.example.com': 'lab' } },
  })
})
beforeEach(() => {
  provider.handshakes.length = 0
  provider.messages.length = 0
  provider.ended.length = 0
})
afterEach(async () => {
  for (const { socket } of clients) socket.close()
  // What is on record of one test is not the next one's.
  await Promise.all(clients.map(({ ended }) => ended))
  clients = []
})
afterAll(async () => {
  await app.stop()
  for (const one of [provider, refusing, silent]) one.stop()
})

const at = (tail: string, gateway = 'default') => `${app.address}/v1/home/${gateway}${tail}`

async function open(tail: string, options: SocketOptions & { gateway?: string } = {}): Promise<SocketClient> {
  const client = await openSocket(at(tail, options.gateway), options)
  clients.push(client)
  return client
}

const arrived = () => {
  const { path, headers } = provider.last()
  return { path, protocols: headers.get('sec-websocket-protocol'), headers }
}

/** The provider echoes: what went there came back. */
async function works(client: SocketClient): Promise<void> {
  client.send('hello')
  expect(await client.until(1)).toEqual(['hello'])
}

describe('the address and the operator’s key', () => {
  test.each([
    ['/openai?model=gpt-realtime', '/v1/realtime?model=gpt-realtime', 'authorization', `Bearer ${KEY}`],
    ['/openai/realtime?model=m', '/v1/realtime?model=m', 'authorization', `Bearer ${KEY}`],
    ['/openai/v1/realtime?intent=transcription', '/v1/realtime?intent=transcription', 'authorization', `Bearer ${KEY}`],
    ['/cartesia?cartesia_version=2026-03-01', '/tts/websocket?cartesia_version=2026-03-01', 'x-api-key', KEY],
    ['/cartesia/stt/websocket', '/stt/websocket', 'x-api-key', KEY],
    ['/elevenlabs?agent_id=a%20b', '/v1/convai/conversation?agent_id=a%20b', 'xi-api-key', KEY],
    ['/elevenlabs/v1/text-to-speech/v/stream-input', '/v1/text-to-speech/v/stream-input', 'xi-api-key', KEY],
    ['/fal/fal-ai/fast-lcm-diffusion', '/fal-ai/fast-lcm-diffusion', 'authorization', `Key ${KEY}`],
    ['/deepgram/v1/listen?model=nova-3', '/v1/listen?model=nova-3', 'authorization', `Token ${KEY}`],
    ['/deepgram/?model=nova-3', '/v1/listen?model=nova-3', 'authorization', `Token ${KEY}`],
    [
      '/workers-ai?a=1&model=@cf/deepgram/flux&b=2',
      '/accounts/acc/ai/run/@cf/deepgram/flux?a=1&b=2',
      'authorization',
      `Bearer ${KEY}`,
    ],
    [
      '/workers-ai/@cf/deepgram/nova-3?b=2',
      '/accounts/acc/ai/run/@cf/deepgram/nova-3?b=2',
      'authorization',
      `Bearer ${KEY}`,
    ],
    ['/grok/v1/realtime', '/v1/realtime', 'authorization', `Bearer ${KEY}`],
    ['/grok/v1/realtime', '/v1/realtime', 'x-team', 'herons'],
  ])('%s', async (tail, path, header, value) => {
    await works(await open(tail))
    expect(provider.last().path).toBe(path)
    expect(provider.last().headers.get(header)).toBe(value)
  })

  const LIVE = '/ws/google.ai.generativelanguage.v1beta.GenerativeService.BidiGenerateContent'

  test.each([
    ['/google', `${LIVE}?key=${KEY}`],
    ['/google?alt=x', `${LIVE}?alt=x&key=${KEY}`],
    [`/google-ai-studio${LIVE}`, `${LIVE}?key=${KEY}`],
    [`/google?api_key=${OWN}`, `${LIVE}?key=${OWN}`],
    [`/google?x=1&key=${OWN}`, `${LIVE}?x=1&key=${OWN}`],
    [`/google?api_key=${TOKEN}`, `${LIVE}?key=${KEY}`],
    [`/google?access_token=auth_tokens/${OWN}`, `${LIVE}?access_token=auth_tokens/${OWN}`],
  ])('of Gemini Live: %s', async (tail, path) => {
    await works(await open(tail))
    expect(provider.last().path).toBe(path)
    expect(provider.last().headers.has('x-goog-api-key')).toBe(false)
  })

  test('of a provider of the operator’s own', async () => {
    await works(await open('/custom-voice/v2/talk?a=b', { headers: { authorization: `Bearer ${OWN}` } }))
    expect(arrived()).toMatchObject({ path: '/mine/v2/talk?a=b' })
    expect(provider.last().headers.get('authorization')).toBe(`Bearer ${OWN}`)
  })

  test('below a host name that stands for a gateway', async () => {
    const before = app.requests().length
    const client = await openSocket(`${app.address}/openai?model=m`, { headers: { host: 'ai.example.com' } })
    await works(client)
    expect(provider.last().path).toBe('/v1/realtime?model=m')
    client.socket.close()
    expect(await app.record(before + 1)).toMatchObject({ gateway: 'lab', status: 101 })
  })

  test('by an alias that is asked for', async () => {
    await works(await open('/openai', { headers: { 'cf-aig-byok-alias': 'second' } }))
    expect(provider.last().headers.get('authorization')).toBe('Bearer key-two-of-the-operator')
  })
})

describe('the caller’s own key goes on unchanged', () => {
  test.each([
    ['/openai', 'authorization', `Bearer ${OWN}`],
    ['/deepgram', 'authorization', `Token ${OWN}`],
    ['/elevenlabs', 'xi-api-key', OWN],
    ['/cartesia', 'x-api-key', OWN],
  ])('in a header: %s', async (tail, header, value) => {
    await works(await open(tail, { headers: { [header]: value } }))
    expect(provider.last().headers.get(header)).toBe(value)
  })

  test.each([
    [`/cartesia?cartesia_version=1&api_key=${OWN}`, `/tts/websocket?cartesia_version=1&api_key=${OWN}`],
    [`/cartesia?access_token=${OWN}`, `/tts/websocket?access_token=${OWN}`],
    [
      `/elevenlabs?agent_id=a&conversation_signature=${OWN}`,
      `/v1/convai/conversation?agent_id=a&conversation_signature=${OWN}`,
    ],
    [`/fal/a/b/realtime?fal_jwt_token=${OWN}`, `/a/b/realtime?fal_jwt_token=${OWN}`],
  ])('in a parameter: %s', async (tail, path) => {
    await works(await open(tail))
    expect(arrived()).toMatchObject({ path })
    expect(JSON.stringify([...provider.last().headers])).not.toContain(KEY)
  })

  test('as a subprotocol of OpenAI’s, whose choice goes back', async () => {
    const protocols = ['realtime', `openai-insecure-api-key.${OWN}`, 'openai-beta.realtime-v1']
    const client = await open('/openai?model=m', { protocols })
    expect(client.socket.protocol).toBe('realtime')
    expect(arrived().protocols).toBe(protocols.join(', '))
    expect(arrived().headers.has('authorization')).toBe(false)
  })

  test('as a subprotocol of Deepgram’s, in two items', async () => {
    await works(await open('/deepgram', { protocols: ['token', OWN] }))
    expect(arrived().protocols).toBe(`token, ${OWN}`)
    expect(arrived().headers.has('authorization')).toBe(false)
  })

  test.each([
    ['/elevenlabs', 'xi-api-key', 'xi-api-key', OWN],
    ['/fal/fal-ai/x/realtime', 'fal-api-key', 'authorization', `Key ${OWN}`],
  ])('as a subprotocol that only Cloudflare knows, and in the usual header: %s', async (tail, word, header, value) => {
    const client = await open(tail, { protocols: [`${word}.${OWN}`] })
    expect(arrived().protocols).toBe(`${word}.${OWN}`)
    expect(arrived().headers.get(header)).toBe(value)
    // The provider chose nothing; a browser would give up.
    expect(client.socket.protocol).toBe(`${word}.${OWN}`)
  })
})

describe('our token', () => {
  const ours = `cf-aig-authorization.${TOKEN}`

  test.each<[string, string, SocketOptions, string | null]>([
    ['a subprotocol of ours alone', '/openai', { protocols: [ours] }, null],
    ['a subprotocol beside the provider’s', '/openai', { protocols: ['realtime', ours] }, 'realtime'],
    [
      'the place of OpenAI’s key',
      '/openai',
      { protocols: ['realtime', `openai-insecure-api-key.${TOKEN}`, 'x'] },
      'realtime, x',
    ],
    ['the place of ElevenLabs’ key', '/elevenlabs', { protocols: [`xi-api-key.${TOKEN}`] }, null],
    ['the place of fal’s key', '/fal/a/b', { protocols: [`fal-api-key.${TOKEN}`] }, null],
    ['the place of Deepgram’s key', '/deepgram', { protocols: ['token', TOKEN] }, null],
    ['another provider’s place', '/elevenlabs', { protocols: [ours, `openai-insecure-api-key.${TOKEN}`, 'a'] }, 'a'],
    ['a header', '/openai', { headers: { authorization: `Bearer ${TOKEN}` } }, null],
    ['a header of another provider', '/openai', { headers: { authorization: TOKEN, 'xi-api-key': TOKEN } }, null],
    ['a parameter', `/cartesia?api_key=${TOKEN}`, {}, null],
    ['a parameter twice', `/google?key=${TOKEN}&api_key=${TOKEN}`, {}, null],
  ])('is taken from %s, and none of it goes upstream', async (_, tail, options, protocols) => {
    const client = await open(tail, { token: null, ...options })
    await works(client)
    const { path, headers } = provider.last()
    const all = JSON.stringify([path, ...headers])
    expect(all).not.toContain(TOKEN)
    expect(all).not.toContain('cf-aig')
    expect(all).toContain(KEY)
    expect(headers.get('sec-websocket-protocol')).toBe(protocols)
    if (options.protocols)
      expect(client.socket.protocol).toBe(protocols?.startsWith('realtime') ? 'realtime' : client.socket.protocol)
    if (options.protocols) expect(options.protocols).toContain(client.socket.protocol)
  })

  test('that is wrong is refused with 401 and 2009, and the provider is not asked', async () => {
    for (const options of [
      { protocols: ['cf-aig-authorization.wrong'] },
      { headers: { 'cf-aig-authorization': 'x' } },
      {},
    ]) {
      const refusal = await askForSocket(at('/openai'), { token: null, ...options })
      expect(refusal.status).toBe(401)
      expect(await refusal.json()).toMatchObject({ error: [{ code: 2009 }] })
    }
    expect(provider.handshakes).toHaveLength(0)
  })

  test('opens no keys of the operator’s where it is missing on an open gateway', async () => {
    expect((await askForSocket(at('/openai', 'open'), { token: null })).status).toBe(400)
    await works(await open('/openai', { gateway: 'open', token: null, headers: { authorization: `Bearer ${OWN}` } }))
  })
})

test('nothing that belongs to a connection or to us goes upstream, and no extension is offered', async () => {
  await open('/openai', {
    headers: { 'cf-aig-metadata': '{"a":1}', 'cf-ray': 'x', cookie: 'a=b', 'openai-beta': 'realtime=v1' },
  })
  const names = [...provider.last().headers.keys()]
  expect(names.filter(name => name.startsWith('cf-') || name === 'cookie')).toEqual([])
  expect(names).not.toContain('sec-websocket-extensions')
  expect(provider.last().headers.get('openai-beta')).toBe('realtime=v1')
})

describe('what is said', () => {
  test('stays as it is, text and bytes, short and long', async () => {
    const client = await open('/openai')
    const long = 'Rohrdommel 🐦 '.repeat(10_000)
    const bytes = crypto.getRandomValues(Buffer.alloc(65_536))
    const said = ['', 'a', long, Buffer.alloc(0), Buffer.from([0, 255]), bytes, Buffer.concat(Array(20).fill(bytes))]
    for (const message of said) client.send(message)
    expect(await client.until(said.length)).toEqual(said)
    expect(provider.messages).toEqual(said)
  })

  test('a thousand messages keep their order', async () => {
    const client = await open('/openai')
    const said = Array.from({ length: 1_000 }, (_, at) => `message ${at}`)
    for (const message of said) client.send(message)
    expect(await client.until(1_000)).toEqual(said)
  })

  test('before the client’s socket is open is not lost', async () => {
    const eager = socketStandIn({ opened: socket => ['first', 'second'].forEach(word => void socket.send(word)) })
    const other = await startApp({ providers: { openai: { base_url: eager.address, keys: { default: KEY } } } })
    const client = await openSocket(`${other.address}/v1/home/default/openai`)
    expect(await client.until(2)).toEqual(['first', 'second'])
    client.socket.close()
    await other.stop()
    eager.stop()
  })

  test('pings reach the other side', async () => {
    const client = await open('/openai')
    const ping = Promise.withResolvers<string>()
    const { socket } = client as unknown as {
      socket: { ping(data: string): void; addEventListener(name: string, on: (event: MessageEvent) => void): void }
    }
    socket.addEventListener('ping', event => ping.resolve(String(event.data)))
    socket.ping('from the client')
    await holds(() => provider.pings.includes('from the client'))
    provider.socket().ping('from the provider')
    expect(await ping.promise).toBe('from the provider')
  })
})

describe('the end', () => {
  test.each([
    [1000, 'done'],
    [1011, 'a fault'],
    [4321, 'a reason of the provider’s own 🐦'],
    [3000, ''],
  ])('of the provider’s, %d %p, is the client’s', async (code, reason) => {
    const client = await open('/openai')
    provider.socket().close(code, reason)
    expect(await client.ended).toEqual({ code, reason })
  })

  test('of the provider’s without a code stays without', async () => {
    const client = await open('/openai')
    provider.socket().close(1005)
    expect(await client.ended).toEqual({ code: 1005, reason: '' })
  })

  test('of a provider’s connection that is lost is 1006, after all that it had said', async () => {
    const client = await open('/openai')
    const before = app.requests().length
    provider.socket().send('the last words')
    await client.until(1)
    provider.socket().terminate()
    expect((await client.ended).code).toBe(1006)
    expect(await app.record(before + 1)).toMatchObject({ status: 101, error: 'upstream_closed' })
  })

  test.each([
    [1000, 'bye'],
    [4001, 'a reason of the client’s own 🐦'],
  ])('of the client’s, %d %p, is the provider’s', async (code, reason) => {
    const client = await open('/openai')
    client.socket.close(code, reason)
    await holds(() => provider.ended.length > 0)
    expect(provider.ended).toEqual([{ code, reason }])
  })

  test('of the client’s without a code stays without', async () => {
    const client = await open('/openai')
    client.socket.close()
    await holds(() => provider.ended.length > 0)
    expect(provider.ended[0]!.code).toBe(1005)
  })

  test('of a client that vanishes reaches the provider within a second', async () => {
    const client = await open('/openai')
    const before = app.requests().length
    client.socket.terminate()
    const deadline = performance.now() + 1_000
    while (performance.now() < deadline && !provider.ended.length) await Bun.sleep(10)
    expect(provider.ended.map(({ code }) => code)).toEqual([1006])
    expect(await app.record(before + 1)).toMatchObject({ status: 499 })
  })

  test('is on record once, with who and how long', async () => {
    const before = app.requests().length
    const client = await open('/openai?model=gpt-realtime')
    client.socket.close(1000)
    const line = await app.record(before + 1)
    expect(line).toMatchObject({
      path: '/v1/home/default/openai',
      provider: 'openai',
      model: 'gpt-realtime',
      status: 101,
      token: 'tests',
    })
    await Bun.sleep(50)
    expect(app.requests()).toHaveLength(before + 1)
  })

  test('is 1001 when the server stops', async () => {
    const other = await startApp({ providers: { openai: { base_url: provider.address, keys: { default: KEY } } } })
    const listener = other.app.listen({ reusePort: false })
    const client = await openSocket(`http://127.0.0.1:${listener.port}/v1/home/default/openai`)
    void listener.stop(true)
    expect((await client.ended).code).toBe(1001)
    await holds(() => provider.ended.some(({ code }) => code === 1001))
    await other.stop()
  })
})

describe('a socket that the provider refuses', () => {
  test('is the provider’s own answer', async () => {
    const refusal = await askForSocket(at('/mistral/v1/realtime'))
    expect(refusal.status).toBe(404)
    expect(refusal.headers.get('x-request-id')).toBe('req-9')
    expect(await refusal.json()).toEqual({ error: { message: 'no such voice' } })
  })

  test('cannot be reached: 502 and 2005', async () => {
    const refusal = await askForSocket(at('/groq/v1/realtime'))
    expect(refusal.status).toBe(502)
    expect(await refusal.json()).toMatchObject({ error: [{ code: 2005 }] })
  })

  test('says nothing for longer than allowed: 504', async () => {
    const refusal = await askForSocket(at('/cerebras/v1/realtime'), { headers: { 'cf-aig-request-timeout': '100' } })
    expect(refusal.status).toBe(504)
  })

  test('is not waited for when the client has left', async () => {
    waiting = Promise.withResolvers()
    const before = app.requests().length
    const abort = new AbortController()
    const asked = askForSocket(at('/cerebras/v1/realtime'), { signal: abort.signal }).catch(() => 'left')
    const connection = await waiting.promise
    abort.abort()
    expect(await asked).toBe('left')
    const gone = await Promise.race([connection.closed.then(() => true), Bun.sleep(1_000)])
    expect(gone).toBe(true)
    expect(await app.record(before + 1)).toMatchObject({ status: 499 })
  })

  test.each([
    ['/nobody/x', 400, 2008],
    ['/openai/%2e%2e/x', 400, 2008],
    ['/anthropic/v1/x', 400, 400],
    ['/workers-ai', 400, 2008],
    ['/compat/chat/completions', 400, 2008],
  ])('leads nowhere: %s', async (tail, status, code) => {
    const refusal = await askForSocket(at(tail))
    expect(refusal.status).toBe(status)
    expect(await refusal.json()).toMatchObject({ error: [{ code }] })
    expect(provider.handshakes).toHaveLength(0)
  })
})

test('the answer that opens a socket has what the provider said, and what we say', async () => {
  const head = Promise.withResolvers<string>()
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port: app.port,
    socket: { data: (_, bytes) => head.resolve(bytes.toString()) },
  })
  socket.write(
    `GET /v1/home/default/openai HTTP/1.1\r\nhost: a\r\nConnection: keep-alive, Upgrade\r\nUpgrade: WebSocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ncf-aig-authorization: ${TOKEN}\r\n\r\n`,
  )
  const lines = (await head.promise).toLowerCase().split('\r\n')
  socket.end()
  expect(lines[0]).toStartWith('http/1.1 101')
  expect(lines).toContain('x-request-id: req-heron')
  expect(lines.filter(line => /^cf-aig-(?:log|request)-id: [\da-f-]{36}$/.test(line))).toHaveLength(2)
  // Of the handshake with the provider nothing comes through: there is one key and one answer to it.
  expect(lines.filter(line => line.startsWith('sec-websocket-accept'))).toHaveLength(1)
})
