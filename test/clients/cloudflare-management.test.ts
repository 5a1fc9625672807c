import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import Cloudflare from 'cloudflare'
import { endAll, folder, type Running, run, start } from '../binary/executable.ts'

/** Cloudflare's own client with `CLOUDFLARE_BASE_URL` at the executable: the judge of the management API. */

const TOKEN = 'a-token-of-the-operator'
const LOOKS = 'a-token-that-looks'
const KEY = 'sk-a-heron-in-the-reeds-4711'
const DECLARED = 'sk-declared-in-the-file-1234'

const here = folder({
  'postern.yaml': `storage: { database: "sqlite:./postern.db" }
tokens:
  - { name: operator, token: ${TOKEN}, permissions: [run, read, edit] }
  - { name: looks, token: ${LOOKS}, permissions: [read] }
providers:
  openai:
    keys:
      default: ${DECLARED}
gateways: { lab: {}, many: {} }
`,
})
const account_id = 'home'
let server: Running
let client: Cloudflare
/** How often the client asked, so that what it does again is seen. */
let asked = 0

const clientWith = (options: ConstructorParameters<typeof Cloudflare>[0]) =>
  new Cloudflare({
    ...options,
    fetch: (...given: Parameters<typeof fetch>) => {
      asked++
      return fetch(...given)
    },
  })

beforeAll(async () => {
  server = await start([], here.path)
  process.env.CLOUDFLARE_BASE_URL = `${server.address}/client/v4`
  client = clientWith({ apiToken: TOKEN })
})
afterAll(async () => {
  delete process.env.CLOUDFLARE_BASE_URL
  const said = server.said()
  await endAll()
  here.remove()
  for (const secret of [TOKEN, LOOKS, KEY, DECLARED]) expect(said).not.toContain(secret)
})

/** The refusal that a call comes to, and how often it was asked for. */
async function refusal(call: Promise<unknown>) {
  asked = 0
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Cloudflare.APIError)
  const { status, errors } = error as InstanceType<typeof Cloudflare.APIError>
  return { status, code: errors[0]?.code, message: errors[0]?.message, asked }
}

describe('provider configs', () => {
  const own = { account_id, provider_slug: 'groq', alias: 'default', default_config: true, secret: KEY }

  test('create and list', async () => {
    const made = await client.aiGateway.providerConfigs.create('lab', { ...own, rate_limit: 5, rate_limit_period: 10 })
    expect(made).toMatchObject({
      gateway_id: 'lab',
      provider_slug: 'groq',
      alias: 'default',
      default_config: true,
      secret_preview: '…4711',
      rate_limit: 5,
      rate_limit_period: 10,
    })
    const listed = await Array.fromAsync(client.aiGateway.providerConfigs.list('lab', { account_id }))
    expect(listed[0]).toEqual(made)
    expect(listed.slice(1)).toMatchObject([{ id: 'file:openai:default', secret_preview: '', declared: true }])
    expect(await refusal(client.aiGateway.providerConfigs.create('lab', own))).toMatchObject({
      status: 409,
      code: 1_003,
      asked: 1,
    })
  })

  test('the iterator comes to an end, and has everything once', async () => {
    for (let index = 0; index < 7; index++)
      await client.aiGateway.providerConfigs.create('many', { ...own, alias: `key-${index}` })
    asked = 0
    const aliases: string[] = []
    for await (const { alias } of client.aiGateway.providerConfigs.list('many', { account_id, per_page: 4 }))
      aliases.push(alias)
    expect(aliases).toEqual([...Array.from({ length: 7 }, (_, index) => `key-${index}`), 'default'])
    expect(asked).toBe(3)
  })

  test('get, put, patch and delete, as the dashboard has them', async () => {
    const path = `/accounts/${account_id}/ai-gateway/gateways/lab/provider_configs`
    const { id } = await client.aiGateway.providerConfigs.create('lab', { ...own, alias: 'other' })
    const { result } = (await client.get(`${path}/${id}`)) as { result: Record<string, unknown> }
    expect(result).toMatchObject({ id, alias: 'other' })
    expect(await client.put(`${path}/${id}`, { body: { ...result, rate_limit: 3 } })).toMatchObject({
      result: { rate_limit: 3 },
    })
    expect(await client.patch(`${path}/${id}`, { body: { default_config: false } })).toMatchObject({
      result: { rate_limit: 3, default_config: false },
    })
    expect(await client.delete(`${path}/${id}`)).toMatchObject({ success: true, result: { id } })
    expect(await refusal(client.get(`${path}/${id}`))).toMatchObject({ status: 404, code: 7_002 })
    expect(await refusal(client.delete(`${path}/file:openai:default`))).toMatchObject({
      status: 409,
      message: expect.stringContaining('postern.yaml:8'),
      asked: 1,
    })
  })

  test('what is stored, `postern key list` shows too', async () => {
    expect((await run(['key', 'list'], here.path)).out).toMatch(/groq +default +lab +…4711 +5 \/ 10 s/)
  })
})

