import { afterEach, describe, expect, test } from 'bun:test'
import { exposition } from '../../../src/telemetry/metrics/exposition.ts'
import { Metrics } from '../../../src/telemetry/metrics/index.ts'
import { attempt } from '../attempt.ts'
import { readLines, sumOf } from './lines.ts'

const made: Metrics[] = []
const metrics = (options?: { worker?: number }) => {
  const one = new Metrics(options)
  made.push(one)
  return one
}
const linesOf = async (...all: Metrics[]) =>
  readLines(
    (
      await exposition(
        all.map(one => one.snapshot()),
        false,
      )
    ).text,
  )

afterEach(() => {
  for (const one of made.splice(0)) one.close()
})

describe('the metrics of a process', () => {
  test('count attempts, tokens, cost and durations by gateway, provider, model, status and token', async () => {
    const one = metrics()
    const usage = { input: 100, output: 20, cacheRead: 60, reasoning: 5, source: 'reported' } as const
    one.put(attempt({ usage, cost: { pico: 2_500_000_000, parts: [], source: 'bundled' } as never, firstWord: 300 }))
    one.put(attempt({ usage, status: 200, duration: 30 }))
    one.put(attempt({ status: 503, error: { code: 'overloaded' }, attempt: 2 }))
    const lines = await linesOf(one)
    const place = { gateway: 'default', provider: 'openai', model: 'gpt-5.2' }
    expect(sumOf(lines, 'postern_requests_total', { ...place, status: '2xx', token: 'laptop' })).toBe(2)
    expect(sumOf(lines, 'postern_requests_total', { ...place, status: '5xx' })).toBe(1)
    expect(sumOf(lines, 'postern_errors_total', { ...place, code: 'overloaded' })).toBe(1)
    expect(sumOf(lines, 'postern_retries_total', place)).toBe(1)
    for (const [type, value] of [
      ['input', 200],
      ['output', 40],
      ['cached_input', 120],
      ['reasoning', 10],
    ] as const)
      expect(sumOf(lines, 'postern_tokens_total', { ...place, type, token: 'laptop' })).toBe(value)
    expect(sumOf(lines, 'postern_cost_dollars_total', place)).toBeCloseTo(0.0025, 12)
    expect(sumOf(lines, 'postern_request_duration_seconds_count', place)).toBe(3)
    expect(sumOf(lines, 'postern_request_duration_seconds_sum', place)).toBeCloseTo(1.655, 9)
    expect(sumOf(lines, 'postern_request_duration_seconds_bucket', { ...place, le: '0.05' })).toBe(1)
    expect(sumOf(lines, 'postern_request_duration_seconds_bucket', { ...place, le: '1' })).toBe(3)
    expect(sumOf(lines, 'postern_request_duration_seconds_bucket', { ...place, le: '+Inf' })).toBe(3)
    expect(sumOf(lines, 'postern_time_to_first_token_seconds_count', place)).toBe(1)
    expect(sumOf(lines, 'postern_time_to_first_byte_seconds_count', place)).toBe(3)
  })

  test('count the cache, and what limits refuse', async () => {
    const one = metrics()
    one.put(attempt({ cached: true }))
    one.put({ ...attempt(), cache: 'miss' })
    one.put(attempt({ status: 429, error: { code: 'rate_limited', number: 2003 } }))
    one.put(attempt({ status: 429, error: { code: 'rate_limit_exceeded' } }))
    const lines = await linesOf(one)
    expect(sumOf(lines, 'postern_cache_requests_total', { result: 'hit' })).toBe(1)
    expect(sumOf(lines, 'postern_cache_requests_total', { result: 'miss' })).toBe(1)
    // The provider's own limit is an error, not a refusal of ours.
    expect(sumOf(lines, 'postern_limit_refusals_total')).toBe(1)
    expect(sumOf(lines, 'postern_limit_refusals_total', { reason: 'rate_limited', token: 'laptop' })).toBe(1)
    expect(sumOf(lines, 'postern_errors_total')).toBe(2)
  })

  test('read queues and the process when somebody asks', async () => {
    const one = metrics()
    let depth = 3
    one.gauge('postern_queue_depth', 'What waits.', () => [[{ queue: 'records' }, depth]])
    one.counter('postern_dropped_total', 'What was dropped.', () => 7)
    depth = 4
    const until = performance.now() + 300
    await Bun.sleep(60)
    while (performance.now() < until);
    await Bun.sleep(120)
    const lines = await linesOf(one)
    expect(sumOf(lines, 'postern_queue_depth', { queue: 'records' })).toBe(4)
    expect(sumOf(lines, 'postern_dropped_total')).toBe(7)
    expect(sumOf(lines, 'process_cpu_seconds_total')).toBeGreaterThan(0)
    expect(sumOf(lines, 'process_resident_memory_bytes')).toBeGreaterThan(1_000_000)
    expect(sumOf(lines, 'process_start_time_seconds')).toBeGreaterThan(1_500_000_000)
    // The busy wait above.
    expect(sumOf(lines, 'postern_event_loop_lag_seconds', { quantile: '1' })).toBeGreaterThan(0.1)
  })

  test('have no more than 200 models, and none that a caller made up', async () => {
    const one = metrics()
    for (let n = 0; n < 300; n++) one.put(attempt({ model: `made-up-${n}`, status: 404, error: { code: 'not_found' } }))
    for (let n = 0; n < 300; n++) one.put(attempt({ model: `model-${n}` }))
    const lines = await linesOf(one)
    const models = new Set(
      lines.filter(({ name }) => name === 'postern_requests_total').map(({ labels }) => labels.model),
    )
    expect(models.size).toBe(201)
    expect([...models].filter(model => model?.startsWith('made-up'))).toEqual([])
    expect(sumOf(lines, 'postern_requests_total', { model: 'other', status: '2xx' })).toBe(100)
    expect(sumOf(lines, 'postern_requests_total', { model: 'other', status: '4xx' })).toBe(300)
    expect(sumOf(lines, 'postern_requests_total')).toBe(600)
  })

  test('have no series for a gateway that nobody was let into', async () => {
    const one = metrics()
    for (let n = 0; n < 50; n++)
      one.put(attempt({ gateway: `guess-${n}`, provider: undefined, model: undefined, status: 401, token: undefined }))
    const lines = await linesOf(one)
    expect(sumOf(lines, 'postern_requests_total', { gateway: 'other', provider: '', model: '', token: '' })).toBe(50)
    expect(lines.filter(({ name }) => name === 'postern_requests_total')).toHaveLength(1)
  })

  test('stay bounded however labels are combined, and lose no count', async () => {
    const one = metrics()
    let asked = 0
    for (let model = 0; model < 150; model++)
      for (let gateway = 0; gateway < 5; gateway++)
        for (let token = 0; token < 6; token++) {
          one.put(attempt({ model: `m${model}`, gateway: `g${gateway}`, token: `t${token}` }))
          asked++
        }
    const lines = await linesOf(one)
    const requests = lines.filter(({ name }) => name === 'postern_requests_total')
    expect(requests.length).toBeLessThan(2_600)
    expect(sumOf(lines, 'postern_requests_total')).toBe(asked)
  })

  test('carry names with quotes, backslashes and lines through the text', async () => {
    const one = metrics()
    const token = 'the "new"\\old\nlaptop'
    one.put(attempt({ token }))
    expect(sumOf(await linesOf(one), 'postern_requests_total', { token })).toBe(1)
  })
})

describe('the metrics of several processes', () => {
  test('have the worker on each series, so that one that starts again is no reset of all', async () => {
    const [first, second] = [metrics({ worker: 0 }), metrics({ worker: 1 })]
    first.put(attempt())
    second.put(attempt())
    second.put(attempt())
    const lines = await linesOf(first, second)
    expect(sumOf(lines, 'postern_requests_total', { worker: '0' })).toBe(1)
    expect(sumOf(lines, 'postern_requests_total', { worker: '1' })).toBe(2)
    expect(lines.every(({ labels }) => labels.worker !== undefined)).toBe(true)
  })

  test('are written as OpenMetrics for a reader that asks for it', async () => {
    const one = metrics()
    one.put(attempt())
    const { text, contentType } = await exposition([one.snapshot()], true)
    expect(contentType).toStartWith('application/openmetrics-text')
    expect(text).toEndWith('# EOF\n')
    expect(text).toContain('# TYPE postern_requests counter')
    expect(text).toMatch(/^postern_requests_total\{/m)
    expect(text).not.toContain('_total_total')
    expect(sumOf(readLines(text), 'postern_requests_total')).toBe(1)
  })
})
