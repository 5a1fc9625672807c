import { afterEach, expect, test } from 'bun:test'
import type { File } from '../../src/config/schema.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { ask, post } from '../support/chat.ts'
import { type Seen, standIn } from '../support/stand-in.ts'
import { type Line, readLines, sumOf } from '../telemetry/metrics/lines.ts'

/** What a scrape says of requests that went all the way. */

let app: RunningApp
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const reply = (model: string) =>
  Response.json({
    id: 'c1',
    object: 'chat.completion',
    created: 1,
    model,
    choices: [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }],
    usage: { prompt_tokens: 8, completion_tokens: 4, total_tokens: 12 },
  })

async function started(answer: (seen: Seen) => Response | Promise<Response>, file: File = {}) {
  const provider = standIn(answer)
  closing.push(() => provider.stop())
  app = await startApp({
    providers: { openai: { base_url: provider.address, keys: { default: 'k' } } },
    prices: { 'openai/m': { input: 1, output: 2 } },
    ...file,
  })
  closing.push(() => app.stop())
}

const scrape = async (): Promise<Line[]> => {
  const answer = await fetch(`${app.address}/metrics`, { headers: { authorization: `Bearer ${TOKEN}` } })
  expect(answer.status).toBe(200)
  return readLines(await answer.text())
}

const M = { gateway: 'default', provider: 'openai', model: 'm' }

test('requests, tokens, cost and durations, by gateway, provider, model and token', async () => {
  await started(() => reply('m'))
  for (let count = 0; count < 3; count++) await post(app.address, ask('openai/m'))
  await app.record(3)
  const lines = await scrape()
  expect(sumOf(lines, 'postern_requests_total', { ...M, status: '2xx', token: 'tests' })).toBe(3)
  expect(sumOf(lines, 'postern_tokens_total', { ...M, type: 'input' })).toBe(24)
  expect(sumOf(lines, 'postern_tokens_total', { ...M, type: 'output' })).toBe(12)
  expect(sumOf(lines, 'postern_cost_dollars_total', M)).toBeCloseTo(3 * 16e-6, 10)
  expect(sumOf(lines, 'postern_request_duration_seconds_count', M)).toBe(3)
  expect(sumOf(lines, 'postern_time_to_first_byte_seconds_count', M)).toBe(3)
  expect(sumOf(lines, 'postern_time_to_first_token_seconds_count')).toBe(0)
  expect(sumOf(lines, 'postern_dropped_total')).toBe(0)
  expect(lines.filter(({ name }) => name === 'postern_queue_waiting').map(({ labels }) => labels.queue)).toEqual([
    'traces',
    'logpush',
    'records',
  ])
  expect(sumOf(lines, 'process_resident_memory_bytes')).toBeGreaterThan(0)
  expect(lines.some(({ name }) => name === 'postern_event_loop_lag_seconds')).toBe(true)
})

test('the cache, retries, errors and what limits refuse', async () => {
  let calls = 0
  const busy = () => Response.json({ error: { message: 'busy', type: 'server_error' } }, { status: 503 })
  await started(() => (++calls === 1 ? busy() : reply('m')), {
    gateways: {
      default: { retry_max_attempts: 3, retry_delay: 0, cache_ttl: 300 },
      narrow: { rate_limiting_limit: 1, rate_limiting_interval: 600 },
    },
  })
  await post(app.address, ask('openai/m'))
  await post(app.address, ask('openai/m'))
  const path = '/v1/home/narrow/compat/chat/completions'
  expect((await post(app.address, ask('openai/m'), { path })).status).toBe(200)
  expect((await post(app.address, ask('openai/m'), { path })).status).toBe(429)
  await app.record(5)
  const lines = await scrape()
  // Two attempts at one request ask the cache once.
  expect(sumOf(lines, 'postern_cache_requests_total', { result: 'miss' })).toBe(1)
  expect(sumOf(lines, 'postern_cache_requests_total', { result: 'hit' })).toBe(1)
  expect(sumOf(lines, 'postern_retries_total', M)).toBe(1)
  expect(sumOf(lines, 'postern_requests_total', { ...M, status: '5xx' })).toBe(1)
  expect(sumOf(lines, 'postern_limit_refusals_total', { gateway: 'narrow', token: 'tests' })).toBe(1)
  expect(sumOf(lines, 'postern_errors_total', { gateway: 'narrow' })).toBe(1)
})

test('streams that are open, and the time to their first words', async () => {
  const { promise, resolve: goOn } = Promise.withResolvers<void>()
  const event = (delta: object, finish: string | null) =>
    `data: ${JSON.stringify({ id: 'c', object: 'chat.completion.chunk', created: 1, model: 'm', choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
  await started(
    () =>
      new Response(
        async function* () {
          yield event({ role: 'assistant', content: 'a' }, null)
          await promise
          yield `${event({}, 'stop')}data: [DONE]\n\n`
        } as unknown as ReadableStream,
        { headers: { 'content-type': 'text/event-stream' } },
      ),
  )
  const compat = await post(app.address, ask('openai/m', { stream: true }))
  const native = await post(app.address, ask('m', { stream: true }), {
    path: '/v1/home/default/openai/chat/completions',
  })
  const left = new AbortController()
  const leaves = await post(app.address, ask('openai/m', { stream: true }), { signal: left.signal })
  expect(sumOf(await scrape(), 'postern_open_streams')).toBe(3)
  expect(sumOf(await scrape(), 'postern_requests_in_flight')).toBe(4)
  left.abort()
  await leaves.text().catch(() => '')
  await app.record(1)
  expect(sumOf(await scrape(), 'postern_open_streams')).toBe(2)
  goOn()
  await Promise.all([compat.text(), native.text()])
  await app.record(3)
  const lines = await scrape()
  expect(sumOf(lines, 'postern_open_streams')).toBe(0)
  expect(sumOf(lines, 'postern_time_to_first_token_seconds_count', M)).toBe(3)
})

test('nobody without a token sees them, until the file opens them, which it may while running', async () => {
  await started(() => reply('m'))
  const bare = async () => (await fetch(`${app.address}/metrics`)).status
  expect(await bare()).toBe(401)
  app.reload({ server: { metrics: 'open' } })
  expect(await bare()).toBe(200)
})
