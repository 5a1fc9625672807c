import { afterAll, describe, expect, test } from 'bun:test'
import { dial } from '../../../src/gateway/transport/websocket.ts'
import type { Closing } from '../../../src/gateway/transport/websocket-frames.ts'
import type { UpstreamSocket } from '../../../src/gateway/transport/websocket-socket.ts'
import { type Connection, type RawUpstream, rawUpstream } from '../../support/raw-upstream.ts'
import { faultOf, until } from './support.ts'

/** Opening a WebSocket to a server, which may say anything (RFC 6455, section 4). */

const accepted = (request: string): string => {
  const key = /^sec-websocket-key: (\S+)/im.exec(request)![1]!
  return new Bun.CryptoHasher('sha1').update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest('base64')
}

const switching = (request: string, more: string[] = []): string =>
  [
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    `Sec-WebSocket-Accept: ${accepted(request)}`,
    ...more,
    '',
    '',
  ].join('\r\n')

const servers: RawUpstream[] = []
afterAll(() => {
  for (const server of servers) server.stop()
})

/** Asks a server that speaks in bytes. */
async function asked(
  answer: (connection: Connection, request: string) => unknown,
  {
    headers = {},
    signal = new AbortController().signal,
  }: { headers?: Record<string, string>; signal?: AbortSignal } = {},
) {
  const server = rawUpstream(answer)
  servers.push(server)
  return dial({ url: `${server.address}/a?b=c`, method: 'GET', headers }, signal)
}

function listen(socket: UpstreamSocket) {
  const heard = { messages: [] as (string | Uint8Array)[], pings: 0, ended: undefined as Closing | undefined }
  socket.begin({
    message: message => void heard.messages.push(message),
    ping: () => void heard.pings++,
    ended: closing => {
      heard.ended = closing
    },
  })
  return heard
}

describe('the answer', () => {
  test('may come byte by byte, after others that are none yet, with the first words behind it', async () => {
    let said = ''
    const { status, headers, socket } = await asked(async (connection, request) => {
      said = request
      const bytes = Buffer.from(
        `HTTP/1.1 103 Early Hints\r\nlink: a\r\n\r\n${switching(request, ['x-id: 7'])}\x81\x05hello`,
        'latin1',
      )
      for (let at = 0; at < bytes.length; at++) {
        await connection.write(bytes.subarray(at, at + 1))
        await Bun.sleep(0)
      }
    })
    expect(status).toBe(101)
    expect(headers.get('x-id')).toBe('7')
    const heard = listen(socket!)
    await until(() => heard.messages.length === 1)
    expect(heard.messages).toEqual(['hello'])
    expect(said).toStartWith('GET /a?b=c HTTP/1.1\r\nhost: 127.0.0.1:')
    expect(said).toContain('\r\nupgrade: websocket\r\n')
    expect(said).toContain('\r\nsec-websocket-version: 13\r\n')
    expect(said.toLowerCase()).not.toContain('extensions')
    socket!.destroy()
  })

  test.each([
    ['with its length', 'content-length: 5\r\n\r\nsorry'],
    ['in chunks', 'transfer-encoding: chunked\r\n\r\n5\r\nsorry\r\n0\r\n\r\n'],
    ['up to the end of the connection', '\r\nsorry'],
  ])('that refuses is whole, %s', async (_, rest) => {
    const answer = await asked(async connection => {
      await connection.write(`HTTP/1.1 403 Forbidden\r\ncontent-type: text/plain\r\n${rest}`)
      connection.end()
    })
    expect(answer.status).toBe(403)
    expect(answer.socket).toBeUndefined()
    expect(answer.headers.get('content-type')).toBe('text/plain')
    expect(Buffer.from(await answer.bytes()).toString()).toBe('sorry')
  })

  test('that refuses may be empty, or packed', async () => {
    const empty = await asked(connection => connection.write('HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n'))
    expect(empty).toMatchObject({ status: 401, body: null })
    const packed = Bun.gzipSync(Buffer.from('sorry'))
    const unpacked = await asked(async connection => {
      await connection.write(
        `HTTP/1.1 403 Forbidden\r\ncontent-encoding: gzip\r\ncontent-length: ${packed.length}\r\n\r\n`,
      )
      await connection.write(packed)
    })
    expect(Buffer.from(await unpacked.bytes()).toString()).toBe('sorry')
  })

  test.each<[string, (request: string) => string]>([
    ['has another key’s hash', request => switching(request).replace(/accept: ../i, 'Accept: xx')],
    ['switches to something else', request => switching(request).replace('websocket', 'h2c')],
    [
      'does not say that it switches',
      request => switching(request).replace('Connection: Upgrade', 'Connection: close'),
    ],
    ['has an extension', request => switching(request, ['Sec-WebSocket-Extensions: permessage-deflate'])],
    ['has a subprotocol that nobody offered', request => switching(request, ['Sec-WebSocket-Protocol: c'])],
    ['is no HTTP', () => 'SSH-2.0-OpenSSH\r\n\r\n'],
    ['has a head without end', () => `HTTP/1.1 101 Switching Protocols\r\nx: ${'x'.repeat(70_000)}\r\n\r\n`],
    ['refuses at great length', () => `HTTP/1.1 403 No\r\ncontent-length: 2000000\r\n\r\n${'x'.repeat(1_100_000)}`],
  ])('that %s is a fault', async (_, answer) => {
    const pending = asked((connection, request) => connection.write(answer(request)), {
      headers: { 'sec-websocket-protocol': 'a, b' },
    })
    expect((await faultOf(pending)).code).toBe('ERR_HTTP_ANSWER')
  })

  test('has one of the subprotocols that were offered', async () => {
    const { socket } = await asked(
      (connection, request) => connection.write(switching(request, ['Sec-WebSocket-Protocol: b'])),
      {
        headers: { 'sec-websocket-protocol': 'a, b' },
      },
    )
    expect(socket).toBeDefined()
    socket!.destroy()
  })

  test('that does not come is waited for until the signal says otherwise', async () => {
    const abort = new AbortController()
    let connection: Connection | undefined
    const pending = asked(
      one => {
        connection = one
        abort.abort(new Error('enough'))
      },
      { signal: abort.signal },
    )
    expect((await faultOf(pending)).message).toBe('enough')
    await connection!.closed
  })

  test('of nobody, and of one who hangs up, is a fault of the network', async () => {
    const signal = new AbortController().signal
    expect((await faultOf(dial({ url: 'http://127.0.0.1:1/', method: 'GET', headers: {} }, signal))).code).toMatch(
      /REFUSED/,
    )
    expect((await faultOf(asked(connection => connection.reset()))).code).toBeDefined()
    expect(
      (await faultOf(dial({ url: 'http://127.0.0.1:1/', method: 'GET', headers: { 'x-a': 'b\r\nc' } }, signal))).code,
    ).toBe('ERR_INVALID_HEADER')
  })
})

