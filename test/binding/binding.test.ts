import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { AiError, AiGatewayInternalError, AiGatewayLogNotFound, createAI, type Fetch } from '../../src/binding/index.ts'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { parseStream, streamOf } from '../support/chat.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'

/** Code written for `env.AI`, against the whole app (contract 1.10). */

const KEY = 'key-of-the-operator-4711'
const MESSAGES = [{ role: 'user', content: 'Where does the heron stand?' }]
const STEP = {
  provider: 'openai',
  endpoint: 'chat/completions',
  headers: {},
  query: { model: 'm', messages: MESSAGES },
}

let provider: StandIn
let app: RunningApp
let answer: (seen: Seen) => Response
/** What the binding sent, beside what arrived at the provider. */
const sent: { url: string; init: RequestInit }[] = []

const spy: Fetch = (url, init) => {
  sent.push({ url, init })
  return fetch(url, init)
}
const ai = (more: { token?: string; account?: string } = {}) =>
  createAI({ url: `${app.address}/`, token: TOKEN, fetch: spy, ...more })
const lastSent = () => {
  const { url, init } = sent.at(-1)!
  return { url, headers: init.headers as Record<string, string>, body: JSON.parse(init.body as string) as unknown }
}

beforeAll(async () => {
  provider = standIn(seen => answer(seen))
  const reach = { base_url: provider.address, keys: { default: KEY } }
  app = await startApp({
    providers: {
      openai: reach,
      anthropic: reach,
      'workers-ai': { ...reach, base_url: `${provider.address}/ai/run` },
      mistral: { ...reach, base_url: 'http://127.0.0.1:1' },
    },
    gateways: { team: {} },
  })
})
beforeEach(() => {
  answer = () => wholeAnswer('openai-chat', 'In the reeds.')
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

describe('gateway(id).run', () => {
  test('a list of steps gives the first success as it came', async () => {
    const steps = [{ ...STEP, provider: 'mistral' }, STEP]
    const response = await ai().gateway('team').run(steps)
    expect(response.headers.get('cf-aig-step')).toBe('1')
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'In the reeds.' } }] })
    expect(lastSent()).toMatchObject({ url: `${app.address}/v1/home/team`, body: steps })
    expect(provider.last().headers.get('authorization')).toBe(`Bearer ${KEY}`)
  })

  test('a single step is a list of one', async () => {
    expect((await ai().gateway('default').run(STEP)).status).toBe(200)
    expect(lastSent().body).toEqual([STEP])
  })

  test('headers of a step become text, and the step that was given stays as it was', async () => {
    const step = {
      ...STEP,
      headers: {
        'x-number': 7,
        'x-truth': true,
        'cf-aig-metadata': { team: 'herons', big: 9007199254740993n },
        'x-none': null,
      },
    }
    await ai().gateway('default').run(step)
    expect(lastSent().body).toMatchObject([
      {
        headers: {
          'x-number': '7',
          'x-truth': 'true',
          'cf-aig-metadata': '{"team":"herons","big":"9007199254740993"}',
        },
      },
    ])
    expect(JSON.stringify(lastSent().body)).not.toContain('x-none')
    expect(step.headers['x-number']).toBe(7)
    expect(provider.last().headers.get('x-number')).toBe('7')
    await ai()
      .gateway('default')
      .run({ ...STEP, headers: new Headers({ 'X-Own': 'kept' }) })
    expect(provider.last().headers.get('x-own')).toBe('kept')
  })

  test('options become headers of the request', async () => {
    await ai()
      .gateway('default')
      .run(STEP, {
        gateway: {
          skipCache: false,
          cacheTtl: 0,
          cacheKey: 'k',
          metadata: { who: 'me' },
          collectLog: true,
          eventId: 'e-1',
          requestTimeoutMs: 5_000,
          retries: { maxAttempts: 3, retryDelayMs: 250, backoff: 'linear' },
        },
        extraHeaders: { 'CF-AIG-Custom-Cost': '{"total_cost":1}', 'CF-AIG-Authorization': 'not the token' },
      })
    expect(lastSent().headers).toEqual({
      'content-type': 'application/json',
      'cf-aig-authorization': `Bearer ${TOKEN}`,
      'cf-aig-skip-cache': 'false',
      'cf-aig-cache-ttl': '0',
      'cf-aig-cache-key': 'k',
      'cf-aig-metadata': '{"who":"me"}',
      'cf-aig-collect-log': 'true',
      'cf-aig-event-id': 'e-1',
      'cf-aig-request-timeout': '5000',
      'cf-aig-max-attempts': '3',
      'cf-aig-retry-delay': '250',
      'cf-aig-backoff': 'linear',
      'cf-aig-custom-cost': '{"total_cost":1}',
    })
  })

  test('failures are answers, not thrown', async () => {
    const wrong = await ai({ token: 'wrong' }).gateway('default').run(STEP)
    expect(wrong.status).toBe(401)
    expect(await wrong.json()).toMatchObject({ success: false, error: [{ code: 2009 }] })
    const nowhere = await ai().gateway('nowhere').run(STEP)
    expect(nowhere.status).toBe(400)
    expect(await nowhere.json()).toMatchObject({ success: false, error: [{ code: 2001 }] })
  })

  test('a signal ends it', async () => {
    const control = new AbortController()
    control.abort()
    await expect(ai().gateway('default').run(STEP, { signal: control.signal })).rejects.toThrow(/abort/i)
  })
})

