import { afterEach, describe, expect, test } from 'bun:test'
import type { File } from '../../src/config/schema.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** Limits of requests, tokens and money (contract sections 5 and 2.4), exact under concurrency. */

const PRICES = { 'openai/m': { input: 1, output: 10 }, 'groq/m': { input: 1, output: 10 } }
const LAPTOP = 'a-token-of-the-laptop'
const PHONE = 'a-token-of-the-phone'

let provider: StandIn | undefined
let app: RunningApp | undefined
afterEach(async () => {
  await app?.stop()
  provider?.stop()
})

/** Each answer took 100 tokens in and 50 out: $0.0006. */
const usage = { prompt_tokens: 100, completion_tokens: 50, total_tokens: 150 }
const COST = 0.0006

async function started(file: File, status = 200): Promise<RunningApp> {
  provider = standIn(({ body }) => {
    if (status !== 200) return Response.json({ error: { message: 'no' } }, { status })
    const choices = [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }]
    return Response.json({ id: 'c', object: 'chat.completion', created: 1, model: body.model, choices, usage })
  })
  const base_url = provider.address
  app = await startApp({
    tokens: [
      { name: 'laptop', token: LAPTOP },
      { name: 'phone', token: PHONE },
    ],
    providers: { openai: { base_url, keys: { default: 'k' } }, groq: { base_url, keys: { default: 'k' } } },
    prices: PRICES,
    ...file,
  })
  return app
}

interface Way {
  token?: string
  gateway?: string
  path?: string
  body?: unknown
  headers?: Record<string, string>
}

const CHAT = { model: 'openai/m', max_tokens: 50, messages: [{ role: 'user', content: 'Hi' }] }

function ask({
  token = LAPTOP,
  gateway = 'default',
  path = '/compat/chat/completions',
  body = CHAT,
  headers,
}: Way = {}) {
  return fetch(`${app!.address}/v1/home/${gateway}${path}`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer ${token}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })
}

const statuses = async (count: number, way?: Way) =>
  Promise.all(
    Array.from({ length: count }, async () => {
      const response = await ask(way)
      await response.arrayBuffer()
      return response.status
    }),
  )

const through = (all: number[]) => all.filter(status => status === 200).length

interface Refusal {
  error?: { message: string; code: string }
  errors?: { code: number; message: string }[]
}

async function refusal(response: Response) {
  const { error, errors } = (await response.json()) as Refusal
  return { status: response.status, code: errors?.[0]?.code, message: errors?.[0]?.message ?? error?.message }
}

describe('5.1 requests', () => {
  test.each(['fixed', 'sliding'] as const)(
    '%s: exactly as many as are allowed, however many come at once',
    async technique => {
      const settings = { rate_limiting_limit: 40, rate_limiting_interval: 3600, rate_limiting_technique: technique }
      await started({ gateways: { default: settings, other: {} } })
      expect(through(await statuses(200))).toBe(40)
      expect(provider!.seen).toHaveLength(40)
      expect(through(await statuses(3, { gateway: 'other' }))).toBe(3)
    },
  )

  test('the refusal says what, and when to come again', async () => {
    await started({ gateways: { default: { rate_limiting_limit: 1, rate_limiting_interval: 60 } } })
    const first = await ask()
    expect([first.headers.get('ratelimit-limit'), first.headers.get('ratelimit-remaining')]).toEqual(['1', '0'])
    const second = await ask()
    const wait = Number(second.headers.get('retry-after'))
    expect(wait).toBeWithin(1, 61)
    expect(second.headers.get('ratelimit-reset')).toBe(String(wait))
    const { status, code, message } = await refusal(second)
    expect([status, code]).toEqual([429, 2003])
    expect(message).toContain('Rate limited: the gateway "default" takes 1 request in each 60 s')
    expect(await app!.record(2)).toMatchObject({ status: 429, error: 'rate_limited' })
  })

  test('on native addresses and lists too; a list counts once, and so do attempts', async () => {
    await started({ gateways: { default: { rate_limiting_limit: 3, rate_limiting_interval: 3600 } } })
    const native = { path: '/openai/chat/completions', body: { ...CHAT, model: 'm' } }
    const step = { provider: 'openai', endpoint: 'chat/completions', query: CHAT }
    const bad = { ...step, provider: 'groq', endpoint: '/nowhere', headers: { authorization: 'Bearer x' } }
    expect((await ask(native)).status).toBe(200)
    expect((await ask({ path: '', body: [step, step] })).status).toBe(200)
    expect((await ask({ path: '', body: [{ ...bad, provider: 'unknown' }, step] })).status).toBe(200)
    expect((await ask(native)).status).toBe(429)
    expect((await refusal(await ask({ path: '', body: [step] }))).code).toBe(2003)
  })

  test('a token has a limit of its own, on all gateways together', async () => {
    await started({
      tokens: [
        { name: 'laptop', token: LAPTOP, rate_limit: 5, rate_limit_period: 600 },
        { name: 'phone', token: PHONE },
      ],
      gateways: { lab: {} },
    })
    const both = await Promise.all([statuses(10), statuses(10, { gateway: 'lab' })])
    expect(through(both.flat())).toBe(5)
    expect(through(await statuses(10, { token: PHONE }))).toBe(10)
  })
})

