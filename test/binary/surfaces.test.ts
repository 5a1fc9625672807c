import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { createAI } from '../../src/binding/index.ts'
import { framesOf, openSocket } from '../support/socket-client.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'
import { endAll, eventually, folder, type Running, run, start } from './executable.ts'

/** One file, one start, and every surface of the executable: what an operator with paying callers would have. */

setDefaultTimeout(30_000)

const OURS = 'a-token-for-all-surfaces'
const HOUSE = 'key-of-the-house-4711'
const STORED = 'key-of-the-store-0815'
const env = {
  APP_TOKEN: OURS,
  HOUSE_KEY: HOUSE,
  POSTERN_ENCRYPTION_KEY: 'a-secret-for-the-stored-keys',
  MISTRAL_KEY: STORED,
}
const secrets = [OURS, HOUSE, STORED, env.POSTERN_ENCRYPTION_KEY]

const file = (address: string) => `
server:
  drain: 20
  resume_grace: 10
  domains:
    ai.home.test: lab
storage:
  database: sqlite:./postern.db
tokens:
  - name: app
    token: \${APP_TOKEN}
    permissions: [run, read]
providers:
  openai:
    base_url: ${address}/v1
    keys: { default: "\${HOUSE_KEY}" }
  mistral:
    base_url: ${address}/v1
  groq:
    # Nobody listens there.
    base_url: http://127.0.0.1:1
    keys: { default: "\${HOUSE_KEY}" }
billing:
  enabled: true
  margin: 0.05
prices:
  openai/m: { input: 1, output: 10 }
gateways:
  default: {}
  lab:
    retry_max_attempts: 2
    retry_delay: 1
  # Stored keys only.
  strict: { byok_only: true }
`

const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
/** USD of one answer: what the list says, and the margin. */
const COST = (100 * 1 + 50 * 10) * 1e-6 * 1.05

const REPLY = JSON.stringify({
  id: 'c',
  object: 'chat.completion',
  created: 1,
  model: 'm',
  choices: [{ index: 0, message: { role: 'assistant', content: 'In the reeds.' }, finish_reason: 'stop' }],
  usage,
})
const WORDS = ['In ', 'the ', 'reeds', '.']
const event = (choices: unknown, more: object = {}) =>
  `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices, ...more })}\n\n`
const EVENTS = [
  ...WORDS.map(content => event([{ index: 0, delta: { content }, finish_reason: null }])),
  event([{ index: 0, delta: {}, finish_reason: 'stop' }]),
  event([], { usage }),
  'data: [DONE]\n\n',
]

let provider: StandIn
let server: Running
let here: ReturnType<typeof folder>
/** Requests that are refused before one is answered. */
let outages = 0
/** What a stream waits for before its second word. */
let gate: Promise<void> = Promise.resolve()

beforeAll(async () => {
  provider = standIn(({ body }) => {
    if (outages > 0) {
      outages--
      return Response.json({ error: { message: 'overloaded' } }, { status: 503 })
    }
    if (body.stream !== true) return new Response(REPLY, { headers: { 'content-type': 'application/json' } })
    const open = gate
    const bytes = new ReadableStream<Uint8Array>({
      async start(controller) {
        for (const [index, text] of EVENTS.entries()) {
          if (index === 1) await open
          controller.enqueue(Buffer.from(text))
        }
        controller.close()
      },
    })
    return new Response(bytes, { headers: { 'content-type': 'text/event-stream' } })
  })
  here = folder({ 'postern.yaml': file(provider.address) })
  server = await start([], here.path, env)
})
afterAll(async () => {
  await endAll()
  provider.stop()
  here.remove()
})

const command = (...words: string[]) => run(words, here.path, env)
const PLANE = '/v1/home/default'
const messages = [{ role: 'user', content: 'Where does the heron stand?' }]

function ask(path: string, body: unknown, headers: Record<string, string> = {}, signal?: AbortSignal) {
  return fetch(server.address + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${OURS}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
  })
}

/** Dollars of the account, once no request holds any. */
async function balance(): Promise<number> {
  let left = Number.NaN
  await eventually(async () => {
    const { out } = await command('credit', 'list')
    const [, balance, held] = /the account\s+\$([\d.]+)\s+\$([\d.]+)/.exec(out) ?? []
    left = Number(balance)
    return Number(held) === 0
  })
  return left
}

describe('credit', () => {
  test('none: 402; added while the server runs it pays for a request, with the margin', async () => {
    const body = { model: 'openai/m', messages, max_tokens: 100 }
    const none = await ask(`${PLANE}/compat/chat/completions`, body)
    expect(none.status).toBe(402)
    expect(await none.json()).toMatchObject({ errors: [{ code: 2021 }] })
    const added = await command('credit', 'add', '2')
    expect([added.code, added.err]).toEqual([0, 'The credit of the account is now $2.\n'])
    const paid = await ask(`${PLANE}/compat/chat/completions`, body)
    expect(paid.status).toBe(200)
    await paid.arrayBuffer()
    expect(await balance()).toBeCloseTo(2 - COST, 9)
  })
})

