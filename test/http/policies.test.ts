import { afterEach, describe, expect, test } from 'bun:test'
import type { File } from '../../src/config/schema.ts'
import type { FilePolicy } from '../../src/schemas/policy.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { askForSocket, framesOf, openSocket } from '../support/socket-client.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** Policies of a gateway on the way of a request (contract 5.3 and 2.5). */

const LAPTOP = 'a-token-of-the-laptop'
const PHONE = 'a-token-of-the-phone'

let provider: StandIn | undefined
let app: RunningApp | undefined
afterEach(async () => {
  await app?.stop()
  provider?.stop()
  provider = app = undefined
})

/** Each answer took 100 tokens in and 50 out: $0.0006. */
const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
const COST = 0.0006

const file = (policies: FilePolicy[], more: File = {}): File => {
  const base_url = provider!.address
  return {
    tokens: [
      {
        name: 'laptop',
        token: LAPTOP,
        permissions: ['run', 'read', 'edit'],
        groups: ['research'],
        claims: { level: 3 },
      },
      { name: 'phone', token: PHONE },
    ],
    providers: Object.fromEntries(
      ['openai', 'groq', 'google-ai-studio'].map(slug => [slug, { base_url, keys: { default: 'k' } }]),
    ),
    prices: { 'openai/m': { input: 1, output: 10 }, 'groq/m': { input: 1, output: 10 } },
    gateways: { default: { policies }, other: {}, open: { authentication: false, policies } },
    ...more,
  }
}

async function started(policies: FilePolicy[], more?: File): Promise<void> {
  provider = standIn(({ body }) => {
    const choices = [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }]
    return Response.json({ id: 'c', object: 'chat.completion', created: 1, model: body.model, choices, usage })
  })
  app = await startApp(file(policies, more))
}

interface Way {
  token?: string | undefined
  gateway?: string
  path?: string
  body?: unknown
  headers?: Record<string, string>
  address?: string
}

const CHAT = { model: 'openai/m', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }
const chat = (model: string) => ({ ...CHAT, model })

function ask(way: Way = {}) {
  const { gateway = 'default', path = '/compat/chat/completions', body = CHAT, headers } = way
  const token = 'token' in way ? way.token : LAPTOP
  return fetch(app!.address + (way.address ?? `/v1/home/${gateway}${path}`), {
    method: 'POST',
    headers: {
      ...(token !== undefined && { 'cf-aig-authorization': `Bearer ${token}` }),
      'content-type': 'application/json',
      ...headers,
    },
    body: typeof body === 'string' || body instanceof FormData ? body : JSON.stringify(body),
  })
}

async function status(way?: Way): Promise<number> {
  const response = await ask(way)
  await response.arrayBuffer()
  return response.status
}

const noLimit = { type: 'no-limit' } as const
const block = { type: 'block' } as const
const limit = (amount: number) => ({ type: 'limit', amount, period: 'monthly', technique: 'named-interval' }) as const
const DENIED = { success: false, error: { message: 'Access denied by policy' } }

