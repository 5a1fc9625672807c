import { afterAll, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { ask, COMPAT } from '../support/chat.ts'
import { standIn } from '../support/stand-in.ts'
import { collector } from '../telemetry/otel/collector.ts'
import { endAll, eventually, folder, start } from './executable.ts'

setDefaultTimeout(30_000)
afterAll(endAll)

const TOKEN = 'a-token-for-logpush'

const idsIn = (text: string) =>
  text
    .split('\n')
    .filter(Boolean)
    .map(line => (JSON.parse(line) as { LogID: string }).LogID)

test('records reach a file and an address over a stop and a kill, and spans are out before the end', async () => {
  const provider = standIn(() =>
    Response.json({
      id: 'c1',
      object: 'chat.completion',
      created: 1,
      model: 'm',
      choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
    }),
  )
  let isDown = true
  const came: string[] = []
  const receiver = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    async fetch(request) {
      const text = await request.text()
      if (isDown) return new Response(null, { status: 503 })
      came.push(...idsIn(text))
      return new Response()
    },
  })
  const traces = collector()
  const file = {
    tokens: [{ name: 'tests', token: TOKEN }],
    providers: { openai: { base_url: provider.address, keys: { default: 'k' } } },
    gateways: { default: { logpush: true, otel: [{ url: traces.url, content_type: 'protobuf' }] } },
    logpush: [
      { url: 'file:./logs/ai.ndjson', every: 0.1 },
      { url: `http://127.0.0.1:${receiver.port}/in`, every: 0.1 },
    ],
  }
  const here = folder({ 'postern.yaml': JSON.stringify(file) })
  const path = join(here.path, 'logs/ai.ndjson')
  const written = () => (existsSync(path) ? idsIn(readFileSync(path, 'utf8')) : [])
  const chat = async (address: string) => {
    const answer = await fetch(address + COMPAT, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(ask('openai/m')),
      keepalive: false,
    })
    await answer.text()
    return answer.headers.get('cf-aig-log-id')!
  }

  const ids: string[] = []
  const first = await start([], here.path)
  for (let count = 0; count < 5; count++) ids.push(await chat(first.address))
  first.signal('SIGTERM')
  expect(await first.exited).toBe(0)
  expect(written()).toEqual(ids)
  expect(traces.spans()).toHaveLength(5)

  const second = await start([], here.path)
  for (let count = 0; count < 5; count++) ids.push(await chat(second.address))
  // By then they lie on disk, the address still being down.
  await Bun.sleep(1_000)
  const [worker] = second.workers()
  process.kill(worker!, 'SIGKILL')
  isDown = false
  expect(await eventually(() => new Set(came).size === 10 && new Set(written()).size === 10)).toBe(true)
  expect([...new Set(came)]).toEqual(ids)
  expect([...new Set(written())]).toEqual(ids)
  expect(second.said()).toContain('receiver not reached')
  second.signal('SIGTERM')
  await second.exited
  receiver.stop(true)
  traces.stop()
  provider.stop()
  here.remove()
})
