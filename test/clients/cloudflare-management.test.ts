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

describe('gateways', () => {
  const REQUIRED = {
    cache_invalidate_on_update: true,
    cache_ttl: 300,
    collect_logs: true,
    rate_limiting_interval: 60,
    rate_limiting_limit: null,
  }

  test('create, get, update, list and delete', async () => {
    const made = await client.aiGateway.create({ account_id, id: 'made', ...REQUIRED, retry_backoff: 'linear' })
    expect(made).toMatchObject({ id: 'made', ...REQUIRED, retry_backoff: 'linear', is_default: false })
    expect(await client.aiGateway.get('made', { account_id })).toEqual(made)
    const changed = await client.aiGateway.update('made', {
      account_id,
      ...REQUIRED,
      spend_limits: { enabled: true, rules: [{ limitType: 'cost', limit: 5, window: 86_400 }] },
      dlp: { enabled: false, policies: [] },
      otel: [{ url: 'http://127.0.0.1:1/v1/traces', headers: { a: 'b' }, content_type: 'protobuf' }],
    })
    expect(changed.spend_limits?.rules?.[0]).toMatchObject({ limit: 5, id: expect.any(String) })
    expect(changed.retry_backoff).toBeUndefined()
    expect(await client.aiGateway.delete('made', { account_id })).toMatchObject({ id: 'made', otel: changed.otel })
    expect(await refusal(client.aiGateway.get('made', { account_id }))).toMatchObject({ status: 404, code: 7_002 })
    expect(await refusal(client.aiGateway.delete('lab', { account_id }))).toMatchObject({
      status: 409,
      message: expect.stringContaining('postern.yaml:9'),
      asked: 1,
    })
    expect(
      await refusal(client.aiGateway.create({ account_id, id: 'x', ...REQUIRED, retry_delay: 1e6 })),
    ).toMatchObject({
      status: 400,
      code: 7_001,
    })
  })

  test('the iterator comes to an end, and has everything once', async () => {
    for (const id of ['iterated-1', 'iterated-2', 'iterated-3'])
      await client.aiGateway.create({ account_id, id, ...REQUIRED })
    asked = 0
    const ids: string[] = []
    for await (const { id } of client.aiGateway.list({ account_id, search: 'iterated', per_page: 2 })) ids.push(id)
    expect(ids).toEqual(['iterated-1', 'iterated-2', 'iterated-3'])
    expect(asked).toBe(3)
    const all = await Array.fromAsync(client.aiGateway.list({ account_id }))
    expect(all.filter(({ is_default }) => is_default)).toHaveLength(1)
  })
})

describe('custom providers', () => {
  test('create, get, list, patch and delete', async () => {
    const { customProviders } = client.aiGateway
    const said = { name: 'Egret', slug: 'egret', base_url: 'https://egret.example.com/v1', headers: '{"x-a":"b"}' }
    const made = await customProviders.create({ account_id, ...said, position: 2, beta: true })
    expect(made).toMatchObject({ ...said, position: 2, beta: true, enable: false })
    expect(await customProviders.get(made.id, { account_id })).toEqual(made)
    const path = `/accounts/${account_id}/ai-gateway/custom-providers/${made.id}`
    expect(await client.patch(path, { body: { enable: true } })).toMatchObject({
      result: { enable: true, slug: 'egret' },
    })
    const listed = await Array.fromAsync(customProviders.list({ account_id, enable: true, per_page: 1 }))
    expect(listed.map(({ slug }) => slug)).toEqual(['egret'])
    expect(await refusal(customProviders.create({ account_id, ...said }))).toMatchObject({
      status: 409,
      code: 1_003,
      asked: 1,
    })
    expect(await refusal(customProviders.create({ account_id, ...said, base_url: 'egret' }))).toMatchObject({
      status: 400,
      code: 1_002,
    })
    expect((await customProviders.delete(made.id, { account_id })).id).toBe(made.id)
    expect(await refusal(customProviders.get(made.id, { account_id }))).toMatchObject({ status: 404, code: 1_004 })
  })
})

