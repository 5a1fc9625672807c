import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type RawUpstream, rawUpstream } from '../support/raw-upstream.ts'
import { askForSocket, framesOf, openSocket, type SocketClient, type SocketOptions } from '../support/socket-client.ts'
import { holds } from '../support/socket-stand-in.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'

/** Many requests over one socket: the gateway's own WebSocket (contract 1.9; 14.6, row 10). */

const KEY = 'key-of-the-operator-4711'
const GATEWAY = '/v1/home/default'

let provider: StandIn
/** Breaks off after the first event of a stream. */
let broken: RawUpstream
let app: RunningApp
let clients: SocketClient[] = []
/** Answers that wait until a test lets them go, by the question. */
let held: Record<string, PromiseWithResolvers<void>> = {}

const sse = (events: unknown[], end = '') =>
  new Response(events.map(event => `data: ${JSON.stringify(event)}\n\n`).join('') + end, {
    headers: { 'content-type': 'text/event-stream' },
  })

function endless(): Response {
  const pieces = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await Bun.sleep(5)
      controller.enqueue(Buffer.from(`data: {"n":1}\n\n`))
    },
  })
  return new Response(pieces, { headers: { 'content-type': 'text/event-stream' } })
}

async function answer({ path, body, headers }: Seen): Promise<Response> {
  const question = String(body.prompt ?? '')
  await held[question]?.promise
  if (path.endsWith('/stream'))
    return sse([{ n: 1 }, { n: 2 }], ': still here\n\ndata: plain words\n\ndata: [DONE]\n\n')
  if (path.endsWith('/endless')) return endless()
  if (path.endsWith('/text')) return new Response('the heron', { headers: { 'content-type': 'text/plain' } })
  if (path.endsWith('/audio'))
    return new Response(new Uint8Array([0, 255, 1]), { headers: { 'content-type': 'audio/mpeg' } })
  if (path.endsWith('/big'))
    return new Response('{"id":12345678901234567890}', { headers: { 'content-type': 'application/json' } })
  if (path.endsWith('/limited')) return Response.json({ error: { message: 'slow down' } }, { status: 429 })
  return Response.json({ from: path, said: question, key: headers.get('authorization') })
}

beforeAll(async () => {
  provider = standIn(answer)
  broken = rawUpstream(async connection => {
    const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n'
    await connection.write(`${head}f\r\ndata: {"n":1}\n\n\r\n`)
    await Bun.sleep(20)
    connection.reset()
  })
  const reach = { base_url: provider.address, keys: { default: KEY } }
  app = await startApp({
    providers: {
      openai: reach,
      anthropic: { ...reach, base_url: 'http://127.0.0.1:1' },
      groq: { ...reach, base_url: broken.address },
    },
    gateways: { open: { authentication: false } },
    server: { max_body: 1_000_000 },
  })
})
afterEach(async () => {
  for (const { socket } of clients) socket.close()
  // What is on record of one test is not the next one's.
  await Promise.all(clients.map(({ ended }) => ended))
  clients = []
  held = {}
  provider.seen.length = 0
})
afterAll(async () => {
  await app.stop()
  provider.stop()
  broken.stop()
})

async function open(options: SocketOptions & { path?: string } = {}): Promise<SocketClient> {
  const client = await openSocket(app.address + (options.path ?? GATEWAY), options)
  clients.push(client)
  return client
}

const create = (eventId: string, endpoint: string, query: unknown = { prompt: eventId }) => ({
  type: 'universal.create',
  request: { eventId, provider: 'openai', endpoint, headers: { 'Content-Type': 'application/json' }, query },
})

