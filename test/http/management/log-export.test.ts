import { afterAll, beforeAll, expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import { LogLine } from '../../../src/schemas/management/logs.ts'
import { type RunningApp, startApp } from '../../support/app.ts'
import { ask, call, keep, tokens } from './logs-support.ts'

/** Exports of logs as lines. */

const AT = Date.UTC(2026, 10, 2, 10)
const COUNT = 6_000

let app: RunningApp
let ids: string[]
beforeAll(async () => {
  app = await startApp({ tokens, gateways: { lab: {}, bodies: {}, none: {} } })
  ids = await keep(
    app,
    // More at one time than a step reads, and long times with next to nothing.
    Array.from({ length: COUNT }, (_, index) => ({
      gateway: 'lab',
      at: index < 2_500 ? AT : AT + (index - 2_500) ** 2,
      provider: index % 3 ? 'openai' : 'groq',
    })),
  )
})
afterAll(() => app.stop())

type Line = LogLine & { id: string; created_at: string; provider: string }
async function lines(path: string): Promise<Line[]> {
  const response = await ask(app, path)
  expect(response.status).toBe(200)
  expect(response.headers.get('content-type')).toBe('application/x-ndjson; charset=utf-8')
  const text = await response.text()
  expect(text === '' || text.endsWith('\n')).toBe(true)
  return text
    .split('\n')
    .filter(Boolean)
    .map(line => JSON.parse(line) as Line)
}

test('every log once, by time, either way', async () => {
  const all = await lines('/gateways/lab/logs/export')
  expect(all.map(({ id }) => id).sort()).toEqual(ids.toSorted())
  const times = all.map(({ created_at }) => created_at)
  expect(times).toEqual(times.toSorted())
  expect([...Value.Errors(LogLine, all[0])]).toEqual([])
  const back = await lines('/gateways/lab/logs/export?order_by_direction=desc')
  expect(back.map(({ created_at }) => created_at)).toEqual(times.toReversed())
  expect(new Set(back.map(({ id }) => id)).size).toBe(COUNT)
})

test('the same filters as the list', async () => {
  const query = 'filters.key=provider&filters.operator=eq&filters.value=groq&start_date=2026-11-02T10:00:00.001Z'
  const some = await lines(`/gateways/lab/logs/export?${query}`)
  expect(some.length).toBe((await call(app, `/gateways/lab/logs?${query}`)).body.result_info.total_count!)
  expect(some.length).toBeGreaterThan(1_000)
  expect(some.every(({ provider }) => provider === 'groq')).toBe(true)
  expect(await lines('/gateways/none/logs/export')).toEqual([])
  expect((await call(app, '/gateways/lab/logs/export?filters.key=nothing')).status).toBe(400)
})

test('with bodies, those that are no text in base64', async () => {
  const sound = Uint8Array.of(0xff, 0xfe, 0, 1, 2)
  await keep(app, [
    {
      gateway: 'bodies',
      collectBodies: true,
      requestType: 'application/json',
      answerType: 'audio/mpeg',
      bodies: { request: '{"input":"Grüße"}', answer: [sound] },
    },
    { gateway: 'bodies', at: AT },
  ])
  const [without, withBodies] = await lines('/gateways/bodies/logs/export?bodies=true')
  expect(without!.request).toBeUndefined()
  expect(withBodies).toMatchObject({
    request: '{"input":"Grüße"}',
    response: Buffer.from(sound).toString('base64'),
    response_encoding: 'base64',
  })
  expect((await lines('/gateways/bodies/logs/export'))[1]!.request).toBeUndefined()
})

test('who leaves early ends it, and others are served meanwhile', async () => {
  const leave = new AbortController()
  const response = await ask(app, '/gateways/lab/logs/export', { signal: leave.signal })
  const reader = response.body!.getReader()
  expect((await reader.read()).done).toBe(false)
  expect((await call(app, '/gateways/lab/logs?per_page=1')).status).toBe(200)
  leave.abort()
  await reader.read().catch(() => undefined)
  expect(app.logged()).not.toContain('broke off')
})
