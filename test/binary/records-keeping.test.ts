import { Database } from 'bun:sqlite'
import { afterEach, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { attempt, kept } from '../storage/records/support.ts'
import { closeDatabases, migratedAt, openAddress } from '../support/databases.ts'
import { readLines, sumOf } from '../telemetry/metrics/lines.ts'
import { endAll, eventually, folder, type Running, start } from './executable.ts'
import { crowd, fileFor, type Provider, quietProvider, TOKEN } from './records-load.ts'

/** How many records are kept, and for how long; and what becomes of those for which there is no room. */

setDefaultTimeout(60_000)
let provider: Provider | undefined
afterEach(async () => {
  await endAll()
  await closeDatabases()
  provider?.stop()
})

const MOST = 10_000
const DAY_MS = 86_400_000
const LATE = 40

/** A database that has been in use: records of gateways, from a time until a little later. */
async function seeded(address: string, given: { gateway: string; from: number; count: number }[]): Promise<void> {
  const database = await migratedAt(address)
  const records = await kept(database)
  for (const { gateway, from, count } of given)
    for (let index = 0; index < count; index++) {
      records.put(attempt({ gateway, at: from + index, collectBodies: true, bodies: { request: `number ${index}` } }))
      if (index % 5_000 === 4_999) await records.flush()
    }
  await records.close()
  await closeDatabases()
}

async function chat(server: Running, gateway: string): Promise<string> {
  const answer = await fetch(`${server.address}/v1/home/${gateway}/compat/chat/completions`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'openai/m', messages: [{ role: 'user', content: 'Where?' }] }),
  })
  await answer.text()
  expect(answer.status).toBe(200)
  return answer.headers.get('cf-aig-log-id')!
}

async function manage(server: Running, path: string): Promise<{ status: number; total?: number }> {
  const answer = await fetch(`${server.address}/client/v4/accounts/home/ai-gateway/gateways/${path}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  })
  const { result_info } = (await answer.json()) as { result_info?: { total_count: number } }
  return { status: answer.status, ...(result_info && { total: result_info.total_count }) }
}

const metric = async (server: Running, name: string, labels: Record<string, string>) => {
  const answer = await fetch(`${server.address}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  return sumOf(readLines(await answer.text()), name, labels)
}

const warnings = (server: Running) =>
  server
    .said()
    .split('\n')
    .filter(line => line.includes('"not kept"'))
    .map(line => JSON.parse(line) as { level: string; store: string; why: string; count: number })

describe('retention', () => {
  test('by number, with both strategies, and by age: the sums of the hours stay', async () => {
    provider = quietProvider(0)
    const here = folder()
    const address = `sqlite:${here.path}/postern.db`
    const now = Date.now()
    await seeded(address, [
      { gateway: 'stops', from: now - DAY_MS, count: MOST - 10 },
      { gateway: 'goes-on', from: now - DAY_MS, count: MOST - 10 },
      { gateway: 'aged', from: now - 31 * DAY_MS, count: 500 },
      { gateway: 'aged', from: now - 29 * DAY_MS, count: 70 },
    ])
    const { billing: _, ...file } = fileFor(provider, address)
    const gateways = {
      stops: { log_management: MOST, log_management_strategy: 'STOP_INSERTING' },
      'goes-on': { log_management: MOST, log_management_strategy: 'DELETE_OLDEST' },
      aged: {},
    }
    await Bun.write(`${here.path}/postern.yaml`, JSON.stringify({ ...file, gateways }))
    const server = await start([], here.path)
    const total = async (gateway: string) => (await manage(server, `${gateway}/logs?per_page=1`)).total

    // Thirty days, when nothing else is said; at once, since some run for less than the time between two looks.
    expect(await eventually(async () => (await total('aged')) === 70)).toBe(true)

    const ids: Record<'stops' | 'goes-on', string[]> = { stops: [], 'goes-on': [] }
    for (let index = 0; index < LATE; index++)
      for (const gateway of ['stops', 'goes-on'] as const) ids[gateway].push(await chat(server, gateway))
    for (const gateway of ['stops', 'goes-on'])
      expect(await eventually(async () => (await total(gateway)) === MOST)).toBe(true)
    expect((await manage(server, `stops/logs/${ids.stops[0]}`)).status).toBe(200)
    expect((await manage(server, `goes-on/logs/${ids['goes-on'].at(-1)}`)).status).toBe(200)
    expect(
      await eventually(async () => (await metric(server, 'postern_dropped_total', { queue: 'records' })) === LATE - 10),
    ).toBe(true)
    server.signal('SIGTERM')
    expect(await server.exited).toBe(0)

    expect(new Set(warnings(server).map(({ why }) => why))).toEqual(new Set(['limit']))
    expect(warnings(server).reduce((sum, { count }) => sum + count, 0)).toBe(LATE - 10)
    const database = await openAddress(address)
    const records = await kept(database)
    expect(Object.fromEntries(await records.counts())).toEqual({ stops: MOST, 'goes-on': MOST, aged: 70 })
    const sums = await records.analytics.hours({ from: 0, to: Date.now() + DAY_MS, by: ['gateway'] })
    const attempts = Object.fromEntries(sums.map(({ by, attempts }) => [by[0], attempts]))
    expect(attempts).toEqual({ stops: MOST - 10 + LATE, 'goes-on': MOST - 10 + LATE, aged: 570 })
    // The oldest are those that went.
    const [oldest] = (await records.list('goes-on', { direction: 'asc', perPage: 1 })).records
    expect(oldest?.at).toBe(now - DAY_MS + LATE - 10)
    expect(await database.all('PRAGMA integrity_check')).toEqual([{ integrity_check: 'ok' }])
    await records.close()
    here.remove()
  })
})

describe('a store that takes nothing', () => {
  test('the queue is bounded, what goes beyond it is counted and told, and the rest is written afterwards', async () => {
    provider = quietProvider(0)
    const here = folder()
    const address = `sqlite:${here.path}/postern.db`
    const { billing: _, gateways: __, ...file } = fileFor(provider, address)
    await Bun.write(`${here.path}/postern.yaml`, JSON.stringify(file))
    const server = await start([], here.path)
    await chat(server, 'default')
    const waiting = () => metric(server, 'postern_queue_waiting', { queue: 'records' })
    expect(await eventually(async () => (await waiting()) === 0)).toBe(true)

    // Somebody else has the file for himself.
    const other = new Database(`${here.path}/postern.db`)
    other.run('BEGIN IMMEDIATE')
    const asking = crowd(() => server.address, 48)
    const more = 1_500
    await asking.until(20_000 + more)
    await asking.stop()
    expect(asking.unanswered).toBe(0)
    const dropped = await metric(server, 'postern_dropped_total', { queue: 'records' })
    expect(dropped).toBeGreaterThan(0)
    expect(await waiting()).toBeLessThanOrEqual(20_000)
    other.run('ROLLBACK')
    other.close()
    expect(await eventually(async () => (await waiting()) === 0)).toBe(true)
    server.signal('SIGTERM')
    expect(await server.exited).toBe(0)

    expect(await Bun.file(`${here.path}/postern.db`).exists()).toBe(true)
    const told = warnings(server)
    expect(told.reduce((sum, { count }) => sum + count, 0)).toBe(dropped)
    expect(told.length).toBeLessThan(30)
    expect(told.every(({ level, why }) => level === 'warn' && why === 'queue')).toBe(true)
    const records = await kept(await openAddress(address))
    expect((await records.counts()).get('default')).toBe(asking.answered.length + 1 - dropped)
    await records.close()
    here.remove()
  })
})
