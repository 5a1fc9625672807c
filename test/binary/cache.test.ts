import { Database } from 'bun:sqlite'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type RedisServer, redisServer } from '../storage/counters/redis-server.ts'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'
import { endAll, eventually, folder, type Running, start } from './executable.ts'

/** The answer cache of the executable (contract section 4): whose it is, how long it lasts, how large it grows. */

setDefaultTimeout(90_000)
let redis: RedisServer | undefined
afterEach(async () => {
  await endAll()
  await redis?.kill()
  redis = undefined
})

const text = (seen: Seen) =>
  `Answer ${provider.seen.length} to ${seen.text.length} ${noise(Number(seen.body.noise ?? 0))}`
const usual = (seen: Seen) => (seen.body.stream ? streamedAnswer : wholeAnswer)('openai-chat', text(seen))

let provider: StandIn
let answer: (seen: Seen) => Response | Promise<Response> = usual
beforeAll(() => {
  provider = standIn(seen => answer(seen))
})
beforeEach(() => {
  answer = usual
  provider.seen.length = 0
})
afterAll(() => provider.stop())

/** What no compression makes smaller. */
const noise = (bytes: number) => Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('base64')

const file = (more: { server?: object; storage?: object } = {}) => ({
  ...more,
  tokens: [
    { name: 'anna', token: 'token-anna' },
    { name: 'bert', token: 'token-bert' },
  ],
  providers: { openai: { base_url: provider.address, keys: { default: 'k', other: 'k2' } } },
  gateways: {
    default: { cache_ttl: 3_600 },
    lab: { cache_ttl: 3_600 },
    joined: { cache_ttl: 3_600, cache_coalesce: true },
  },
})

interface Way {
  token?: string
  gateway?: string
  path?: string
  headers?: Record<string, string>
  signal?: AbortSignal
}

const question = (words: string, more: object = {}) => ({
  model: 'openai/m',
  messages: [{ role: 'user', content: words }],
  ...more,
})

function send(server: Running, body: object, { token = 'anna', gateway = 'default', path, headers, signal }: Way = {}) {
  return fetch(`${server.address}/v1/home/${gateway}${path ?? '/compat/chat/completions'}`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer token-${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    signal,
  })
}

async function ask(server: Running, body: object, way?: Way) {
  const response = await send(server, body, way)
  const bytes = Buffer.from(await response.arrayBuffer()).toString('latin1')
  return { status: response.status, cache: response.headers.get('cf-aig-cache-status'), bytes }
}

const started = async (more?: Parameters<typeof file>[0]) => {
  const here = folder({ 'postern.yaml': JSON.stringify(file(more)) })
  return { here, server: await start([], here.path) }
}

/** Asks so many questions, some at a time. @returns how many were answered from the cache */
async function askAll(server: Running, count: number, more: (n: number) => object = () => ({})): Promise<number> {
  let next = 0
  let hits = 0
  const line = async () => {
    for (let n = next++; n < count; n = next++) {
      const { status, cache } = await ask(server, question(`Question ${n}`, more(n)))
      if (status !== 200) throw new Error(`question ${n} was answered ${status}`)
      if (cache === 'HIT') hits++
    }
  }
  await Promise.all(Array.from({ length: 64 }, line))
  return hits
}

test('a hit never reaches the provider, and is the same to the byte, on every surface', async () => {
  const { server } = await started()
  const native = { path: '/openai/chat/completions' }
  const ways: [object, Way?][] = [
    [question('whole')],
    [question('stream', { stream: true })],
    [question('native', { model: 'm' }), native],
    [question('native stream', { model: 'm', stream: true }), native],
  ]
  for (const [body, way] of ways) {
    const first = await ask(server, body, way)
    expect(first).toMatchObject({ status: 200, cache: 'MISS' })
    expect(first.bytes).toContain('Answer')
    const asked = provider.seen.length
    for (let count = 0; count < 3; count++) expect(await ask(server, body, way)).toEqual({ ...first, cache: 'HIT' })
    expect(provider.seen.length).toBe(asked)
  }
  // No surface is given what another one kept.
  expect(provider.seen.length).toBe(ways.length)
})

test('neither those who bring keys of their own, nor two gateways, nor two keys share', async () => {
  const { server } = await started()
  const mine = (key: string): Way => ({ headers: { authorization: `Bearer ${key}` } })
  const tenants: Way[] = [
    {},
    { gateway: 'lab' },
    { headers: { 'cf-aig-byok-alias': 'other' } },
    mine('sk-anna'),
    { ...mine('sk-bert'), token: 'bert' },
  ]
  for (const stream of [false, true]) {
    const body = question('Whose?', { stream })
    const answers = new Set<string>()
    for (const way of tenants) {
      const { cache, bytes } = await ask(server, body, way)
      expect(cache).toBe('MISS')
      answers.add(bytes)
    }
    expect(answers.size).toBe(tenants.length)
    for (const way of tenants) {
      const { cache, bytes } = await ask(server, body, way)
      expect([cache, answers.delete(bytes)]).toEqual(['HIT', true])
    }
  }
  expect(provider.seen.length).toBe(2 * tenants.length)
})

