import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'

/** Dynamic routes (contract section 7), from the file. */

let provider: StandIn
let app: RunningApp
/** What the provider says to a model by its name. */
let says: Record<string, (seen: Seen) => Response | Promise<Response>> = {}

const to = (elementId: string) => ({ elementId })
const model = (id: string, provider: string, name: string, fallback: string, more: object = {}) => ({
  id,
  type: 'model',
  properties: { provider, model: name, timeout: 0, retries: 1, ...more },
  outputs: { success: to('end'), fallback: to(fallback) },
})
const START = (next: string) => ({ id: 'start', type: 'start', outputs: { next: to(next) } })
const END = { id: 'end', type: 'end', outputs: {} }
const rate = (properties: object, fallback: string) => ({
  id: 'rate',
  type: 'rate',
  properties: { key: 'metadata.user', window: 3600, ...properties },
  outputs: { success: to('one'), fallback: to(fallback) },
})

const routes = {
  support: {
    elements: [
      START('plan'),
      {
        id: 'plan',
        type: 'conditional',
        properties: { conditions: { 'metadata.plan': { $eq: 'paid' } } },
        outputs: { true: to('big'), false: to('small') },
      },
      model('big', 'anthropic', 'claude-big', 'small'),
      model('small', 'openai', 'gpt-small', 'own'),
      model('own', 'custom-lan', 'llama', 'end'),
      END,
    ],
  },
  rated: {
    elements: [
      START('rate'),
      rate({ limitType: 'count', limit: 2 }, 'two'),
      model('one', 'openai', 'one', 'end'),
      model('two', 'openai', 'two', 'end'),
      END,
    ],
  },
  paid: {
    elements: [
      START('rate'),
      rate({ limitType: 'cost', limit: 0.002 }, 'end'),
      model('one', 'openai', 'priced', 'end'),
      END,
    ],
  },
  split: {
    elements: [
      START('p'),
      {
        id: 'p',
        type: 'percentage',
        properties: { sticky: 'metadata.user' },
        outputs: { '50%': to('one'), '50.0%': to('two') },
      },
      model('one', 'openai', 'one', 'end'),
      model('two', 'openai', 'two', 'end'),
      END,
    ],
  },
  slow: {
    elements: [
      START('one'),
      model('one', 'openai', 'slow', 'two', { timeout: 60 }),
      model('two', 'openai', 'two', 'end'),
      END,
    ],
  },
  again: { elements: [START('one'), model('one', 'openai', 'flaky', 'end', { retries: 3 }), END] },
}

beforeAll(async () => {
  provider = standIn(seen => (says[String(seen.body.model)] ?? usual)(seen))
  const reach = { base_url: provider.address, keys: { default: 'the-key' } }
  app = await startApp({
    providers: { openai: reach, anthropic: reach },
    custom_providers: { lan: { base_url: provider.address } },
    prices: { 'openai/priced': { input: 10, output: 10 } },
    gateways: { default: { routes, retry_delay: 1 }, other: {} },
  } as Parameters<typeof startApp>[0])
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})
beforeEach(() => {
  says = {}
})

const usual = ({ body, path }: Seen) => {
  const dialect = path.includes('messages') ? 'anthropic-messages' : 'openai-chat'
  return (body.stream ? streamedAnswer : wholeAnswer)(dialect, `From ${String(body.model)}.`)
}
const fails = (status: number) => () => Response.json({ error: { message: `it was ${status}`, type: 'x' } }, { status })

interface Way {
  metadata?: object
  gateway?: string
  body?: object
}

async function ask(route: string, { metadata, gateway = 'default', body }: Way = {}) {
  const before = provider.seen.length
  const lines = app.requests().length
  const response = await fetch(`${app.address}/v1/home/${gateway}/compat/chat/completions`, {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      ...(metadata && { 'cf-aig-metadata': JSON.stringify(metadata) }),
    },
    body: JSON.stringify({ model: `dynamic/${route}`, messages: [{ role: 'user', content: 'Hi' }], ...body }),
  })
  const text = await response.text()
  return {
    status: response.status,
    who: `${response.headers.get('cf-aig-provider')}/${response.headers.get('cf-aig-model')}`,
    step: response.headers.get('cf-aig-step'),
    headers: response.headers,
    text,
    asked: provider.seen.slice(before).map(({ body }) => body.model),
    lines: () => app.requests().slice(lines),
  }
}

