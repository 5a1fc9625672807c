import { afterEach, describe, expect, test } from 'bun:test'
import type { Database } from '../../../src/storage/database.ts'
import type { Keeping, RecordFilter, Records } from '../../../src/storage/records/index.ts'
import { closeDatabases, eachDatabase, migrated } from '../../support/databases.ts'
import { attempt, kept } from './support.ts'

afterEach(closeDatabases)

const DAY = 86_400_000
const NOW = Date.parse('2026-11-20T12:00:00Z')

const numbersOf = async (records: Records, filters: RecordFilter[] = []) => {
  const found: number[] = []
  for (let page = 1; ; page++) {
    const { records: some, total } = await records.list('default', { filters, page, perPage: 500, direction: 'asc' })
    found.push(...some.map(({ tokensIn }) => tokensIn!))
    if (!some.length) {
      expect(total).toBe(found.length)
      return found
    }
  }
}
const range = (from: number, to: number) => Array.from({ length: to - from }, (_, index) => from + index)

/** A thousand a second, each with a number of its own. */
function fill(records: Records, from: number, to: number, given: Parameters<typeof attempt>[0] = {}): void {
  for (const input of range(from, to))
    records.put(attempt({ at: NOW + input, usage: { input, output: 1, source: 'reported' }, ...given }))
}

/** Every row stands in one block or behind them, the counts are right, and no body is left over. */
async function isInOrder(database: Database, gateway = 'default'): Promise<void> {
  const [{ id, kept, sealed }] = (await database.all<{ id: number; kept: number; sealed: number }>(
    'SELECT id, kept, sealed FROM record_gateways WHERE name = ?',
    gateway,
  )) as [{ id: number; kept: number; sealed: number }]
  const count = async (statement: string, ...values: number[]) =>
    (await database.get<{ n: number }>(statement, ...values))!.n
  expect(await count('SELECT COUNT(*) AS n FROM records WHERE gateway = ?', id)).toBe(kept)
  const inBlocks = await count('SELECT COALESCE(SUM(kept), 0) AS n FROM record_blocks WHERE gateway = ?', id)
  expect(await count('SELECT COUNT(*) AS n FROM records WHERE gateway = ? AND seq <= ?', id, sealed)).toBe(inBlocks)
  const ofNobody = `SELECT COUNT(*) AS n FROM record_bodies b
    WHERE NOT EXISTS (SELECT 1 FROM records r WHERE r.gateway = b.gateway AND r.seq BETWEEN b.first AND b.last)`
  expect(await count(ofNobody)).toBe(0)
  const blocks = await count('SELECT COUNT(*) AS n FROM record_blocks WHERE gateway = ?', id)
  expect(await count('SELECT COUNT(*) AS n FROM record_columns WHERE gateway = ?', id)).toBe(blocks * 11)
}