describe('tokens', () => {
  test('what may be used is taken before, and what was not used is given back', async () => {
    await started({ gateways: { default: { rate_limiting_tokens: 3_000 } } })
    const few = await statuses(30)
    // Each may need over 500, so that no more than 5 fit at once, and used 150.
    expect(through(few)).toBeLessThan(6)
    let more = 0
    for (; more < 30 && (await ask()).status === 200; more++);
    expect((through(few) + more) * 150).toBeWithin(2_000, 3_001)
  })
})

describe('5.2 money', () => {
  const rules = (rule: object) => ({
    gateways: {
      default: { spend_limits: { enabled: true, rules: [{ id: 'a1b2c3d4', limit: 0.006, window: 3600, ...rule }] } },
    },
  })

  test('never more than the budget, however many come at once; the refusal names the rule', async () => {
    await started(rules({}))
    await statuses(60)
    let more = 0
    for (; more < 60 && (await ask()).status === 200; more++);
    expect(provider!.seen.length * COST).toBeWithin(0.004, 0.006_001)
    const { status, code, message } = await refusal(await ask())
    expect([status, code]).toEqual([429, 2041])
    for (const word of ['a1b2c3d4', '$0.006', '3600 s', 'sliding', 'openai', 'model m']) expect(message).toContain(word)
  })

  test('an attempt that failed costs nothing', async () => {
    await started(rules({}), 500)
    // One after another, so that what each may need is given back before the next.
    for (let count = 0; count < 30; count++) expect((await ask()).status).toBe(500)
    expect(provider!.seen).toHaveLength(30)
  })

  test('filters say what a rule is about, and partitions count apart', async () => {
    await started(
      rules({ provider: { mode: 'filter', values: ['openai'] }, metadata: { user: { mode: 'partition' } } }),
    )
    const until = async (way: Way) => {
      let count = 0
      for (; count < 20 && (await ask(way)).status === 200; count++);
      return count
    }
    const anna = { headers: { 'cf-aig-metadata': '{"user":"anna"}' } }
    const bert = { headers: { 'cf-aig-metadata': '{"user":"bert"}' } }
    const first = await until(anna)
    expect(first).toBeWithin(6, 11)
    expect(await until(bert)).toBe(first)
    expect(await until({ ...anna, body: { ...CHAT, model: 'groq/m' } })).toBe(20)
  })

  test('a price that nobody knows is counted nowhere, and one in a header is', async () => {
    await started({ ...rules({}), prices: {} })
    expect(through(await statuses(30))).toBe(30)
    const dear = { headers: { 'cf-aig-custom-cost': '{"total_cost":0.004}' } }
    expect([(await ask(dear)).status, (await ask(dear)).status]).toEqual([200, 429])
  })

  test('who names a price of nothing is held to the known one all the same', async () => {
    await started(rules({}))
    const free = { headers: { 'cf-aig-custom-cost': '{"total_cost":0}' } }
    await statuses(60, free)
    for (let count = 0; count < 60 && (await ask(free)).status === 200; count++);
    expect(provider!.seen.length * COST).toBeLessThan(0.006_001)
  })

  test('a token has a budget', async () => {
    await started({
      tokens: [
        { name: 'laptop', token: LAPTOP, budget: 0.006 },
        { name: 'phone', token: PHONE },
      ],
    })
    await statuses(60)
    expect(provider!.seen.length * COST).toBeLessThan(0.006_001)
    expect(through(await statuses(15, { token: PHONE }))).toBe(15)
    for (let count = 0; count < 20 && (await ask()).status === 200; count++);
    expect((await refusal(await ask())).message).toContain('budget of the token "laptop" is $0.006 in a month')
  })

  test('the line of a request says what it cost', async () => {
    await started({})
    await ask()
    expect(await app!.record(1)).toMatchObject({ cost: COST, tokens_in: 100, tokens_out: 50 })
  })
})

