import { afterEach, describe, expect, test } from 'bun:test'
import { charge } from '../../../src/gateway/limits/charge.ts'
import { type CreditStore, creditStore } from '../../../src/storage/credits.ts'
import { closeDatabases, eachDatabase, migrated } from '../../support/databases.ts'

afterEach(closeDatabases)

const SOON = [1, 1, 1]

describe.each(eachDatabase)('charging on %s', (_, kind) => {
  async function held() {
    const credits = creditStore(await migrated(kind))
    await credits.add('account', 1_000n, 'paid in')
    const id = (await credits.hold('account', 600))!
    return { credits, what: { id, owner: 'account', amount: 250 } }
  }
  /** Fails so often: before it has done anything, or when it has done all and only the word of it is lost. */
  const failing = (credits: CreditStore, times: number, when: 'before' | 'after'): Pick<CreditStore, 'settle'> => ({
    async settle(...given) {
      if (times-- <= 0) return credits.settle(...given)
      if (when === 'after') await credits.settle(...given)
      throw new Error('the connection was closed')
    },
  })

  test.each(['before', 'after'] as const)(
    'a database that fails %s the change is asked again, and charges once',
    async when => {
      const { credits, what } = await held()
      await charge(failing(credits, 3, when), what, SOON)
      expect(await credits.of('account')).toEqual({ owner: 'account', balance: 750n, held: 0n })
      expect(await credits.usage('account', 0, Date.now() + 1)).toMatchObject([{ amount: 250n, requests: 1 }])
    },
  )

  test('one that stays away is told in the end, and what was held stays held', async () => {
    const { credits, what } = await held()
    const told = await charge(failing(credits, 4, 'before'), what, SOON).catch((fault: unknown) => fault)
    expect(told).toMatchObject({ message: 'the connection was closed' })
    expect(await credits.of('account')).toEqual({ owner: 'account', balance: 1_000n, held: 600n })
  })
})
