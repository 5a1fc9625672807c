import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { FailurePolicy } from '../../../src/storage/counters/counters.ts'
import { redisCounters } from '../../../src/storage/counters/redis.ts'
import { sharedCounters } from '../../../src/storage/counters/shared.ts'
import { removeExpired } from '../../../src/storage/counters/table.ts'
import { closeDatabases, eachDatabase, migrated } from '../../support/databases.ts'
import { limitOf, NOON, sliding, taken, until } from './limits.ts'
import { type RedisServer, redisServer } from './redis-server.ts'

let server: RedisServer
beforeAll(async () => {
  server = await redisServer()
})
afterAll(async () => {
  await server.kill()
  await closeDatabases()
})

function counting(policy: FailurePolicy, url = server.url) {
  const told: [up: boolean, reason: string][] = []
  const counters = redisCounters(url, {
    on_shared_store_failure: policy,
    onFailure: (up, reason) => told.push([up, reason]),
  })
  return { counters, told, ups: () => told.map(([up]) => up) }
}

/** Takes once Redis answers again. */
const counted = (counters: ReturnType<typeof redisCounters>, key: string) =>
  until(async () => {
    const said = await counters.take([limitOf(key, 1e6)])
    return said.ok && !said.uncounted
  })

const asPolicy = {
  allow: { ok: true, uncounted: true, remaining: [4], resets: [1] },
  deny: { ok: false, unavailable: true, which: 0, used: 0, retryAfter: 1 },
}

describe.each(['allow', 'deny'] as const)('Redis away, policy %s', policy => {
  test('a Redis that was never there', async () => {
    const { counters, told } = counting(policy, 'redis://:hunter22@127.0.0.1:1')
    for (let n = 0; n < 3; n++) expect(await counters.take([limitOf('a', 5)])).toMatchObject(asPolicy[policy])
    expect(told.length).toBe(1)
    expect(`${told}`).not.toContain('hunter22')
    expect((async () => counters.used([limitOf('a', 5)]))()).rejects.toThrow('storage.redis')
    await counters.close()
  })

  test('a Redis that is killed with requests under way, and comes back', async () => {
    const { counters, ups } = counting(policy)
    const limit = limitOf(`${policy}-killed`, 5)
    await taken(counters, [limit])
    server.freeze()
    const underWay = Promise.all(Array.from({ length: 20 }, () => counters.take([limit])))
    await server.kill()
    for (const said of await underWay) expect(said).toMatchObject(asPolicy[policy])
    for (let n = 0; n < 20; n++) expect(await counters.take([limit])).toMatchObject(asPolicy[policy])
    expect(ups()).toEqual([false])
    await server.restart()
    await counted(counters, `${policy}-back`)
    expect(ups()).toEqual([false, true])
    // It is empty, and exact again.
    const said = await Promise.all(Array.from({ length: 20 }, () => counters.take([limit])))
    expect(said.filter(({ ok }) => ok).length).toBe(5)
    await counters.close()
  })

  test('a Redis that neither answers nor refuses holds no request, and what it did late is set right', async () => {
    const { counters, ups } = counting(policy)
    const limit = limitOf(`${policy}-frozen`, 100, 10)
    const before = await taken(counters, [limit], NOON)
    server.freeze()
    const said = await counters.take([limit], NOON)
    expect(said).toMatchObject({ ok: policy === 'allow' })
    if (said.ok) said.settle([3])
    // While Redis is away.
    before.settle([5])
    expect(await counters.take([limit], NOON)).toMatchObject({ ok: policy === 'allow' })
    server.thaw()
    await counted(counters, `${policy}-thawed`)
    await until(async () => (await counters.used([limit], NOON))[0] === (policy === 'allow' ? 8 : 5))
    expect(ups()).toEqual([false, true])
    await counters.close()
  })
})