/** What `ai-gateway-provider` does with its `binding` (contract 14.2): options in each entry's headers, nothing beside. */
async function throughProvider(
  binding: { run(data: unknown[], options?: { signal?: AbortSignal }): Promise<Response> },
  models: { provider: string; endpoint: string; query: unknown }[],
) {
  const entries = models.map(model => ({
    ...model,
    headers: { 'content-type': 'application/json', 'cf-aig-cache-ttl': '60', 'cf-aig-metadata': '{"team":"herons"}' },
  }))
  const response = await binding.run(entries, { signal: new AbortController().signal })
  return { response, model: models[Number(response.headers.get('cf-aig-step') ?? 0)]! }
}

describe('as the binding of ai-gateway-provider', () => {
  test('two models, of which the second answers in its own format', async () => {
    answer = ({ path }) =>
      path === '/v1/messages'
        ? wholeAnswer('anthropic-messages', 'In the reeds.')
        : Response.json({ error: { message: 'overloaded' } }, { status: 503 })
    const { response, model } = await throughProvider(ai().gateway('default') as never, [
      { provider: 'openai', endpoint: 'v1/chat/completions', query: STEP.query },
      { provider: 'anthropic', endpoint: 'v1/messages', query: { model: 'c', max_tokens: 9, messages: MESSAGES } },
    ])
    expect(model.provider).toBe('anthropic')
    expect(await response.json()).toMatchObject({ content: [{ text: 'In the reeds.' }] })
    expect([...provider.last().headers.keys()].filter(name => name.startsWith('cf-'))).toEqual([])
  })

  test('a stream', async () => {
    answer = () => streamedAnswer('openai-chat', 'In the reeds.')
    const { response } = await throughProvider(ai().gateway('default') as never, [
      { provider: 'openai', endpoint: 'v1/chat/completions', query: { ...STEP.query, stream: true } },
    ])
    expect(await streamOf(response)).toMatchObject({ text: 'In the reeds.', done: true })
  })
})

