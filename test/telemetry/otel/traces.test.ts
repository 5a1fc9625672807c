import { afterEach, describe, expect, test } from 'bun:test'
import type { Reply } from '../../../src/conversation/reply.ts'
import { createLog } from '../../../src/telemetry/log.ts'
import { type OtelTarget, Traces, type TracesOptions } from '../../../src/telemetry/otel/index.ts'
import type { Understood } from '../../../src/telemetry/otel/understood.ts'
import { attempt } from '../attempt.ts'
import { type Collector, collector, rejecting } from './collector.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const SPAN = 'b7ad6b7169203331'
const PARENT = '00f067aa0ba902b7'

let lines: Record<string, unknown>[] = []
const closing: (() => unknown)[] = []

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
  lines = []
})

async function tracesTo(target: Partial<OtelTarget>, collectorOf: Collector, options: Partial<TracesOptions> = {}) {
  const sink = { write: (line: string) => void lines.push(JSON.parse(line)), flush: async () => {} }
  const { logger } = await createLog({ level: 'info', format: 'json' }, { terminal: false, sink })
  const targets = [{ url: collectorOf.url, headers: {}, ...target }]
  const traces = new Traces({ log: logger, version: '1.2.3', wait: 5, targetsOf: () => targets, ...options })
  closing.push(() => traces.close(1_000))
  return traces
}

function started(...given: Parameters<typeof collector>): Collector {
  const one = collector(...given)
  closing.push(() => one.stop())
  return one
}

const usage = { input: 21, output: 96, cacheRead: 10, reasoning: 40, source: 'reported' } as const
const whole = () =>
  attempt({
    usage,
    cost: { pico: 1_180_000_000, parts: [], source: 'bundled' } as never,
    metadata: { team: 'search', tries: 2, beta: true, 'gen_ai.request.model': 'forged', 'postern.token': 'forged' },
    stream: true,
    firstWord: 240,
    userAgent: 'curl/8',
    trace: { traceId: TRACE, spanId: SPAN, parentSpanId: PARENT },
    server: { address: 'api.openai.com', port: 443 },
    answeredBy: 'gpt-5.2-2026-09-01',
  } as never)