test('10,000 answers survive a restart', async () => {
  const { here, server } = await started({ storage: { cache_memory: 1_000_000 } })
  expect(await askAll(server, 10_000)).toBe(0)
  server.signal('SIGTERM')
  expect(await server.exited).toBe(0)
  provider.seen.length = 0
  const again = await start([], here.path)
  expect(await askAll(again, 10_000)).toBe(10_000)
  expect(provider.seen.length).toBe(0)
  here.remove()
})

describe.each([1, 2])('storage.cache_size with %d workers', workers => {
  test('bounds what is kept, and those go that were unused for longest', async () => {
    const bound = 400_000
    const { here, server } = await started({ server: { workers }, storage: { cache_size: bound, cache_memory: 0 } })
    if (workers > 1) await server.until(/"worker":1/)
    const bytes = () => {
      const database = new Database(`${here.path}/postern.db`, { readonly: true })
      const found = database.query<{ bytes: number; count: number }, []>(
        'SELECT SUM(size) AS bytes, COUNT(*) AS count FROM answers',
      )
      const { bytes, count } = found.get()!
      database.close()
      return { bytes: Number(bytes), count: Number(count) }
    }
    const large = () => ({ noise: 3_000 })
    const first = question('The first')
    await ask(server, first)
    for (let round = 0; round < 6; round++) {
      await askAll(server, 60, n => ({ ...large(), seed: round * 1_000 + n }))
      await Bun.sleep(200)
      expect(bytes().bytes).toBeLessThanOrEqual(bound)
      // Whoever is used stays; of several processes each knows of the others' uses a little later.
      if (workers === 1) expect(await ask(server, first)).toMatchObject({ cache: 'HIT' })
    }
    expect(bytes().bytes).toBeGreaterThan(bound / 2)
    expect(bytes().count).toBeLessThan(360)
    const asked = provider.seen.length
    expect(await ask(server, question('Question 0', { ...large(), seed: 0 }))).toMatchObject({ cache: 'MISS' })
    expect(provider.seen.length).toBe(asked + 1)
    here.remove()
  })
})

describe('those who share a call', () => {
  test('may leave, the first of them too, without taking anything from the others', async () => {
    const { server } = await started()
    for (const stream of [false, true]) {
      const gate = Promise.withResolvers<void>()
      let ended = false
      answer = async seen => {
        seen.signal.addEventListener('abort', () => {
          ended = true
        })
        await gate.promise
        return usual(seen)
      }
      const before = provider.seen.length
      const body = question('Together?', { stream })
      const leaving = Array.from({ length: 10 }, () => new AbortController())
      const calls = leaving.map(({ signal }) =>
        send(server, body, { gateway: 'joined', signal }).then(response => response.text()),
      )
      const settled = Promise.allSettled(calls)
      await provider.until(before + 1)
      await Bun.sleep(50)
      for (const one of leaving.slice(0, 5)) one.abort()
      await Bun.sleep(50)
      expect(ended).toBe(false)
      gate.resolve()
      const results = await settled
      expect(results.slice(0, 5).map(({ status }) => status)).toEqual(Array(5).fill('rejected'))
      const texts = results.slice(5).map(result => (result.status === 'fulfilled' ? result.value : result.reason))
      expect(new Set(texts).size).toBe(1)
      expect(texts[0]).toContain('Answer')
      expect(provider.seen.length).toBe(before + 1)
      expect(await ask(server, body, { gateway: 'joined' })).toMatchObject({ cache: 'HIT', bytes: texts[0] })
      // The one who began the call pays for it, left or not.
      const paid = () =>
        server
          .said()
          .split('\n')
          .filter(line => line.includes('"tokens_out":7') && !line.includes('"cached":true')).length
      expect(await eventually(() => paid() === provider.seen.length)).toBe(true)
      expect(server.said()).not.toContain('a fault of our own')
    }
  })
})

test('two replicas share what they keep through Redis, and a Redis that is gone holds nobody up', async () => {
  redis = await redisServer()
  const server = redis
  const storage = { redis: redis.url, database: 'sqlite::memory:' }
  const { server: one } = await started({ storage })
  const { server: other } = await started({ storage })
  const kept = async () => ((await server.command('KEYS', 'postern:cache:{default}:*')) as string[]).length
  for (const [index, stream] of [false, true].entries()) {
    const body = question('Far away?', { stream })
    const first = await ask(one, body)
    expect(await eventually(async () => (await kept()) === index + 1)).toBe(true)
    expect(await ask(other, body)).toEqual({ ...first, cache: 'HIT' })
  }
  await server.kill()
  const body = question('And now?')
  expect(await ask(one, body)).toMatchObject({ status: 200, cache: 'MISS' })
  expect(await ask(one, body)).toMatchObject({ status: 200, cache: 'MISS' })
  await server.restart()
  expect(await eventually(async () => (await ask(one, body)).cache === 'HIT')).toBe(true)
  expect(await eventually(async () => (await ask(other, body)).cache === 'HIT')).toBe(true)
})