describe('run', () => {
  test('gives what is inside the envelope', async () => {
    const result = await ai().run<{ choices: unknown[] }>('openai/gpt-heron', { messages: MESSAGES })
    expect(result).toMatchObject({ choices: [{ message: { content: 'In the reeds.' } }] })
    expect(result).not.toHaveProperty('success')
    expect(lastSent()).toMatchObject({
      url: `${app.address}/client/v4/accounts/home/ai/run`,
      headers: { authorization: `Bearer ${TOKEN}` },
      body: { model: 'openai/gpt-heron', input: { messages: MESSAGES } },
    })
  })

  test('a model that Cloudflare hosts', async () => {
    answer = () => wholeAnswer('workers-ai', 'In the reeds.')
    const result = await ai().run('@cf/meta/llama-heron', { prompt: 'Where?' })
    expect(result).toMatchObject({ response: 'In the reeds.' })
    expect(provider.last()).toMatchObject({ path: '/ai/run/@cf/meta/llama-heron', body: { prompt: 'Where?' } })
  })

  test('a stream is its bytes', async () => {
    answer = () => streamedAnswer('openai-chat', 'In the reeds.')
    const stream = await ai().run<ReadableStream>('openai/gpt-heron', { messages: MESSAGES, stream: true })
    expect(stream).toBeInstanceOf(ReadableStream)
    expect(parseStream(await new Response(stream).text())).toMatchObject({ text: 'In the reeds.', done: true })
  })

  test('what is no JSON is its bytes', async () => {
    answer = () => new Response(Uint8Array.of(7, 255), { headers: { 'content-type': 'image/png' } })
    const stream = await ai().run<ReadableStream>('@cf/paint/heron', { prompt: 'a heron' })
    expect(await new Response(stream).bytes()).toEqual(Uint8Array.of(7, 255))
  })

  test('returnRawResponse: the answer, without the envelope', async () => {
    answer = () => Response.json({ choices: [{ message: { content: 'x' } }] }, { headers: { 'x-request-id': 'r-1' } })
    const response = await ai().run('openai/gpt-heron', { messages: MESSAGES }, { returnRawResponse: true })
    expect(response.headers.get('x-request-id')).toBe('r-1')
    expect(await response.json()).toEqual({ choices: [{ message: { content: 'x' } }] })
    answer = () => Response.json({ error: { message: 'too many' } }, { status: 429 })
    const refused = await ai().run('openai/gpt-heron', { messages: MESSAGES }, { returnRawResponse: true })
    expect(refused.status).toBe(429)
    expect(await refused.json()).toMatchObject({ errors: [{ message: 'too many' }] })
  })

  test('options become headers, the gateway among them', async () => {
    const before = app.requests().length
    await ai().run(
      'openai/gpt-heron',
      { messages: MESSAGES },
      { gateway: { id: 'team', skipCache: true, metadata: { big: 1n } }, extraHeaders: { 'cf-aig-zdr': 'true' } },
    )
    expect(lastSent().headers).toEqual({
      'content-type': 'application/json',
      authorization: `Bearer ${TOKEN}`,
      'cf-aig-gateway-id': 'team',
      'cf-aig-skip-cache': 'true',
      'cf-aig-metadata': '{"big":"1"}',
      'cf-aig-zdr': 'true',
    })
    await app.record(before + 1)
    // A line whose tokens are counted comes later than one whose provider has told them.
    await Bun.sleep(50)
    expect(app.requests().slice(before)).toContainEqual(expect.objectContaining({ gateway: 'team' }))
  })

  test.each([
    ['a wrong token', { token: 'wrong' }, 'openai/m', /^10000: Authentication error/, 401],
    ['another account', { account: 'elsewhere' }, 'openai/m', /^10000: /, 401],
    ['an unknown author', {}, 'heronry/m', /^7003: .*heronry/, 404],
    ['a provider that is not there', {}, 'mistral/m', /^2005: /, 502],
  ])('%s is thrown as code and text', async (_, how, model, message, status) => {
    const thrown = await ai(how)
      .run(model, { messages: MESSAGES })
      .catch((fault: unknown) => fault)
    expect(thrown).toBeInstanceOf(AiError)
    expect(thrown).toMatchObject({ status, message: expect.stringMatching(message) })
    expect(String(thrown)).not.toContain(TOKEN)
  })

  test('websocket is refused clearly', async () => {
    await expect(ai().run('openai/m', {}, { websocket: true } as never)).rejects.toThrow(/^websocket: /)
  })
})

