import { Database } from 'bun:sqlite'
import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { type RedisServer, redisServer } from '../storage/counters/redis-server.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'
import { type Asking, crowd, tally } from './crowd.ts'
import { endAll, ended, eventually, folder, type Running, start } from './executable.ts'

/** Counters of the executable when what counts goes away: Redis, or the process itself. */

setDefaultTimeout(60_000)
afterEach(endAll)

const MILLION = 1_000_000
/** USD: 100 tokens in and out at 10 USD a million each. */
const COST = 0.001
const LIMIT = 60

let provider: StandIn
beforeAll(() => {
  provider = standIn(async ({ body }) => {
    await Bun.sleep(10)
    const usage = { prompt_tokens: 60, completion_tokens: 40, total_tokens: 100 }
    const choices = [{ index: 0, message: { role: 'assistant', content: 'There.' }, finish_reason: 'stop' }]
    return Response.json({ id: 'c', object: 'chat.completion', created: 1, model: body.model, choices, usage })
  })
})
afterAll(() => provider.stop())

const asking = (token: string, gateway = 'default'): Asking => ({
  path: `/v1/home/${gateway}/compat/chat/completions`,
  headers: { authorization: `Bearer token-${token}` },
  body: { model: 'openai/m', max_tokens: 50, messages: [{ role: 'user', content: 'Where is it?' }] },
})

const file = (more: { server?: object; storage?: object }) => ({
  ...more,
  tokens: [
    { name: 'any', token: 'token-any' },
    {
      name: 'budgeted',
      token: 'token-budgeted',
      budget: LIMIT * COST,
      token_limit: MILLION,
      rate_limit_period: 86_400,
    },
  ],
  providers: { openai: { base_url: provider.address, keys: { default: 'k' } } },
  prices: { 'openai/m': { input: 10, output: 10 } },
  gateways: {
    limited: { rate_limiting_limit: LIMIT, rate_limiting_interval: 2_592_000 },
    open: {},
  },
})

const lines = (server: Running) =>
  server
    .said()
    .split('\n')
    .flatMap(line => {
      try {
        return [JSON.parse(line) as Record<string, unknown>]
      } catch {
        return []
      }
    })
const notes = (servers: Running[], msg: string) =>
  servers.map(server => lines(server).filter(line => line.store === 'counters' && line.msg === msg).length)

describe.each(['allow', 'deny'] as const)('Redis away in the middle of a crowd, policy %s', policy => {
  let redis: RedisServer
  afterEach(() => redis.kill())

  test('is followed, told once, and over when it is back', async () => {
    redis = await redisServer()
    const storage = { redis: redis.url, on_shared_store_failure: policy }
    const here = folder({ 'postern.yaml': JSON.stringify(file({ storage })) })
    const servers = [await start([], here.path), await start([], here.path)]
    const ports = servers.map(({ port }) => port)
    const limited = asking('any', 'limited')
    const before = provider.seen.length

    // As many as have gone through when it goes, go on.
    const underWay = crowd(ports, 1_000, limited)
    await provider.until(before + 1)
    await redis.kill()
    const first = tally(await underWay)
    const expected = policy === 'allow' ? 200 : 503
    expect(Object.keys(first).map(Number)).toContainAllValues([
      200,
      ...(first[429] ? [429] : []),
      ...(first[expected] && expected !== 200 ? [expected] : []),
    ])
    if (policy === 'deny') expect(first[200]).toBeLessThanOrEqual(LIMIT)

    // All the while.
    expect(tally(await crowd(ports, 100, limited))).toEqual({ [expected]: 100 })
    // What nothing limits is not held up by it.
    expect(tally(await crowd(ports, 20, asking('any', 'open')))).toEqual({ 200: 20 })
    await Bun.sleep(1_200)
    expect(tally(await crowd(ports, 20, limited))).toEqual({ [expected]: 20 })
    expect(notes(servers, 'not reached')).toEqual([1, 1])
    expect(notes(servers, 'reached again')).toEqual([0, 0])

    await redis.restart()
    expect(await eventually(() => `${notes(servers, 'reached again')}` === '1,1')).toBe(true)
    // It is empty; what was given back meanwhile is not counted anew.
    expect(tally(await crowd(ports, 300, limited))).toEqual({ 200: LIMIT, 429: 300 - LIMIT })
    expect(notes(servers, 'not reached')).toEqual([1, 1])
    here.remove()
  })
})

describe.each([1, 2])('%d workers', workers => {
  /** What the books say that a token has spent, in picodollars. */
  function spent(path: string): number {
    const database = new Database(`${path}/postern.db`, { readonly: true })
    const rows = database.query<{ key: string; buckets: string }, []>('SELECT key, buckets FROM counters').all()
    database.close()
    const { buckets } = rows.find(({ key }) => key.startsWith('budget:token:budgeted'))!
    return (JSON.parse(buckets) as number[]).reduce((sum, value, at) => (at % 2 ? sum + value : sum), 0)
  }
  const pico = (usd: number) => Math.round(usd * 1e12)
  const costsIn = (servers: Running[]) =>
    servers.flatMap(lines).reduce((sum, { cost }) => sum + (typeof cost === 'number' ? pico(cost) : 0), 0)

  test('counters survive a clean stop and kill -9, and equal the costs of the lines', async () => {
    const here = folder({ 'postern.yaml': JSON.stringify(file({ server: { workers } })) })
    const one = asking('budgeted')
    const some = async (server: Running, count: number) => {
      const before = lines(server).filter(line => 'duration_ms' in line).length
      // One after another: what each may need is given back before the next.
      for (let sent = 0; sent < count; sent++) expect(await crowd([server.port], 1, one)).toEqual([200])
      await eventually(() => lines(server).filter(line => 'duration_ms' in line).length === before + count)
    }
    const first = await start([], here.path)
    if (workers > 1) await first.until(/"worker":1/)
    await some(first, 12)
    first.signal('SIGTERM')
    expect(await first.exited).toBe(0)
    expect(spent(here.path)).toBe(costsIn([first]))

    // Of a serving process, which is started again.
    const second = await start([], here.path)
    await some(second, 10)
    await Bun.sleep(400)
    const pids = second.workers()
    for (const pid of pids) process.kill(pid, 'SIGKILL')
    for (const pid of pids) await ended(pid)
    expect(spent(here.path)).toBe(costsIn([first, second]))
    expect(await eventually(() => (second.said().match(/"msg":"listening"/g) ?? []).length >= 2 * workers)).toBe(true)
    await some(second, 8)

    // Of everything at once.
    await Bun.sleep(400)
    await endAll()
    const third = await start([], here.path)
    const before = provider.seen.length
    // No more than there is, although all of them come at once; then what is left, one after another.
    await crowd([third.port], 200, one)
    let refused = 0
    for (let tries = 0; tries < 200 && refused < 3; tries++) {
      const [status] = await crowd([third.port], 1, one)
      if (status === 429) refused++
      else refused = 0
    }
    const served = 30 + provider.seen.length - before
    expect(served).toBeLessThanOrEqual(LIMIT)
    // Less is left than the next may need.
    expect(served).toBeGreaterThan(LIMIT - 15)
    third.signal('SIGTERM')
    await third.exited
    expect(spent(here.path)).toBe(costsIn([first, second, third]))
    expect(spent(here.path)).toBe(served * pico(COST))
    here.remove()
  })
})
