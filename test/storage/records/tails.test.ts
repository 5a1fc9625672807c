import { afterEach, describe, expect, test } from 'bun:test'
import { migrate } from '../../../src/storage/migrations.ts'
import { bytesOfUuid, uuidOf } from '../../../src/storage/records/ids.ts'
import type { RecordFilter } from '../../../src/storage/records/index.ts'
import { closeDatabases, eachDatabase, migrated, openAddress } from '../../support/databases.ts'
import { attempt, costOf, type Kept, kept } from './support.ts'

afterEach(closeDatabases)

const NOW = Date.parse('2026-11-20T12:00:00Z')

/** Each with a number of its own. */
function fill(records: Kept, from: number, to: number): string[] {
  const ids: string[] = []
  for (let input = from; input < to; input++) {
    const one = attempt({
      at: NOW + input,
      usage: { input, output: 1, ...(input % 3 && { cacheRead: input }), source: 'reported' },
      ...(input % 4 && { cost: costOf(input), firstByte: input / 10 }),
      metadata: { number: input % 5 },
    })
    records.put(one)
    ids.push(one.id)
  }
  return ids
}

const found = async (records: Kept, ...filters: RecordFilter[]) =>
  (await records.list('default', { filters, perPage: 1 })).total

describe.each(eachDatabase)('columns that are packed from memory in %s', (_, kind) => {
  test('say what the rows say', async () => {
    const database = await migrated(kind)
    const records = await kept(database)
    for (let from = 0; from < 5_000; from += 500) {
      fill(records, from, from + 500)
      await records.flush()
    }
    const blocks = await database.get<{ n: number }>('SELECT COUNT(*) AS n FROM record_blocks')
    expect(Number(blocks!.n)).toBe(4)
    expect(await found(records, { key: 'tokens_in', operator: 'lt', value: [4_000] })).toBe(4_000)
    expect(await found(records, { key: 'cost', operator: 'eq', value: [null] })).toBe(1_250)
    expect(await found(records, { key: 'metadata.value', operator: 'eq', value: ['3'] })).toBe(1_000)
    const { records: page, metaInfo } = await records.list('default', {
      orderBy: 'tokens_in',
      perPage: 2,
      metaInfo: true,
    })
    expect(page.map(({ tokensIn }) => tokensIn)).toEqual([4_999, 4_998])
    expect(metaInfo?.cost).toEqual({ min: 1, max: 4_999 })
    const fine = await records.analytics.fine({ gateway: 'default', from: NOW, to: NOW + 4_000, interval: 60_000 })
    const sum = (has: (i: number) => boolean) =>
      Array.from({ length: 4_000 }, (_, i) => (has(i) ? i : 0)).reduce((a, b) => a + b)
    expect(fine).toMatchObject([{ attempts: 4_000, tokensIn: sum(() => true), tokensCached: sum(i => i % 3 !== 0) }])
    await records.close()
  })

  test('hold what was said of a record and what was taken away before', async () => {
    const records = await kept(await migrated(kind))
    fill(records, 0, 1_500)
    await records.flush()
    const ids = fill(records, 1_500, 1_800)
    await records.flush()
    // These stand in no block yet.
    expect(await records.patch('default', ids[7]!, { feedback: -1, metadata: { user: 'ana' } })).toBe(true)
    const filters: RecordFilter[] = [{ key: 'tokens_in', operator: 'gt', value: [1_789] }]
    expect(await records.remove('default', { filters })).toBe(10)
    fill(records, 1_800, 4_000)
    await records.flush()
    expect(await found(records, { key: 'feedback', operator: 'eq', value: [-1] })).toBe(1)
    expect(await found(records, { key: 'metadata.value', operator: 'eq', value: ['ana'] })).toBe(1)
    expect(await found(records)).toBe(3_990)
    expect(await found(records, { key: 'tokens_in', operator: 'gt', value: [1_789] })).toBe(2_200)
    await records.close()
  })

  test('hold what another process wrote and changed', async () => {
    const address = await kind.fresh()
    const databases = [await openAddress(address), await openAddress(address)]
    await migrate(databases[0]!, 'the test')
    const [one, other] = (await Promise.all(databases.map(database => kept(database)))) as [Kept, Kept]
    const ids = fill(one, 0, 600)
    await one.flush()
    fill(other, 600, 700)
    await other.flush()
    expect(await other.patch('default', ids[5]!, { feedback: 1 })).toBe(true)
    for (let from = 700; from < 2_500; from += 300) {
      fill(one, from, from + 300)
      await one.flush()
    }
    expect(await found(one)).toBe(2_500)
    expect(await found(one, { key: 'feedback', operator: 'eq', value: [1] })).toBe(1)
    expect(await found(other, { key: 'tokens_in', operator: 'lt', value: [1_000] })).toBe(1_000)
    await one.close()
    await other.close()
  })

  test('nothing is counted or kept of a gateway that there is not', async () => {
    const records = await kept(await migrated(kind), { keeping: gateway => (gateway === 'no' ? undefined : {}) })
    for (const gateway of ['no', 'default', 'no'])
      records.put(attempt({ at: NOW, gateway, collectBodies: true, bodies: { request: gateway } }))
    await records.flush()
    expect([...(await records.counts())]).toEqual([['default', 1]])
    expect(await records.analytics.hours({ from: NOW, to: NOW + 1, by: ['gateway'] })).toMatchObject([
      { attempts: 1, by: ['default'] },
    ])
    expect(records.drops).toEqual([])
    await records.close()
  })

  test('costs beyond what a number holds are summed to the last digit', async () => {
    const records = await kept(await migrated(kind))
    const most = Number.MAX_SAFE_INTEGER
    for (const pico of [most, most, 1, most - 1]) records.put(attempt({ at: NOW, cost: costOf(pico) }))
    await records.flush()
    const [sum] = await records.analytics.hours({ from: NOW, to: NOW + 1 })
    expect(sum!.cost).toBe(3n * BigInt(most))
    const day = { from: Math.floor(NOW / 86_400_000) * 86_400_000, interval: 86_400_000 }
    const [whole] = await records.analytics.hours({ ...day, to: day.from + 86_400_000 })
    expect(whole!.cost).toBe(3n * BigInt(most))
    await records.close()
  })
})

test('a UUID becomes sixteen bytes, and what is none nothing', () => {
  const id = '0193a7f2-9c4e-7b1a-8d2f-001122EEFFaa'
  expect(uuidOf(bytesOfUuid(id)!)).toBe(id.toLowerCase())
  const wrong = [
    `${id}0`,
    id.slice(1),
    id.replace('-', '0'),
    id.replace('a', 'g'),
    id.replace('a', 'ă'),
    id.replace('0', '-'),
    '',
  ]
  for (const text of wrong) expect(bytesOfUuid(text)).toBeUndefined()
})
