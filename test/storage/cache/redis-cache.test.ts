import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RedisClient } from 'bun'
import type { AnswerCache } from '../../../src/storage/cache/answer-cache.ts'
import { type RedisCacheOptions, redisCache } from '../../../src/storage/cache/redis-cache.ts'
import { answer, eventually, keyOf, ofGateway, textOf } from './support.ts'

const folder = mkdtempSync(join(tmpdir(), 'postern-redis-'))
let port = 0
let server: ReturnType<typeof startServer> | undefined
const caches: AnswerCache[] = []

const freePort = () =>
  new Promise<number>(resolve => {
    const probe = createServer().listen(0, '127.0.0.1', () => {
      const { port } = probe.address() as { port: number }
      probe.close(() => resolve(port))
    })
  })

const startServer = () =>
  Bun.spawn(
    [
      'redis-server',
      '--port',
      String(port),
      '--bind',
      '127.0.0.1',
      '--save',
      '',
      '--appendonly',
      'no',
      '--dir',
      folder,
    ],
    { stdout: 'ignore', stderr: 'ignore' },
  )

const answers = async () => {
  const client = new RedisClient(`redis://127.0.0.1:${port}`, { autoReconnect: false, connectionTimeout: 200 })
  try {
    await client.connect()
    return (await client.send('PING', [])) === 'PONG'
  } catch {
    return false
  } finally {
    client.close()
  }
}

async function start(): Promise<void> {
  server = startServer()
  if (!(await eventually(answers))) throw new Error('redis-server does not start')
}

async function stop(): Promise<void> {
  server?.kill('SIGKILL')
  await server?.exited
  server = undefined
}

async function cacheOf(options: RedisCacheOptions = {}): Promise<AnswerCache> {
  // A busy machine is no outage.
  const cache = await redisCache(`redis://127.0.0.1:${port}`, { patience: 5_000, ...options })
  caches.push(cache)
  return cache
}

const finds = (cache: AnswerCache, key: string, text: string) =>
  eventually(async () => textOf(await cache.get(key)) === text)

beforeAll(async () => {
  port = await freePort()
  await start()
})
afterEach(async () => {
  for (const cache of caches.splice(0)) await cache.close()
  if (!server) await start()
})
afterAll(async () => {
  await stop()
  rmSync(folder, { recursive: true, force: true })
})

describe('the answer cache in Redis', () => {
  test('gives an answer back whole, to every replica', async () => {
    const [one, two] = [await cacheOf(), await cacheOf()]
    const kept = [
      answer('heron'),
      answer('é'.repeat(10_000)),
      answer(crypto.getRandomValues(new Uint8Array(50_000))),
      answer('data: a\n\n', { pieces: [{ end: 9, at: 0 }], status: 203 }),
    ]
    for (const [at, each] of kept.entries()) one.put(keyOf(`whole ${at}`), each)
    for (const [at, each] of kept.entries()) {
      expect(await eventually(async () => (await two.get(keyOf(`whole ${at}`))) !== undefined)).toBe(true)
      const found = await two.get(keyOf(`whole ${at}`))
      expect(Buffer.from(found!.body).equals(Buffer.from(each.body))).toBe(true)
      expect({ ...found, body: 0 }).toEqual({ ...each, body: 0 })
    }
    expect(await two.get(keyOf('none'))).toBeUndefined()
    expect(two.size()).toBeUndefined()
  })

  test('Redis itself lets it go when it has expired', async () => {
    const cache = await cacheOf({ prefix: 'expiry:' })
    cache.put(keyOf('a'), answer('heron', { expires: Date.now() + 300 }))
    expect(await finds(cache, keyOf('a'), 'heron')).toBe(true)
    expect(await cache.get(keyOf('a'), Date.now() + 300)).toBeUndefined()
    const client = new RedisClient(`redis://127.0.0.1:${port}`)
    const left = async () => (await client.keys('expiry:*')).filter(key => !key.includes('/'))
    expect(await left()).toHaveLength(1)
    expect(await eventually(async () => !(await left()).length)).toBe(true)
    // What belongs to the gateway goes some day too.
    for (const key of await client.keys('expiry:*')) expect(await client.pttl(key)).toBeGreaterThan(0)
    client.close()
  })

  test('a purge of a gateway reaches every replica at once and leaves other gateways', async () => {
    const [one, two] = [await cacheOf(), await cacheOf()]
    await one.purge('default')
    for (const name of ['a', 'b', 'c']) one.put(keyOf(name), answer(name))
    one.put(keyOf('a', 'lab'), answer('egret', ofGateway('lab')))
    // It waits for what is being written.
    expect(await one.purge('default', keyOf('c'))).toBe(1)
    expect(await two.get(keyOf('c'))).toBeUndefined()
    expect(await finds(two, keyOf('a'), 'a')).toBe(true)
    expect(await one.purge('default')).toBe(2)
    for (const name of ['a', 'b']) expect(await two.get(keyOf(name))).toBeUndefined()
    expect(await finds(two, keyOf('a', 'lab'), 'egret')).toBe(true)
    expect(await one.purge('default')).toBe(0)
    two.put(keyOf('a'), answer('new'))
    expect(await finds(one, keyOf('a'), 'new')).toBe(true)
  })

  test('answers of a generation that was lost are not given again', async () => {
    const cache = await cacheOf({ prefix: 'lost:' })
    cache.put(keyOf('a'), answer('heron'))
    expect(await finds(cache, keyOf('a'), 'heron')).toBe(true)
    const client = new RedisClient(`redis://127.0.0.1:${port}`)
    await client.del('lost:{default}/generation')
    expect(await cache.get(keyOf('a'))).toBeUndefined()
    cache.put(keyOf('b'), answer('egret'))
    expect(await finds(cache, keyOf('b'), 'egret')).toBe(true)
    expect(await cache.get(keyOf('a'))).toBeUndefined()
    // Nor is what somebody else wrote there.
    await client.set(`lost:{default}${keyOf('c').slice(7)}`, 'junk')
    expect(await cache.get(keyOf('c'))).toBeUndefined()
    client.close()
  })

  test('what is too large, and what Redis has no room for, is counted', async () => {
    const drops: string[] = []
    const told: string[] = []
    const cache = await cacheOf({
      bounds: { answer: 2_000_000, waiting: 3_000_000 },
      onDropped: (_, why) => drops.push(why),
      onFailure: (up, reason) => told.push(`${up} ${reason}`),
    })
    cache.put(keyOf('too large'), answer(new Uint8Array(2_000_001)))
    const large = () => answer(crypto.getRandomValues(new Uint8Array(65_536 * 30).subarray(0, 65_536)))
    cache.put(keyOf('fits'), large())
    for (let at = 0; at < 50; at++) cache.put(keyOf(at), large())
    expect(drops.filter(why => why === 'size')).toHaveLength(1)
    expect(drops.filter(why => why === 'queue').length).toBeGreaterThan(1)
    await cache.purge('nobody')
    drops.length = 0
    const client = new RedisClient(`redis://127.0.0.1:${port}`)
    await client.send('CONFIG', ['SET', 'maxmemory', '1mb'])
    for (const name of ['x', 'y']) {
      cache.put(keyOf(name), large())
      await cache.purge('nobody').catch(() => {})
    }
    expect(drops).toEqual(['store', 'store'])
    expect(told).toHaveLength(1)
    expect(told[0]).toStartWith('false OOM')
    await client.send('CONFIG', ['SET', 'maxmemory', '0'])
    cache.put(keyOf('z'), answer('heron'))
    expect(await finds(cache, keyOf('z'), 'heron')).toBe(true)
    expect(told[1]).toStartWith('true')
    client.close()
  })
})