describe('an answer', () => {
  test('is one frame with its metadata, for a step with the operator’s key', async () => {
    const client = await open()
    client.send(create('req-7', 'completions'))
    const [created] = framesOf(await client.until(1))
    expect(created).toEqual({
      type: 'universal.created',
      metadata: {
        cacheStatus: 'MISS',
        eventId: 'req-7',
        logId: expect.stringMatching(/^[\da-f-]{36}$/) as unknown as string,
        step: '0',
        contentType: expect.stringMatching(/^application\/json/) as unknown as string,
      },
      response: { from: '/completions', said: 'req-7', key: `Bearer ${KEY}` },
    })
  })

  test('names the step of a list that succeeded', async () => {
    const client = await open({ path: `${GATEWAY}/` })
    const { request } = create('list', 'completions')
    client.send({ type: 'universal.create', request: [{ ...request, provider: 'anthropic' }, request] })
    const [created] = framesOf(await client.until(1))
    expect(created).toMatchObject({ type: 'universal.created', metadata: { eventId: 'list', step: '1' } })
  })

  test('keeps the digits of numbers, the words of a text, and the bytes of anything else', async () => {
    const client = await open()
    for (const kind of ['big', 'text', 'audio']) client.send(create(kind, kind))
    const raw = await client.until(3)
    const frames = Object.fromEntries(framesOf(raw).map(frame => [frame.metadata.eventId, frame]))
    expect(raw.join()).toContain('"response":{"id":12345678901234567890}')
    expect(frames.text).toMatchObject({ response: 'the heron', metadata: { contentType: 'text/plain' } })
    expect(frames.audio).toMatchObject({
      response: 'AP8B',
      metadata: { encoding: 'base64', contentType: 'audio/mpeg' },
    })
  })

  test('that streams is a frame for each event, between its beginning and its end', async () => {
    const client = await open()
    client.send(create('s', 'stream'))
    const frames = framesOf(await client.until(5))
    expect(frames.map(({ type }) => type)).toEqual([
      'universal.created',
      'universal.stream',
      'universal.stream',
      'universal.stream',
      'universal.done',
    ])
    const [created, ...rest] = frames
    expect(created).not.toHaveProperty('response')
    expect(created?.metadata).toMatchObject({ eventId: 's', contentType: 'text/event-stream', step: '0' })
    expect(rest.slice(0, 3)).toEqual([
      { type: 'universal.stream', metadata: { eventId: 's' }, response: { n: 1 } },
      { type: 'universal.stream', metadata: { eventId: 's' }, response: { n: 2 } },
      { type: 'universal.stream', metadata: { eventId: 's' }, response: 'plain words' },
    ])
    expect(rest[3]?.metadata).toEqual(created!.metadata)
  })

  test('comes when it is ready, not when it was asked for', async () => {
    held.slow = Promise.withResolvers()
    const client = await open()
    client.send(create('slow', 'completions'))
    client.send(create('quick', 'stream'))
    const first = framesOf(await client.until(5))
    expect(first.every(({ metadata }) => metadata.eventId === 'quick')).toBe(true)
    held.slow.resolve()
    expect(framesOf(await client.until(6))[5]).toMatchObject({ metadata: { eventId: 'slow' } })
  })
})

test('a thousand requests on one socket each get their own answer', async () => {
  const client = await open()
  const ids = Array.from({ length: 1_000 }, (_, at) => `req-${at}`)
  for (const [at, id] of ids.entries()) {
    client.send(create(id, 'completions'))
    // As many at once as may be in flight, and no more.
    if (at % 50 === 49) await client.until(at + 1)
  }
  const frames = framesOf(await client.until(1_000))
  expect(frames.every(({ metadata, response }) => (response as { said: string }).said === metadata.eventId)).toBe(true)
  expect(new Set(frames.map(({ metadata }) => metadata.eventId)).size).toBe(1_000)
})

