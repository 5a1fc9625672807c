import { afterEach, expect, test } from 'bun:test'
import { creditStore } from '../../src/storage/credits.ts'
import { giveUpHolds } from '../../src/supervisor/holds.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { eventually } from '../binary/executable.ts'
import { closeDatabases, eachDatabase, migrated } from '../support/databases.ts'

afterEach(closeDatabases)

test('credit that a request had set aside comes back when its process has died', async () => {
  for (const [, kind] of eachDatabase) {
    const credits = creditStore(await migrated(kind))
    await credits.add('account', 1_000n, 'paid in')
    await credits.hold('account', 600)
    const said: string[] = []
    const { logger, flush } = await createLog(
      { level: 'warn', format: 'json' },
      { terminal: false, sink: { write: line => void said.push(String(line)), flush: async () => {} } },
    )
    // A request that may still be under way keeps what it has.
    giveUpHolds(credits, logger)()
    expect((await credits.of('account'))?.held).toBe(600n)
    const end = giveUpHolds(credits, logger, () => Date.now() + 3_700_000)
    expect(await eventually(async () => (await credits.of('account'))?.held === 0n)).toBe(true)
    end()
    await flush()
    expect(said.join('')).toContain('"count":1')
  }
})