describe('a span of an attempt', () => {
  for (const content_type of ['json', 'protobuf'] as const)
    test(`says as ${content_type} what was asked, used and paid`, async () => {
      const one = started()
      const traces = await tracesTo({ content_type, headers: { 'X-Api-Key': 'k' }, authorization: 'Bearer a' }, one)
      traces.put(whole())
      const [span] = await one.until(1)
      expect(span).toMatchObject({
        name: 'cf.aig.request',
        kind: 3,
        traceId: TRACE,
        spanId: SPAN,
        parentSpanId: PARENT,
        start: 1_795_000_000_000_000_000n,
        end: 1_795_000_000_812_500_000n,
        dropped: 1,
        resource: { 'service.name': 'ai-gateway', 'service.version': '1.2.3' },
      })
      expect(span!.attributes).toMatchObject({
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.model.provider': 'openai',
        'gen_ai.request.model': 'gpt-5.2',
        'gen_ai.response.model': 'gpt-5.2-2026-09-01',
        'gen_ai.usage.input_tokens': 21,
        'gen_ai.usage.output_tokens': 96,
        'gen_ai.usage.cache_read.input_tokens': 10,
        'gen_ai.usage.reasoning.output_tokens': 40,
        'gen_ai.usage.cost': 0.00118,
        'gen_ai.request.stream': true,
        'gen_ai.response.time_to_first_chunk': 0.24,
        'server.address': 'api.openai.com',
        'server.port': 443,
        'http.response.status_code': 200,
        'user_agent.original': 'curl/8',
        'postern.gateway': 'default',
        'postern.token': 'laptop',
        team: 'search',
        tries: 2,
        beta: true,
      })
      expect(span!.attributes).not.toHaveProperty('error.type')
      expect(span!.attributes).not.toHaveProperty('gen_ai.prompt_json')
      const { headers } = one.received[0]!
      expect(headers.get('content-type')).toBe(content_type === 'json' ? 'application/json' : 'application/x-protobuf')
      expect(headers.get('x-api-key')).toBe('k')
      expect(headers.get('authorization')).toBe('Bearer a')
    })

  test('tells a failure by our word for it', async () => {
    const one = started()
    const traces = await tracesTo({}, one)
    traces.put(attempt({ status: 429, error: { code: 'rate_limited', number: 2003 }, provider: 'google-ai-studio' }))
    const [span] = await one.until(1)
    expect(span!.status).toEqual({ code: 2, message: 'rate_limited' })
    expect(span!.attributes).toMatchObject({ 'error.type': 'rate_limited', 'gen_ai.provider.name': 'gcp.gemini' })
    expect(span!.traceId).toMatch(/^[0-9a-f]{32}$/)
  })

  test('holds prompts and answers only where bodies are collected, and says what it had to cut', async () => {
    const one = started()
    const traces = await tracesTo({}, one)
    const bodies = {
      request: '{"model":"m"}',
      answer: [Buffer.from('{"a":'), Buffer.from(`"${'x'.repeat(200_000)}"}`)],
    }
    traces.put(attempt({ collectBodies: false, bodies }))
    traces.put(attempt({ collectBodies: true, bodies }))
    const [without, withThem] = await one.until(2)
    expect(without!.attributes).not.toHaveProperty('gen_ai.prompt_json')
    expect(withThem!.attributes['gen_ai.prompt_json']).toBe('{"model":"m"}')
    expect(String(withThem!.attributes['gen_ai.completion_json'])).toHaveLength(131_072)
    expect(withThem!.attributes['postern.cut.gen_ai.completion_json']).toBe(200_008)
  })

  test('writes what was said as the conventions have it, where somebody understands it', async () => {
    const one = started()
    const reply: Reply = {
      model: 'm-2',
      choices: [
        { index: 0, finish: 'tool-calls', parts: [{ type: 'tool-call', id: 'c1', name: 'f', arguments: '{"a":1}' }] },
      ],
    }
    const said: Understood = {
      conversation: {
        turns: [
          { role: 'system', parts: [{ type: 'text', text: 'Be kind.' }] },
          {
            role: 'user',
            parts: [
              { type: 'text', text: 'Look' },
              { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'A'.repeat(400) } },
            ],
          },
        ],
        tools: [],
        output: { type: 'text' },
        sampling: {},
        stream: false,
        includeUsage: false,
        unknown: {},
      },
      reply,
    }
    const traces = await tracesTo({}, one, { understand: () => said })
    traces.put(attempt({ collectBodies: true, bodies: { request: '{}' } }))
    traces.put(attempt({ collectBodies: false, bodies: { request: '{}' } }))
    const [{ attributes }, without] = (await one.until(2)) as [never, never] as [
      { attributes: Record<string, string> },
      { attributes: object },
    ]
    expect(JSON.parse(attributes['gen_ai.system_instructions']!)).toEqual([{ type: 'text', content: 'Be kind.' }])
    expect(JSON.parse(attributes['gen_ai.input.messages']!)).toEqual([
      {
        role: 'user',
        parts: [
          { type: 'text', content: 'Look' },
          { type: 'blob', modality: 'image', mime_type: 'image/png', bytes: 300 },
        ],
      },
    ])
    expect(JSON.parse(attributes['gen_ai.output.messages']!)).toEqual([
      {
        role: 'assistant',
        parts: [{ type: 'tool_call', id: 'c1', name: 'f', arguments: { a: 1 } }],
        finish_reason: 'tool_call',
      },
    ])
    expect(attributes['gen_ai.response.finish_reasons']).toEqual(['tool_call'] as never)
    expect(attributes['gen_ai.response.model']).toBe('m-2')
    expect(without.attributes).not.toHaveProperty('gen_ai.input.messages')
  })

  test('is not sent of a trace that nobody records, nor without receivers', async () => {
    const one = started()
    const targets = [{ url: one.url, headers: {} }]
    const targetsOf = (gateway: string) => ({ default: targets, without: null, emptied: [] })[gateway]
    const traces = await tracesTo({}, one, { targetsOf })
    traces.put(attempt({ trace: { traceparent: `00-${TRACE}-${SPAN}-00` } }))
    traces.put(attempt({ gateway: 'without' }))
    traces.put(attempt({ gateway: 'emptied' }))
    traces.put(attempt({ trace: { traceparent: `00-${TRACE}-${SPAN}-01` } }))
    const spans = await one.until(1)
    await traces.close()
    expect(spans).toHaveLength(1)
    expect(spans[0]).toMatchObject({ traceId: TRACE, parentSpanId: SPAN })
  })
})