describe.each(eachDatabase)('what is kept in %s', (_, kind) => {
  test('STOP_INSERTING: what is there stays, the rest is counted and not kept', async () => {
    const keeping: Keeping = { most: 100, strategy: 'STOP_INSERTING' }
    const database = await migrated(kind)
    const records = await kept(database, { keeping: () => keeping })
    fill(records, 0, 250)
    await records.flush()
    expect(await numbersOf(records)).toEqual(range(0, 100))
    expect(records.drops.reduce((sum, [count, why]) => sum + (why === 'limit' ? count : 0), 0)).toBe(150)
    const [sum] = await records.analytics.hours({ from: NOW, to: NOW + DAY })
    expect(sum!.attempts).toBe(250)
    keeping.most = 120
    fill(records, 250, 300)
    await records.flush()
    expect(await numbersOf(records)).toEqual([...range(0, 100), ...range(250, 270)])
    await isInOrder(database)
    await records.close()
  })

  test('DELETE_OLDEST: no more than the limit, and those are the newest', async () => {
    const database = await migrated(kind)
    const records = await kept(database, { keeping: () => ({ most: 1_500, strategy: 'DELETE_OLDEST' }) })
    for (let from = 0; from < 4_000; from += 800) {
      fill(records, from, from + 800, { collectBodies: true, bodies: { request: '{"a":1}' } })
      fill(records, 0, 10, { gateway: 'other' })
      await records.flush()
      await isInOrder(database)
    }
    expect(await numbersOf(records)).toEqual(range(2_500, 4_000))
    expect((await records.list('other')).total).toBe(50)
    expect(records.drops).toEqual([])
    await records.close()
  })

  test('what is older than the days of retention goes, wherever it stands', async () => {
    const database = await migrated(kind)
    const records = await kept(database, { retentionDays: () => 7 })
    const ages = [9, 8, 6, 8, 1]
    for (let i = 0; i < 2_600; i++)
      records.put(
        attempt({ at: NOW - ages[i % ages.length]! * DAY, usage: { input: i, output: 0, source: 'reported' } }),
      )
    await records.flush()
    await records.sweep(NOW)
    const left = await numbersOf(records)
    expect(left.toSorted((a, b) => a - b)).toEqual(range(0, 2_600).filter(i => ages[i % ages.length]! < 7))
    await isInOrder(database)
    await records.sweep(NOW + 30 * DAY)
    expect(await numbersOf(records)).toEqual([])
    await isInOrder(database)
    await records.close()
  })

  test('metadata goes with the last record that had it, and comes again', async () => {
    const database = await migrated(kind)
    const records = await kept(database, { retentionDays: () => 7 })
    const put = (at: number, user: string) => records.put(attempt({ at, metadata: { user } }))
    put(NOW - 9 * DAY, 'gone')
    put(NOW - 9 * DAY, 'still here')
    put(NOW, 'still here')
    await records.flush()
    await records.sweep(NOW)
    const users = async () =>
      (await database.all<{ said: string }>('SELECT said FROM record_metadata ORDER BY said')).map(({ said }) => said)
    expect(await users()).toEqual(['{"user":"still here"}'])
    put(NOW, 'gone')
    await records.flush()
    const { records: found } = await records.list('default', {
      filters: [{ key: 'metadata.value', operator: 'eq', value: ['gone'] }],
    })
    expect(found).toMatchObject([{ metadata: { user: 'gone' } }])
    await records.close()
  })

  test('takes away what a filter finds, as many as asked for, in the order asked for', async () => {
    const database = await migrated(kind)
    const records = await kept(database)
    fill(records, 0, 2_500)
    await records.flush()
    const filters: RecordFilter[] = [{ key: 'tokens_in', operator: 'lt', value: [1_000] }]
    expect(await records.remove('default', { filters, orderBy: 'tokens_in' }, 300)).toBe(300)
    expect(await numbersOf(records)).toEqual([...range(0, 700), ...range(1_000, 2_500)])
    await isInOrder(database)
    expect(await records.remove('default', { filters })).toBe(700)
    expect(await numbersOf(records)).toEqual(range(1_000, 2_500))
    await isInOrder(database)
    expect(await records.remove('default', {})).toBe(1_500)
    await isInOrder(database)
    expect(await records.remove('default', {})).toBe(0)
    expect(await records.remove('nowhere', {})).toBe(0)
    fill(records, 1, 3)
    await records.flush()
    expect(await numbersOf(records)).toEqual([1, 2])
    await records.close()
  })

  test('two processes write, take away and ask side by side, and every count is right', async () => {
    const address = await kind.fresh()
    const { openAddress } = await import('../../support/databases.ts')
    const { migrate } = await import('../../../src/storage/migrations.ts')
    const databases = [await openAddress(address), await openAddress(address)]
    await migrate(databases[0]!, 'the test')
    const sides = await Promise.all(databases.map(database => kept(database)))
    const work = sides.map(async (records, side) => {
      for (let round = 0; round < 6; round++) {
        fill(records, round * 300, (round + 1) * 300, { token: `side ${side}`, metadata: { round } })
        await records.flush()
        const filters: RecordFilter[] = [
          { key: 'tokens_in', operator: 'lt', value: [round * 300 + 10] },
          { key: 'token', operator: 'eq', value: [`side ${side}`] },
        ]
        expect(await records.remove('default', { filters })).toBe(10 + (round ? 290 : 0))
        await records.list('default', { orderBy: 'cost' })
      }
    })
    await Promise.all(work)
    await isInOrder(databases[0]!)
    expect((await sides[0]!.list('default')).total).toBe(2 * 290)
    const [sum] = await sides[1]!.analytics.hours({ from: NOW, to: NOW + DAY })
    expect(sum!.attempts).toBe(3_600)
    expect(sides.flatMap(({ drops, failures }) => [...drops, ...failures])).toEqual([])
    for (const side of sides) await side.close()
  })
})
