import { afterAll, afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { closeDatabases } from '../support/databases.ts'
import { hasPostgres, postgresServer } from '../support/postgres-server.ts'
import { endAll, eventually, folder, type Running, run, start } from './executable.ts'
import { type Answered, COST, crowd, fileFor, LANES, onRecord, PAID, quietProvider } from './records-load.ts'

/**
 * The executable killed at random under load, and started again. POSTERN_CRASH_REQUESTS says how many requests it is to
 * answer, for a longer run than usual.
 */

const REQUESTS = Number(process.env.POSTERN_CRASH_REQUESTS ?? 8_000)
/** At least. */
const KILLS = 4
/** What may be lost by a kill, in milliseconds. */
const LAST_SECOND_MS = 1_000
/** What a request sets aside beforehand, at most: 50 tokens out, and what its text may come to. */
const SET_ASIDE = 10n * BigInt(COST)

setDefaultTimeout(600_000)
const provider = quietProvider()
afterAll(() => provider.stop())
afterEach(async () => {
  await endAll()
  await closeDatabases()
})

/** Goes on killing until enough was answered. @param more what else happens between two kills */
async function killed(address: string, more?: (server: () => Running) => Promise<void>) {
  const here = folder({ 'postern.yaml': JSON.stringify(fileFor(provider, address)) })
  const environment = { POSTERN_ENCRYPTION_KEY: 'a-secret-for-the-stored-keys' }
  expect((await run(['credit', 'add', String(PAID)], here.path, environment)).code).toBe(0)
  let server = await start([], here.path, environment)
  const asking = crowd(() => server.address)
  const kills: number[] = []
  await asking.until(100)
  while (asking.answered.length < REQUESTS || kills.length < KILLS) {
    await Bun.sleep(1_100 + Math.random() * 900)
    await more?.(() => server)
    const workers = server.workers()
    // One time the serving process alone, which is started again by itself, the next time all there is.
    const isWhole = kills.length % 2 === 1
    if (isWhole) process.kill(server.pid, 'SIGKILL')
    for (const worker of workers) process.kill(worker, 'SIGKILL')
    kills.push(Date.now())
    if (isWhole) {
      await server.exited
      server = await start([], here.path, environment)
    }
    const before = asking.answered.length
    await asking.until(before + LANES + 1)
  }
  await asking.stop()
  server.signal('SIGTERM')
  expect(await server.exited).toBe(0)
  const told = await onRecord(address)
  here.remove()
  return { told, kills, ...asking }
}

type Killed = Awaited<ReturnType<typeof killed>>

function judge({ told, kills, answered, unanswered }: Killed, kind: string) {
  // What was sent before a kill and is read only after it has come from whom the kill has met.
  const isSure = ({ sent, at }: Answered) => {
    const kill = kills.find(kill => kill >= sent)
    return kill === undefined || at < kill - LAST_SECOND_MS
  }
  const missing = answered.filter(({ id }) => !told.ids.has(id))
  const early = missing.filter(isSure)
  const late = answered.filter(one => !isSure(one))
  if (process.env.POSTERN_CRASH_REQUESTS)
    console.log(
      `${kind}: ${answered.length} answered, ${unanswered} not, ${kills.length} kills, ${told.ids.size} rows, ${missing.length} without a row (${early.length} older than a second); rows ${told.rows}, counted ${told.counted}, credit spent ${told.spent}, held ${told.held}`,
    )
  expect(early).toEqual([])
  expect(told.integrity).toBe('ok')
  // What is written together is there together.
  expect(told.hours).toBe(told.rows)
  expect(told.attempts).toBe(told.ids.size)
  expect(told.kept).toBe(told.ids.size)
  expect(told.bodiless).toEqual([])
  expect(told.spent).toBe(told.charged)
  // Beyond what is lost or was under way when a kill came, rows, limit and credit say the same.
  const underWay = BigInt(kills.length * LANES)
  const unsure = (BigInt(late.length) + underWay) * BigInt(COST) + underWay * SET_ASIDE
  for (const other of [told.counted, told.spent]) {
    const apart = other > told.rows ? other - told.rows : told.rows - other
    expect(apart).toBeLessThanOrEqual(unsure)
  }
  expect(told.held).toBeLessThanOrEqual(underWay * SET_ASIDE)
  expect(answered.length - missing.length).toBeGreaterThan(answered.length / 2)
}

describe('killed at random under load', () => {
  test('on SQLite: every answer older than a second is on record, and the sums are those of the rows', async () => {
    const here = folder()
    judge(await killed(`sqlite:${here.path}/postern.db`), 'sqlite')
    here.remove()
  })

  test.skipIf(!hasPostgres)('on PostgreSQL, whose server is restarted in between, too', async () => {
    const server = await postgresServer()
    let restarts = 0
    const outcome = await killed(await server.fresh(), async running => {
      if (restarts > 0 && Math.random() < 0.5) return
      restarts++
      await server.restart()
      const isReady = async () => (await fetch(`${running().address}/readyz`)).status === 200
      expect(await eventually(isReady)).toBe(true)
      // What waited meanwhile is written.
      await Bun.sleep(2_500)
    })
    judge(outcome, 'postgres')
    expect(restarts).toBeGreaterThan(0)
    await closeDatabases()
    await server.remove()
  })
})