describe('sending spans', () => {
  test('goes in batches', async () => {
    const one = started()
    const traces = await tracesTo({}, one)
    for (let n = 0; n < 100; n++) traces.put(attempt())
    await one.until(100)
    expect(one.received.length).toBeLessThan(10)
  })

  test('goes to every receiver, and one that is down holds up no other', async () => {
    const [up, down] = [started(), started(() => new Response('no', { status: 503 }))]
    const targets = [down, up].map(({ url }) => ({ url, headers: {} }))
    const traces = await tracesTo({}, up, { targetsOf: () => targets })
    traces.put(attempt())
    await up.until(1)
    expect(traces.waiting).toBe(0)
    expect(down.spans()).toHaveLength(0)
  })

  test('is tried again when the collector is down, which is logged once, and loses nothing', async () => {
    let failures = 0
    const one = started(request => {
      if (request >= 2) return undefined
      failures++
      return new Response('busy', { status: 503, headers: { 'retry-after': '0' } })
    })
    const traces = await tracesTo({ headers: { 'x-key': 'hidden' } }, one)
    traces.put(attempt())
    traces.put(attempt())
    await one.until(2)
    await Bun.sleep(20)
    expect(failures).toBe(2)
    expect(traces.dropped).toBe(0)
    expect(lines.map(({ level, msg }) => [level, msg])).toEqual([
      ['error', 'receiver not reached: trying again'],
      ['info', 'receiver reached again'],
    ])
    expect(JSON.stringify(lines)).not.toContain('hidden')
  })

  test('gives up what a collector refuses, and counts it', async () => {
    const one = started(() => new Response('bad', { status: 400 }))
    const traces = await tracesTo({}, one)
    traces.put(attempt())
    for (let tries = 0; tries < 200 && !traces.dropped; tries++) await Bun.sleep(10)
    expect(traces.dropped).toBe(1)
    expect(lines).toHaveLength(1)
  })

  test('counts spans that a collector takes only in part', async () => {
    const one = started(() => rejecting(2))
    const traces = await tracesTo({ content_type: 'protobuf' }, one)
    for (let n = 0; n < 3; n++) traces.put(attempt())
    for (let tries = 0; tries < 200 && !traces.dropped; tries++) await Bun.sleep(10)
    expect(traces.dropped).toBe(2)
    expect(lines.at(-1)).toMatchObject({ level: 'warn', rejected: 2 })
  })

  test('keeps so many for a collector that is down, and counts the rest', async () => {
    const { promise, resolve } = Promise.withResolvers<void>()
    const one = started(() => promise.then(() => new Response('no', { status: 400 })))
    const traces = await tracesTo({}, one)
    for (let n = 0; n < 10_000; n++) traces.put(attempt())
    for (let tries = 0; tries < 500 && traces.waiting !== 8_192; tries++) await Bun.sleep(10)
    expect(traces.waiting).toBe(8_192)
    resolve()
    expect(traces.dropped).toBeGreaterThan(0)
    expect(traces.dropped).toBeLessThanOrEqual(10_000 - 8_192)
  })

  test('ends with everything sent', async () => {
    const one = started()
    const traces = await tracesTo({}, one, { wait: 60_000 })
    for (let n = 0; n < 700; n++) traces.put(attempt())
    await traces.close()
    expect(one.spans()).toHaveLength(700)
    traces.put(attempt())
    expect(traces.waiting).toBe(0)
  })

  test('ends in time when nobody answers', async () => {
    const one = started(() => new Promise<Response>(() => {}))
    const traces = await tracesTo({}, one)
    traces.put(attempt())
    await Bun.sleep(50)
    traces.put(attempt())
    await traces.close(100)
    expect(traces.dropped).toBe(2)
  })
})
