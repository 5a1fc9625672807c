import { afterEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { DIMENSIONS, type Dimension, type Point } from '../../../src/storage/records/analytics.ts'
import type { AttemptRecord } from '../../../src/telemetry/attempt-record.ts'
import { closeDatabases, eachDatabase, migrated } from '../../support/databases.ts'
import { attempt, costOf, kept } from './support.ts'

afterEach(closeDatabases)

const START = Date.parse('2026-10-01T00:00:00Z')
const HOUR = 3_600_000

const one = fc.record({
  hour: fc.integer({ min: 0, max: 80 }),
  gateway: fc.constantFrom('a', 'b'),
  provider: fc.constantFrom('openai', 'groq', undefined),
  model: fc.constantFrom('x', 'y'),
  token: fc.constantFrom('laptop', undefined),
  status: fc.constantFrom(200, 404, 500),
  cached: fc.boolean(),
  attempt: fc.integer({ min: 1, max: 2 }),
  step: fc.constantFrom(undefined, 0, 1),
  duration: fc.integer({ min: 0, max: 5_000_000 }).map(tenths => tenths / 10),
  firstByte: fc.option(fc.integer({ min: 0, max: 900 }), { nil: undefined }),
  usage: fc.option(
    fc.record({
      input: fc.nat(100_000),
      output: fc.nat(9_000),
      cacheRead: fc.nat(50),
      source: fc.constant('reported' as const),
    }),
    { nil: undefined },
  ),
  cost: fc.option(
    fc.maxSafeInteger().map(pico => costOf(Math.abs(pico))),
    { nil: undefined },
  ),
  collect: fc.constantFrom(true, true, false),
})

const dimension: Record<Dimension, (record: AttemptRecord) => string | number | boolean | null> = {
  gateway: record => record.gateway,
  provider: record => record.provider ?? null,
  model: record => record.model ?? null,
  token: record => record.token ?? null,
  status: record => record.status,
  cached: record => record.cached,
  success: record => record.status < 400,
}

/** The same sums on plain objects. */
function summed(records: readonly AttemptRecord[], by: readonly Dimension[], at: (record: AttemptRecord) => number) {
  const groups = Map.groupBy(records, record =>
    JSON.stringify([at(record), ...by.map(name => dimension[name](record))]),
  )
  return new Map(
    [...groups].map(([key, group]) => {
      const sum = (of: (record: AttemptRecord) => number) => group.reduce((sum, record) => sum + of(record), 0)
      const waited = group.filter(({ firstByte }) => firstByte !== undefined)
      const fromCache = group.filter(({ cached }) => cached)
      return [
        key,
        {
          requests: sum(({ attempt, step }) => (attempt === 1 && !step ? 1 : 0)),
          attempts: group.length,
          errors: sum(({ status }) => (status >= 400 ? 1 : 0)),
          cached: fromCache.length,
          tokensIn: sum(({ usage }) => usage?.input ?? 0),
          tokensOut: sum(({ usage }) => usage?.output ?? 0),
          tokensCached: sum(({ usage }) => usage?.cacheRead ?? 0),
          tokensInFromCache: fromCache.reduce((sum, { usage }) => sum + (usage?.input ?? 0), 0),
          cost: group.reduce((sum, { cost }) => sum + BigInt(cost?.pico ?? 0), 0n),
          duration: Math.round((sum(({ duration }) => duration) / group.length) * 1000),
          firstByte: waited.length
            ? Math.round((waited.reduce((s, r) => s + r.firstByte!, 0) / waited.length) * 1000)
            : undefined,
        },
      ]
    }),
  )
}

const toldOf = (points: readonly Point[]) =>
  new Map(
    points.map(({ at, by, duration, firstByte, percentiles: _, tokensOutFromCache: __, ...rest }) => [
      JSON.stringify([at, ...by]),
      {
        ...rest,
        duration: Math.round(duration! * 1000),
        firstByte: firstByte === undefined ? undefined : Math.round(firstByte * 1000),
      },
    ]),
  )

describe.each(eachDatabase)('analytics in %s', (_, kind) => {
  test('the sums of hours and days are the sums of the records, also when those are gone', async () => {
    const database = await migrated(kind)
    await fc.assert(
      fc.asyncProperty(
        fc.array(one, { minLength: 1, maxLength: 60 }),
        fc.uniqueArray(fc.constantFrom(...DIMENSIONS), { maxLength: 2 }),
        fc.constantFrom(undefined, 1, 6, 24, 48),
        fc.integer({ min: 0, max: 40 }),
        async (made, by, hours, skipped) => {
          for (const table of ['record_sums', 'records']) await database.run(`DELETE FROM ${table}`)
          const records = await kept(database)
          const put = made.map(({ hour, ...given }) => attempt({ ...given, at: START + hour * HOUR + 5 }))
          for (const record of put) records.put(record)
          await records.flush()
          for (const gateway of ['a', 'b']) await records.remove(gateway, {})
          const from = START + skipped * HOUR
          const inside = put.filter(({ at }) => at >= from)
          const interval = hours && hours * HOUR
          const at = (time: number) => (interval ? Math.floor(time / interval) * interval : from)
          const told = await records.analytics.hours({ from, to: START + 100 * HOUR, by, interval })
          expect(toldOf(told)).toEqual(summed(inside, by, ({ at: time }) => at(time)))
          const only = { provider: ['openai', null], success: [true] }
          const some = await records.analytics.hours({
            from,
            to: START + 100 * HOUR,
            by,
            interval,
            only,
            gateways: ['a'],
          })
          const fitting = inside.filter(r => r.gateway === 'a' && r.provider !== 'groq' && r.status < 400)
          expect(toldOf(some)).toEqual(summed(fitting, by, ({ at: time }) => at(time)))
          await records.close()
        },
      ),
      { numRuns: kind.kind === 'sqlite' ? 60 : 15 },
    )
  })

  test('percentiles are near those of the records', async () => {
    const records = await kept(await migrated(kind))
    const durations = Array.from({ length: 2_000 }, (_, index) => 20 * 1.003 ** index)
    for (const duration of durations) records.put(attempt({ at: START, duration, firstByte: duration / 4 }))
    await records.flush()
    const [point] = await records.analytics.hours({ from: START, to: START + 1, percentiles: true })
    for (const [index, part] of [0.5, 0.9, 0.95, 0.99].entries()) {
      const real = durations[Math.ceil(part * 2_000) - 1]!
      expect(Math.abs(point!.percentiles!.duration[index]! / real - 1)).toBeLessThan(0.2)
      expect(Math.abs(point!.percentiles!.firstByte[index]! / (real / 4) - 1)).toBeLessThan(0.2)
    }
    await records.close()
  })

  test('by the values of a key of the metadata that was configured', async () => {
    const records = await kept(await migrated(kind), { metadataKeys: ['team', 'user'] })
    const put = (team: string | null, status: number, given: Partial<AttemptRecord> = {}) =>
      records.put(attempt({ at: START + 5, status, metadata: { team, other: 1 }, cost: costOf(3), ...given }))
    put('search', 200)
    put('search', 500)
    put('ads', 200, { cached: true })
    put(null, 200, { at: START + 30 * HOUR })
    records.put(attempt({ at: START }))
    for (let user = 0; user < 1_010; user++) records.put(attempt({ at: START, metadata: { user } }))
    await records.flush()
    const window = { from: START, to: START + 48 * HOUR }
    const told = await records.analytics.metadata({ ...window, key: 'team' })
    const rows = told.map(({ by, attempts, errors, cached, cost }) => [by[0], attempts, errors, cached, Number(cost)])
    expect(rows.sort()).toEqual([
      ['ads', 1, 0, 1, 3],
      ['null', 1, 0, 0, 3],
      ['search', 2, 1, 0, 6],
    ])
    const users = await records.analytics.metadata({ ...window, key: 'user' })
    expect(users).toHaveLength(1_001)
    expect(users.find(({ by }) => by[0] === '…')!.attempts).toBe(10)
    expect(await records.analytics.metadata({ ...window, key: 'other' })).toEqual([])
    await records.close()
  })

  test('minutes are told from the records themselves', async () => {
    const records = await kept(await migrated(kind))
    for (let i = 0; i < 1_200; i++)
      records.put(
        attempt({
          at: START + i * 1_000,
          status: i % 10 ? 200 : 500,
          cost: costOf(2),
          usage: { input: 3, output: 1, source: 'reported' },
        }),
      )
    await records.flush()
    const query = { gateway: 'default', from: START + 60_000, to: START + 360_000, interval: 60_000 }
    const minutes = await records.analytics.fine(query)
    expect(minutes.map(({ at, attempts, errors, cost, tokensIn }) => [at, attempts, errors, cost, tokensIn])).toEqual(
      [1, 2, 3, 4, 5].map(minute => [START + minute * 60_000, 60, 6, 120n, 180]),
    )
    const errors = await records.analytics.fine({
      ...query,
      interval: 300_000,
      by: 'status',
      filters: [{ key: 'success', operator: 'eq', value: [false] }],
    })
    expect(errors.map(({ at, by, attempts }) => [at, by, attempts])).toEqual([
      [START, [500], 24],
      [START + 300_000, [500], 6],
    ])
    await records.close()
  })

  test('a window of any length asks only for what is there', async () => {
    const records = await kept(await migrated(kind))
    expect(await records.analytics.hours({ from: 0, to: 9e15 })).toEqual([])
    records.put(attempt({ at: START }))
    await records.flush()
    expect(await records.analytics.hours({ from: 0, to: 9e15 })).toMatchObject([{ attempts: 1 }])
    await records.close()
  })
})
