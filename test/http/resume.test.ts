import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { createAI } from '../../src/binding/index.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type Connection, type RawUpstream, rawUpstream } from '../support/raw-upstream.ts'

/** Streams that outlive their connection (contract 1.10). */

const OTHER = 'a-token-of-somebody-else'
let provider: RawUpstream
let app: RunningApp
let come: PromiseWithResolvers<Connection>

beforeAll(async () => {
  provider = rawUpstream(connection => come.resolve(connection))
  app = await startApp({
    server: { resume_grace: 0.3 },
    tokens: [
      { name: 'tests', token: TOKEN },
      { name: 'other', token: OTHER },
    ],
    providers: { openai: { base_url: provider.address, keys: { default: 'k' } } },
    gateways: { lab: {} },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})
beforeEach(() => {
  come = Promise.withResolvers()
})

const event = (index: number, text = `${index} `) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })}\n\n`
const HEAD = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n'
const DONE = 'data: [DONE]\n\n'

async function begun() {
  const leaving = new AbortController()
  const call = fetch(`${app.address}/client/v4/accounts/home/ai/run`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}` },
    body: JSON.stringify({ model: 'openai/m', input: { messages: [{ role: 'user', content: 'Hi' }], stream: true } }),
    signal: leaving.signal,
  })
  const connection = await come.promise
  await connection.write(HEAD + event(0))
  const response = await call
  const reader = response.body!.getReader()
  const first = Buffer.from((await reader.read()).value!).toString()
  return {
    connection,
    response,
    reader,
    first,
    id: response.headers.get('cf-aig-run-id')!,
    leave: () => leaving.abort(),
  }
}

const resumed = (id: string, query = '', token = TOKEN, gateway = 'default') =>
  fetch(`${app.address}/client/v4/accounts/home/ai-gateway/gateways/${gateway}/run/${id}/resume${query}`, {
    headers: { authorization: `Bearer ${token}` },
  })

const missing = async (response: Response) => [response.status, await response.json()]
const GONE = [404, { error: 'Request not found' }]

describe('a stream of the run path', () => {
  test('goes on where its connection broke, from any event', async () => {
    const { connection, first, id, leave } = await begun()
    expect(first).toBe(event(0))
    leave()
    await connection.write(event(1) + event(2).slice(0, 30))
    const rest = resumed(id, '?from=1')
    await Bun.sleep(20)
    await connection.write(event(2).slice(30) + event(3) + DONE)
    connection.end()
    const response = await rest
    expect([response.status, response.headers.get('content-type'), response.headers.get('cf-aig-run-id')]).toEqual([
      200,
      'text/event-stream; charset=utf-8',
      id,
    ])
    expect(await response.text()).toBe(event(1) + event(2) + event(3) + DONE)
    // It is over, and still there.
    expect(await (await resumed(id)).text()).toBe([0, 1, 2, 3].map(index => event(index)).join('') + DONE)
    expect(await (await resumed(id, '?from=5')).text()).toBe('')
    expect(await missing(await resumed(id, '?from=6'))).toEqual(GONE)
  })

  test('is nobody else’s, and of no other gateway', async () => {
    const { connection, id, reader } = await begun()
    expect(await missing(await resumed(id, '', OTHER))).toEqual(GONE)
    expect(await missing(await resumed(id, '', TOKEN, 'lab'))).toEqual(GONE)
    expect((await resumed(id, '', 'a-wrong-token')).status).toBe(401)
    expect((await resumed(id, '?from=soon')).status).toBe(400)
    expect(await missing(await resumed('0199a1b2-0000-7000-8000-000000000000'))).toEqual(GONE)
    await connection.write(DONE)
    connection.end()
    await reader.read()
  })

  test('whoever comes back ends the reader before', async () => {
    const { connection, id, reader } = await begun()
    const second = await resumed(id)
    expect((await reader.read()).done).toBe(true)
    await connection.write(DONE)
    connection.end()
    expect(await second.text()).toBe(event(0) + DONE)
  })

  test('when nobody comes back its provider is let go, and it is gone', async () => {
    const { connection, id, leave } = await begun()
    leave()
    await Bun.sleep(100)
    expect(connection.isClosed).toBe(false)
    await connection.closed
    expect(await missing(await resumed(id))).toEqual(GONE)
  })

  test('ends at once when it is said to', async () => {
    const { connection, id, leave } = await begun()
    leave()
    const stopped = await fetch(`${app.address}/client/v4/accounts/home/ai-gateway/gateways/default/run/${id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    expect([stopped.status, await stopped.json()]).toMatchObject([200, { success: true }])
    await connection.closed
    expect(await missing(await resumed(id))).toEqual(GONE)
  })

  test('whose provider breaks off breaks off, and an answer in one piece has no id', async () => {
    const { connection, reader } = await begun()
    connection.reset()
    let text = ''
    const rest = (async () => {
      for (let read = await reader.read(); !read.done; read = await reader.read())
        text += Buffer.from(read.value).toString()
    })()
    await rest.catch(() => {})
    expect(text).toContain('upstream_closed')
  })

  test('a slow reader holds the provider back', async () => {
    const { connection, reader, id } = await begun()
    const big = event(1, 'x'.repeat(60_000))
    let sent = 0
    const pour = (async () => {
      for (; sent < 800; sent++) await connection.write(big)
    })()
    await Bun.sleep(300)
    expect(connection.written).toBeLessThan(30_000_000)
    await reader.cancel()
    await fetch(`${app.address}/client/v4/accounts/home/ai-gateway/gateways/default/run/${id}`, {
      method: 'DELETE',
      headers: { authorization: `Bearer ${TOKEN}` },
    })
    await Promise.race([pour, connection.closed])
  })

  test('the binding asks for it at the Workers’ own host', async () => {
    const { connection, id, leave } = await begun()
    leave()
    await connection.write(DONE)
    connection.end()
    const ai = createAI({ url: app.address, token: TOKEN })
    const response = await ai.fetch(`https://workers-binding.ai/ai-gateway/gateways/default/run/${id}/resume?from=1`)
    expect(await response.text()).toBe(DONE)
  })
})