describe('2.4 credit for the house’s keys', () => {
  const billing = { enabled: true, margin: 0.05 }
  const topUp = (dollars: number, owner = 'account') =>
    app!.store.credits.add(owner, BigInt(Math.round(dollars * 1e12)), 'test')
  const left = async (owner = 'account') => {
    const credit = (await app!.store.credits.of(owner))!
    expect(credit.held).toBe(0n)
    return Number(credit.balance) / 1e12
  }

  test('none: 402 with code 2021, and nobody is asked', async () => {
    await started({ billing })
    expect(await refusal(await ask())).toMatchObject({
      status: 402,
      code: 2021,
      message: expect.stringContaining('credit'),
    })
    expect(provider!.seen).toHaveLength(0)
  })

  test('charged at the price list with the margin, and never below nothing', async () => {
    await started({ billing })
    await topUp(0.01)
    const served = through(await statuses(60))
    let more = 0
    for (; more < 60 && (await ask()).status === 200; more++);
    await app!.record(60 + more + 1)
    const all = served + more
    expect(all).toBeWithin(10, 16)
    expect(await left()).toBeCloseTo(0.01 - all * COST * 1.05, 9)
  })

  test('a key of the caller’s own costs nothing here', async () => {
    await started({ billing })
    expect((await ask({ headers: { authorization: 'Bearer sk-mine' } })).status).toBe(200)
  })

  test('of each token where that is asked for', async () => {
    await started({ billing: { ...billing, balance: 'token' } })
    await topUp(1, 'token:laptop')
    expect([(await ask()).status, (await ask({ token: PHONE })).status]).toEqual([200, 402])
    await app!.record(2)
    expect(await left('token:laptop')).toBeCloseTo(1 - COST * 1.05, 9)
  })

  test('a model without a price is not on offer, and a price of the caller’s own counts for nothing', async () => {
    await started({ billing, prices: {} })
    await topUp(1)
    expect(await refusal(await ask())).toMatchObject({ status: 402, code: 2021 })
    expect((await ask({ headers: { 'cf-aig-custom-cost': '{"total_cost":0}' } })).status).toBe(402)
  })

  test('on native addresses too', async () => {
    await started({ billing })
    await topUp(1)
    expect((await ask({ path: '/openai/chat/completions', body: { ...CHAT, model: 'm' } })).status).toBe(200)
    await app!.record(1)
    expect(await left()).toBeCloseTo(1 - COST * 1.05, 9)
  })

  test('no more than so many requests: 429 with code 2018', async () => {
    await started({ billing: { ...billing, rate_limit: 7 } })
    await topUp(1)
    expect(through(await statuses(30))).toBe(7)
    const over = await ask()
    expect(await refusal(over)).toMatchObject({ status: 429, code: 2018 })
    expect(Number(over.headers.get('retry-after'))).toBeWithin(1, 62)
  })

  test('the account’s spending limit holds, from the moment that it is set', async () => {
    await started({ billing: { enabled: true } })
    await topUp(10)
    await app!.store.settings.set('spending_limit', { amount: 0.6, duration: 'daily', strategy: 'fixed' })
    await statuses(60)
    let more = 0
    for (; more < 60 && (await ask()).status === 200; more++);
    expect(provider!.seen.length * COST).toBeWithin(0.004, 0.006_001)
    const { status, code, message } = await refusal(await ask())
    expect([status, code]).toEqual([429, 2041])
    expect(message).toContain('the account spends $0.006 in a day')
  })

  test('what failed is given back', async () => {
    await started({ billing }, 500)
    await topUp(0.01)
    await statuses(30)
    await app!.record(30)
    expect(await left()).toBe(0.01)
  })
})
