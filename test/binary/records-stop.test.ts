import { afterAll, afterEach, expect, setDefaultTimeout, test } from 'bun:test'
import { closeDatabases, eachDatabase } from '../support/databases.ts'
import { endAll, folder, run, start } from './executable.ts'
import { COST, crowd, fileFor, onRecord, PAID, quietProvider } from './records-load.ts'

/** The executable told to stop under load: nothing is missing afterwards, to the last picodollar. */

setDefaultTimeout(60_000)
const provider = quietProvider()
afterAll(() => provider.stop())
afterEach(async () => {
  await endAll()
  await closeDatabases()
})

test.each(eachDatabase)(
  'after SIGTERM under load on %s, rows, sums, limits and credit are the same',
  async (_, kind) => {
    const address = await kind.fresh()
    const here = folder({ 'postern.yaml': JSON.stringify(fileFor(provider, address)) })
    const environment = { POSTERN_ENCRYPTION_KEY: 'a-secret-for-the-stored-keys' }
    expect((await run(['credit', 'add', String(PAID)], here.path, environment)).code).toBe(0)
    let answered = 0
    const ids: string[] = []
    // Twice, so that what a stop has left is what the next start goes on with.
    for (let round = 0; round < 2; round++) {
      const server = await start([], here.path, environment)
      const asking = crowd(() => server.address)
      await asking.until(700)
      server.signal('SIGTERM')
      expect(await server.exited).toBe(0)
      await asking.stop()
      answered += asking.answered.filter(({ status }) => status === 200).length
      ids.push(...asking.answered.map(({ id }) => id))
    }
    const told = await onRecord(address)
    expect(ids.filter(id => !told.ids.has(id))).toEqual([])
    const all = BigInt(answered) * BigInt(COST)
    expect(told).toMatchObject({
      paid: answered,
      rows: all,
      hours: all,
      counted: all,
      spent: all,
      charged: all,
      held: 0n,
      attempts: told.ids.size,
      bodiless: [],
      kept: told.ids.size,
      integrity: 'ok',
    })
    here.remove()
  },
)