describe('a route', () => {
  test('follows what the request says', async () => {
    expect(await ask('support')).toMatchObject({
      status: 200,
      who: 'openai/gpt-small',
      step: '0',
      asked: ['gpt-small'],
    })
    const paid = await ask('support', { metadata: { plan: 'paid' } })
    expect(paid).toMatchObject({ status: 200, who: 'anthropic/claude-big', step: '0' })
    expect(JSON.parse(paid.text)).toMatchObject({ object: 'chat.completion' })
    expect(paid.text).toContain('From claude-big.')
  })

  test('streams', async () => {
    const { status, text, who } = await ask('support', { body: { stream: true } })
    expect([status, who]).toEqual([200, 'openai/gpt-small'])
    expect(text).toContain('data: [DONE]')
  })

  test.each([500, 429, 401, 400])('falls back when a model says %d, to a server of one’s own too', async status => {
    says = { 'claude-big': fails(status), 'gpt-small': fails(status) }
    const { who, step, asked, lines, headers } = await ask('support', { metadata: { plan: 'paid' } })
    expect([who, step, asked]).toEqual(['custom-lan/llama', '2', ['claude-big', 'gpt-small', 'llama']])
    expect(lines().map(({ step, status }) => [step, status])).toEqual([
      [0, status],
      [1, status],
      [2, 200],
    ])
    expect(new Set(lines().map(({ id }) => id)).size).toBe(3)
    expect(lines()[2]!.id).toBe(headers.get('cf-aig-log-id')!)
  })

  test('falls back when a stream fails before its first word', async () => {
    const data = 'data: {"error":{"message":"overloaded","type":"overloaded_error","code":503}}\n\n'
    says = { 'gpt-small': () => new Response(data, { headers: { 'content-type': 'text/event-stream' } }) }
    expect(await ask('support', { body: { stream: true } })).toMatchObject({ status: 200, who: 'custom-lan/llama' })
  })

  test('says the last error when none answers', async () => {
    says = { 'gpt-small': fails(500), llama: fails(503) }
    const { status, text, who, step } = await ask('support')
    expect([status, who, step]).toEqual([503, 'custom-lan/llama', '1'])
    expect(JSON.parse(text)).toMatchObject({ error: { message: 'it was 503' } })
  })

  test('a model has its own time and its own tries', async () => {
    says = {
      slow: async seen => {
        await Bun.sleep(300)
        return usual(seen)
      },
    }
    expect(await ask('slow')).toMatchObject({ who: 'openai/two', step: '1' })
    let count = 0
    says = { flaky: seen => (++count < 3 ? fails(503)() : usual(seen)) }
    expect(await ask('again')).toMatchObject({ status: 200, asked: ['flaky', 'flaky', 'flaky'] })
  })

  test('counts requests by a key', async () => {
    const who = []
    for (const user of ['anna', 'anna', 'anna', 'bert']) who.push((await ask('rated', { metadata: { user } })).who)
    expect(who).toEqual(['openai/one', 'openai/one', 'openai/two', 'openai/one'])
  })

  test('counts money by a key', async () => {
    const anna = { metadata: { user: 'anna' } }
    let served = 0
    for (; served < 200 && (await ask('paid', anna)).status === 200; served++);
    expect(served).toBeWithin(1, 100)
    const over = await ask('paid', anna)
    expect(over.status).toBe(429)
    expect(over.text).toContain('$0.002')
    expect((await ask('paid', { metadata: { user: 'bert' } })).status).toBe(200)
  })

  test('keeps a user to one branch', async () => {
    for (const user of ['anna', 'bert', 'carl', 'dora']) {
      const first = (await ask('split', { metadata: { user } })).who
      for (let count = 0; count < 3; count++) expect((await ask('split', { metadata: { user } })).who).toBe(first)
    }
  })

  test('is called on the REST plane and in a list too', async () => {
    const query = { model: 'dynamic/support', messages: [{ role: 'user', content: 'Hi' }] }
    const post = (path: string, body: unknown) =>
      fetch(`${app.address}${path}`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify(body),
      })
    const rest = await post('/client/v4/accounts/home/ai/v1/chat/completions', query)
    expect([rest.status, rest.headers.get('cf-aig-model')]).toEqual([200, 'gpt-small'])
    const run = await post('/client/v4/accounts/home/ai/run', {
      model: query.model,
      input: { messages: query.messages },
    })
    expect([run.status, run.headers.get('cf-aig-model')]).toEqual([200, 'gpt-small'])
    const list = await post('/v1/home/default', [{ provider: 'compat', endpoint: 'chat/completions', query }])
    expect([list.status, list.headers.get('cf-aig-model'), list.headers.get('cf-aig-step')]).toEqual([
      200,
      'gpt-small',
      '0',
    ])
  })

  test('is of its own gateway', async () => {
    expect(await ask('support', { gateway: 'other' })).toMatchObject({ status: 404, asked: [] })
    const none = await ask('nowhere')
    expect([none.status, JSON.parse(none.text)]).toMatchObject([
      404,
      { error: { code: 'route_not_found', param: 'model' } },
    ])
  })
})