describe('a failure', () => {
  const failure = async (message: unknown) => {
    const client = await open()
    client.send(message)
    const [frame] = framesOf(await client.until(1))
    // The socket lives on.
    client.send(create('after', 'completions'))
    expect(framesOf(await client.until(2))[1]).toMatchObject({
      type: 'universal.created',
      metadata: { eventId: 'after' },
    })
    return frame!
  }

  test.each([
    ['no JSON', '{"type":'],
    ['a list', '[]'],
    ['bytes', new Uint8Array([1, 2])],
    ['another type', { type: 'universal.delete', request: {} }],
    ['no request', { type: 'universal.create' }],
    ['an empty list', { type: 'universal.create', request: [] }],
  ])('of the frame (%s) is told', async (_, message) => {
    expect(await failure(message)).toEqual({
      type: 'universal.error',
      metadata: {},
      status: 400,
      error: { code: 400, message: expect.any(String) as unknown as string },
    })
  })

  test('of a step names what is wrong and whose it is, and nothing of the input', async () => {
    const frame = await failure({ type: 'universal.create', request: { eventId: 'bad', endpoint: 'secret-words' } })
    expect(frame).toMatchObject({ metadata: { eventId: 'bad' }, error: { message: 'provider: required' } })
  })

  test('of a provider that is not known has its number', async () => {
    const frame = await failure({ ...create('x', 'y'), request: { ...create('x', 'y').request, provider: 'nobody' } })
    expect(frame).toMatchObject({
      type: 'universal.error',
      metadata: { eventId: 'x' },
      status: 400,
      error: { code: 2008 },
    })
  })

  test('of a provider has its answer, its status and its metadata', async () => {
    expect(await failure(create('lim', 'limited'))).toMatchObject({
      type: 'universal.error',
      metadata: { eventId: 'lim', step: '0', cacheStatus: 'MISS' },
      status: 429,
      error: { code: 429 },
      response: { error: { message: 'slow down' } },
    })
  })

  test('of a provider that cannot be reached is 2005', async () => {
    const { request } = create('gone', 'v1/messages')
    expect(await failure({ type: 'universal.create', request: { ...request, provider: 'anthropic' } })).toMatchObject({
      status: 400,
      error: { code: 2005 },
    })
  })

  test('in the middle of a stream ends it with an error, not as if it were whole', async () => {
    const client = await open()
    client.send({ type: 'universal.create', request: { ...create('cut', 'cut').request, provider: 'groq' } })
    const frames = framesOf(await client.until(3))
    expect(frames.map(({ type }) => type)).toEqual(['universal.created', 'universal.stream', 'universal.error'])
    expect(frames[2]).toMatchObject({ metadata: { eventId: 'cut' }, status: 502, error: { code: 2005 } })
  })

  test('too many at once is told, and takes nothing from the others', async () => {
    held.wait = Promise.withResolvers()
    const client = await open()
    for (let at = 0; at < 65; at++) client.send(create(`r${at}`, 'completions', { prompt: 'wait' }))
    const [refused] = framesOf(await client.until(1))
    expect(refused).toMatchObject({
      type: 'universal.error',
      metadata: { eventId: 'r64' },
      status: 429,
      error: { code: 2003 },
    })
    expect(refused!.error!.message).toContain('64 requests in flight')
    held.wait.resolve()
    const rest = framesOf(await client.until(65)).slice(1)
    expect(rest.every(({ type }) => type === 'universal.created')).toBe(true)
  })

  test('a frame larger than a body may be ends the socket with 1009', async () => {
    const client = await open()
    client.send(create('big', 'completions', { prompt: 'x'.repeat(1_100_000) }))
    expect((await client.ended).code).toBe(1009)
  })
})

