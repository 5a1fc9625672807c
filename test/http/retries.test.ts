import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { pauseBefore } from '../../src/gateway/retry.ts'
import { wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'

/** Asking again (contract 6.1). */

type Given = (seen: Seen) => Response | Promise<Response>

let provider: StandIn
let app: RunningApp
/** What the provider says to one request after another; well when there is nothing left. */
let answers: Given[] = []

beforeAll(async () => {
  provider = standIn(seen => (answers.shift() ?? (() => wholeAnswer('openai-chat', 'Yes.')))(seen))
  app = await startApp({
    providers: {
      openai: { base_url: provider.address, keys: { default: 'the-key' } },
      groq: { base_url: 'http://127.0.0.1:1', keys: { default: 'the-key' } },
      anthropic: { base_url: provider.address, keys: { default: 'the-key' } },
    },
    gateways: { patient: { retry_max_attempts: 3, retry_delay: 1, retry_backoff: 'constant' } },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})
beforeEach(() => {
  answers = []
})

const CHAT = { model: 'openai/gpt-5-mini', messages: [{ role: 'user', content: 'Hi' }] }
const TWICE = { 'cf-aig-max-attempts': '2', 'cf-aig-retry-delay': '1' }

interface Way {
  gateway?: string
  path?: string
  body?: unknown
}

async function asked(headers: Record<string, string>, way: Way = {}, signal?: AbortSignal) {
  const { gateway = 'default', path = '/compat/chat/completions', body = CHAT } = way
  const before = provider.seen.length
  const lines = app.requests().length
  const response = await fetch(`${app.address}/v1/home/${gateway}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
    ...(signal && { signal }),
  })
  const text = await response.text()
  return {
    status: response.status,
    headers: response.headers,
    text,
    seen: provider.seen.slice(before),
    lines: () => app.requests().slice(lines),
  }
}

const says =
  (status: number, headers: Record<string, string> = {}): Given =>
  () =>
    Response.json({ error: { message: `it was ${status}`, type: 'x', code: null } }, { status, headers })

const native: Way = { path: '/openai/chat/completions', body: { ...CHAT, model: 'gpt-5-mini' } }
const step = { provider: 'openai', endpoint: 'chat/completions', query: CHAT }

describe('who is asked again', () => {
  test.each([408, 409, 429, 500, 502, 503, 529])('%d', async status => {
    for (const way of [{}, native]) {
      answers = [says(status)]
      expect(await asked(TWICE, way)).toMatchObject({ status: 200, seen: { length: 2 } })
    }
  })

  test.each([400, 401, 403, 404, 413, 422])('never %d', async status => {
    for (const way of [{}, native]) {
      answers = [says(status)]
      expect(await asked(TWICE, way)).toMatchObject({ status, seen: { length: 1 } })
    }
  })

  test('the provider’s own word goes before its status', async () => {
    answers = [says(500, { 'x-should-retry': 'false' })]
    expect(await asked(TWICE)).toMatchObject({ status: 500, seen: { length: 1 } })
    answers = [says(400, { 'x-should-retry': 'true' })]
    expect(await asked(TWICE)).toMatchObject({ status: 200, seen: { length: 2 } })
  })

  test('without a word of the request or the gateway nobody', async () => {
    answers = [says(503)]
    expect(await asked({})).toMatchObject({ status: 503, seen: { length: 1 } })
  })

  test('as the gateway says, and no more than that', async () => {
    answers = [says(503), says(503), says(429), says(500)]
    expect(await asked({}, { gateway: 'patient' })).toMatchObject({ status: 429, seen: { length: 3 } })
  })

  test('a request goes before the gateway, and a step before its list', async () => {
    answers = [says(503)]
    expect(await asked({ 'cf-aig-max-attempts': '1' }, { gateway: 'patient' })).toMatchObject({ status: 503 })
    answers = [says(503), says(503), says(503)]
    const list = await asked(TWICE, { path: '', body: [{ ...step, config: { maxAttempts: 4, retryDelay: 1 } }] })
    expect(list).toMatchObject({ status: 200, seen: { length: 4 } })
  })

  test('a failure within a stream before its first word', async () => {
    const overloaded = 'event: error\ndata: {"type":"error","error":{"type":"overloaded_error","message":"busy"}}\n\n'
    answers = [
      () => new Response(overloaded, { headers: { 'content-type': 'text/event-stream' } }),
      () => wholeAnswer('anthropic-messages', 'Yes.'),
    ]
    const body = { ...CHAT, model: 'anthropic/claude-sonnet-4-5', stream: true }
    const { status, seen } = await asked(TWICE, { body })
    expect([status, seen.length]).toEqual([200, 2])
  })

  test('each time with the same body, and a fresh connection’s failure counts too', async () => {
    answers = [says(500), says(500)]
    const { seen } = await asked({ 'cf-aig-max-attempts': '3', 'cf-aig-retry-delay': '0' })
    expect(new Set(seen.map(({ text }) => text)).size).toBe(1)
    const unreachable = await asked(TWICE, { body: { ...CHAT, model: 'groq/x' } })
    expect(unreachable.status).toBe(502)
    expect(unreachable.lines()).toHaveLength(2)
  })
})

describe('what is told', () => {
  test('a line and an id for each attempt, one id of the request, and the answer’s own id', async () => {
    answers = [says(503)]
    const { headers, lines } = await asked({ ...TWICE, 'cf-aig-event-id': 'e' })
    const [first, second] = lines()
    expect([first?.status, second?.status]).toEqual([503, 200])
    expect([first?.event, second?.event]).toEqual(['e', 'e'])
    expect(first?.id).not.toBe(second?.id)
    expect(headers.get('cf-aig-log-id')).toBe(second?.id as string)
  })

  test('the last answer is the provider’s own', async () => {
    answers = [says(500), says(529, { 'x-request-id': 'r-7' })]
    const { status, headers, text } = await asked(TWICE, native)
    expect([status, headers.get('x-request-id'), JSON.parse(text)]).toMatchObject([
      529,
      'r-7',
      { error: { message: 'it was 529' } },
    ])
  })

  test('a list whose steps all fail has a line for each attempt and none for itself', async () => {
    const { status, lines } = await asked(TWICE, {
      path: '',
      body: [{ ...step, provider: 'groq', query: { model: 'x' } }],
    })
    expect([status, lines().length]).toEqual([400, 2])
  })
})

describe('pauses', () => {
  test('grow as asked, with up to a quarter on top', () => {
    const pauses = (backoff: 'constant' | 'linear' | 'exponential', random: number) =>
      [1, 2, 3, 4].map(number => pauseBefore(number, { attempts: 5, delay: 100, backoff }, 0, () => random))
    expect(pauses('constant', 0)).toEqual([100, 100, 100, 100])
    expect(pauses('linear', 0)).toEqual([100, 200, 300, 400])
    expect(pauses('exponential', 0)).toEqual([100, 200, 400, 800])
    expect(pauses('exponential', 1)).toEqual([125, 250, 500, 1_000])
  })

  test('are at least what the provider asks for, and one of minutes is not waited for', async () => {
    answers = [says(429, { 'retry-after-ms': '60' })]
    const started = performance.now()
    expect((await asked(TWICE)).status).toBe(200)
    expect(performance.now() - started).toBeGreaterThan(55)
    answers = [says(429, { 'retry-after': '3600' })]
    const long = await asked(TWICE)
    expect([long.status, long.seen.length, long.headers.get('retry-after')]).toEqual([429, 1, '3600'])
  })

  test('a client that leaves in one is not asked for again', async () => {
    answers = [says(503)]
    const leaving = new AbortController()
    const before = provider.seen.length
    const call = asked({ 'cf-aig-max-attempts': '2', 'cf-aig-retry-delay': '5000' }, {}, leaving.signal).catch(() => {})
    await provider.until(before + 1)
    await Bun.sleep(30)
    leaving.abort()
    await call
    await Bun.sleep(50)
    expect(provider.seen).toHaveLength(before + 1)
  })
})

describe('time to the first byte', () => {
  const late: Given = async () => {
    await Bun.sleep(150)
    return wholeAnswer('openai-chat', 'Late.')
  }

  test('running out is a failure that is asked again', async () => {
    answers = [late]
    const { status, seen, text } = await asked({ ...TWICE, 'cf-aig-request-timeout': '40' })
    expect([status, seen.length, text.includes('Yes.')]).toEqual([200, 2, true])
  })

  test('the last attempt waits as long as it takes, unless somebody else can be asked', async () => {
    answers = [late, late]
    const patient = await asked({ ...TWICE, 'cf-aig-request-timeout': '20' })
    expect([patient.status, patient.text.includes('Late.')]).toEqual([200, true])
    answers = [late, late]
    const list = await asked({ ...TWICE, 'cf-aig-request-timeout': '20' }, { path: '', body: [step, step] })
    expect([list.status, list.headers.get('cf-aig-step'), list.text.includes('Yes.')]).toEqual([200, '1', true])
  })
})
