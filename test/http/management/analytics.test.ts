import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import { AnalyticsReport } from '../../../src/schemas/management/analytics.ts'
import type { AttemptRecord } from '../../../src/telemetry/attempt-record.ts'
import { type RunningApp, startApp } from '../../support/app.ts'
import { ask, call, costing, keep, LOOKS, OF_LAB, RUNS, tokens, used } from './logs-support.ts'

/** Sums over time and lists of the first, at the socket. */

const HOUR = 3_600_000
const AT = Date.UTC(2026, 10, 2, 10)
const at = (hour: number, minute: number) => AT + hour * HOUR + minute * 60_000

const kept: Partial<AttemptRecord>[] = [
  { at: at(0, 5), provider: 'openai', model: 'gpt', duration: 100, ...used(10, 1), ...costing(0.1) },
  { at: at(0, 20), provider: 'openai', model: 'gpt', duration: 300, ...used(20, 2), ...costing(0.2), cached: true },
  // One request: the first step failed, and the second was tried twice.
  { at: at(2, 0), provider: 'groq', model: 'llama', step: 0, status: 500 },
  { at: at(2, 0), provider: 'openai', model: 'o9', step: 1, status: 429, metadata: { team: 'herons' } },
  {
    at: at(2, 1),
    provider: 'openai',
    model: 'o9',
    step: 1,
    attempt: 2,
    userAgent: 'heron/1',
    metadata: { team: 'herons' },
    ...used(30, 3),
    // More than a double can hold to the last digit.
    ...costing(9_007),
  },
  {
    at: at(2, 2),
    provider: 'openai',
    model: 'o9',
    userAgent: 'heron/1',
    ...used(1, 1),
    cost: { pico: 9_007_000_000_000_001 } as never,
  },
]

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ tokens, storage: { log_metadata_keys: ['team'] }, gateways: { lab: {}, other: {} } })
  await keep(
    app,
    kept.map(one => ({ gateway: 'lab', ...one })),
  )
  await keep(app, [{ gateway: 'other', at: at(0, 0), provider: 'openai', model: 'gpt', ...used(5, 5), ...costing(1) }])
})
afterAll(() => app.stop())

const WINDOW = 'from=2026-11-02T10:00:00Z&to=2026-11-02T13:00:00Z'
async function report(path: string, token?: string) {
  const { status, body } = await call(app, path, { token })
  expect([status, body.errors]).toEqual([200, []])
  expect([...Value.Errors(AnalyticsReport, body.result)]).toEqual([])
  return body.result
}

test('totals and a series, by the hour', async () => {
  const { totals, series, interval, exact, top } = await report(`/gateways/lab/analytics?${WINDOW}&interval=1h`)
  expect([interval, exact, top]).toEqual([3_600, false, []])
  expect(totals).toMatchObject({
    requests: 4,
    attempts: 6,
    errors: 2,
    cached: 1,
    tokens_in: 61,
    tokens_out: 7,
    tokens_in_from_cache: 20,
    tokens_out_from_cache: 2,
  })
  expect(totals.latency.p99).toBeGreaterThanOrEqual(totals.latency.p50)
  expect(series.map(({ at, requests }: { at: string; requests: number }) => [at.slice(11, 16), requests])).toEqual([
    ['10:00', 2],
    ['12:00', 2],
  ])
})

test('money is told to the last picodollar', async () => {
  const response = await ask(app, `/gateways/lab/analytics?${WINDOW}`)
  expect(await response.text()).toContain('"cost":18014.300000000001,')
})

test('all gateways that a token opens, and only those', async () => {
  const of = async (token?: string) =>
    (await report(`/analytics?${WINDOW}&by=gateway&metric=attempts`, token)).top.map(
      ({ by, attempts }: { by: { gateway: string }; attempts: number }) => [by.gateway, attempts],
    )
  expect(await of()).toEqual([
    ['lab', 6],
    ['other', 1],
  ])
  expect(await of(LOOKS)).toHaveLength(2)
  expect(await of(OF_LAB)).toEqual([['lab', 6]])
  expect((await call(app, `/analytics?${WINDOW}`, { token: RUNS })).status).toBe(403)
  expect((await call(app, '/gateways/other/analytics', { token: OF_LAB })).status).toBe(403)
  expect((await report(`/analytics?${WINDOW}&gateway=other`)).totals.attempts).toBe(1)
})