describe('who may', () => {
  test('the first policy turns on the default to deny, on its own gateway', async () => {
    await started([{ resource: { model: 'openai/m' }, action: noLimit }])
    expect([await status(), await status({ body: chat('groq/m') })]).toEqual([200, 403])
    expect(await status({ gateway: 'other', body: chat('groq/m') })).toBe(200)
    expect(provider!.seen).toHaveLength(2)
    expect(await app!.record(2)).toMatchObject({ status: 403, error: 'policy_denied', provider: 'groq' })
  })

  test('one that is off is none', async () => {
    await started([{ action: block, enabled: false }])
    expect(await status()).toBe(200)
  })

  test('a block wins, whatever its place; the log says which', async () => {
    await started([{ action: noLimit }, { id: 'no-m', resource: { model: '*/m' }, action: block }, { action: noLimit }])
    expect([await status(), await status({ body: chat('openai/other') })]).toEqual([403, 200])
    expect(app!.logged()).toContain('"policy":"no-m","msg":"denied by policy"')
  })

  test('groups, claims and the name of a token', async () => {
    const only = async (condition: string) => {
      await started([{ condition, action: noLimit }])
      const both = [await status(), await status({ token: PHONE })]
      await app!.stop()
      provider!.stop()
      return both
    }
    expect(await only('"research" in cf.user.groups')).toEqual([200, 403])
    expect(await only('cf.custom.level == 3.0')).toEqual([200, 403])
    expect(await only('cf.user.id == "phone"')).toEqual([403, 200])
    app = undefined
  })

  test('of a caller without a token nothing is known but the metadata', async () => {
    await started([
      { condition: 'metadata.team == "a"', action: noLimit },
      { condition: 'cf.user.id == "laptop"', action: noLimit },
    ])
    const open = { gateway: 'open', token: undefined, headers: { authorization: 'Bearer sk-mine' } }
    expect(await status(open)).toBe(403)
    expect(await status({ ...open, headers: { ...open.headers, 'cf-aig-metadata': '{"team":"a"}' } })).toBe(200)
    expect(await status({ gateway: 'open' })).toBe(200)
  })

  test('conditions on metadata; a block that asks for what is missing blocks', async () => {
    await started([{ action: noLimit }, { condition: 'metadata.env == "test"', action: block }])
    const said = (metadata: object) => ({ headers: { 'cf-aig-metadata': JSON.stringify(metadata) } })
    expect([await status(said({ env: 'live' })), await status(said({ env: 'test' })), await status()]).toEqual([
      200, 403, 403,
    ])
  })

  test('one that cannot be evaluated opens, and is told once', async () => {
    await started([
      { id: 'odd', condition: 'metadata.level > 3.0', action: block },
      { resource: { model: 'nothing' }, action: noLimit },
    ])
    const odd = { headers: { 'cf-aig-metadata': '{"level":"high and dry"}' } }
    expect([await status(odd), await status(odd), await status(odd)]).toEqual([200, 200, 200])
    const lines = app!
      .logged()
      .split('\n')
      .filter(line => line.includes('cannot be evaluated'))
    expect(lines).toHaveLength(1)
    expect(lines[0]).toContain('"policy":"odd"')
    expect(lines[0]).not.toContain('high and dry')
  })
})

describe('what they may spend', () => {
  test('each user has a budget, exact however many come at once', async () => {
    await started([{ actor: 'user:{cf.user.id}', action: limit(0.006) }])
    const all = await Promise.all(Array.from({ length: 200 }, () => status()))
    // What is promised to requests under way is not spent on others, so that one after another uses up the rest.
    const more: number[] = []
    while (more.length < 20 && more.at(-1) !== 429) more.push(await status())
    expect(provider!.seen.length * COST).toBeWithin(0.0048, 0.006_001)
    expect(new Set([...all, ...more])).toEqual(new Set([200, 429]))
    expect([...all, ...more].filter(one => one === 200)).toHaveLength(provider!.seen.length)
    expect(await status({ token: PHONE })).toBe(200)
    const refused = await ask()
    expect(Number(refused.headers.get('retry-after'))).toBeWithin(1, 31 * 86_400 + 1)
    expect(await refused.json()).toEqual({
      success: false,
      error: {
        message: 'Spending limit exceeded',
        bucket: 'user:laptop *',
        spent: expect.closeTo(provider!.seen.length * COST - COST, 9),
        limit: 0.006,
      },
    })
  })

  test('what has no price is not counted', async () => {
    await started([{ action: limit(0.001) }], { prices: {} })
    const all: number[] = []
    for (let count = 0; count < 10; count++) all.push(await status())
    expect(all).toEqual(Array(10).fill(200))
  })

  test('a hit of the cache is before them', async () => {
    await started([{ action: limit(0.003) }])
    const kept = { headers: { 'cf-aig-cache-ttl': '600' } }
    expect(await status(kept)).toBe(200)
    // A hit takes nothing.
    for (let count = 0; count < 20; count++) expect(await status(kept)).toBe(200)
    expect(provider!.seen).toHaveLength(1)
    app!.reload(file([{ action: block }]))
    expect([await status(kept), await status()]).toEqual([200, 403])
  })
})

