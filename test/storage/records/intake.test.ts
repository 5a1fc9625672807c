import { afterEach, describe, expect, test } from 'bun:test'
import { existsSync, statSync } from 'node:fs'
import { migrate } from '../../../src/storage/migrations.ts'
import { closeDatabases, eachDatabase, migrated, openAddress } from '../../support/databases.ts'
import { attempt, kept } from './support.ts'

afterEach(closeDatabases)

describe.each(eachDatabase)('what waits to be written to %s', (_, kind) => {
  test('is written by itself soon, and by closing at once', async () => {
    const database = await migrated(kind)
    const records = await kept(database)
    const one = attempt()
    records.put(one)
    expect(records.waiting()).toBe(1)
    for (const deadline = Date.now() + 10_000; Date.now() < deadline; await Bun.sleep(20))
      if (await records.get('default', one.id)) break
    expect(await records.get('default', one.id)).toBeDefined()
    const last = Array.from({ length: 700 }, () => attempt())
    for (const record of last) records.put(record)
    await records.close()
    expect((await records.list('default')).total).toBe(701)
    records.put(attempt())
    expect(records.drops).toEqual([[1, 'closed']])
  })

  test('is bounded in number and in bytes, and what has no place is counted', async () => {
    const records = await kept(await migrated(kind), { bounds: { waiting: 10, waitingBytes: 100 } })
    const body = { request: 'x'.repeat(60) }
    const put = Array.from({ length: 12 }, () => attempt({ collectBodies: true, bodies: body }))
    for (const one of put) records.put(one)
    await records.flush()
    const count = (why: string) => records.drops.reduce((sum, [count, said]) => sum + (said === why ? count : 0), 0)
    expect(count('queue')).toBe(2)
    expect(count('bodies')).toBe(9)
    expect((await records.list('default')).total).toBe(10)
    expect(await records.body('default', put[0]!.id, 'request')).toBeDefined()
    expect(await records.body('default', put[1]!.id, 'request')).toBeUndefined()
    // What was written has given its room back.
    const next = attempt({ collectBodies: true, bodies: body })
    records.put(next)
    await records.flush()
    expect(await records.body('default', next.id, 'request')).toBeDefined()
    await records.close()
  })

  test('a record that makes no sense is dropped, and the others are kept', async () => {
    const records = await kept(await migrated(kind))
    const wrong = [{ id: 'no uuid' }, { at: Number.NaN }, { status: 1.5 }, { gateway: '' }]
    for (const given of wrong) records.put(attempt(given))
    records.put(attempt({ usage: { input: 1.5, output: -3, source: 'reported' }, requestSize: Number.NaN }))
    await records.flush()
    expect(records.drops).toEqual(wrong.map(() => [1, 'invalid']))
    expect((await records.list('default')).records).toMatchObject([{ tokensIn: 2, requestSize: 0 }])
    await records.close()
  })

  test('a row that the store refuses goes alone, and is told', async () => {
    const database = await migrated(kind)
    if (kind.kind === 'sqlite')
      await database.run(
        `CREATE TRIGGER refuse BEFORE INSERT ON records WHEN NEW.tokens_in = 666
         BEGIN SELECT RAISE(FAIL, 'not this one'); END`,
      )
    else await database.run('ALTER TABLE records ADD CONSTRAINT refuse CHECK (tokens_in <> 666)')
    const records = await kept(database)
    for (let input = 660; input < 680; input++)
      records.put(attempt({ usage: { input, output: 0, source: 'reported' } }))
    for (const deadline = Date.now() + 20_000; records.drops.length === 0 && Date.now() < deadline; )
      await Bun.sleep(50)
    await records.flush()
    expect(records.drops).toEqual([[1, 'store']])
    expect((await records.list('default')).total).toBe(19)
    // The store itself did not fail.
    expect(records.failures).toEqual([])
    await records.close()
  })
})

test('waits through an outage of the database, and loses nothing of what there was room for', async () => {
  const [, sqlite] = eachDatabase[0]!
  const address = await sqlite.fresh()
  const database = await openAddress(address)
  await migrate(database, 'the test')
  const other = await openAddress(address)
  const records = await kept(database)
  // Longer than a writer is patient with another.
  const { promise: over, resolve: end } = Promise.withResolvers<void>()
  const busy = other.transaction(async sql => {
    await sql.run('UPDATE record_state SET seq = seq')
    await over
  })
  for (let i = 0; i < 50; i++) records.put(attempt())
  for (const deadline = Date.now() + 20_000; !records.failures.length && Date.now() < deadline; ) await Bun.sleep(50)
  expect(records.failures).toMatchObject([[false, expect.any(String)]])
  records.put(attempt())
  end()
  await busy
  await records.flush()
  expect((await records.list('default')).total).toBe(51)
  expect(records.failures.map(([up]) => up)).toEqual([false, true])
  expect(records.drops).toEqual([])
  await records.close()
})

test('what SQLite has in its log is brought into the file by a thread of its own', async () => {
  const [, sqlite] = eachDatabase[0]!
  const address = await sqlite.fresh()
  const path = address.slice('sqlite:'.length)
  const database = await openAddress(address)
  await migrate(database, 'the test')
  await database.run('PRAGMA wal_checkpoint(TRUNCATE)')
  const before = statSync(path).size
  await database.run('PRAGMA wal_autocheckpoint = 0')
  const records = await kept(database)
  for (let i = 0; i < 3_000; i++) records.put(attempt())
  await records.flush()
  // The writer itself does it only when the log has become very long.
  expect(await database.get('PRAGMA wal_autocheckpoint')).toEqual({ wal_autocheckpoint: 20_000 })
  for (const deadline = Date.now() + 20_000; statSync(path).size === before && Date.now() < deadline; )
    await Bun.sleep(50)
  expect(statSync(path).size).toBeGreaterThan(before)
  await records.close()
  expect(await database.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
  await database.close()
  // The last connection takes the log with it.
  expect(existsSync(`${path}-wal`)).toBe(false)
  expect(records.failures).toEqual([])
})

describe.each(eachDatabase)('asked to write at once: %s', (_, kind) => {
  test('by several at the same time, nothing is lost', async () => {
    const records = await kept(await migrated(kind))
    for (let count = 0; count < 402; count++) records.put(attempt())
    await Promise.all([records.flush(), records.flush(), records.flush()])
    expect((await records.list('default')).total).toBe(402)
    await records.close()
  })

  test('what is put behind it is written in its own time', async () => {
    const records = await kept(await migrated(kind))
    records.put(attempt())
    await records.flush()
    records.put(attempt())
    for (let tries = 0; tries < 200 && (await records.list('default')).total < 2; tries++) await Bun.sleep(10)
    expect((await records.list('default')).total).toBe(2)
    await records.close()
  })
})
