import { afterEach, describe, expect, test } from 'bun:test'
import { creditStore } from '../../src/storage/credits.ts'
import { closeDatabases, eachDatabase, migrated, migratedAt } from '../support/databases.ts'

afterEach(closeDatabases)

describe.each(eachDatabase)('%s', (_, kind) => {
  test('what is added, held and charged adds up', async () => {
    const credits = creditStore(await migrated(kind))
    expect(await credits.of('account')).toBeUndefined()
    expect(await credits.add('account', 1_000n, 'first')).toBe(1_000n)
    expect(await credits.add('account', -100n, 'a mistake')).toBe(900n)
    const id = await credits.hold('account', 700)
    expect(await credits.of('account')).toEqual({ owner: 'account', balance: 900n, held: 700n })
    await credits.settle(id!, 'account', 650)
    expect(await credits.list()).toEqual([{ owner: 'account', balance: 250n, held: 0n }])
    expect(await credits.entries('account', 10)).toMatchObject([
      { amount: -100n, note: 'a mistake' },
      { amount: 1_000n, note: 'first' },
    ])
    expect(await credits.usage('account', 0, Date.now() + 1)).toMatchObject([{ amount: 650n, requests: 1 }])
  })

  test('nobody holds more than there is, nor at zero anything', async () => {
    const credits = creditStore(await migrated(kind))
    expect(await credits.hold('token:phone', 0)).toBeUndefined()
    await credits.add('token:phone', 10n, '')
    const held = await Promise.all(Array.from({ length: 50 }, () => credits.hold('token:phone', 3)))
    expect(held.filter(Boolean)).toHaveLength(3)
    expect(await credits.of('token:phone')).toMatchObject({ balance: 10n, held: 9n })
    await credits.settle(held.find(Boolean)!, 'token:phone', 10)
    // What a request really cost may be more than was thought.
    expect(await credits.of('token:phone')).toMatchObject({ balance: 0n, held: 6n })
    expect(await credits.hold('token:phone', 0)).toBeUndefined()
  })

  test('a hold whose holder is gone is given up, and charged all the same if it comes back', async () => {
    const credits = creditStore(await migrated(kind))
    await credits.add('token:phone', 10n, '')
    const id = await credits.hold('token:phone', 4)
    expect(await credits.release(Date.now() - 1_000)).toBe(0)
    expect(await credits.release(Date.now() + 1)).toBe(1)
    expect(await credits.of('token:phone')).toMatchObject({ balance: 10n, held: 0n })
    await credits.settle(id!, 'token:phone', 3)
    expect(await credits.of('token:phone')).toMatchObject({ balance: 7n, held: 0n })
  })

  test('amounts beyond what a number holds stay exact', async () => {
    const credits = creditStore(await migrated(kind))
    await credits.add('account', 9_007_199_254_740_993n, '')
    expect(await credits.add('account', 2n, '')).toBe(9_007_199_254_740_995n)
  })

  test('several who take from one balance at once take no more than there is', async () => {
    const address = await kind.fresh()
    const [one, two] = [await migratedAt(address), await migratedAt(address)]
    const stores = [creditStore(one), creditStore(two)]
    await stores[0]!.add('account', 100n, '')
    const spend = async (at: number): Promise<number> => {
      const credits = stores[at % 2]!
      const id = await credits.hold('account', 5)
      if (id !== undefined) await credits.settle(id, 'account', 3)
      return id === undefined ? 0 : 3
    }
    const spent = await Promise.all(Array.from({ length: 60 }, (_, at) => spend(at)))
    const sum = spent.reduce((sum, amount) => sum + amount, 0)
    expect(await stores[1]!.of('account')).toEqual({ owner: 'account', balance: BigInt(100 - sum), held: 0n })
    // Whoever was refused found less than five left beside what twenty or more others held or had spent.
    expect(sum).toBeGreaterThanOrEqual(60)
    expect(await stores[0]!.usage('account', 0, Date.now() + 1)).toMatchObject([{ requests: sum / 3 }])
  })
})