describe('dynamic routing', () => {
  const gateway_id = 'many'
  const elements = (model: string): Cloudflare.AIGateway.DynamicRoutingCreateParams['elements'] => [
    { id: 's', type: 'start', outputs: { next: { elementId: 'c' } } },
    {
      id: 'c',
      type: 'conditional',
      properties: { conditions: { 'metadata.plan': { $eq: 'paid' } } },
      outputs: { true: { elementId: 'm' }, false: { elementId: 'p' } },
    },
    {
      id: 'p',
      type: 'percentage',
      outputs: { '20%': { elementId: 'm' }, '80%': { elementId: 'r' } },
    },
    {
      id: 'r',
      type: 'rate',
      properties: { key: 'metadata.user', limit: 5, limitType: 'cost', window: 60 },
      outputs: { success: { elementId: 'm' }, fallback: { elementId: 'e' } },
    },
    {
      id: 'm',
      type: 'model',
      properties: { provider: 'openai', model, retries: 1, timeout: 1_000 },
      outputs: { success: { elementId: 'e' }, fallback: { elementId: 'e' } },
    },
    { id: 'e', type: 'end', outputs: {} },
  ]

  test('every method', async () => {
    const { dynamicRouting } = client.aiGateway
    const made = await dynamicRouting.create(gateway_id, { account_id, name: 'support', elements: elements('one') })
    expect([made.name, made.gateway_id, made.version.active]).toEqual(['support', gateway_id, 'true'])
    expect(made.elements.map(({ type }) => type)).toEqual([
      'start',
      'conditional',
      'percentage',
      'rate',
      'model',
      'end',
    ])
    expect(await dynamicRouting.get(made.id, { account_id, gateway_id })).toEqual(made)
    const { success, data } = await dynamicRouting.list(gateway_id, { account_id, page: 1, per_page: 5 })
    expect([success, data.routes.map(({ id }) => id), data.routes[0]?.account_tag]).toEqual([true, [made.id], 'home'])
    const added = await dynamicRouting.createVersion(made.id, { account_id, gateway_id, elements: elements('two') })
    expect(added.id).toBe(made.id)
    const versions = (await dynamicRouting.listVersions(made.id, { account_id, gateway_id })).data.versions
    expect(versions.map(({ active }) => active)).toEqual(['false', 'true'])
    const version_id = versions[0]!.version_id
    await dynamicRouting.createDeployment(made.id, { account_id, gateway_id, version_id })
    const version = await dynamicRouting.getVersion(version_id, { account_id, gateway_id, id: made.id })
    expect([version.active, version.is_valid, JSON.parse(version.data)]).toEqual(['true', true, version.elements])
    const { deployments } = (await dynamicRouting.listDeployments(made.id, { account_id, gateway_id })).data
    expect(deployments.map(one => one.version_id)).toEqual([version_id, made.version.version_id])
    const renamed = await dynamicRouting.update(made.id, { account_id, gateway_id, name: 'help' })
    expect([renamed.success, renamed.route.name, renamed.route.version.version_id]).toEqual([true, 'help', version_id])
    const wrong = [{ id: 's', type: 'start' as const, outputs: { next: { elementId: 'nowhere' } } }]
    expect(
      await refusal(dynamicRouting.create(gateway_id, { account_id, name: 'wrong', elements: wrong })),
    ).toMatchObject({ status: 400, code: 7_001, message: expect.stringContaining('"nowhere", which is not there') })
    expect((await dynamicRouting.delete(made.id, { account_id, gateway_id })).name).toBe('help')
    expect((await dynamicRouting.list(gateway_id, { account_id })).data.routes).toEqual([])
  })
})