test('urls', async () => {
  expect(await client.aiGateway.urls.get('openai', { account_id, gateway_id: 'lab' })).toBe(
    `${server.address}/v1/home/lab/openai`,
  )
  expect(await client.aiGateway.urls.get('universal', { account_id, gateway_id: 'lab' })).toBe(
    `${server.address}/v1/home/lab`,
  )
  expect(await refusal(client.aiGateway.urls.get('nowhere', { account_id, gateway_id: 'lab' }))).toMatchObject({
    status: 404,
    code: 7_002,
  })
})

describe('billing', () => {
  test('the balance is what `postern credit add` made it', async () => {
    expect((await client.aiGateway.billing.creditBalance({ account_id })).balance).toBe(0)
    expect((await run(['credit', 'add', '12.5'], here.path)).code).toBe(0)
    const { balance, payment_method, topup_config } = await client.aiGateway.billing.creditBalance({ account_id })
    expect([balance, payment_method, topup_config]).toEqual([12.5, null, { amount: null, threshold: null }])
  })

  test('histories and previews are of their types', async () => {
    const { history } = await client.aiGateway.billing.usageHistory({ account_id, value_grouping_window: 'day' })
    expect(history).toEqual([])
    const { invoices, pagination } = await client.aiGateway.billing.invoiceHistory({ account_id, type: 'auto' })
    expect([invoices, pagination.total_count]).toEqual([[], 0])
    const { amount_due, status, period_end, period_start } = await client.aiGateway.billing.invoicePreview({
      account_id,
    })
    expect([amount_due, status]).toEqual([0, 'draft'])
    expect(period_end).toBeGreaterThan(period_start)
  })

  test('payments are not offered', async () => {
    const { topup } = client.aiGateway.billing
    for (const call of [
      topup.create({ account_id, amount: 5_000 }),
      topup.status({ account_id, payment_intent_id: 'in_1abc' }),
      topup.config.create({ account_id, amount: 5_000, threshold: 500 }),
      topup.config.delete({ account_id }),
    ])
      expect(await refusal(call)).toMatchObject({ status: 400, code: 2_036 })
    expect(await topup.config.get({ account_id })).toEqual({ amount: null, threshold: null })
  })

  test('the spending limit is kept', async () => {
    const { spendingLimit } = client.aiGateway.billing
    const limit = { amount: 5_000, duration: 'weekly', strategy: 'sliding' } as const
    await spendingLimit.create({ account_id, ...limit })
    expect(await spendingLimit.get({ account_id })).toEqual({ enabled: true, config: limit })
    await spendingLimit.delete({ account_id })
    expect((await spendingLimit.get({ account_id })).enabled).toBe(false)
  })
})

describe('who may', () => {
  const ask = (options: ConstructorParameters<typeof Cloudflare>[0], account = account_id) =>
    clientWith(options).aiGateway.billing.spendingLimit.delete({ account_id: account })

  test('the client’s older credentials hold a token too', async () => {
    await ask({ apiToken: null, apiKey: TOKEN, apiEmail: 'me@example.com' })
    await ask({ apiToken: null, userServiceKey: TOKEN })
  })

  test('a wrong token, a wrong account and a token that only looks are refused', async () => {
    expect(await refusal(ask({ apiToken: 'wrong' }))).toMatchObject({ status: 401, code: 10_000 })
    expect(await refusal(ask({ apiToken: TOKEN }, 'nobody'))).toMatchObject({ status: 401, code: 10_000 })
    expect(await refusal(ask({ apiToken: LOOKS }))).toMatchObject({ status: 403, code: 10_000 })
  })
})
