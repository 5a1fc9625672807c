import { afterEach, describe, expect, test } from 'bun:test'
import { join } from 'node:path'
import { closeDatabases, eachDatabase, openAddress } from '../../support/databases.ts'
import { kept } from './support.ts'

afterEach(closeDatabases)

const CHILD = join(import.meta.dir, 'killed-child.ts')
const ROUNDS = 3

describe.each(eachDatabase)('a process that is killed, on %s', (_, kind) => {
  test('loses at most its last second, and leaves everything in order', async () => {
    const address = await kind.fresh()
    const put = new Map<string, number>()
    let killed = 0
    for (let round = 0; round < ROUNDS; round++) {
      const child = Bun.spawn([process.execPath, CHILD, address], { stdout: 'pipe', stderr: 'inherit' })
      const output = new Response(child.stdout).text()
      await Bun.sleep(2_200 + Math.random() * 500)
      killed = Date.now()
      child.kill('SIGKILL')
      await child.exited
      for (const line of (await output).split('\n').filter(line => /^\S{36} \d{13}$/.test(line))) {
        const [id, at] = line.split(' ')
        // Only what is older than a second when the end came has to be there.
        if (Number(at) < killed - 1_000) put.set(id!, Number(at))
      }
    }
    expect(put.size).toBeGreaterThan(ROUNDS * 20)
    const database = await openAddress(address)
    if (kind.kind === 'sqlite')
      expect(await database.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    const records = await kept(database)
    const ids = new Set<string>()
    for (let last = 0; ; ) {
      const page = await records.after('default', last, 500)
      if (!page.records.length) break
      for (const { id } of page.records) ids.add(id)
      last = page.last
    }
    expect([...put.keys()].filter(id => !ids.has(id))).toEqual([])
    const { total } = await records.list('default', { filters: [{ key: 'tokens', operator: 'eq', value: [3] }] })
    expect(total).toBe(ids.size)
    expect((await records.counts()).get('default')).toBe(ids.size)
    const [sum] = await records.analytics.hours({ from: 0, to: Date.now() })
    expect(sum).toMatchObject({ attempts: ids.size, cost: BigInt(3 * ids.size), tokensIn: 2 * ids.size })
    const bodies = new Set<string>()
    for (const id of ids) bodies.add(String(Buffer.from((await records.body('default', id, 'request'))!.bytes)))
    expect([...bodies]).toEqual(['{"prompt":"some words"}'])
    await records.close()
  })
})
