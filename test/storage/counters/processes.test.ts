import { afterEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { memoryCounters } from '../../../src/storage/counters/memory.ts'
import { redisCounters } from '../../../src/storage/counters/redis.ts'
import { sharedCounters } from '../../../src/storage/counters/shared.ts'
import { closeDatabases, eachDatabase, migrated, migratedAt } from '../../support/databases.ts'
import { limitOf, NOON, sliding, taken, until } from './limits.ts'
import { redisServer } from './redis-server.ts'

afterEach(closeDatabases)

interface Told {
  got: number
  kept: number
  money: number
}

async function start(kind: string, place: string, count: number, limit: number) {
  const words = [join(import.meta.dir, 'child.ts'), kind, place, `${count}`, `${limit}`, `${MOMENT}`]
  const child = Bun.spawn([process.execPath, ...words], {
    stdin: 'pipe',
    stdout: 'pipe',
    stderr: 'inherit',
  })
  const lines = readLines(child.stdout)
  expect((await lines.next()).value).toBe('ready')
  return {
    child,
    async told(): Promise<Told> {
      child.stdin.write('go\n')
      await child.stdin.flush()
      return JSON.parse((await lines.next()).value ?? '') as Told
    },
  }
}

async function* readLines(stream: ReadableStream<Uint8Array>): AsyncGenerator<string, string | undefined> {
  let rest = ''
  const decoder = new TextDecoder()
  for await (const bytes of stream) {
    rest += decoder.decode(bytes, { stream: true })
    for (let end = rest.indexOf('\n'); end >= 0; end = rest.indexOf('\n')) {
      yield rest.slice(0, end)
      rest = rest.slice(end + 1)
    }
  }
  return undefined
}

const LIMIT = 400
/** Not long ago, because what expired is not loaded. */
const MOMENT = Date.now()
const asked = [
  limitOf('requests', LIMIT, 1, sliding(7200)),
  limitOf('money', 2 * LIMIT, 1, sliding(7200)),
  limitOf('slide', 2 * LIMIT, 1, sliding(3600)),
]

/** Starts processes that take together, more than there is. */
async function together(kind: string, place: string, processes: number): Promise<Told> {
  const children = await Promise.all(Array.from({ length: processes }, () => start(kind, place, 600, LIMIT)))
  const told = await Promise.all(children.map(one => one.told()))
  expect(await Promise.all(children.map(one => one.child.exited))).toEqual(children.map(() => 0))
  return told.reduce((sum, one) => ({
    got: sum.got + one.got,
    kept: sum.kept + one.kept,
    money: sum.money + one.money,
  }))
}

describe('several processes', () => {
  test.each(eachDatabase)(
    'over one %s take what there is together, and the books agree',
    async (_, kind) => {
      const path = await kind.fresh()
      const { kept, money } = await together('shared', path, 3)
      const counters = sharedCounters(await migratedAt(path))
      expect(await counters.used(asked, MOMENT)).toEqual([kept, money, money])
      expect(kept).toBeLessThanOrEqual(LIMIT)
      expect(money).toBeLessThanOrEqual(2 * LIMIT)
      // Some of it is given back when all have asked already.
      expect(kept).toBeGreaterThan(LIMIT / 2)
      await counters.close()
    },
    60_000,
  )

  test('over one Redis take what there is together, and the books agree', async () => {
    const server = await redisServer()
    const { kept, money } = await together('redis', server.url, 2)
    const counters = redisCounters(server.url)
    expect(await counters.used(asked, MOMENT)).toEqual([kept, money, money])
    expect(kept).toBeLessThanOrEqual(LIMIT)
    expect(money).toBeLessThanOrEqual(2 * LIMIT)
    expect(kept).toBeGreaterThan(LIMIT / 2)
    await counters.close()
    await server.kill()
  }, 60_000)
})

describe.each(eachDatabase)('memory with a %s', (_, kind) => {
  test('goes on after a restart where it was', async () => {
    const path = await kind.fresh()
    const limits = [limitOf('a', 10, 3), limitOf('b', 2 ** 62, 2 ** 53 + 2, sliding(60)), limitOf('c', 10, 4)]
    const now = Date.now()
    const first = await migratedAt(path)
    const one = await memoryCounters(first)
    await taken(one, limits, now)
    const settled = await taken(one, limits, now)
    settled.settle([1, 2, 2])
    await one.close()
    await first.close()

    const second = await migratedAt(path)
    const two = await memoryCounters(second)
    expect(two.used(limits, now)).toEqual([4, 2 ** 53 + 4, 6])
    expect(two.take(limits, now).ok).toBe(true)
    expect(two.take(limits, now).ok).toBe(false)
    await two.close()
    await second.close()
  })

  test('goes on after kill -9 with what was written, which follows without being asked', async () => {
    const path = await kind.fresh()
    const { child, told } = await start('memory', path, 100, 1_000)
    const { kept, money } = await told()
    const database = await migratedAt(path)
    const seen = sharedCounters(database)
    await until(async () => `${await seen.used(asked, MOMENT)}` === `${[kept, money, money]}`)
    child.kill('SIGKILL')
    await child.exited
    const counters = await memoryCounters(database)
    expect(counters.used(asked, MOMENT)).toEqual([kept, money, money])
    await counters.close()
  })

  test('what expired is not loaded', async () => {
    const database = await migrated(kind)
    const one = await memoryCounters(database)
    await taken(one, [limitOf('old', 5)], Date.now() - 7_200_000)
    await taken(one, [limitOf('new', 5)], Date.now())
    await one.close()
    const two = await memoryCounters(database)
    expect(two.used([limitOf('old', 5)], Date.now() - 7_200_000)).toEqual([0])
    expect(two.used([limitOf('new', 5)])).toEqual([1])
    await two.close()
  })

  test('a database that cannot be written is told of once, and written when it can be', async () => {
    const database = await migrated(kind)
    const told: boolean[] = []
    const counters = await memoryCounters(database, { onFailure: up => told.push(up) })
    await database.run('ALTER TABLE counters RENAME TO gone')
    counters.take([limitOf('a', 5)], NOON)
    await until(async () => told.length > 0)
    // More attempts fail meanwhile.
    await Bun.sleep(500)
    await database.run('ALTER TABLE gone RENAME TO counters')
    await until(async () => told.length > 1)
    expect(told).toEqual([false, true])
    expect(await sharedCounters(database).used([limitOf('a', 5)], NOON)).toEqual([1])
    await counters.close()
  })

  test('writes many in several steps, without being asked', async () => {
    const database = await migrated(kind)
    const counters = await memoryCounters(database)
    for (let at = 0; at < 2_500; at++) counters.take([limitOf(`key ${at}`, 5)], NOON)
    const written = () => database.get<{ count: number }>('SELECT COUNT(*) AS count FROM counters')
    await until(async () => (await written())?.count === 2_500)
    await counters.close()
  })

  test('beyond the bound those go that count no more, then those that were taken of longest ago', async () => {
    const forgotten: number[] = []
    const counters = await memoryCounters(undefined, { mostKeys: 160, onForgotten: count => forgotten.push(count) })
    const limit = (at: number) => limitOf(`key ${at}`, 5)
    for (let at = 0; at < 100; at++) counters.take([limit(at)], NOON - 7_200_000)
    for (let at = 100; at < 160; at++) counters.take([limit(at)], NOON + at)
    counters.take([limit(160)], NOON + 160)
    // A hundred had expired.
    expect(forgotten).toEqual([])
    expect(counters.used([limit(100)], NOON + 160)).toEqual([1])
    for (let at = 161; at < 260; at++) counters.take([limit(at)], NOON + at)
    counters.take([limit(100)], NOON + 260)
    counters.take([limit(260)], NOON + 260)
    expect(forgotten).toEqual([10])
    expect(counters.used([limit(100), limit(101), limit(110), limit(111)], NOON + 260)).toEqual([2, 0, 0, 1])
    await counters.close()
  })
})
