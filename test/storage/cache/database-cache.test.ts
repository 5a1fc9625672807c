import { afterEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { AnswerCache, CacheReports, DropReason } from '../../../src/storage/cache/answer-cache.ts'
import { type DatabaseCacheOptions, databaseCache } from '../../../src/storage/cache/database-cache.ts'
import type { Database } from '../../../src/storage/database.ts'
import { closeDatabases, eachDatabase, migrated, migratedAt } from '../../support/databases.ts'
import { answer, eventually, keyOf, ofGateway, textOf } from './support.ts'

afterEach(closeDatabases)

const random = (length: number) => crypto.getRandomValues(new Uint8Array(length))

async function cacheOn(database: Database, options: Partial<DatabaseCacheOptions> = {}): Promise<AnswerCache> {
  return databaseCache(database, { alone: true, ...options })
}

/** Everything that was put is written: a purge waits for it. */
const written = (cache: AnswerCache) => cache.purge('nobody')

const rows = async (database: Database) =>
  (await database.all<{ key: string }>('SELECT key FROM answers ORDER BY used, key')).map(({ key }) => key)

function drops(): Required<Pick<CacheReports, 'onDropped'>> & { counts: Partial<Record<DropReason, number>> } {
  const counts: Partial<Record<DropReason, number>> = {}
  return {
    counts,
    onDropped: (answers, why) => {
      counts[why] = (counts[why] ?? 0) + answers
    },
  }
}

describe.each(eachDatabase)('%s: an answer', (_, kind) => {
  test('comes back whole, from memory at once and from the database after a restart', async () => {
    const path = await kind.fresh()
    const kept = [
      answer('short'),
      answer('é'.repeat(5_000)),
      answer(random(300_000)),
      answer(new Uint8Array(400_000)),
      answer('data: a\n\ndata: b\n\n', {
        pieces: [
          { end: 9, at: 0 },
          { end: 18, at: 41 },
        ],
        status: 203,
        headers: [],
      }),
      answer(new Uint8Array(), { meta: { provider: 'groq', model: 'm', gateway: 'default' } }),
    ]
    const before = await migratedAt(path)
    const one = await cacheOn(before)
    for (const [at, each] of kept.entries()) one.put(keyOf(at), each)
    for (const [at, each] of kept.entries()) expect(one.get(keyOf(at))).toBe(each)
    await one.close()
    await before.close()
    const after = await migratedAt(path)
    const two = await cacheOn(after)
    for (const [at, each] of kept.entries()) {
      const found = await two.get(keyOf(at))
      expect(Buffer.from(found!.body).equals(Buffer.from(each.body))).toBe(true)
      expect({ ...found, body: 0 }).toEqual({ ...each, body: 0 })
    }
    // What compresses takes less than it is.
    const size = await after.get<{ size: number }>('SELECT size FROM answers WHERE key = ?', keyOf(3))
    expect(size!.size).toBeLessThan(2_000)
    await two.close()
    await after.close()
  })

  test('is in memory after it was read once', async () => {
    const database = await migrated(kind)
    const one = await cacheOn(database)
    one.put(keyOf('a'), answer('heron'))
    await one.close()
    const two = await cacheOn(database)
    const reading = [two.get(keyOf('a')), two.get(keyOf('a'))]
    expect(reading[0]).toBeInstanceOf(Promise)
    expect((await Promise.all(reading)).map(textOf)).toEqual(['heron', 'heron'])
    expect(textOf(two.get(keyOf('a')) as never)).toBe('heron')
    await two.close()
  })

  test('is gone when it has expired, wherever it is', async () => {
    const database = await migrated(kind)
    const one = await cacheOn(database)
    const now = Date.now()
    one.put(keyOf('a'), answer('heron', { expires: now + 60_000 }))
    expect(textOf(await one.get(keyOf('a'), now + 59_999))).toBe('heron')
    expect(await one.get(keyOf('a'), now + 60_000)).toBeUndefined()
    await one.close()
    const two = await cacheOn(database)
    expect(await two.get(keyOf('a'), now + 60_000)).toBeUndefined()
    expect(textOf(await two.get(keyOf('a'), now + 59_999))).toBe('heron')
    await two.close()
  })

  test('put again takes the place of the one before', async () => {
    const database = await migrated(kind)
    const cache = await cacheOn(database)
    cache.put(keyOf('a'), answer('heron'))
    await written(cache)
    cache.put(keyOf('a'), answer('egret'))
    cache.put(keyOf('a'), answer('stork'))
    expect(textOf(await cache.get(keyOf('a')))).toBe('stork')
    await cache.close()
    const again = await cacheOn(database)
    expect(textOf(await again.get(keyOf('a')))).toBe('stork')
    expect(again.size()!.entries).toBe(1)
    await again.close()
  })
})

describe.each(eachDatabase)('%s: 10,000 answers', (_, kind) => {
  test('survive a restart, and what was never there is known at once', async () => {
    const path = await kind.fresh()
    const names = Array.from({ length: 10_000 }, (_, at) => at)
    const before = await migratedAt(path)
    const one = await cacheOn(before)
    for (const name of names) {
      one.put(keyOf(name), answer(`answer ${name}`))
      // No more than fit into the queue.
      if (name % 1_000 === 999) await written(one)
    }
    await one.close()
    await before.close()
    const after = await migratedAt(path)
    const two = await cacheOn(after)
    expect(two.size()!.entries).toBe(10_000)
    for (const name of names) expect(textOf(await two.get(keyOf(name)))).toBe(`answer ${name}`)
    expect(await eventually(() => two.get(keyOf('no such')) === undefined)).toBe(true)
    await two.close()
    await after.close()
  }, 60_000)
})

describe.each(eachDatabase)('%s: the bounds', (_, kind) => {
  test('hold whatever is put, and the books are right', async () => {
    const put = fc.record({ name: fc.nat(40), size: fc.nat(6_000), life: fc.constantFrom(-1, 3_600_000) })
    const total = 40_000
    await fc.assert(
      fc.asyncProperty(fc.array(put, { maxLength: 80 }), fc.nat(20), async (puts, every) => {
        const database = await migrated(kind)
        const cache = await cacheOn(database, { bounds: { total, memory: 20_000 } })
        for (const [at, { name, size, life }] of puts.entries()) {
          cache.put(keyOf(name), answer(random(size), { expires: Date.now() + life }))
          if (at % (every + 1) === 0) await written(cache)
          expect(cache.size()!.bytes).toBeLessThanOrEqual(total)
        }
        await cache.close()
        const counted = await database.get('SELECT COUNT(*) AS entries, COALESCE(SUM(size), 0) AS bytes FROM answers')
        expect(counted).toEqual(cache.size())
        expect(cache.size()!.bytes).toBeLessThanOrEqual(total)
        await database.close()
      }),
      { numRuns: 30 },
    )
  })

  test('what was unused for longest goes first, after what has expired', async () => {
    const database = await migrated(kind)
    // Room for five.
    const cache = await cacheOn(database, { bounds: { total: 5 * 1_700, memory: 0 } })
    const start = Date.now() - 1_000
    const put = (name: string, at: number, life = 3_600_000) =>
      cache.put(keyOf(name), answer(random(1_000), { stored: start + at, expires: start + at + life }))
    for (const [at, name] of ['a', 'b', 'c', 'd'].entries()) put(name, at)
    put('old', 9, 10)
    await written(cache)
    expect(await cache.get(keyOf('a'), start + 500)).toBeDefined()
    put('e', 20)
    await written(cache)
    expect(await rows(database)).toEqual(['b', 'c', 'd', 'e', 'a'].map(name => keyOf(name)))
    put('f', 21)
    put('g', 22)
    await written(cache)
    expect(await rows(database)).toEqual(['d', 'e', 'f', 'g', 'a'].map(name => keyOf(name)))
    expect(cache.get(keyOf('b'))).toBeUndefined()
    await cache.close()
  })

  test('a use counts even before the answer is written, and one batch does not throw out what was just used', async () => {
    const database = await migrated(kind)
    const cache = await cacheOn(database, { bounds: { total: 20_000, memory: 0 } })
    const start = Date.now() - 1_000
    for (let at = 0; at < 40; at++) cache.put(keyOf(at), answer(random(1_000), { stored: start + at }))
    expect(await cache.get(keyOf(0), start + 500)).toBeDefined()
    await written(cache)
    expect((await rows(database)).at(-1)).toBe(keyOf(0))
    for (let at = 40; at < 80; at++) cache.put(keyOf(at), answer(random(1_000), { stored: start + at }))
    await written(cache)
    expect((await rows(database)).at(-1)).toBe(keyOf(0))
    await cache.close()
  })

  test('memory holds what was used last; an answer too large for it is found all the same', async () => {
    const database = await migrated(kind)
    const cache = await cacheOn(database, { bounds: { memory: 16_000 } })
    for (const name of ['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h']) cache.put(keyOf(name), answer(random(1_000)))
    cache.put(keyOf('large'), answer(random(5_000)))
    await written(cache)
    const inMemory = (name: string) => !(cache.get(keyOf(name)) instanceof Promise)
    expect(['a', 'b', 'c'].map(inMemory)).toEqual([true, true, true])
    cache.put(keyOf('i'), answer(random(1_000)))
    cache.put(keyOf('j'), answer(random(1_000)))
    await written(cache)
    expect(['a', 'b', 'c', 'd', 'i', 'j'].map(inMemory)).toEqual([true, true, true, false, true, true])
    expect((await cache.get(keyOf('large')))!.body).toHaveLength(5_000)
    expect(inMemory('large')).toBe(false)
    await cache.close()
  })

  test('one that is larger than an answer may be is not kept', async () => {
    const reports = drops()
    const database = await migrated(kind)
    const cache = await cacheOn(database, { bounds: { answer: 1_000, total: 1_400 }, ...reports })
    cache.put(keyOf('a'), answer(random(1_001)))
    expect(await cache.get(keyOf('a'))).toBeUndefined()
    // It is not too large itself, but with its row it is larger than all may be.
    cache.put(keyOf('b'), answer(random(1_000)))
    await written(cache)
    expect(cache.size()).toEqual({ entries: 0, bytes: 0 })
    expect(reports.counts).toEqual({ size: 2 })
    await cache.close()
  })

  test('one that makes much room does so in steps', async () => {
    const database = await migrated(kind)
    const cache = await cacheOn(database, { bounds: { total: 1_200_000 } })
    for (let name = 0; name < 1_200; name++) cache.put(keyOf(name), answer('x'))
    await written(cache)
    expect(cache.size()!.entries).toBe(1_200)
    cache.put(keyOf('large'), answer(random(1_100_000)))
    await written(cache)
    const { entries, bytes } = cache.size()!
    expect(bytes).toBeLessThanOrEqual(1_200_000)
    expect(entries).toBeGreaterThan(50)
    expect(await rows(database)).toContain(keyOf('large'))
    await cache.close()
  })

  test('what does not fit into the queue is counted, and still given from memory', async () => {
    const reports = drops()
    const database = await migrated(kind)
    const cache = await cacheOn(database, { bounds: { waiting: 10_000 }, ...reports })
    for (let name = 0; name < 10; name++) cache.put(keyOf(name), answer(random(2_000)))
    expect(reports.counts).toEqual({ queue: 7 })
    expect(cache.get(keyOf(9))).toBeDefined()
    await cache.close()
    cache.put(keyOf(10), answer('x'))
    expect(reports.counts).toEqual({ queue: 7, closed: 1 })
    expect(await rows(database)).toHaveLength(3)
  })
})

describe.each(eachDatabase)('%s: a purge', (_, kind) => {
  test('of a gateway throws away what is its own, written or not, and says how many', async () => {
    const database = await migrated(kind)
    const cache = await cacheOn(database)
    for (let name = 0; name < 450; name++) cache.put(keyOf(name), answer('x'))
    await written(cache)
    for (let name = 450; name < 500; name++) cache.put(keyOf(name), answer('x'))
    cache.put(keyOf(1, 'lab'), answer('x', ofGateway('lab')))
    expect(await cache.purge('default')).toBe(500)
    for (const name of [0, 449, 450, 499]) expect(await cache.get(keyOf(name))).toBeUndefined()
    expect(textOf(await cache.get(keyOf(1, 'lab')))).toBe('x')
    expect(cache.size()!.entries).toBe(1)
    expect(await cache.purge('default')).toBe(0)
    await cache.close()
  })

  test('of one answer leaves the others', async () => {
    const database = await migrated(kind)
    const cache = await cacheOn(database)
    cache.put(keyOf('a'), answer('x'))
    cache.put(keyOf('b'), answer('x'))
    expect(await cache.purge('default', keyOf('a'))).toBe(1)
    expect(await cache.purge('lab', keyOf('b'))).toBe(0)
    expect(await cache.get(keyOf('a'))).toBeUndefined()
    expect(await cache.get(keyOf('b'))).toBeDefined()
    await cache.close()
  })

  test('reaches what was stored before it and comes after it, and nothing later', async () => {
    const reports = drops()
    const database = await migrated(kind)
    const cache = await cacheOn(database, reports)
    await cache.purge('default')
    cache.put(keyOf('a'), answer('x', { stored: Date.now() - 5_000 }))
    expect(await cache.get(keyOf('a'))).toBeUndefined()
    await Bun.sleep(2)
    cache.put(keyOf('b'), answer('x'))
    cache.put(keyOf('c', 'lab'), answer('x', { stored: Date.now() - 5_000, ...ofGateway('lab') }))
    await written(cache)
    expect(await rows(database)).toHaveLength(2)
    expect(reports.counts).toEqual({ purged: 1 })
    await cache.close()
  })

  test('a reading under way brings nothing back', async () => {
    const database = await migrated(kind)
    const one = await cacheOn(database)
    one.put(keyOf('a'), answer('x'))
    await one.close()
    const two = await cacheOn(database)
    const reading = two.get(keyOf('a'))
    await two.purge('default')
    await reading
    expect(await two.get(keyOf('a'))).toBeUndefined()
    await two.close()
  })
})

describe.each(eachDatabase)('%s: a database that fails', (_, kind) => {
  test('is told of once, is a miss for requests, and drops are counted', async () => {
    const reports = drops()
    const told: boolean[] = []
    const database = await migrated(kind)
    const cache = await cacheOn(database, { alone: false, ...reports, onFailure: up => told.push(up) })
    await database.run('ALTER TABLE answers RENAME TO away')
    cache.put(keyOf('a'), answer('heron'))
    expect(await cache.get(keyOf('none'))).toBeUndefined()
    expect(await cache.get(keyOf('none 2'))).toBeUndefined()
    await expect(cache.purge('default')).rejects.toThrow(
      kind.kind === 'sqlite' ? 'the answer cache: ' : 'storage.database: ',
    )
    expect(reports.counts).toEqual({ store: 1 })
    expect(told).toEqual([false])
    await database.run('ALTER TABLE away RENAME TO answers')
    expect(await cache.get(keyOf('none'))).toBeUndefined()
    expect(told).toEqual([false, true])
    await cache.close()
  })
})
