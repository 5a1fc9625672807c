import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { rawUpstream } from '../support/raw-upstream.ts'
import { endAll, folder, start } from './executable.ts'

setDefaultTimeout(30_000)
afterAll(endAll)

const TOKEN = 'a-token-for-resuming'
const event = (text: string) =>
  `data: {"id":"c","object":"chat.completion.chunk","created":1,"model":"m","choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`

test('a stream is taken up again whichever worker gets the request', async () => {
  const provider = rawUpstream(async connection => {
    await connection.write(
      `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n${event('a')}`,
    )
    await Bun.sleep(100)
    await connection.write(`${event('b')}data: [DONE]\n\n`)
    connection.end()
  })
  const file = {
    server: { workers: 3 },
    tokens: [{ name: 'tests', token: TOKEN }],
    providers: { openai: { base_url: provider.address, keys: { default: 'k' } } },
  }
  const here = folder({ 'postern.yaml': JSON.stringify(file) })
  const server = await start([], here.path)
  await server.until(/"worker":1/)
  await server.until(/"worker":2/)
  const headers = { authorization: `Bearer ${TOKEN}`, connection: 'close' }
  const ran = await fetch(`${server.address}/client/v4/accounts/home/ai/run`, {
    method: 'POST',
    headers,
    body: JSON.stringify({ model: 'openai/m', input: { messages: [{ role: 'user', content: 'Hi' }], stream: true } }),
  })
  const id = ran.headers.get('cf-aig-run-id')
  const reader = ran.body!.getReader()
  await reader.read()
  await reader.cancel()
  const path = `/client/v4/accounts/home/ai-gateway/gateways/default/run/${id}/resume?from=1`
  // Each on a connection of its own, so that the system chooses anew.
  for (let count = 0; count < 12; count++) {
    const rest = await fetch(server.address + path, { headers, keepalive: false })
    expect([rest.status, await rest.text()]).toEqual([200, `${event('b')}data: [DONE]\n\n`])
  }
  const other = await fetch(server.address + path, { headers: { authorization: 'Bearer other' }, keepalive: false })
  expect(other.status).toBe(401)
  provider.stop()
  here.remove()
})
