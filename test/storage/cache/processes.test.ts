import { afterAll, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { databaseCache } from '../../../src/storage/cache/database-cache.ts'
import { closeDatabases, eachDatabase, migratedAt } from '../../support/databases.ts'
import type { Order } from './other-process.ts'
import { answer, eventually, keyOf, textOf } from './support.ts'

const ends: (() => void)[] = []
afterAll(async () => {
  for (const end of ends) end()
  await closeDatabases()
})

async function otherProcess(path: string, total: number) {
  const waiting: ((told: unknown) => void)[] = []
  const next = () => new Promise<unknown>(resolve => waiting.push(resolve))
  const ready = next()
  const other = Bun.spawn([process.execPath, join(import.meta.dir, 'other-process.ts'), path, String(total)], {
    stdout: 'inherit',
    stderr: 'inherit',
    ipc: (message: { told: unknown }) => waiting.shift()?.(message.told),
  })
  ends.push(() => other.kill('SIGKILL'))
  await ready
  return {
    tell: (order: Order) => {
      const told = next()
      other.send(order)
      return told
    },
    kill: async () => {
      other.kill('SIGKILL')
      await other.exited
    },
  }
}

describe.each(eachDatabase)('two processes over one %s', (_, kind) => {
  test('see what the other keeps, and forget what the other purges', async () => {
    const path = await kind.fresh()
    const database = await migratedAt(path)
    const cache = await databaseCache(database, { alone: false })
    const other = await otherProcess(path, 1e9)
    expect(await cache.get(keyOf('a'))).toBeUndefined()
    await other.tell({ do: 'put', names: ['a'], body: 'heron' })
    expect(await eventually(async () => textOf(await cache.get(keyOf('a'))) === 'heron a')).toBe(true)
    // It is in memory here now.
    expect(cache.get(keyOf('a'))).not.toBeInstanceOf(Promise)
    cache.put(keyOf('b'), answer('egret'))
    expect(await eventually(async () => (await other.tell({ do: 'get', name: 'b' })) === 'egret')).toBe(true)
    expect(await other.tell({ do: 'purge' })).toBe(2)
    expect(await eventually(async () => (await cache.get(keyOf('a'))) === undefined)).toBe(true)
    expect(await cache.get(keyOf('b'))).toBeUndefined()
    expect(await eventually(() => cache.size()!.entries === 0)).toBe(true)
    await other.tell({ do: 'close' })
    await cache.close()
    await database.close()
  })

  test('keep the bound together, and the books are right even when one is killed', async () => {
    const path = await kind.fresh()
    const total = 200_000
    const database = await migratedAt(path)
    const cache = await databaseCache(database, { alone: false, bounds: { total } })
    const other = await otherProcess(path, total)
    const names = (from: number) => Array.from({ length: 200 }, (_, at) => String(from + at))
    const counted = () =>
      database.get<{ entries: number; bytes: number }>(
        'SELECT COUNT(*) AS entries, COALESCE(SUM(size), 0) AS bytes FROM answers',
      )
    for (let round = 0; round < 4; round++) {
      await other.tell({ do: 'put', names: names(round * 200), body: 'x'.repeat(500) })
      for (const name of names(10_000 + round * 200)) cache.put(keyOf(name), answer('y'.repeat(500)))
      expect((await counted())!.bytes).toBeLessThanOrEqual(total)
      await cache.purge('nobody')
    }
    await other.kill()
    await cache.purge('nobody')
    const { entries, bytes } = (await counted())!
    expect(bytes).toBeLessThanOrEqual(total)
    expect(entries).toBeGreaterThan(100)
    expect(cache.size()).toEqual({ entries, bytes })
    await cache.close()
    await database.close()
  })
})