describe('a Redis that is gone', () => {
  test('is a miss and told of once, and comes back by itself', async () => {
    const told: string[] = []
    const drops: string[] = []
    const cache = await cacheOf({
      onFailure: (up, reason) => told.push(`${up} ${reason}`),
      onDropped: (_, why) => drops.push(why),
    })
    cache.put(keyOf('gone'), answer('heron'))
    expect(await finds(cache, keyOf('gone'), 'heron')).toBe(true)
    await stop()
    for (let look = 0; look < 20; look++) {
      expect(await cache.get(keyOf('gone'))).toBeUndefined()
      await Bun.sleep(5)
    }
    cache.put(keyOf('gone'), answer('heron'))
    await expect(cache.purge('default')).rejects.toThrow('cannot be reached')
    expect(drops).toEqual(['store'])
    expect(told.map(line => line.slice(0, 5))).toEqual(['false'])
    await start()
    const comesBack = async () => {
      cache.put(keyOf('gone'), answer('egret'))
      return textOf(await cache.get(keyOf('gone'))) === 'egret'
    }
    expect(await eventually(comesBack)).toBe(true)
    expect(told).toEqual([told[0]!, 'true it works again'])
  })

  test('from the beginning hinders no start', async () => {
    await stop()
    const told: boolean[] = []
    const cache = await cacheOf({ onFailure: up => told.push(up) })
    expect(await cache.get(keyOf('a'))).toBeUndefined()
    expect(told).toEqual([false])
    await start()
    const comesBack = async () => {
      cache.put(keyOf('a'), answer('egret'))
      return textOf(await cache.get(keyOf('a'))) === 'egret'
    }
    expect(await eventually(comesBack)).toBe(true)
  })

  test('that hangs keeps nobody waiting for longer than its patience, and is used again when it goes on', async () => {
    const told: boolean[] = []
    const cache = await cacheOf({ patience: 400, onFailure: up => told.push(up) })
    const kept = async () => {
      cache.put(keyOf('hung'), answer('heron'))
      return textOf(await cache.get(keyOf('hung'))) === 'heron'
    }
    expect(await eventually(kept)).toBe(true)
    server!.kill('SIGSTOP')
    // Without a bound this would never come to an end.
    for (let look = 0; look < 50; look++) expect(await cache.get(keyOf('hung'))).toBeUndefined()
    expect(await eventually(() => told.length > 0)).toBe(true)
    server!.kill('SIGCONT')
    expect(await finds(cache, keyOf('hung'), 'heron')).toBe(true)
    expect(told.slice(-2)).toEqual([false, true])
  })
})