describe('surfaces', () => {
  const NATIVE = { path: '/openai/chat/completions', body: { ...CHAT, model: 'm' } }

  test('each says it in the same words', async () => {
    await started([{ action: block }])
    const rest = { authorization: `Bearer ${LAPTOP}` }
    const steps = [{ provider: 'openai', endpoint: 'chat/completions', query: { ...CHAT, model: 'm' } }]
    const ways: Record<string, Way> = {
      compat: {},
      short: { address: '/v1/chat/completions' },
      native: NATIVE,
      universal: { path: '', body: steps },
      run: {
        address: '/client/v4/accounts/home/ai/run',
        headers: rest,
        body: { model: 'openai/m', input: { messages: CHAT.messages } },
      },
      chat: { address: '/client/v4/accounts/home/ai/v1/chat/completions', headers: rest },
      embeddings: {
        address: '/client/v4/accounts/home/ai/v1/embeddings',
        headers: rest,
        body: { model: 'openai/m', input: 'x' },
      },
    }
    for (const [name, way] of Object.entries(ways)) {
      const response = await ask(way)
      expect([name, response.status, await response.json()]).toEqual([name, 403, DENIED])
    }
    expect(provider!.seen).toHaveLength(0)
  })

  test('a budget on each', async () => {
    await started([{ action: limit(0.000_001) }])
    for (const way of [{}, NATIVE]) {
      const response = await ask(way)
      expect([response.status, await response.json()]).toEqual([
        429,
        { success: false, error: { message: 'Spending limit exceeded', bucket: '* *', spent: 0, limit: 0.000_001 } },
      ])
    }
  })

  test('sockets of many requests, and those of a provider', async () => {
    await started([{ resource: { model: 'm' }, action: noLimit }])
    const client = await openSocket(`${app!.address}/v1/home/default`, { token: LAPTOP })
    const query = { ...CHAT, model: 'x' }
    const request = { provider: 'openai', endpoint: 'chat/completions', eventId: 'e', query }
    client.send({ type: 'universal.create', request })
    expect(framesOf(await client.until(1))).toEqual([
      {
        type: 'universal.error',
        metadata: { eventId: 'e' },
        status: 403,
        error: { code: 403, message: DENIED.error.message },
        response: DENIED,
      },
    ])
    client.socket.close()
    const realtime = `${app!.address}/v1/home/default/openai/realtime`
    for (const address of [`${realtime}?model=x`, realtime]) {
      const refused = await askForSocket(address, { token: LAPTOP })
      expect([refused.status, await refused.json()]).toEqual([403, DENIED])
    }
    expect(provider!.seen).toHaveLength(0)
  })

  test('a list goes on behind a refusal', async () => {
    await started([{ resource: { provider: 'groq' }, action: noLimit }])
    const step = (slug: string) => ({ provider: slug, endpoint: 'chat/completions', query: { ...CHAT, model: 'm' } })
    const response = await ask({ path: '', body: [step('openai'), step('groq')] })
    expect([response.status, response.headers.get('cf-aig-step')]).toEqual([200, '1'])
    expect(provider!.seen).toHaveLength(1)
    expect(await status({ path: '', body: [step('groq'), step('openai')] })).toBe(200)
    expect(await status({ path: '', body: [step('openai')] })).toBe(403)
  })
})

describe('a model that is named elsewhere', () => {
  const policies: FilePolicy[] = [{ action: noLimit }, { resource: { model: 'm' }, action: block }]
  const native = (body: unknown, headers?: Record<string, string>) => ({
    path: '/openai/audio/transcriptions',
    body,
    headers: { ...headers },
  })
  const form = (model: string) => {
    const made = new FormData()
    made.set('file', new Blob(['RIFF']), 'a.wav')
    made.set('model', model)
    return made
  }
  const post = async (made: FormData) => {
    const response = await fetch(`${app!.address}/v1/home/default/openai/audio/transcriptions`, {
      method: 'POST',
      headers: { 'cf-aig-authorization': `Bearer ${LAPTOP}` },
      body: made,
    })
    await response.arrayBuffer()
    return response.status
  }

  test('in a form, in the address, and behind a list’s own word', async () => {
    await started(policies)
    expect([await post(form('m')), await post(form('whisper-1'))]).toEqual([403, 200])
    expect(await status({ path: '/openai/listen?model=m', body: '' })).toBe(403)
    const endpoint = 'models/m:generateContent'
    const step = { provider: 'google-ai-studio', endpoint, query: { model: 'harmless' } }
    expect(await status({ path: '', body: [step] })).toBe(403)
  })

  test('where it cannot be read the block holds, and where nothing is said there is none', async () => {
    await started(policies)
    expect([await status(native('{"model":"m"')), await status(native('{"input":1}'))]).toEqual([403, 200])
  })
})

describe('changes', () => {
  test('of the file hold for the next request', async () => {
    await started([{ action: noLimit }])
    expect(await status()).toBe(200)
    app!.reload(file([{ action: block }]))
    expect(await status()).toBe(403)
    app!.reload(file([]))
    expect(await status()).toBe(200)
  })

  test('of the store within two seconds, beside those of the file', async () => {
    await started([{ action: noLimit }])
    expect(await status()).toBe(200)
    await app!.store.policies.add('default', { action: block }, true, 10)
    await app!.store.policies.add('other', { action: block }, false, 10)
    expect(await status({ gateway: 'other' })).toBe(403)
    const { committed } = await app!.store.policies.commit('default', () => undefined)
    expect(committed).toHaveLength(1)
    await Bun.sleep(2_050)
    expect(await status()).toBe(403)
  })
})