describe('Redis', () => {
  test('that is full is away until it has room', async () => {
    const { counters, told, ups } = counting('deny')
    await counted(counters, 'full')
    await server.command('CONFIG', 'SET', 'maxmemory', '1')
    await until(async () => !(await counters.take([limitOf('full', 1e6)])).ok)
    await Bun.sleep(1_200)
    expect(ups()).toEqual([false])
    expect(told[0]![1]).toContain('OOM')
    await server.command('CONFIG', 'SET', 'maxmemory', '0')
    await counted(counters, 'full')
    expect(ups()).toEqual([false, true])
    await counters.close()
  })

  test('is not away because this process was busy for longer than it may be silent', async () => {
    const { counters, told } = counting('deny')
    await counted(counters, 'busy')
    const underWay = Array.from({ length: 50 }, () => counters.take([limitOf('busy', 1e6)]))
    Bun.sleepSync(600)
    for (const said of await Promise.all(underWay)) expect(said.ok).toBe(true)
    expect(told).toEqual([])
    await counters.close()
  })

  test('keeps every key for a time only', async () => {
    await server.command('FLUSHALL')
    const { counters } = counting('deny')
    await taken(counters, [limitOf('one', 5), limitOf('two', 5, 1, sliding(60))], Date.now())
    const keys = (await server.command('KEYS', 'postern:counter:*')) as string[]
    expect(keys.length).toBe(2)
    for (const key of keys) expect(Number(await server.command('PTTL', key))).toBeGreaterThan(0)
    await counters.close()
  })

  test('writes what was settled last before it closes', async () => {
    const one = counting('deny').counters
    const said = await taken(one, [limitOf('closing', 50, 20)], NOON)
    said.settle([7])
    await one.close()
    expect(await one.take([limitOf('closing', 50)], NOON)).toMatchObject({ ok: false, unavailable: true })
    const two = counting('deny').counters
    expect(await two.used([limitOf('closing', 50)], NOON)).toEqual([7])
    await two.close()
  })
})

describe.each(eachDatabase)('a shared %s', (_, kind) => {
  test.each(['allow', 'deny'] as const)('that cannot be written follows the policy %s, and recovers', async policy => {
    const database = await migrated(kind)
    const told: boolean[] = []
    const counters = sharedCounters(database, { on_shared_store_failure: policy, onFailure: up => told.push(up) })
    const limit = limitOf('a', 5)
    const before = await taken(counters, [limit])
    await database.run('ALTER TABLE counters RENAME TO gone')
    before.settle([3])
    for (let n = 0; n < 3; n++) expect(await counters.take([limit])).toMatchObject(asPolicy[policy])
    expect((async () => counters.used([limit]))()).rejects.toThrow('cannot read the counters')
    await database.run('ALTER TABLE gone RENAME TO counters')
    // By itself, for what was settled.
    await until(async () => told.length > 1)
    expect(told).toEqual([false, true])
    expect(await counters.used([limit], NOON)).toEqual([3])
    await counters.close()
  })

  test('writes what was settled last before it closes', async () => {
    const database = await migrated(kind)
    const counters = sharedCounters(database)
    const said = await taken(counters, [limitOf('closing', 50, 20)])
    said.settle([7])
    await counters.close()
    expect(await sharedCounters(database).used([limitOf('closing', 50)], NOON)).toEqual([7])
  })

  test('lets go of what expired in small steps', async () => {
    const database = await migrated(kind)
    const counters = sharedCounters(database)
    for (let n = 0; n < 5; n++) await taken(counters, [limitOf(`old ${n}`, 5)], NOON - 7_200_000)
    await taken(counters, [limitOf('new', 5)], NOON)
    expect(await removeExpired(database, NOON, 3)).toBe(3)
    expect(await removeExpired(database, NOON, 3)).toBe(2)
    expect(await removeExpired(database, NOON, 3)).toBe(0)
    expect(await counters.used([limitOf('new', 5)], NOON)).toEqual([1])
    await counters.close()
  })
})
