import { afterEach, describe, expect, test } from 'bun:test'
import type { File, ProviderSettings } from '../../src/config/schema.ts'
import { wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'

/** Several keys or deployments of one provider. */

let app: RunningApp | undefined
let servers: StandIn[] = []
afterEach(async () => {
  await app?.stop()
  for (const server of servers) server.stop()
  servers = []
})

type Behaviour = (seen: Seen) => Response | Promise<Response>

function server(behave: Behaviour = () => wholeAnswer('openai-chat', 'Yes.')): StandIn {
  const one = standIn(behave)
  servers.push(one)
  return one
}

async function started(openai: ProviderSettings, file: File = {}): Promise<void> {
  app = await startApp({ providers: { openai }, ...file })
}

const CHAT = { model: 'openai/m', messages: [{ role: 'user', content: 'Hi' }] }
const ask = (headers: Record<string, string> = {}, path = '/compat/chat/completions', body: object = CHAT) =>
  fetch(`${app!.address}/v1/home/default${path}`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

const keysSeen = (one: StandIn) => one.seen.map(({ headers }) => headers.get('authorization')?.slice(7))

describe('keys', () => {
  const keys = { a: 'key-a', b: 'key-b', c: 'key-c' }

  test('by turns', async () => {
    const one = server()
    await started({ base_url: one.address, keys, strategy: 'round-robin' })
    for (let count = 0; count < 6; count++) expect((await ask()).status).toBe(200)
    expect(keysSeen(one)).toEqual(['key-a', 'key-b', 'key-c', 'key-a', 'key-b', 'key-c'])
    await ask({}, '/openai/chat/completions', { ...CHAT, model: 'm' })
    expect(keysSeen(one).at(-1)).toBe('key-a')
  })

  test('who names one gets it, and who brings one too', async () => {
    const one = server()
    await started({ base_url: one.address, keys, strategy: 'round-robin' })
    await ask({ 'cf-aig-byok-alias': 'c' })
    await ask({ authorization: 'Bearer mine' })
    expect(keysSeen(one)).toEqual(['key-c', 'mine'])
  })

  test('one that fails is left alone for a while, and a retry asks another', async () => {
    const one = server(({ headers }) =>
      headers.get('authorization') === 'Bearer key-a'
        ? Response.json({ error: { message: 'busy' } }, { status: 429 })
        : wholeAnswer('openai-chat', 'Yes.'),
    )
    await started({ base_url: one.address, keys, strategy: 'round-robin' })
    const retries = { 'cf-aig-max-attempts': '3', 'cf-aig-retry-delay': '0' }
    expect((await ask(retries)).status).toBe(200)
    expect(keysSeen(one)).toEqual(['key-a', 'key-b'])
    for (let count = 0; count < 4; count++) expect((await ask(retries)).status).toBe(200)
    expect(keysSeen(one).filter(key => key === 'key-a')).toHaveLength(1)
  })

  test('least-busy spreads what is under way', async () => {
    const gate = Promise.withResolvers<void>()
    const one = server(async () => {
      await gate.promise
      return wholeAnswer('openai-chat', 'Yes.')
    })
    await started({ base_url: one.address, keys, strategy: 'least-busy' })
    const all = Array.from({ length: 9 }, () => ask())
    await one.until(9)
    gate.resolve()
    await Promise.all(all)
    for (const key of Object.values(keys)) expect(keysSeen(one).filter(seen => seen === key)).toHaveLength(3)
  })
})

describe('deployments', () => {
  test('each with its own address and key, and one that is down is passed over', async () => {
    const here = server()
    const there = server()
    await started({
      keys: { default: 'key-a', eu: 'key-b' },
      strategy: 'round-robin',
      pool: [{ base_url: here.address }, { base_url: there.address, key: 'eu' }, { base_url: 'http://127.0.0.1:1' }],
    })
    const retries = { 'cf-aig-max-attempts': '2', 'cf-aig-retry-delay': '0' }
    for (let count = 0; count < 9; count++) expect((await ask(retries)).status).toBe(200)
    expect(new Set(keysSeen(here))).toEqual(new Set(['key-a']))
    expect(new Set(keysSeen(there))).toEqual(new Set(['key-b']))
    expect(here.seen.length + there.seen.length).toBe(9)
  })

  test('when all of them are down long enough nobody is asked, and the answer says when to come again', async () => {
    await started({ keys: { default: 'k' }, strategy: 'fastest', pool: [{ base_url: 'http://127.0.0.1:1' }] })
    const statuses = []
    for (let count = 0; count < 8; count++) statuses.push((await ask()).status)
    expect(statuses.slice(0, 5)).toEqual([502, 502, 502, 502, 502])
    const over = await ask()
    expect(over.status).toBe(503)
    expect(Number(over.headers.get('retry-after'))).toBeWithin(1, 16)
  })

  test('of a server of one’s own', async () => {
    const one = server()
    const two = server()
    app = await startApp({
      custom_providers: {
        farm: {
          base_url: one.address,
          strategy: 'round-robin',
          pool: [{ base_url: one.address }, { base_url: two.address }],
        },
      },
    })
    for (let count = 0; count < 4; count++)
      expect((await ask({}, undefined, { ...CHAT, model: 'custom-farm/m' })).status).toBe(200)
    expect([one.seen.length, two.seen.length]).toEqual([2, 2])
  })
})

describe('silence in the middle of an answer', () => {
  const piece = (text: string) =>
    `data: {"choices":[{"index":0,"delta":{"content":"${text}"},"finish_reason":null}]}\n\n`
  const silent = () =>
    new Response(
      new ReadableStream({
        start(controller) {
          controller.enqueue(new TextEncoder().encode(piece('a')))
        },
      }),
      { headers: { 'content-type': 'text/event-stream' } },
    )

  test.each(['openai/m', 'custom-own/m'])('ends it where the gateway says so: %s', async model => {
    const one = server(silent)
    app = await startApp({
      providers: { openai: { base_url: one.address, keys: { default: 'k' } } },
      custom_providers: { own: { base_url: one.address } },
      gateways: { default: { stream_idle_timeout: 0.3 } },
    })
    const response = await ask({}, undefined, { ...CHAT, model, stream: true })
    expect(response.status).toBe(200)
    expect(await response.text()).toContain('upstream_closed')
    expect(await app.record(1)).toMatchObject({ error: 'upstream_closed' })
  })

  test('a stream that speaks now and then goes on', async () => {
    const one = server(
      () =>
        new Response(
          (async function* () {
            for (const text of ['a', 'b', 'c', 'd']) {
              yield piece(text)
              await Bun.sleep(150)
            }
            yield 'data: {"choices":[{"index":0,"delta":{},"finish_reason":"stop"}]}\n\ndata: [DONE]\n\n'
          })() as unknown as ReadableStream,
          { headers: { 'content-type': 'text/event-stream' } },
        ),
    )
    app = await startApp({
      providers: { openai: { base_url: one.address, keys: { default: 'k' } } },
      gateways: { default: { stream_idle_timeout: 0.5 } },
    })
    expect(await (await ask({}, undefined, { ...CHAT, stream: true })).text()).toContain('[DONE]')
  })
})