describe('tokens', () => {
  test('every method', async () => {
    const { tokens } = client.accounts
    const groups = await Array.fromAsync(tokens.permissionGroups.list({ account_id }))
    expect(await tokens.permissionGroups.get({ account_id })).toEqual(groups)
    const read = groups.find(({ name }) => name === 'AI Gateway Read')!
    const policies = [
      {
        effect: 'allow' as const,
        permission_groups: [{ id: read.id! }],
        resources: { 'com.cloudflare.api.account.home': '*' },
      },
    ]
    const { value, ...made } = await tokens.create({ account_id, name: 'reads', policies })
    expect(made).toMatchObject({
      name: 'reads',
      status: 'active',
      policies: [{ permission_groups: [read.id].map(id => ({ id })) }],
    })
    const own = clientWith({ apiToken: value! })
    expect((await own.accounts.tokens.verify({ account_id })).id).toBe(made.id!)
    expect((await own.user.tokens.verify()).status).toBe('active')
    expect((await own.aiGateway.get('lab', { account_id })).id).toBe('lab')
    expect(await refusal(own.aiGateway.delete('lab', { account_id }))).toMatchObject({ status: 403 })
    expect(await tokens.get(made.id!, { account_id })).toEqual(made)
    const names = (await Array.fromAsync(tokens.list({ account_id, per_page: 1 }))).map(({ name }) => name)
    expect(names).toEqual(['operator', 'looks', 'reads'])
    const rolled = await tokens.value.update(made.id!, { account_id })
    expect(await refusal(own.accounts.tokens.verify({ account_id }))).toMatchObject({ status: 401 })
    const again = clientWith({ apiToken: rolled })
    expect((await again.accounts.tokens.verify({ account_id })).status).toBe('active')
    const disabled = await tokens.update(made.id!, { account_id, name: 'reads', policies, status: 'disabled' })
    expect(disabled.status).toBe('disabled')
    expect(await refusal(again.accounts.tokens.verify({ account_id }))).toMatchObject({ status: 401 })
    expect(await tokens.delete(made.id!, { account_id })).toEqual({ id: made.id! })
    expect(server.said()).not.toContain(value!)
    expect(await refusal(tokens.delete('file:looks', { account_id }))).toMatchObject({ status: 409 })
  })

  test('what is made here, `postern token list` shows too', async () => {
    await client.accounts.tokens.create({
      account_id,
      name: 'shown',
      policies: [],
      ...({ permissions: ['run'], gateways: ['lab'] } as object),
    })
    expect((await run(['token', 'list'], here.path)).out).toMatch(/shown +run +lab/)
  })
})

test('what one worker makes, every other knows within two seconds', async () => {
  const busy = folder({
    'postern.yaml': `server: { workers: 2 }
storage: { database: "sqlite:./postern.db" }
tokens: [{ name: operator, token: ${TOKEN}, permissions: [run, read, edit] }]
`,
  })
  const two = await start([], busy.path)
  const ask = async (path: string) => {
    // Another connection each time, so that either worker may get it.
    const headers = { authorization: `Bearer ${TOKEN}`, connection: 'close' }
    return (await fetch(`${two.address}/v1/home/${path}`, { headers })).json() as Promise<{ internalCode?: number }>
  }
  const other = clientWith({ apiToken: TOKEN, baseURL: `${two.address}/client/v4` })
  /** Whether both workers answer otherwise than that there is no such thing. */
  async function everyoneKnows(path: string, unknown: number) {
    for (let round = 0, inTurn = 0; round < 400; round++) {
      inTurn = (await ask(path)).internalCode === unknown ? 0 : inTurn + 1
      if (inTurn === 40) return true
      await Bun.sleep(20)
    }
    return false
  }
  expect((await ask('swift/compat/models')).internalCode).toBe(2_001)
  await other.aiGateway.create({
    account_id,
    id: 'swift',
    cache_invalidate_on_update: false,
    cache_ttl: 0,
    collect_logs: true,
    rate_limiting_interval: 0,
    rate_limiting_limit: 0,
  })
  expect(await everyoneKnows('swift/compat/models', 2_001)).toBe(true)
  expect((await ask('swift/custom-egret/v1/x')).internalCode).toBe(2_008)
  await other.aiGateway.customProviders.create({
    account_id,
    name: 'Egret',
    slug: 'egret',
    base_url: 'http://127.0.0.1:1',
    enable: true,
  })
  expect(await everyoneKnows('swift/custom-egret/v1/x', 2_008)).toBe(true)
  two.signal('SIGTERM')
  await two.exited
  busy.remove()
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