test('the first of a list, by any metric, each with its series', async () => {
  const { top } = await report(`/gateways/lab/analytics?${WINDOW}&by=provider,model&metric=cost&limit=2`)
  expect(top.map(({ by }: { by: unknown }) => by)).toEqual([
    { provider: 'openai', model: 'o9' },
    { provider: 'openai', model: 'gpt' },
  ])
  expect(top[1]).toMatchObject({ requests: 2, cost: 0.3 })
  expect(top[1].series).toHaveLength(1)
  expect(top[0].series[0]).toMatchObject({ at: '2026-11-02T12:00:00.000Z', attempts: 3 })
})

test('narrowed', async () => {
  const totals = async (query: string) => (await report(`/gateways/lab/analytics?${WINDOW}&${query}`)).totals.attempts
  expect(await totals('provider=openai,groq&status=200,500')).toBe(5)
  expect(await totals('success=false')).toBe(2)
  expect(await totals('cached=true')).toBe(1)
  expect(await totals('model=o9&token=laptop')).toBe(3)
  expect(await totals('provider=nobody')).toBe(0)
})

test('below an hour, and by what only logs tell, the logs are counted', async () => {
  const window = 'from=2026-11-02T10:10:00Z&to=2026-11-02T12:02:00Z'
  const fine = await report(`/gateways/lab/analytics?${window}&interval=5m&by=model`)
  expect(fine.exact).toBe(true)
  expect(fine.totals.attempts).toBe(4)
  expect(fine.series.map(({ at }: { at: string }) => at.slice(11, 16))).toEqual(['10:20', '12:00'])
  expect(fine.top.map(({ by }: { by: { model: string } }) => by.model).sort()).toEqual(['gpt', 'llama', 'o9'])
  const agents = await report(`/gateways/lab/analytics?${WINDOW}&by=user_agent&provider=openai`)
  expect(agents.top.map(({ by, attempts }: { by: unknown; attempts: number }) => [by, attempts])).toEqual([
    [{ user_agent: null }, 3],
    [{ user_agent: 'heron/1' }, 2],
  ])
})

test('by a key of the metadata', async () => {
  const { top, totals } = await report(`/analytics?${WINDOW}&by=metadata.team`)
  expect(totals.attempts).toBe(7)
  expect(top).toMatchObject([{ by: { 'metadata.team': 'herons' }, attempts: 2, errors: 1, cost: 9_007 }])
})

describe('windows', () => {
  test('how long before', async () => {
    const { from, to, interval } = await report('/analytics?from=30d&to=2026-11-02T12:00:00Z')
    expect([from, to, interval]).toEqual(['2026-10-03T12:00:00.000Z', '2026-11-02T12:00:00.000Z', 86_400])
    expect((await report('/analytics')).interval).toBe(3_600)
    expect((await report('/analytics?from=1970-01-01&to=2026-11-02')).interval % 86_400).toBe(0)
  })

  test.each([
    ['from=soon', 'from'],
    ['from=2026-11-03&to=2026-11-02', 'from'],
    ['to=99999999999999999', 'to'],
    ['interval=soon', 'interval'],
    ['interval=90m', 'interval'],
    ['interval=10s', 'interval'],
    ['interval=5m', 'interval'],
    ['from=400d&interval=1h', 'interval'],
    ['by=colour', 'by'],
    ['by=metadata.colour', 'by'],
    ['by=metadata.team,model', 'by'],
    ['by=path', 'interval'],
    ['metric=beauty', 'metric'],
    ['status=ok', 'status'],
    ['limit=101', 'limit'],
  ])('%s is refused', async (query, member) => {
    const { status, body } = await call(app, `/analytics?${query}`)
    expect([status, body.errors[0]!.code, body.errors[0]!.path]).toEqual([400, 7_001, ['query', member]])
  })
})
