import { afterAll, beforeAll, expect, test } from 'bun:test'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { rawChat } from '../support/raw-client.ts'
import { type Connection, chunk, head, LAST_CHUNK, type RawUpstream, rawUpstream } from '../support/raw-upstream.ts'

/** What becomes of both connections of a provider-native request when one side leaves, stalls or hurries. */

const PATH = '/v1/home/default/custom-own/v1/chat/completions'
const HEAD = head('200 OK', { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' })

let upstream: RawUpstream
let app: RunningApp
let serve: (connection: Connection) => unknown = () => {}

beforeAll(async () => {
  upstream = rawUpstream(connection => serve(connection))
  app = await startApp({ custom_providers: { own: { base_url: upstream.address } } })
})
afterAll(async () => {
  await app.stop()
  upstream.stop()
})

const asked = (signal?: AbortSignal) =>
  fetch(app.address + PATH, { method: 'POST', headers: { authorization: `Bearer ${TOKEN}` }, body: '{}', signal })

test.each(['waiting', 'reading'])('a client that leaves while it is %s ends the call within a second', async when => {
  const { promise: begun, resolve } = Promise.withResolvers<Connection>()
  serve = async connection => {
    if (when === 'reading') await connection.write(HEAD + chunk('data: {}\n\n'))
    resolve(connection)
  }
  const lines = app.requests().length
  const leaving = new AbortController()
  const response = asked(leaving.signal)
  const connection = await begun
  if (when === 'reading') await (await response).body!.getReader().read()
  else response.catch(() => {})
  await Bun.sleep(20)
  expect(connection.isClosed).toBe(false)
  const left = performance.now()
  leaving.abort()
  await connection.closed
  expect(performance.now() - left).toBeLessThan(1_000)
  expect(await app.record(lines + 1)).toMatchObject({ status: 499, provider: 'custom-own' })
})

test('a piece goes to the client when it comes, not when the answer is over', async () => {
  const gate = Promise.withResolvers<void>()
  serve = async connection => {
    await connection.write(HEAD + chunk('data: 1\n\n'))
    await gate.promise
    await connection.write(chunk('data: 2\n\n') + LAST_CHUNK)
  }
  const reader = (await asked()).body!.getReader()
  expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: 1\n\n')
  gate.resolve()
  expect(Buffer.from((await reader.read()).value!).toString()).toBe('data: 2\n\n')
  expect((await reader.read()).done).toBe(true)
})

test('a client that does not read holds the provider up, and not the gateway’s memory', async () => {
  const big = 64 * 1024 * 1024
  const { promise: begun, resolve } = Promise.withResolvers<Connection>()
  serve = async connection => {
    resolve(connection)
    await connection.write(head('200 OK', { 'content-type': 'audio/mpeg', 'content-length': big }))
    await connection.write(Buffer.alloc(big, 1))
  }
  const client = await rawChat(app.port, {}, { path: PATH, paused: true })
  const connection = await begun
  let before = -1
  // Until nothing moves any more.
  for (let tries = 0; tries < 40 && before !== connection.written; tries++) {
    before = connection.written
    await Bun.sleep(50)
  }
  expect(connection.written).toBeLessThan(big / 2)
  client.leave()
  await connection.closed
})

test('an upload that breaks off reaches nobody and is no fault of our own', async () => {
  const before = upstream.requests.length
  for (const framing of ['transfer-encoding: chunked\r\n\r\n5\r\nabcde\r\n', 'content-length: 99\r\n\r\nabcde']) {
    const socket = await Bun.connect({ hostname: '127.0.0.1', port: app.port, socket: { data() {} } })
    socket.write(`POST ${PATH} HTTP/1.1\r\nhost: a\r\nauthorization: Bearer ${TOKEN}\r\n${framing}`)
    await Bun.sleep(30)
    socket.terminate()
    await Bun.sleep(50)
  }
  expect(upstream.requests).toHaveLength(before)
  const errors = app.logged().split('\n')
  expect(errors.filter(line => line.includes('"level":"error"'))).toEqual([])
})
