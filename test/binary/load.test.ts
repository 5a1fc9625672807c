import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { readFileSync } from 'node:fs'
import { openaiChunk, sse, wholeAnswer } from '../support/answers.ts'
import { TOKEN } from '../support/app.ts'
import { type Answer, ask, parseStream, post } from '../support/chat.ts'
import { rawChat } from '../support/raw-client.ts'
import { type Connection, chunk, head, rawUpstream, whole } from '../support/raw-upstream.ts'
import { endAll, folder, type Running, start } from './executable.ts'

setDefaultTimeout(60_000)

/** What a client or a provider can do to the process itself: hold it up, fill it, or come in crowds. */

let behave: (connection: Connection, request: string) => unknown = () => {}
const upstream = rawUpstream((connection, request) => behave(connection, request))
const here = folder()
let server: Running

beforeAll(async () => {
  const base_url = upstream.address
  const file = {
    storage: { database: 'sqlite::memory:' },
    // What is kept for a record has bounds of its own (kept-answer.ts).
    gateways: { default: { collect_logs: false } },
    tokens: [{ name: 'tests', token: TOKEN }],
    custom_providers: {
      same: { base_url, faithful: true },
      claude: { base_url, dialect: 'anthropic-messages' },
      local: { base_url, dialect: 'ollama-chat' },
    },
  }
  // JSON is YAML.
  await Bun.write(`${here.path}/postern.yaml`, JSON.stringify(file))
  server = await start([], here.path)
})
afterAll(async () => {
  await endAll()
  upstream.stop()
  here.remove()
})

