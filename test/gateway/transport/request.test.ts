import { afterAll, describe, expect, test } from 'bun:test'
import { createServer } from 'node:http'
import { rawUpstream, whole } from '../../support/raw-upstream.ts'
import { ask, faultOf, pipeAll, readAll, textOf, until } from './support.ts'

/** The client against well-behaved servers. */

const server = Bun.serve({
  port: 0,
  hostname: '127.0.0.1',
  idleTimeout: 0,
  async fetch(request) {
    const { pathname, search } = new URL(request.url)
    if (pathname === '/echo')
      return Response.json({
        method: request.method,
        search,
        headers: Object.fromEntries(request.headers),
        body: await request.text(),
      })
    if (pathname === '/none') return new Response(null, { status: 204 })
    if (pathname === '/empty') return new Response('')
    if (pathname === '/redirect') return Response.redirect('/echo', 302)
    return new Response(
      (async function* () {
        for (const word of ['one ', 'two ', 'thréé']) {
          yield word
          await Bun.sleep(3)
        }
      })(),
    )
  },
})
const address = `http://127.0.0.1:${server.port}`
afterAll(() => server.stop(true))

interface Echo {
  method: string
  search: string
  headers: Record<string, string>
  body: string
}
const echoed = async (url: string, options: Parameters<typeof ask>[1]) =>
  JSON.parse(textOf(await (await ask(url, options)).bytes())) as Echo

