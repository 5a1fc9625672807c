import { afterEach, describe, expect, test } from 'bun:test'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { ask, post, streamOf } from '../support/chat.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'
import { type Collector, collector } from '../telemetry/otel/collector.ts'

const TRACE = '0af7651916cd43dd8448eb211c80319c'
const PARENT = 'b7ad6b7169203331'
const CLIENT = `00-${TRACE}-${PARENT}-01`

let app: RunningApp
const closing: (() => unknown)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close()
})

const REPLY = {
  id: 'c1',
  object: 'chat.completion',
  created: 1,
  model: 'gpt-5.2-2026-09-01',
  choices: [{ index: 0, message: { role: 'assistant', content: 'In the reeds.' }, finish_reason: 'stop' }],
  usage: { prompt_tokens: 8, completion_tokens: 4, total_tokens: 12 },
}
const chunk = (delta: object, finish: string | null, usage?: object) =>
  `data: ${JSON.stringify({ ...REPLY, object: 'chat.completion.chunk', usage, choices: [{ index: 0, delta, finish_reason: finish }] })}\n\n`
const STREAM = `${chunk({ role: 'assistant', content: 'In the ' }, null)}${chunk({ content: 'reeds.' }, null)}${chunk({}, 'stop', REPLY.usage)}data: [DONE]\n\n`

const answer = ({ body }: Seen): Response =>
  body.stream
    ? new Response(STREAM, { headers: { 'content-type': 'text/event-stream' } })
    : Response.json({ ...REPLY, usage: REPLY.usage })

async function started(gateway: object = {}, answering: (seen: Seen) => Response | Promise<Response> = answer) {
  const provider = standIn(answering)
  closing.push(() => provider.stop())
  app = await startApp({
    providers: {
      openai: { base_url: provider.address, keys: { default: 'k' } },
      'aws-bedrock': { base_url: provider.address },
    },
    gateways: { default: gateway },
  })
  closing.push(() => app.stop())
  return provider
}

function collecting(...given: Parameters<typeof collector>): Collector {
  const one = collector(...given)
  closing.push(() => one.stop())
  return one
}

const traceparentAt = (provider: StandIn) => provider.last().headers.get('traceparent')

