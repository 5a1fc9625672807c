import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import Cloudflare from 'cloudflare'
import { endAll, eventually, folder, type Running, run, start } from '../binary/executable.ts'
import { wholeAnswer } from '../support/answers.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'
import { type ClientTypes, clientTypes } from './client-types.ts'

/**
 * Every method below `client.aiGateway` that the installed client has, at the executable. Results are held against the
 * types that the client publishes, and a method of a later client that nobody calls here fails the last test.
 */

setDefaultTimeout(60_000)

const TOKEN = 'a-token-of-the-operator'
const account_id = 'home'
const gateway_id = 'marsh'
const there = { account_id, gateway_id }
const LOGS = 7

let types: ClientTypes
let provider: StandIn
let here: ReturnType<typeof folder>
let server: Running
let all: Cloudflare['aiGateway']
let asked = 0

const called = new Set<string>()
const faults: string[] = []
const judged: Promise<void>[] = []

/** The same resource, whose calls are noted and whose results are judged. */
function watched<Resource extends object>(resource: Resource, above = ''): Resource {
  return new Proxy(resource, {
    get(target, name: string) {
      const member: unknown = Reflect.get(target, name)
      const path = above + name
      if (typeof member === 'function' && types.methods.includes(path))
        return (...given: unknown[]) => {
          called.add(path)
          const answer = Reflect.apply(member, target, given) as Promise<unknown>
          judged.push(judge(path, answer))
          return answer
        }
      const isResource = typeof member === 'object' && member !== null && !name.startsWith('_')
      return isResource ? watched(member, `${path}.`) : member
    },
  })
}

async function judge(path: string, answer: Promise<unknown>): Promise<void> {
  // What was refused is told to whoever called.
  const value = await answer.catch(() => undefined)
  if (value === undefined) return
  if (isPage(value)) for (const item of value.getPaginatedItems()) faults.push(...types.faults(path, item))
  else faults.push(...types.faults(path, value))
}

const isPage = (value: unknown): value is { getPaginatedItems(): unknown[] } =>
  typeof value === 'object' && value !== null && 'getPaginatedItems' in value

/** All items, where the iterator comes to an end by itself soon after the last. */
async function everything<Item>(list: AsyncIterable<Item>): Promise<Item[]> {
  const items: Item[] = []
  for await (const item of list) {
    items.push(item)
    if (items.length > 500) throw new Error('the iterator does not end')
  }
  return items
}