const residentBytes = () => {
  const [worker = 0] = server.workers()
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${worker}/status`, 'utf8'))?.[1]) * 1_024
}

/** An endless answer of each dialect: its beginning, and what may be said again and again. */
const endless: Record<string, { type: string; first: string; again: string }> = {
  same: {
    type: 'text/event-stream',
    first: sse(openaiChunk({ role: 'assistant', content: '' })),
    again: sse(openaiChunk({ content: 'x'.repeat(400) })).repeat(100),
  },
  claude: {
    type: 'text/event-stream',
    first:
      sse({ type: 'message_start', message: { id: 'm', model: 'm', usage: { input_tokens: 1, output_tokens: 1 } } }) +
      sse({ type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } }),
    again: sse({
      type: 'content_block_delta',
      index: 0,
      delta: { type: 'text_delta', text: 'x'.repeat(400) },
    }).repeat(100),
  },
  local: {
    type: 'application/x-ndjson',
    first: '{"model":"m","message":{"role":"assistant","content":"x"},"done":false}\n',
    again: `{"model":"m","message":{"role":"assistant","content":"${'x'.repeat(400)}"},"done":false}\n`.repeat(100),
  },
}

const MB = 1024 * 1024
const WANTED = 500 * MB

describe.skipIf(process.platform !== 'linux')('clients that hardly read', () => {
  /** Answers without end to whoever asks for one of the providers, and keeps their connections by name. */
  function pour(): Map<string, Connection> {
    const senders = new Map<string, Connection>()
    behave = async (connection, request) => {
      const name = /"model":"(\w+)-endless"/.exec(request)?.[1] ?? ''
      const { type, first, again } = endless[name]!
      const wire = chunk(again).repeat(10)
      senders.set(name, connection)
      await connection.write(head('200 OK', { 'content-type': type, 'transfer-encoding': 'chunked' }) + chunk(first))
      while (connection.written < WANTED && !connection.isClosed) await connection.write(wire)
    }
    return senders
  }

  const names = Object.keys(endless)
  const askAll = (paused: boolean) =>
    Promise.all(names.map(name => rawChat(server.port, ask(`${name}/${name}-endless`, { stream: true }), { paused })))

  test('passed through and translated: the provider is held up, and the memory stays', async () => {
    // The first answers of a process load what they need for it.
    const warm = pour()
    const early = await askAll(false)
    await Bun.sleep(300)
    for (const client of early) client.leave()
    for (const connection of warm.values()) await connection.closed

    const before = residentBytes()
    const senders = pour()
    const clients = await askAll(true)
    let most = before
    for (let second = 0; second < 3; second++) {
      await Bun.sleep(1_000)
      for (const client of clients) client.sip()
      most = Math.max(most, residentBytes())
    }
    expect((most - before) / MB).toBeLessThan(30)
    for (const name of names) {
      const { isClosed = true, written = 0 } = senders.get(name) ?? {}
      expect({ name, isClosed }).toEqual({ name, isClosed: false })
      // What has left the provider lies in the buffers of the system.
      expect(written / MB).toBeLessThan(60)
    }
    const left = performance.now()
    for (const client of clients) client.leave()
    for (const connection of senders.values()) await connection.closed
    expect(performance.now() - left).toBeLessThan(1_000)
  })
})

describe('crowds', () => {
  test('400 slow requests at once all reach the provider', async () => {
    const waiting: Connection[] = []
    const all = Promise.withResolvers<void>()
    behave = connection => {
      waiting.push(connection)
      if (waiting.length === 400) all.resolve()
    }
    const clients = await Promise.all(
      Array.from({ length: 400 }, (_, n) => rawChat(server.port, ask(`same/m-${n}`, { stream: n % 2 === 0 }))),
    )
    await all.promise
    const text = await wholeAnswer('openai-chat', 'At last.').text()
    for (const connection of waiting) await connection.write(whole('200 OK', text))
    for (let tries = 0; tries < 500 && clients.some(client => !client.text().includes('At last.')); tries++)
      await Bun.sleep(10)
    expect(clients.filter(client => !client.text().startsWith('HTTP/1.1 200'))).toHaveLength(0)
    expect(clients.filter(client => !client.text().includes('At last.'))).toHaveLength(0)
    for (const client of clients) client.leave()
  })
})

describe('the executable itself', () => {
  const errorOf = async (response: Response) => ((await response.json()) as Answer).error

  test('refuses bad bodies with 400 and names the place', async () => {
    const broken = await post(server.address, '{"model":')
    expect(broken.status).toBe(400)
    expect((await errorOf(broken))?.code).toBe('invalid_json')
    const wrong = await post(server.address, { model: 'same/m', messages: [{ role: 'user', content: 5 }] })
    expect(wrong.status).toBe(400)
    expect((await errorOf(wrong))?.param).toBe('messages[0].content')
  })

  test('takes 50 MB, and answers 413 in JSON above its bound', async () => {
    const text = await wholeAnswer('openai-chat', 'Long.').text()
    behave = connection => connection.write(whole('200 OK', text))
    const large = JSON.stringify(ask('same/m', { padding: 'x'.repeat(50 * MB) }))
    expect((await post(server.address, large)).status).toBe(200)
    upstream.requests.length = 0
    const over = await post(server.address, JSON.stringify(ask('same/m', { padding: 'x'.repeat(101 * MB) })))
    expect(over.status).toBe(413)
    expect((await errorOf(over))?.code).toBe('request_too_large')
  })

  test('T81 unpacks gzip, and a bomb does not go off', async () => {
    const headers = { 'content-encoding': 'gzip' }
    const text = await wholeAnswer('openai-chat', 'Yes.').text()
    behave = connection => connection.write(whole('200 OK', text))
    const packed = Bun.gzipSync(JSON.stringify(ask('same/m')))
    expect((await post(server.address, packed, { headers })).status).toBe(200)
    const bomb = Bun.gzipSync(Buffer.alloc(400 * MB, ' '))
    const response = await post(server.address, bomb, { headers })
    expect(response.status).toBe(413)
    expect((await errorOf(response))?.code).toBe('request_too_large')
  })

  test('T30 tells a stream that was cut off, passed through and translated', async () => {
    for (const name of ['same', 'claude', 'local']) {
      const { type, first, again } = endless[name]!
      behave = async connection => {
        await connection.write(head('200 OK', { 'content-type': type, 'transfer-encoding': 'chunked' }))
        await connection.write(chunk(first) + chunk(again.slice(0, 1_000)))
        await Bun.sleep(20)
        connection.end()
      }
      const { error, done } = parseStream(await (await post(server.address, ask(`${name}/m`, { stream: true }))).text())
      expect({ name, code: error?.code, done }).toEqual({ name, code: 'upstream_closed', done: false })
    }
  })

  test('a web page is a 502, and so is silence behind a closed door', async () => {
    behave = connection => connection.write(whole('200 OK', '<html></html>', { 'content-type': 'text/html' }))
    expect((await post(server.address, ask('same/m'))).status).toBe(502)
    behave = connection => connection.end()
    expect((await post(server.address, ask('same/m'))).status).toBe(502)
  })

  test('after all that: no fault of its own, no secret in what it wrote', () => {
    expect(server.said()).not.toMatch(/"level":"(error|fatal)"/)
    expect(server.said()).not.toContain(TOKEN)
    expect(server.said()).not.toContain('Where does the heron stand?')
  })
})