describe('8.6 OpenTelemetry', () => {
  for (const content_type of ['json', 'protobuf'] as const)
    test(`an attempt becomes a span at the collector of its gateway, as ${content_type}`, async () => {
      const one = collecting()
      const provider = await started({ otel: [{ url: one.url, headers: { 'x-key': 'secret' }, content_type }] })
      const answered = await post(app.address, ask('openai/gpt-5.2'), {
        headers: { 'cf-aig-metadata': '{"team":"birds"}' },
      })
      expect(answered.status).toBe(200)
      const [span] = await one.until(1)
      expect(one.received[0]!.headers.get('x-key')).toBe('secret')
      expect(span).toMatchObject({ name: 'cf.aig.request', status: {}, dropped: 0 })
      expect(span!.attributes).toMatchObject({
        'gen_ai.operation.name': 'chat',
        'gen_ai.provider.name': 'openai',
        'gen_ai.request.model': 'gpt-5.2',
        'gen_ai.response.model': 'gpt-5.2-2026-09-01',
        'gen_ai.usage.input_tokens': 8,
        'gen_ai.usage.output_tokens': 4,
        'server.address': '127.0.0.1',
        'server.port': Number(new URL(provider.address).port),
        'postern.log.id': answered.headers.get('cf-aig-log-id')!,
        'postern.token': 'tests',
        team: 'birds',
      })
      expect(span!.attributes['gen_ai.response.finish_reasons']).toEqual(['stop'])
      expect(JSON.parse(String(span!.attributes['gen_ai.input.messages']))).toEqual([
        { role: 'user', parts: [{ type: 'text', content: 'Where does the heron stand?' }] },
      ])
      expect(JSON.parse(String(span!.attributes['gen_ai.output.messages']))).toEqual([
        { role: 'assistant', parts: [{ type: 'text', content: 'In the reeds.' }], finish_reason: 'stop' },
      ])
      // The provider's own spans stand below it.
      expect(traceparentAt(provider)).toBe(`00-${span!.traceId}-${span!.spanId}-01`)
    })

  test('a stream is told put together, with the time to its first words, and secrets in it are not told', async () => {
    const one = collecting()
    await started({ otel: [{ url: one.url }] })
    const secret = 'sk-0123456789abcdefghijklmnop'
    const body = ask('openai/gpt-5.2', { stream: true, messages: [{ role: 'user', content: `My key is ${secret}` }] })
    expect((await streamOf(await post(app.address, body))).text).toBe('In the reeds.')
    const [span] = await one.until(1)
    const { attributes } = span!
    expect(attributes).toMatchObject({ 'gen_ai.request.stream': true, 'gen_ai.usage.output_tokens': 4 })
    expect(attributes['gen_ai.response.time_to_first_chunk']).toBeGreaterThan(0)
    expect(JSON.parse(String(attributes['gen_ai.output.messages']))[0].parts).toEqual([
      { type: 'text', content: 'In the reeds.' },
    ])
    expect(JSON.stringify(attributes)).not.toContain(secret)
    expect(String(attributes['gen_ai.prompt_json'])).toContain('[redacted:key]')
  })

  test('a request whose bodies are not collected says nothing of what was said', async () => {
    const one = collecting()
    await started({ otel: [{ url: one.url }] })
    await post(app.address, ask('openai/gpt-5.2'), { headers: { 'cf-aig-collect-log': 'false', traceparent: CLIENT } })
    const [span] = await one.until(1)
    expect(span).toMatchObject({ traceId: TRACE, parentSpanId: PARENT })
    expect(JSON.stringify(span!.attributes)).not.toContain('heron')
    expect(span!.attributes).toMatchObject({ 'gen_ai.usage.input_tokens': 8, 'http.response.status_code': 200 })
  })

  test('the gateway’s own headers say the parent, before traceparent', async () => {
    const one = collecting()
    const provider = await started({ otel: [{ url: one.url }] })
    const other = 'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'
    await post(app.address, ask('openai/gpt-5.2'), {
      headers: {
        'cf-aig-otel-trace-id': other,
        'cf-aig-otel-parent-span-id': 'bbbbbbbbbbbbbbbb',
        traceparent: CLIENT,
        tracestate: 'vendor=1',
      },
    })
    const [span] = await one.until(1)
    expect(span).toMatchObject({ traceId: other, parentSpanId: 'bbbbbbbbbbbbbbbb' })
    expect(traceparentAt(provider)).toBe(`00-${other}-${span!.spanId}-01`)
    // It belongs to the other trace.
    expect(provider.last().headers.get('tracestate')).toBeNull()
  })

  test('each attempt, and each step, has a span of its own, in one trace', async () => {
    const one = collecting()
    let calls = 0
    const provider = await started({ otel: [{ url: one.url }], retry_max_attempts: 2, retry_delay: 1 }, seen =>
      ++calls < 3 ? Response.json({ error: { message: 'busy' } }, { status: 503 }) : answer(seen),
    )
    const step = (model: string) => ({
      provider: 'openai',
      endpoint: 'chat/completions',
      headers: { 'content-type': 'application/json' },
      query: ask(model),
    })
    const answered = await post(app.address, [step('gpt-5.2'), step('gpt-5.1')], {
      path: '/v1/home/default',
      headers: { traceparent: CLIENT, tracestate: 'vendor=1' },
    })
    expect(answered.status).toBe(200)
    const spans = await one.until(3)
    expect(spans.map(({ traceId, parentSpanId }) => [traceId, parentSpanId])).toEqual(Array(3).fill([TRACE, PARENT]))
    expect(new Set(spans.map(({ spanId }) => spanId)).size).toBe(3)
    expect(
      spans.map(({ attributes, status }) => [
        attributes['postern.step'],
        attributes['postern.attempt'],
        status.code ?? 0,
      ]),
    ).toEqual([
      [0, 1, 2],
      [0, 2, 2],
      [1, 1, 0],
    ])
    expect(provider.seen.map(({ headers }) => headers.get('traceparent'))).toEqual(
      spans.map(({ spanId }) => `00-${TRACE}-${spanId}-01`),
    )
    expect(provider.last().headers.get('tracestate')).toBe('vendor=1')
  })

  test('an answer from the cache and a refusal are spans as well', async () => {
    const one = collecting()
    const provider = await started({ otel: [{ url: one.url }], cache_ttl: 300 })
    const headers = { traceparent: CLIENT }
    await post(app.address, ask('openai/gpt-5.2'), { headers })
    await post(app.address, ask('openai/gpt-5.2'), { headers })
    await post(app.address, ask('no-such-provider/m'), { headers })
    const [, cached, refused] = await one.until(3)
    expect(provider.seen).toHaveLength(1)
    expect(cached).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, attributes: { 'postern.cached': true } })
    expect(refused).toMatchObject({ traceId: TRACE, parentSpanId: PARENT, status: { code: 2 } })
  })

  test('a trace that nobody records is carried on and not exported', async () => {
    const one = collecting()
    const provider = await started({ otel: [{ url: one.url }] })
    await post(app.address, ask('openai/gpt-5.2'), { headers: { traceparent: `00-${TRACE}-${PARENT}-00` } })
    await post(app.address, ask('openai/gpt-5.2'))
    const [span] = await one.until(1)
    expect(span!.traceId).not.toBe(TRACE)
    expect(provider.seen[0]!.headers.get('traceparent')).toMatch(new RegExp(`^00-${TRACE}-[0-9a-f]{16}-00$`))
    expect(provider.seen[0]!.headers.get('traceparent')).not.toContain(PARENT)
  })

  test('without receivers the client’s own traceparent goes through, on every surface, and none is made', async () => {
    const provider = await started()
    const headers = { traceparent: CLIENT, tracestate: 'vendor=1' }
    const native = { path: '/v1/home/default/openai/chat/completions' }
    await post(app.address, ask('openai/gpt-5.2'), { headers })
    await post(app.address, ask('gpt-5.2'), { headers, ...native })
    expect(provider.seen.map(({ headers }) => [headers.get('traceparent'), headers.get('tracestate')])).toEqual([
      [CLIENT, 'vendor=1'],
      [CLIENT, 'vendor=1'],
    ])
    await post(app.address, ask('openai/gpt-5.2'))
    await post(app.address, ask('gpt-5.2'), native)
    expect(provider.seen.slice(2).map(({ headers }) => headers.has('traceparent'))).toEqual([false, false])
  })

  test('what a caller has signed stays as it is', async () => {
    const one = collecting()
    const provider = await started({ otel: [{ url: one.url }] })
    const signed =
      'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260101/us-east-1/bedrock/aws4_request, SignedHeaders=host;traceparent, Signature=00'
    const path = '/v1/home/default/aws-bedrock/bedrock-runtime/us-east-1/model/amazon.nova-lite-v1%3A0/converse'
    await post(app.address, {}, { path, headers: { authorization: signed, traceparent: CLIENT } })
    await post(app.address, {}, { path, headers: { authorization: signed } })
    const [, span] = await one.until(2)
    expect(provider.seen.map(({ headers }) => headers.get('traceparent'))).toEqual([
      CLIENT,
      `00-${span!.traceId}-${span!.spanId}-01`,
    ])
  })

  test('a receiver that is declared while running gets what follows, and one that is gone nothing more', async () => {
    const [one, other] = [collecting(), collecting()]
    const provider = await started({ otel: [{ url: one.url }] })
    await post(app.address, ask('openai/gpt-5.2'))
    await one.until(1)
    app.reload({
      providers: { openai: { base_url: provider.address, keys: { default: 'k' } } },
      gateways: { default: { otel: [{ url: other.url }] } },
    })
    await post(app.address, ask('openai/gpt-5.2'))
    await other.until(1)
    expect(one.spans()).toHaveLength(1)
  })

  test('a gateway made through the API has its receivers at once', async () => {
    const one = collecting()
    await started()
    const made = await fetch(`${app.address}/client/v4/accounts/home/ai-gateway/gateways`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify({
        id: 'made',
        cache_invalidate_on_update: false,
        cache_ttl: 0,
        collect_logs: true,
        rate_limiting_interval: 0,
        rate_limiting_limit: 0,
        otel: [{ url: one.url, headers: {} }],
      }),
    })
    expect(made.status).toBe(200)
    await post(app.address, ask('openai/gpt-5.2'), { path: '/v1/home/made/compat/chat/completions' })
    const [span] = await one.until(1)
    expect(span!.attributes['postern.gateway']).toBe('made')
  })

  test('a collector that is down slows nothing, is told of once, and gets what waited when it is back', async () => {
    const { promise: answers, resolve: answerAtLast } = Promise.withResolvers<void>()
    let down = true
    const one = collecting(() => answers.then(() => new Response(null, { status: down ? 503 : 200 })))
    await started({ otel: [{ url: one.url }] })
    const asked = async () => {
      const statuses = await Promise.all(Array.from({ length: 20 }, () => post(app.address, ask('openai/gpt-5.2'))))
      return statuses.every(({ status }) => status === 200)
    }
    const says = async (what: string) => {
      for (let tries = 0; tries < 500 && !app.logged().includes(what); tries++) await Bun.sleep(10)
    }
    expect(await asked()).toBe(true)
    // The first batch is on its way and not answered.
    await Bun.sleep(600)
    expect(await asked()).toBe(true)
    answerAtLast()
    await says('receiver not reached')
    down = false
    await one.until(40)
    const told = app
      .logged()
      .split('\n')
      .filter(line => line.includes('receiver not reached'))
    expect(told).toHaveLength(1)
    expect(told[0]).toContain('it answered 503')
  })
})
