import { afterEach, beforeEach, describe, expect, setSystemTime, test } from 'bun:test'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { File } from '../../../src/config/schema.ts'
import type { Operation } from '../../../src/http/documentation-operation.ts'
import { managementOperations } from '../../../src/http/management/documentation.ts'
import { type RunningApp, startApp, TOKEN } from '../../support/app.ts'

/** Credit through the management API (contract 11.10). */

const OWN = 'a-token-with-credit-of-its-own'
const DOLLAR = 1_000_000_000_000n

let app: RunningApp
const start = async (billing?: File['billing']) => {
  app = await startApp({
    ...(billing && { billing }),
    tokens: [
      { name: 'tests', token: TOKEN, permissions: ['read', 'edit'] },
      { name: 'own', token: OWN, permissions: ['read'], gateways: ['default'] },
    ],
  })
}
beforeEach(() => start())
afterEach(async () => {
  setSystemTime()
  await app.stop()
})

interface Envelope {
  errors: { code: number; message: string; path?: string[] }[]
  result: Record<string, unknown>
}

async function call(
  path: string,
  { method = 'GET', body, token = TOKEN }: { method?: string; body?: unknown; token?: string } = {},
) {
  const response = await fetch(`${app.address}/client/v4/accounts/home/ai-gateway/billing/${path}`, {
    method,
    headers: { authorization: `Bearer ${token}` },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })
  return { status: response.status, ...((await response.json()) as Envelope) }
}

const balance = async (token = TOKEN) => (await call('credit-balance', { token })).result.balance

describe('the balance', () => {
  test('is nothing where there never was any, in the whole of its form', async () => {
    expect((await call('credit-balance')).result).toEqual({
      balance: 0,
      has_default_payment_method: false,
      payment_method: null,
      topup_config: { amount: null, threshold: null },
    })
  })

  test('is the account’s, in dollars, whether it is charged or not', async () => {
    await app.store.credits.add('account', (25n * DOLLAR) / 2n, '')
    await app.store.credits.add('token:tests', DOLLAR, '')
    expect(await balance()).toBe(12.5)
    await app.store.credits.add('account', -13n * DOLLAR, '')
    expect(await balance()).toBe(-0.5)
  })

  test('is each token’s own where the configuration says so', async () => {
    await app.stop()
    await start({ enabled: true, balance: 'token' })
    await app.store.credits.add('account', DOLLAR, '')
    await app.store.credits.add('token:own', 3n * DOLLAR, '')
    expect([await balance(), await balance(OWN)]).toEqual([0, 3])
  })
})

describe('use', () => {
  const HOUR = 3_600_000
  const noon = Date.UTC(2026, 10, 18, 12)

  /** Charges the account at a time. */
  async function charged(at: number, amount: bigint) {
    setSystemTime(at)
    const id = await app.store.credits.hold('account', Number(amount))
    await app.store.credits.settle(id!, 'account', Number(amount))
  }

  const history = async (query: string) =>
    ((await call(`usage-history?${query}`)).result.history as Record<string, number>[]).map(
      ({ aggregated_value, start_time, end_time }) => [aggregated_value, start_time! - noon, end_time! - start_time!],
    )

  beforeEach(async () => {
    await app.store.credits.add('account', 100n * DOLLAR, '')
    await charged(noon, DOLLAR)
    await charged(noon + HOUR - 1, DOLLAR / 2n)
    await charged(noon + HOUR, DOLLAR / 4n)
    await charged(noon + 13 * HOUR, 2n * DOLLAR)
    setSystemTime(noon + 20 * HOUR)
  })

  test('by hours', async () => {
    expect(await history('value_grouping_window=hour')).toEqual([
      [1.5, 0, HOUR],
      [0.25, HOUR, HOUR],
      [2, 13 * HOUR, HOUR],
    ])
  })

  test('by days of UTC', async () => {
    expect(await history('value_grouping_window=day')).toEqual([
      [1.75, -12 * HOUR, 24 * HOUR],
      [2, 12 * HOUR, 24 * HOUR],
    ])
  })

  test('from a time, whose window is whole, until another', async () => {
    const from = noon + HOUR / 2
    expect(await history(`value_grouping_window=hour&start_time=${from}&end_time=${noon + HOUR}`)).toEqual([
      [1.5, 0, HOUR],
    ])
    expect(await history(`value_grouping_window=day&start_time=${noon + 14 * HOUR}`)).toEqual([
      [2, 12 * HOUR, 24 * HOUR],
    ])
    expect(await history('value_grouping_window=hour&start_time=null&end_time=')).toHaveLength(3)
    expect(await history(`value_grouping_window=hour&end_time=${noon}`)).toEqual([])
  })

  test.each([
    ['', 'value_grouping_window'],
    ['value_grouping_window=week', 'value_grouping_window'],
    ['value_grouping_window=day&start_time=soon', 'start_time'],
    ['value_grouping_window=day&start_time=-1', 'start_time'],
    ['value_grouping_window=day&start_time=86400000&end_time=1', 'start_time'],
    [`value_grouping_window=hour&start_time=1`, 'start_time'],
  ])('"%s" is refused', async (query, name) => {
    expect(await call(`usage-history?${query}`)).toMatchObject({
      status: 400,
      errors: [{ code: 7_001, path: ['query', name] }],
    })
  })
})