describe('a request', () => {
  test('arrives as it was meant', async () => {
    const { method, search, headers, body } = await echoed(`${address}/echo?a=b%20c&d`, {
      body: '{"name":"Zoë 🦜"}',
      headers: { 'content-type': 'application/json', authorization: 'Bearer k' },
    })
    expect({ method, search, body }).toEqual({ method: 'POST', search: '?a=b%20c&d', body: '{"name":"Zoë 🦜"}' })
    expect(headers).toMatchObject({
      'content-type': 'application/json',
      authorization: 'Bearer k',
      'content-length': '20',
      host: new URL(address).host,
      accept: '*/*',
      'user-agent': expect.stringMatching(/^postern\//),
    })
  })

  test('without a body has none', async () => {
    const { method, headers, body } = await echoed(`${address}/echo`, {})
    expect({ method, body, length: headers['content-length'] }).toEqual({ method: 'GET', body: '', length: undefined })
  })

  test('keeps what the caller says of itself, and nothing of what frames it', async () => {
    const { headers } = await echoed(`${address}/echo`, {
      body: 'x',
      headers: {
        'user-agent': 'me',
        accept: 'text/plain',
        host: 'other.example',
        'content-length': '99',
        te: 'trailers',
      },
    })
    expect(headers).toMatchObject({
      'user-agent': 'me',
      accept: 'text/plain',
      host: 'other.example',
      'content-length': '1',
    })
    expect(headers.te).toBeUndefined()
  })

  test('sends the bytes of a header value that is not ASCII', async () => {
    const { requests, ...raw } = rawUpstream(connection => connection.write(whole('200 OK', '{}')))
    await (await ask(raw.address, { headers: { 'x-name': 'Zo\xeb' }, body: 'é' })).bytes()
    raw.stop()
    // The stand-in reads UTF-8, in which a lone 0xeb is no character.
    expect(requests[0]).toContain('x-name: Zo\ufffd\r\n')
    expect(requests[0]).toEndWith('content-length: 2\r\n\r\né')
  })

  test.each([
    ['a line break in a value', { 'x-a': 'b\r\nx-evil: 1' }],
    ['a character that is no byte', { 'x-a': '🦜' }],
    ['a NUL', { 'x-a': '\0' }],
    ['a name that is none', { 'x a': 'b' }],
    ['a line break in a name', { 'x\r\nb': 'c' }],
  ] as [string, Record<string, string>][])('with %s is not sent', async (_, headers) => {
    expect(await faultOf(ask(`${address}/echo`, { headers }))).toMatchObject({ code: 'ERR_INVALID_HEADER' })
  })

  test('of many megabytes goes out as fast as it is taken', async () => {
    const body = 'é'.repeat(8_000_000)
    const echo = await echoed(`${address}/echo`, { body })
    expect(echo.body.length).toBe(body.length)
    expect(echo.body === body).toBeTrue()
  })
})

describe('an answer', () => {
  test('is read in pieces, as a sink, or at once', async () => {
    const url = `${address}/stream`
    expect(await readAll((await ask(url)).body)).toBe('one two thréé')
    expect(await pipeAll((await ask(url)).body!)).toBe('one two thréé')
    expect(textOf(await (await ask(url)).bytes())).toBe('one two thréé')
  })

  test('may be read first and piped then', async () => {
    const { body } = await ask(`${address}/stream`)
    const first = textOf((await body!.read())!)
    expect(first + (await pipeAll(body!))).toBe('one two thréé')
    expect(await body!.read()).toBeUndefined()
  })

  test('without a body has none', async () => {
    for (const [path, status] of [
      ['/none', 204],
      ['/empty', 200],
    ] as const) {
      const answer = await ask(address + path)
      expect({ status: answer.status, body: answer.body, bytes: await answer.bytes() }).toEqual({
        status,
        body: null,
        bytes: new Uint8Array(),
      })
    }
  })

  test('that redirects is given as it is', async () => {
    const { status, headers } = await ask(`${address}/redirect`)
    expect({ status, to: headers.get('location') }).toEqual({ status: 302, to: '/echo' })
  })

  test('of node:http: chunks, trailers, headers told twice', async () => {
    const node = createServer((_, response) => {
      response.writeHead(200, { trailer: 'x-sum', 'X-Twice': ['a', 'b'], 'Content-Type': 'text/plain' })
      response.write('over ')
      setTimeout(() => {
        response.addTrailers({ 'x-sum': '1' })
        response.end('and out')
      }, 5)
    })
    await new Promise<void>(done => node.listen(0, '127.0.0.1', done))
    const url = `http://127.0.0.1:${(node.address() as { port: number }).port}/`
    for (let round = 0; round < 2; round++) {
      const answer = await ask(url)
      expect(answer.headers.get('x-twice')).toBe('a, b')
      expect(answer.headers.get('content-type')).toBe('text/plain')
      expect(await readAll(answer.body)).toBe('over and out')
    }
    node.closeAllConnections()
    node.close()
  })
})

describe('where it cannot go', () => {
  test.each([
    ['a refused connection', 'http://127.0.0.1:1/', 'ECONNREFUSED'],
    ['the same over IPv6', 'http://[::1]:1/', 'ECONNREFUSED'],
    ['an unknown host', 'http://no-such-host.invalid/', 'ENOTFOUND'],
    ['a plain server asked for TLS', `https://127.0.0.1:${server.port}/`, 'EPROTO'],
  ])('%s', async (_, url, code) => {
    expect(await faultOf(ask(url))).toMatchObject({ code })
  })

  test('what is no address of the web', async () => {
    expect((await faultOf(ask('file:///etc/passwd'))).name).toBe('TypeError')
  })

  test('an IPv6 address works', async () => {
    const six = Bun.serve({ port: 0, hostname: '::1', fetch: request => new Response(request.headers.get('host')) })
    expect(await readAll((await ask(`http://[::1]:${six.port}/`)).body)).toBe(`[::1]:${six.port}`)
    await six.stop(true)
  })
})

describe('leaving', () => {
  const silent = () => rawUpstream(() => {})

  test('an aborted signal sends nothing', async () => {
    const raw = silent()
    const reason = new Error('enough')
    expect(await faultOf(ask(raw.address, { signal: AbortSignal.abort(reason) }))).toBe(reason)
    expect(raw.connections).toBe(0)
    raw.stop()
  })

  test('while waiting for the head: at once, with the reason, and the connection is gone', async () => {
    let closed = false
    const raw = rawUpstream(connection => void connection.closed.then(() => (closed = true)))
    const controller = new AbortController()
    const fault = faultOf(ask(raw.address, { signal: controller.signal }))
    await until(() => raw.requests.length === 1)
    const before = performance.now()
    controller.abort(new Error('enough'))
    expect(await fault).toMatchObject({ message: 'enough' })
    expect(performance.now() - before).toBeLessThan(20)
    await until(() => closed)
    raw.stop()
  })

  test('while connecting', async () => {
    const raw = silent()
    const controller = new AbortController()
    // A handshake that nobody answers.
    const fault = faultOf(ask(raw.address.replace('http:', 'https:'), { signal: controller.signal }))
    await until(() => raw.connections === 1)
    controller.abort(new Error('enough'))
    expect(await fault).toMatchObject({ message: 'enough' })
    raw.stop()
  })

  const begun = 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n3\r\nabc\r\n'

  test.each(['abort', 'cancel'] as const)('in mid-body: %s', async how => {
    let closed = false
    const raw = rawUpstream(connection => {
      connection.write(begun)
      void connection.closed.then(() => (closed = true))
    })
    const controller = new AbortController()
    const { body } = await ask(raw.address, { signal: controller.signal })
    expect(textOf((await body!.read())!)).toBe('abc')
    const next = body!.read()
    if (how === 'abort') {
      controller.abort(new Error('enough'))
      expect(await faultOf(next)).toMatchObject({ message: 'enough' })
    } else {
      body!.cancel()
      expect(await next).toBeUndefined()
    }
    await until(() => closed)
    raw.stop()
  })

  test('an abort that is followed by a cancel is no broken answer', async () => {
    const raw = rawUpstream(connection => connection.write(begun))
    const controller = new AbortController()
    const { body } = await ask(raw.address, { signal: controller.signal })
    let ended = false
    body!.pipe({ write: () => undefined, end: () => (ended = true) })
    controller.abort()
    body!.cancel()
    await Bun.sleep(5)
    expect(ended).toBeFalse()
    raw.stop()
  })

  test('after the end changes nothing', async () => {
    const controller = new AbortController()
    const answer = await ask(`${address}/echo`, { signal: controller.signal })
    controller.abort()
    answer.body!.cancel()
    expect((await ask(`${address}/echo`)).status).toBe(200)
  })
})

test('T16 what is compressed though it should not be is decoded, and cut off is cut off', async () => {
  const text = 'A heron stands in the reeds. '.repeat(500)
  const packed = { gzip: Bun.gzipSync(text), zstd: Bun.zstdCompressSync(text) }
  for (const [encoding, bytes] of Object.entries(packed)) {
    const raw = rawUpstream(async (connection, request) => {
      await connection.write(
        `HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${bytes.length}\r\n\r\n`,
      )
      await connection.write(request.includes('/half') ? bytes.subarray(0, bytes.length >> 1) : bytes)
      if (request.includes('/half')) connection.end()
    })
    const answer = await ask(raw.address)
    expect([answer.headers.get('content-encoding'), answer.headers.get('content-length')]).toEqual([null, null])
    expect(textOf(await answer.bytes())).toBe(text)
    await faultOf(readAll((await ask(`${raw.address}/half`)).body))
    raw.stop()
  }
  const odd = rawUpstream(connection => connection.write(whole('200 OK', 'x', { 'content-encoding': 'rot13' })))
  expect(await faultOf(ask(odd.address))).toMatchObject({ code: 'ERR_CONTENT_ENCODING' })
  odd.stop()
})

test('300 requests at once are under way at once', async () => {
  let under = 0
  const all = Promise.withResolvers<void>()
  const raw = rawUpstream(async (connection, request) => {
    if (++under === 300) all.resolve()
    await all.promise
    await connection.write(whole('200 OK', /\/(\d+) /.exec(request)![1]!))
  })
  const answers = await Promise.all(
    Array.from({ length: 300 }, async (_, at) => textOf(await (await ask(`${raw.address}/${at}`)).bytes())),
  )
  expect(answers).toEqual(Array.from({ length: 300 }, (_, at) => String(at)))
  raw.stop()
})
