import { describe, expect, test } from 'bun:test'
import { closeIdle } from '../../../src/gateway/transport/pool.ts'
import { rawUpstream, whole } from '../../support/raw-upstream.ts'
import { ask, faultOf, readAll, until } from './support.ts'

/** Connections that are used again, and those that must not be. */

async function connectionsFor(answer: string, requests = 3): Promise<number> {
  const raw = rawUpstream(connection => connection.write(answer))
  for (let at = 0; at < requests; at++) {
    await (await ask(raw.address, { body: 'x' })).bytes()
    await Bun.sleep(1)
  }
  raw.stop()
  return raw.connections
}

const chunked = (headers = '') => `HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n${headers}\r\n2\r\n{}\r\n0\r\n\r\n`

test.each([
  ['of known length', whole('200 OK', '{}'), 1],
  ['in chunks', chunked(), 1],
  ['with trailers', chunked().replace('0\r\n\r\n', '0\r\nx-sum: 1\r\n\r\n'), 1],
  ['without a body', 'HTTP/1.1 204 No Content\r\n\r\n', 1],
  ['of no length', 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n', 1],
  ['after another that was not yet it', `HTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n${whole('200 OK', '{}')}`, 1],
  ['with a while to live', chunked('Keep-Alive: timeout=5, max=100\r\n'), 1],
  ['with no while to live', chunked('Keep-Alive: timeout=1\r\n'), 3],
  ['that says close', chunked('Connection: Close\r\n'), 3],
  ['of HTTP/1.0', 'HTTP/1.0 200 OK\r\ncontent-length: 2\r\n\r\n{}', 3],
  ['of HTTP/1.0 that says keep-alive', 'HTTP/1.0 200 OK\r\nconnection: keep-alive\r\ncontent-length: 2\r\n\r\n{}', 1],
  ['with bytes behind it', `${whole('200 OK', '{}')}HTTP/1.1 200 OK\r\n`, 3],
] as [string, string, number][])('an answer %s', async (_, answer, connections) => {
  expect(await connectionsFor(answer)).toBe(connections)
})

test('what is said on a connection that nobody uses ends it', async () => {
  const raw = rawUpstream(async connection => {
    await connection.write(whole('200 OK', '{}'))
    await Bun.sleep(5)
    await connection.write(whole('200 OK', '{"evil":true}'))
  })
  for (let at = 0; at < 2; at++) {
    expect(await readAll((await ask(raw.address)).body)).toBe('{}')
    await Bun.sleep(15)
  }
  expect(raw.connections).toBe(2)
  raw.stop()
})

test('closeIdle closes what is idle', async () => {
  let closed = 0
  const raw = rawUpstream(connection => {
    void connection.closed.then(() => closed++)
    return connection.write(whole('200 OK', '{}'))
  })
  await Promise.all([1, 2, 3].map(async () => (await ask(raw.address)).bytes()))
  closeIdle()
  await until(() => closed === 3)
  raw.stop()
})

test('no more than 256 are kept', async () => {
  let open = 0
  const gate = Promise.withResolvers<void>()
  const raw = rawUpstream(async connection => {
    open++
    void connection.closed.then(() => open--)
    if (open === 300) gate.resolve()
    await gate.promise
    return connection.write(whole('200 OK', '{}'))
  })
  await Promise.all(Array.from({ length: 300 }, async () => (await ask(raw.address)).bytes()))
  await until(() => open === 256)
  raw.stop()
})

describe('a connection that was closed while it was idle', () => {
  /** Serves one request on each connection, then closes it when the second arrives. */
  const ageing = (how: 'end' | 'reset') => {
    const served = new Set<unknown>()
    return rawUpstream(connection => {
      if (served.has(connection)) return connection[how]()
      served.add(connection)
      return connection.write(whole('200 OK', '{}'))
    })
  }

  test.each(['end', 'reset'] as const)('by %s: the request goes out once more, on a fresh one', async how => {
    const raw = ageing(how)
    for (let at = 0; at < 3; at++) expect(await readAll((await ask(raw.address, { body: 'x' })).body)).toBe('{}')
    expect([raw.connections, raw.requests.length]).toEqual([3, 5])
    raw.stop()
  })

  test('before anybody asked: it is not used', async () => {
    const raw = rawUpstream(async connection => {
      await connection.write(whole('200 OK', '{}'))
      connection.end()
    })
    for (let at = 0; at < 2; at++) {
      expect(await readAll((await ask(raw.address)).body)).toBe('{}')
      await Bun.sleep(5)
    }
    expect(raw.requests).toHaveLength(2)
    raw.stop()
  })

  test('a fresh one that closes without a word is a failure, and not tried again', async () => {
    const raw = rawUpstream(connection => connection.end())
    expect(await faultOf(ask(raw.address, { body: 'x' }))).toMatchObject({ code: 'ECONNRESET' })
    expect(raw.requests).toHaveLength(1)
    raw.stop()
  })

  test('and one that has begun to answer is not tried again either', async () => {
    let first = true
    const raw = rawUpstream(async connection => {
      if (first) {
        first = false
        return connection.write(whole('200 OK', '{}'))
      }
      await connection.write('HTTP/1.1 2')
      return connection.end()
    })
    await (await ask(raw.address)).bytes()
    expect(await faultOf(ask(raw.address))).toMatchObject({ code: 'ECONNRESET' })
    expect(raw.requests).toHaveLength(2)
    raw.stop()
  })
})

test('an answer before the request is through: given, and the connection is not used again', async () => {
  const server = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket) {
        socket.pause()
        socket.write(whole('413 Too Large', '{}'))
      },
      error() {},
    },
  })
  const url = `http://127.0.0.1:${server.port}/`
  const answer = await ask(url, { body: 'x'.repeat(20_000_000) })
  expect([answer.status, await readAll(answer.body)]).toEqual([413, '{}'])
  expect((await ask(url, { body: 'x' })).status).toBe(413)
  server.stop(true)
})