describe('addresses and records', () => {
  test('getUrl has no slash at its end', async () => {
    const gateway = ai({ account: 'my acc' }).gateway('team')
    expect(await gateway.getUrl()).toBe(`${app.address}/v1/my%20acc/team`)
    expect(await gateway.getUrl('universal')).toBe(`${app.address}/v1/my%20acc/team`)
    expect(await gateway.getUrl('openai')).toBe(`${app.address}/v1/my%20acc/team/openai`)
  })

  test('an address of getUrl works as a base address', async () => {
    const base = await ai().gateway('default').getUrl('openai')
    const response = await fetch(`${base}/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
      body: JSON.stringify(STEP.query),
    })
    expect(response.status).toBe(200)
  })

  /** The id of the log of a run through the gateway `team`. */
  const logged = async () => {
    const bound = ai()
    const metadata = { team: 'search', user: 7, big: 2n }
    await bound.run('openai/gpt-heron', { messages: MESSAGES }, { gateway: { id: 'team', metadata } })
    return bound.aiGatewayLogId!
  }
  const team = () => ai().gateway('team')

  test('getLog gives dates and metadata as objects, at once after the run', async () => {
    const before = Date.now()
    const id = await logged()
    const log = await team().getLog(id)
    expect(log).toMatchObject({
      id,
      provider: 'openai',
      model: 'gpt-heron',
      success: true,
      cached: false,
      tokens_in: 11,
      tokens_out: 7,
      status_code: 200,
      metadata: { team: 'search', user: 7, big: '2' },
      response_head_complete: true,
    })
    expect(JSON.parse(log.request_head as string)).toMatchObject({ input: { messages: MESSAGES } })
    expect(log.response_head).toContain('In the reeds.')
    expect(log.created_at).toBeInstanceOf(Date)
    expect(log.created_at.getTime()).toBeGreaterThanOrEqual(before - 5)
  })

  test('patchLog changes what is said, and nothing else', async () => {
    const id = await logged()
    expect(await team().patchLog(id, { feedback: -1, score: 40 })).toBeUndefined()
    expect(await team().getLog(id)).toMatchObject({ feedback: -1, score: 40, metadata: { team: 'search' } })
    await team().patchLog(id, { feedback: null, metadata: { big: 3n } })
    expect(lastSent().body).toEqual({ feedback: null, metadata: { big: '3' } })
    expect(await team().getLog(id)).toMatchObject({ feedback: null, score: 40, metadata: { big: '3' } })
    await expect(team().patchLog(id, { score: 101 })).rejects.toThrow(/^7001: score/)
  })

  test('a log that is missing, one of another gateway, and other failures', async () => {
    const id = await logged()
    for (const call of [
      () => team().getLog('l/1'),
      () => team().getLog(Bun.randomUUIDv7('hex', 1)),
      () => ai().gateway('default').getLog('none'),
      () => team().patchLog('none', { score: 1 }),
    ])
      await expect(call()).rejects.toBeInstanceOf(AiGatewayLogNotFound)
    await expect(ai({ token: 'wrong' }).gateway('team').getLog(id)).rejects.toThrow(/^10000: /)
  })

  test('a server without records is told apart from a log that is missing', async () => {
    const said: Fetch = async () =>
      Response.json({ error: { message: 'nothing there', code: 'not_found' } }, { status: 404 })
    const { getLog, patchLog } = createAI({ url: 'http://postern.test', token: TOKEN, fetch: said }).gateway('team')
    for (const call of [getLog('x'), patchLog('x', { score: 1 })]) {
      const thrown = await call.catch((fault: unknown) => fault)
      expect(thrown).toBeInstanceOf(AiGatewayInternalError)
      expect(String(thrown)).toContain('no management address')
    }
  })

  test('aiGatewayLogId is that of the last run', async () => {
    let id: string | undefined = 'log-1'
    const said: Fetch = async () =>
      Response.json({ success: true, result: {} }, { headers: id ? { 'cf-aig-log-id': id } : {} })
    const ai = createAI({ url: 'http://postern.test', token: TOKEN, fetch: said })
    expect(ai.aiGatewayLogId).toBeNull()
    await ai.run('openai/m', {}, { gateway: { id: 'team' } })
    expect(ai.aiGatewayLogId).toBe('log-1')
    id = undefined
    await ai.run('openai/m', {})
    expect(ai.aiGatewayLogId).toBeNull()
  })
})

test('it is exported from the package and needs no other module', async () => {
  const pkg = (await import('../../package.json')) as unknown as { exports: Record<string, string> }
  const entry = new URL(`../../${pkg.exports['./binding']}`, import.meta.url).pathname
  const built = await Bun.build({ entrypoints: [entry], target: 'browser', packages: 'external' })
  const text = await built.outputs[0]!.text()
  expect(text).not.toMatch(/\bimport\b.*from|\brequire\(|\bBun\.|\bprocess\.|\bBuffer\b|node:/)
  expect(text).toContain('createAI')
})