async function chat(index: number): Promise<string> {
  const response = await fetch(`${server.address}/v1/home/${gateway_id}/openai/chat/completions`, {
    method: 'POST',
    headers: {
      'cf-aig-authorization': `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      'cf-aig-metadata': JSON.stringify({ bird: `heron-${index}` }),
    },
    body: JSON.stringify({ model: 'gpt-5-mini', messages: [{ role: 'user', content: `Where, ${index}?` }] }),
  })
  await response.text()
  expect(response.status).toBe(200)
  return response.headers.get('cf-aig-log-id')!
}

/** Asks for what is not there: of such a request hardly anything is known. */
async function refused(): Promise<string> {
  const response = await fetch(`${server.address}/v1/home/${gateway_id}/compat/chat/completions`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'nowhere/at-all', messages: [{ role: 'user', content: 'Where?' }] }),
  })
  await response.text()
  expect(response.status).toBe(400)
  return response.headers.get('cf-aig-log-id')!
}

beforeAll(async () => {
  types = clientTypes()
  provider = standIn(() => wholeAnswer('openai-chat', 'In the reeds.'))
  here = folder({
    'postern.yaml': `storage: { database: "sqlite:./postern.db" }
tokens: [{ name: operator, token: ${TOKEN}, permissions: [run, read, edit] }]
providers:
  openai: { base_url: "${provider.address}", keys: { default: sk-test } }
`,
  })
  server = await start([], here.path)
  process.env.CLOUDFLARE_BASE_URL = `${server.address}/client/v4`
  const client = new Cloudflare({
    apiToken: TOKEN,
    maxRetries: 0,
    fetch: (...given: Parameters<typeof fetch>) => {
      asked++
      return fetch(...given)
    },
  })
  all = watched(client.aiGateway)
})
afterAll(async () => {
  delete process.env.CLOUDFLARE_BASE_URL
  await endAll()
  provider?.stop()
  here?.remove()
})

const SETTINGS = {
  cache_invalidate_on_update: false,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
}

describe('every method of the client', () => {
  test('gateways', async () => {
    for (const id of [gateway_id, 'pond', 'lake'])
      expect((await all.create({ account_id, id, ...SETTINGS })).id).toBe(id)
    const changed = await all.update('pond', {
      account_id,
      ...SETTINGS,
      log_management: 50_000,
      log_management_strategy: 'STOP_INSERTING',
      logpush: false,
      retry_max_attempts: 2,
      retry_delay: 100,
      retry_backoff: 'exponential',
      rate_limiting_technique: 'sliding',
      workers_ai_billing_mode: 'postpaid',
      zdr: false,
      spend_limits: { enabled: true, rules: [{ limitType: 'cost', limit: 5, window: 86_400 }] },
      dlp: { enabled: false, policies: [] },
      otel: [{ url: 'http://127.0.0.1:1/v1/traces', headers: {}, authorization: 'x' }],
    })
    expect([changed.log_management, changed.retry_backoff]).toEqual([50_000, 'exponential'])
    expect(await all.get('pond', { account_id })).toEqual(changed)
    asked = 0
    const ids = (await everything(all.list({ account_id, per_page: 2 }))).map(({ id }) => id)
    expect(ids.toSorted()).toEqual(['default', 'lake', gateway_id, 'pond'].toSorted())
    expect(asked).toBeLessThanOrEqual(3)
    expect((await all.delete('lake', { account_id })).id).toBe('lake')
  })

  test('logs', async () => {
    const ids: string[] = []
    for (let index = 0; index < LOGS; index++) ids.push(await chat(index))
    const none = await refused()
    expect((await all.logs.get(none, there)).success).toBe(false)
    expect((await all.logs.get(ids.at(-1)!, there)).success).toBe(true)
    asked = 0
    const listed = await everything(all.logs.list(gateway_id, { account_id, per_page: 3, order_by_direction: 'asc' }))
    expect(listed.map(({ id }) => id)).toEqual([...ids, none])
    expect(asked).toBe(4)
    const found = await everything(
      all.logs.list(gateway_id, {
        account_id,
        search: 'heron-4',
        meta_info: true,
        filters: [
          { key: 'success', operator: 'eq', value: [true] },
          { key: 'metadata.value', operator: 'contains', value: ['heron'] },
        ],
      }),
    )
    expect(found.map(({ id }) => id)).toEqual([ids[4]!])
    await all.logs.edit(ids[4]!, { ...there, feedback: 1, score: 90, metadata: { bird: 'egret', legs: 2, wet: true } })
    expect(JSON.parse((await all.logs.get(ids[4]!, there)).metadata ?? '')).toEqual({
      bird: 'egret',
      legs: 2,
      wet: true,
    })
    expect(await all.logs.request(ids[4]!, there)).toMatchObject({ messages: [{ content: 'Where, 4?' }] })
    expect(await all.logs.response(ids[4]!, there)).toMatchObject({
      choices: [{ message: { content: 'In the reeds.' } }],
    })
    expect(await all.logs.delete(gateway_id, { account_id, limit: 2, order_by_direction: 'asc' })).toEqual({
      success: true,
    })
    expect(await everything(all.logs.list(gateway_id, { account_id }))).toHaveLength(LOGS + 1 - 2)
  })

  test('datasets and evaluations', async () => {
    const said = { enable: true, filters: [{ key: 'provider' as const, operator: 'eq' as const, value: ['openai'] }] }
    const made = await all.datasets.create(gateway_id, { account_id, name: 'marsh-birds', ...said })
    const changed = await all.datasets.update(made.id, { ...there, name: 'wading-birds', ...said })
    expect(await all.datasets.get(made.id, there)).toEqual(changed)
    await all.datasets.create(gateway_id, { account_id, name: 'other-birds', ...said })
    const names = (await everything(all.datasets.list(gateway_id, { account_id, per_page: 1 }))).map(({ name }) => name)
    expect(names.toSorted()).toEqual(['other-birds', 'wading-birds'])

    const kinds = await everything(all.evaluationTypes.list({ account_id, per_page: 2 }))
    expect(kinds.map(({ type }) => type).toSorted()).toEqual(['cost', 'human_feedback', 'speed'].toSorted())
    const evaluation = await all.evaluations.create(gateway_id, {
      account_id,
      name: 'how-they-did',
      dataset_ids: [made.id],
      evaluation_type_ids: kinds.map(({ id }) => id),
    })
    const isDone = async () => (await all.evaluations.get(evaluation.id, there)).processed
    expect(await eventually(isDone)).toBe(true)
    const done = await all.evaluations.get(evaluation.id, there)
    expect([done.total_logs, done.results.length]).toEqual([LOGS - 2, kinds.length])
    const evaluations = await everything(all.evaluations.list(gateway_id, { account_id, per_page: 1 }))
    expect(evaluations.map(({ id }) => id)).toEqual([evaluation.id])
    expect((await all.evaluations.delete(evaluation.id, there)).id).toBe(evaluation.id)
    expect((await all.datasets.delete(made.id, there)).id).toBe(made.id)
  })

  test('dynamic routing', async () => {
    const { dynamicRouting } = all
    const elements = (model: string): Cloudflare.AIGateway.DynamicRoutingCreateParams['elements'] => [
      { id: 's', type: 'start', outputs: { next: { elementId: 'm' } } },
      {
        id: 'm',
        type: 'model',
        properties: { provider: 'openai', model, retries: 1, timeout: 1_000 },
        outputs: { success: { elementId: 'e' }, fallback: { elementId: 'e' } },
      },
      { id: 'e', type: 'end', outputs: {} },
    ]
    const { id } = await dynamicRouting.create(gateway_id, { account_id, name: 'support', elements: elements('one') })
    expect((await dynamicRouting.list(gateway_id, { account_id })).data.routes.map(route => route.id)).toEqual([id])
    await dynamicRouting.createVersion(id, { ...there, elements: elements('two') })
    const { versions } = (await dynamicRouting.listVersions(id, there)).data
    const version_id = versions[0]!.version_id
    expect((await dynamicRouting.getVersion(version_id, { ...there, id })).elements).toHaveLength(3)
    await dynamicRouting.createDeployment(id, { ...there, version_id })
    expect((await dynamicRouting.listDeployments(id, there)).data.deployments[0]?.version_id).toBe(version_id)
    expect((await dynamicRouting.update(id, { ...there, name: 'help' })).route.name).toBe('help')
    expect((await dynamicRouting.get(id, there)).name).toBe('help')
    expect((await dynamicRouting.delete(id, there)).id).toBe(id)
  })

  test('provider configs, custom providers and addresses', async () => {
    for (const alias of ['first', 'second', 'third'])
      await all.providerConfigs.create(gateway_id, {
        account_id,
        provider_slug: 'groq',
        alias,
        default_config: alias === 'first',
        secret: `gsk_${alias}`,
        secret_id: 'a-secret-of-the-store',
      })
    const configs = await everything(all.providerConfigs.list(gateway_id, { account_id, per_page: 2 }))
    expect(configs.map(({ alias }) => alias)).toEqual(['first', 'second', 'third', 'default'])
    const own = { account_id, base_url: 'https://egret.example.com/v1', name: 'Egret', slug: 'egret' }
    const made = await all.customProviders.create({ ...own, enable: true })
    expect(await all.customProviders.get(made.id, { account_id })).toEqual(made)
    expect(await everything(all.customProviders.list({ account_id, per_page: 1 }))).toHaveLength(1)
    expect((await all.customProviders.delete(made.id, { account_id })).id).toBe(made.id)
    expect(await all.urls.get('openai', there)).toBe(`${server.address}/v1/home/${gateway_id}/openai`)
  })

  test('billing', async () => {
    const { billing } = all
    expect((await run(['credit', 'add', '12.5'], here.path)).code).toBe(0)
    expect((await billing.creditBalance({ account_id })).balance).toBe(12.5)
    await billing.usageHistory({ account_id, value_grouping_window: 'hour' })
    await billing.invoiceHistory({ account_id })
    await billing.invoicePreview({ account_id })
    await billing.spendingLimit.create({ account_id, amount: 5_000, duration: 'weekly', strategy: 'sliding' })
    expect((await billing.spendingLimit.get({ account_id })).enabled).toBe(true)
    await billing.spendingLimit.delete({ account_id })
    expect(await billing.topup.config.get({ account_id })).toEqual({ amount: null, threshold: null })
    // Nobody is paid here: these are refused, with the number that says so.
    // The client's promise is not what `rejects` looks into.
    for (const call of [
      billing.topup.create({ account_id, amount: 5_000 }),
      billing.topup.status({ account_id, payment_intent_id: 'in_1abc' }),
      billing.topup.config.create({ account_id, amount: 5_000, threshold: 500 }),
      billing.topup.config.delete({ account_id }),
    ])
      expect(await call.catch(thrown => thrown)).toMatchObject({ status: 400, errors: [{ code: 2_036 }] })
  })
})

test('no method is left out, and every result is of the type that the client promises', async () => {
  await Promise.all(judged)
  expect(types.methods.filter(method => !called.has(method))).toEqual([])
  expect(types.methods.length).toBeGreaterThanOrEqual(50)
  expect(faults).toEqual([])
})