describe('a server that is open', () => {
  const opened = async (speak: (connection: Connection) => unknown) => {
    let connection: Connection | undefined
    const { socket } = await asked(async (one, request) => {
      connection = one
      await one.write(switching(request))
      await speak(one)
    })
    return { socket: socket!, connection: connection! }
  }

  test('and breaks the protocol ends the socket, for the client as a fault of the server', async () => {
    const { socket, connection } = await opened(one => one.write(Buffer.from([0x83, 0])))
    const heard = listen(socket)
    await until(() => heard.ended !== undefined)
    expect(heard.ended).toEqual({ code: 1011, reason: 'the provider broke the protocol: a frame of an unknown kind' })
    await connection.closed
  })

  test('and sends too much in one message ends it with 1009', async () => {
    const { socket } = await opened(one => one.write(Buffer.from([0x82, 127, 0, 0, 0, 1, 0, 0, 0, 0])))
    const heard = listen(socket)
    await until(() => heard.ended !== undefined)
    expect(heard.ended).toMatchObject({
      code: 1009,
      reason: expect.stringContaining('67108864 bytes') as unknown as string,
    })
  })

  test('and ends before anybody listens is heard to have ended', async () => {
    const { socket } = await opened(async one => {
      await one.write(Buffer.concat([Buffer.from([0x81, 2]), Buffer.from('hi'), Buffer.from([0x88, 2, 3, 232])]))
      one.end()
    })
    await Bun.sleep(20)
    const heard = listen(socket)
    await until(() => heard.ended !== undefined)
    expect(heard).toMatchObject({ messages: ['hi'], ended: { code: 1000, reason: '' } })
  })

  test('and does not close its end is left after a second', async () => {
    const { socket, connection } = await opened(() => {})
    const heard = listen(socket)
    socket.close({ code: 1000, reason: '' })
    expect(connection.isClosed).toBe(false)
    await connection.closed
    expect(heard.ended).toBeUndefined()
  })
})
