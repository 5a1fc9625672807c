import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Elysia } from 'elysia'
import { Gateway } from '../../src/gateway/index.ts'
import { type MetricsAccess, metricsRoutes } from '../../src/http/metrics.ts'
import { openLive } from '../../src/storage/live.ts'
import { openStore, type Store } from '../../src/storage/store.ts'
import { createLog } from '../../src/telemetry/log.ts'
import { Metrics } from '../../src/telemetry/metrics/index.ts'
import { configOf } from '../support/app.ts'
import { attempt } from '../telemetry/attempt.ts'
import { readLines, sumOf } from '../telemetry/metrics/lines.ts'

const READER = 'a-token-that-reads'
const RUNNER = 'a-token-that-runs'
const TEAM = 'a-token-of-one-team'

let store: Store
let address: string
let access: MetricsAccess = 'token'
let collect: () => ReturnType<Metrics['snapshot']>[]
const metrics = new Metrics()
let stop: () => unknown

beforeAll(async () => {
  const config = configOf({
    tokens: [
      { name: 'reader', token: READER, permissions: ['read'] },
      { name: 'runner', token: RUNNER, permissions: ['run'] },
      { name: 'team', token: TEAM, permissions: ['read'], gateways: ['default'] },
    ],
  })
  store = await openStore('sqlite::memory:')
  const { logger } = await createLog({ level: 'silent', format: 'json' }, { terminal: false })
  const gateway = new Gateway({
    config,
    store,
    live: await openLive(config, store),
    log: logger,
    logRequest: () => {},
    sinks: [],
  })
  const app = new Elysia()
    .use(metricsRoutes({ gateway, access: () => access, collect: () => collect() }))
    .listen({ port: 0, hostname: '127.0.0.1' })
  address = `http://127.0.0.1:${app.server!.port}/metrics`
  stop = () => app.stop(true)
})

afterAll(async () => {
  metrics.close()
  await stop()
  await store.close()
})

const scrape = (token?: string, headers: Record<string, string> = {}) => {
  collect = () => [metrics.snapshot()]
  return fetch(address, { headers: { ...headers, ...(token && { authorization: `Bearer ${token}` }) } })
}

describe('GET /metrics', () => {
  test('tells a token with the permission read what was counted', async () => {
    metrics.put(attempt())
    const answer = await scrape(READER)
    expect(answer.status).toBe(200)
    expect(answer.headers.get('content-type')).toStartWith('text/plain; version=0.0.4')
    expect(sumOf(readLines(await answer.text()), 'postern_requests_total', { model: 'gpt-5.2' })).toBe(1)
  })

  test('speaks OpenMetrics as Prometheus asks for it', async () => {
    const answer = await scrape(READER, {
      accept: 'application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1',
    })
    expect(answer.headers.get('content-type')).toStartWith('application/openmetrics-text')
    expect(await answer.text()).toEndWith('# EOF\n')
  })

  test('tells nobody else anything', async () => {
    for (const [token, status] of [
      [undefined, 401],
      ['not-a-token', 401],
      [RUNNER, 403],
      [TEAM, 403],
    ] as const) {
      const answer = await scrape(token)
      expect(answer.status).toBe(status)
      expect(await answer.text()).not.toContain('postern_')
    }
  })

  test('tells everybody where the operator says so', async () => {
    access = 'open'
    try {
      expect((await scrape()).status).toBe(200)
    } finally {
      access = 'token'
    }
  })

  test('answers 500 without a word of the fault when the numbers cannot be had', async () => {
    const answered = scrape(READER)
    collect = () => {
      throw new Error('a secret reason')
    }
    const answer = await answered
    expect(answer.status).toBe(500)
    expect(await answer.text()).not.toContain('secret')
  })
})