describe('payments', () => {
  test('there are no invoices', async () => {
    expect((await call('invoice-history?type=all&page=2')).result).toEqual({
      invoices: [],
      pagination: { has_more: false, page: 2, per_page: 20, total_count: 0 },
    })
    expect((await call('invoice-history?type=none')).status).toBe(400)
    setSystemTime(Date.UTC(2026, 11, 31, 23))
    expect((await call('invoice-preview')).result).toMatchObject({
      amount_due: 0,
      invoice_lines: [],
      period_start: Date.UTC(2026, 11, 1) / 1_000,
      period_end: Date.UTC(2027, 0, 1) / 1_000,
    })
  })

  test.each([
    ['POST', 'topup', { amount: 5_000 }],
    ['POST', 'topup/status', { payment_intent_id: 'in_1abc' }],
    ['POST', 'topup/config', { amount: 5_000, threshold: 500 }],
    ['DELETE', 'topup/config', undefined],
  ])('%s %s is not offered, and adds nothing', async (method, path, body) => {
    expect(await call(path, { method, body })).toMatchObject({
      status: 400,
      errors: [{ code: 2_036, message: expect.stringMatching(/^not offered here: .*`postern credit add <dollars>`/) }],
    })
    expect(await balance()).toBe(0)
  })

  test('nothing is bought by itself', async () => {
    expect((await call('topup/config')).result).toEqual({ amount: null, threshold: null })
  })
})

describe('the spending limit', () => {
  const NONE = { enabled: false, config: { amount: null, duration: null, strategy: null } }
  const limit = { amount: 5_000, duration: 'monthly', strategy: 'fixed' }
  const set = (body: unknown) => call('spending-limit', { method: 'POST', body })

  test('is kept until it is taken away', async () => {
    expect((await call('spending-limit')).result).toEqual(NONE)
    expect((await set(limit)).result).toEqual({ enabled: true, config: limit })
    expect((await set({ ...limit, amount: 100, extra: 1 })).result).toEqual({
      enabled: true,
      config: { ...limit, amount: 100 },
    })
    expect((await call('spending-limit')).result).toEqual({ enabled: true, config: { ...limit, amount: 100 } })
    expect(await app.store.settings.get('spending_limit')).toEqual({ ...limit, amount: 100 })
    for (const _ of [1, 2]) expect((await call('spending-limit', { method: 'DELETE' })).result).toEqual(NONE)
    expect((await call('spending-limit')).result).toEqual(NONE)
    expect(app.logged()).toContain('"msg":"spending limit set"')
  })

  test('is not for a token of some gateways', async () => {
    expect((await call('spending-limit', { token: OWN })).status).toBe(403)
  })
})

test('answers keep to the document', async () => {
  const asked = {
    getCreditBalance: 'credit-balance',
    getUsageHistory: 'usage-history?value_grouping_window=day',
    getInvoiceHistory: 'invoice-history',
    getInvoicePreview: 'invoice-preview',
    getTopupConfig: 'topup/config',
    getSpendingLimit: 'spending-limit',
  } as const
  for (const [name, path] of Object.entries(asked)) {
    const { responses } = managementOperations[name as keyof typeof asked].detail as unknown as Operation
    const schema: TSchema = responses['200']!.content!['application/json']!.schema
    expect([...Value.Errors(schema, await call(path))]).toEqual([])
  }
})