describe('addresses', () => {
  test('of a provider: bytes as they came, and paid for by what the answer says', async () => {
    const before = await balance()
    const response = await ask(`${PLANE}/openai/chat/completions`, { model: 'm', messages })
    expect([response.status, await response.text()]).toEqual([200, REPLY])
    expect(provider.last().headers.get('authorization')).toBe(`Bearer ${HOUSE}`)
    expect(await balance()).toBeCloseTo(before - COST, 9)
  })

  test('of a host name of its own, whose gateway asks again after an outage', async () => {
    const before = provider.seen.length
    outages = 1
    const response = await ask('/openai/v1/chat/completions', { model: 'm', messages }, { host: 'ai.home.test' })
    expect([response.status, await response.text()]).toEqual([200, REPLY])
    expect(provider.seen.length - before).toBe(2)
    // Elsewhere it is no address.
    expect((await ask('/openai/v1/chat/completions', { model: 'm', messages })).status).toBe(404)
  })

  test('of a list: the second step answers where the first cannot be reached', async () => {
    const step = { endpoint: 'chat/completions', headers: {}, query: { model: 'm', messages } }
    const steps = [{ ...step, provider: 'mistral', headers: { authorization: 'Bearer mine' } }]
    outages = 1
    const response = await ask(PLANE, [...steps, { ...step, provider: 'openai' }])
    expect([response.status, response.headers.get('cf-aig-step')]).toEqual([200, '1'])
    expect(await response.text()).toBe(REPLY)
    const none = await ask(PLANE, [{ ...step, provider: 'groq', headers: { authorization: 'Bearer mine' } }])
    expect(none.status).toBe(400)
    expect(await none.json()).toMatchObject({ internalCode: 2005 })
  })
})

describe('stored keys', () => {
  test('one that is added while the server runs serves a gateway that takes no other', async () => {
    const body = { model: 'mistral/m', messages }
    const path = '/v1/home/strict/compat/chat/completions'
    expect((await ask(path, body)).status).toBe(400)
    const { code, out, err } = await command('key', 'add', 'mistral', '--from-env', 'MISTRAL_KEY')
    expect([code, out + err]).toEqual([0, expect.not.stringContaining(STORED)])
    expect(await eventually(async () => (await ask(path, body)).status === 200)).toBe(true)
    expect(provider.last().headers.get('authorization')).toBe(`Bearer ${STORED}`)
    // POSTERN_ENCRYPTION_KEY seals it: no file has to.
    expect(existsSync(join(here.path, 'postern.db.key'))).toBe(false)
    // The house's keys are not for this gateway.
    expect((await ask(path, { model: 'openai/m', messages })).status).toBe(400)
  })
})

describe('the run path', () => {
  const input = { messages, stream: true }

  test('a stream whose connection broke is taken up again where it was', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    gate = promise
    const leaving = new AbortController()
    const path = '/client/v4/accounts/home/ai/run'
    const response = await ask(path, { model: 'openai/m', input }, {}, leaving.signal)
    const id = response.headers.get('cf-aig-run-id')
    const first = Buffer.from((await response.body!.getReader().read()).value!).toString()
    expect(first).toBe(EVENTS[0]!)
    leaving.abort()
    resolve()
    const again = await fetch(
      `${server.address}/client/v4/accounts/home/ai-gateway/gateways/default/run/${id}/resume?from=1`,
      { headers: { authorization: `Bearer ${OURS}` } },
    )
    const rest = await again.text()
    expect([again.status, rest.startsWith(EVENTS[1]!), rest.endsWith('data: [DONE]\n\n')]).toEqual([200, true, true])
  })

  test('through the binding, as code for Workers does', async () => {
    const ai = createAI({ url: server.address, token: OURS })
    const reply = await ai.run<{ choices: { message: { content: string } }[] }>('openai/m', { messages })
    expect(reply.choices[0]!.message.content).toBe('In the reeds.')
    expect(ai.aiGatewayLogId).toMatch(/^[0-9a-f-]{36}$/)
    const step = { provider: 'openai', endpoint: 'chat/completions', query: { model: 'm', messages } }
    const response = await ai.gateway('default').run(step)
    expect([response.status, await response.text()]).toEqual([200, REPLY])
    const unknown = ai.gateway('elsewhere').run(step)
    expect(await (await unknown).json()).toMatchObject({ success: false, error: [{ code: 2001 }] })
  })
})

test('a socket answers requests one beside the other', async () => {
  const socket = await openSocket(`${server.address}${PLANE}`, {
    token: null,
    protocols: [`cf-aig-authorization.${OURS}`],
  })
  for (const stream of [false, true])
    socket.send({
      type: 'universal.create',
      request: {
        eventId: String(stream),
        provider: 'openai',
        endpoint: 'chat/completions',
        headers: {},
        query: { model: 'm', messages, stream },
      },
    })
  // One frame for the whole answer, and for the stream two beside its events.
  const frames = framesOf(await socket.until(1 + 2 + EVENTS.length - 1))
  const told = (id: string) => frames.filter(({ metadata }) => metadata.eventId === id).map(({ type }) => type)
  expect(told('false')).toEqual(['universal.created'])
  expect(told('true').at(0)).toBe('universal.created')
  expect(told('true').at(-1)).toBe('universal.done')
})

// The last one: the server is gone behind it.
test('SIGTERM in the middle of a stream: it comes whole, is paid for, and nothing leaked', async () => {
  const before = await balance()
  const { promise, resolve } = Promise.withResolvers<void>()
  gate = promise
  const response = await ask(`${PLANE}/openai/chat/completions`, { model: 'm', messages, stream: true })
  const reader = response.body!.getReader()
  let text = Buffer.from((await reader.read()).value!).toString()
  server.signal('SIGTERM')
  await server.until(/answers in flight/)
  resolve()
  for (let piece = await reader.read(); !piece.done; piece = await reader.read())
    text += Buffer.from(piece.value).toString()
  expect(text).toBe(EVENTS.join(''))
  expect(await server.exited).toBe(0)
  expect(await balance()).toBeCloseTo(before - COST, 9)
  for (const secret of secrets) expect(server.said()).not.toContain(secret)
  for (const { headers, text } of provider.seen) {
    expect(JSON.stringify([...headers]) + text).not.toContain(OURS)
    expect([...headers.keys()].filter(name => name.startsWith('cf-'))).toEqual([])
  }
})