describe('who opens it', () => {
  test.each([
    ['with Bearer', { 'cf-aig-authorization': `Bearer ${TOKEN}` }],
    ['bare', { 'cf-aig-authorization': TOKEN }],
  ])('may show the token in the header, %s', async (_, headers) => {
    const client = await open({ token: null, headers })
    expect(client.socket.protocol).toBe('')
    client.send(create('a', 'completions'))
    expect(framesOf(await client.until(1))[0]?.type).toBe('universal.created')
  })

  test('may show it as a subprotocol, which is the one that is chosen', async () => {
    const shown = `cf-aig-authorization.${TOKEN}`
    const client = await open({ token: null, protocols: ['other', shown] })
    expect(client.socket.protocol).toBe(shown)
    client.send(create('a', 'completions'))
    expect(framesOf(await client.until(1))[0]?.type).toBe('universal.created')
    expect(JSON.stringify([...provider.last().headers])).not.toContain(TOKEN)
  })

  test.each([
    ['nothing', {}],
    ['a wrong header', { headers: { 'cf-aig-authorization': 'Bearer wrong' } }],
    ['a wrong subprotocol', { protocols: ['cf-aig-authorization.wrong'] }],
  ])('is refused with 401 and 2009 when there is %s', async (_, options) => {
    const refusal = await askForSocket(app.address + GATEWAY, { token: null, ...options })
    expect(refusal.status).toBe(401)
    expect(await refusal.json()).toMatchObject({ success: false, error: [{ code: 2009 }], errors: [{ code: 2009 }] })
  })

  test('of a gateway that does not exist hears 400 and 2001', async () => {
    const refusal = await askForSocket(`${app.address}/v1/home/nowhere`)
    expect(refusal.status).toBe(400)
    expect(await refusal.json()).toMatchObject({ error: [{ code: 2001 }] })
  })

  test('hears 426 for another version of the protocol', async () => {
    const refusal = await askForSocket(app.address + GATEWAY, { headers: { 'sec-websocket-version': '8' } })
    expect(refusal.status).toBe(426)
    expect(refusal.headers.get('sec-websocket-version')).toBe('13')
  })

  test('needs no token on an open gateway, unless it is a page from elsewhere', async () => {
    const address = `${app.address}/v1/home/open`
    const client = await open({ path: '/v1/home/open', token: null })
    client.socket.close()
    const elsewhere = { headers: { origin: 'https://elsewhere.example' } }
    expect((await askForSocket(address, { token: null, ...elsewhere })).status).toBe(403)
    await open({ path: '/v1/home/open', token: null, headers: { origin: app.address } })
    await open({ path: '/v1/home/open', ...elsewhere })
  })
})

describe('leaving', () => {
  test('ends every call to a provider within a second', async () => {
    const client = await open()
    for (let at = 0; at < 3; at++) client.send(create(`e${at}`, 'endless'))
    await client.until(6)
    const left = provider.seen.slice(-3)
    client.socket.close()
    const deadline = performance.now() + 1_000
    while (performance.now() < deadline && !left.every(({ signal }) => signal.aborted)) await Bun.sleep(10)
    expect(left.every(({ signal }) => signal.aborted)).toBe(true)
  })

  test('is on record, once for the socket and once for each request', async () => {
    const before = app.requests().length
    const client = await open()
    client.send(create('a', 'completions'))
    await client.until(1)
    client.socket.close(1000)
    await app.record(before + 2)
    const [step, socket] = app.requests().slice(before)
    expect(step).toMatchObject({
      method: 'POST',
      path: `${GATEWAY}/openai`,
      status: 200,
      provider: 'openai',
      token: 'tests',
    })
    expect(socket).toMatchObject({ method: 'GET', path: GATEWAY, status: 101, token: 'tests' })
  })

  test('the server closes idle sockets with 1001 when it stops, and others after their answer', async () => {
    const other = await startApp({ providers: { openai: { base_url: provider.address, keys: { default: KEY } } } })
    held.late = Promise.withResolvers()
    const listener = other.app.listen({ reusePort: false })
    const address = `http://127.0.0.1:${listener.port}${GATEWAY}`
    const idle = await openSocket(address)
    const busy = await openSocket(address)
    busy.send(create('late', 'completions'))
    await holds(() => provider.seen.length > 0)
    void listener.stop(true)
    expect(listener.pending()).toBeGreaterThan(0)
    expect(await idle.ended).toEqual({ code: 1001, reason: 'the gateway stops' })
    expect(busy.socket.readyState).toBe(WebSocket.OPEN)
    held.late.resolve()
    expect(framesOf(await busy.until(1))[0]?.type).toBe('universal.created')
    expect((await busy.ended).code).toBe(1001)
    expect(listener.pending()).toBe(0)
    await other.stop()
  })
})

test('a request that asks for no socket still reaches the universal endpoint, and a GET nothing', async () => {
  const { request } = create('plain', 'completions')
  const headers = { 'cf-aig-authorization': TOKEN }
  const posted = await fetch(app.address + GATEWAY, { method: 'POST', headers, body: JSON.stringify(request) })
  expect(posted.status).toBe(200)
  expect((await fetch(app.address + GATEWAY, { headers })).status).toBe(404)
})
