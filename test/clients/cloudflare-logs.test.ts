import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import Cloudflare from 'cloudflare'
import type { LogGetResponse, LogListParams, LogListResponse } from 'cloudflare/resources/ai-gateway/logs'
import { endAll, eventually, folder, type Running, start } from '../binary/executable.ts'
import { wholeAnswer } from '../support/answers.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** Cloudflare's own client on the executable: logs, datasets, evaluations, and what they can count. */

const TOKEN = 'a-token-of-the-operator'
const account_id = 'home'
const gateway_id = 'lab'
const in_lab = { account_id, gateway_id }
const COUNT = 7

let provider: StandIn
let here: ReturnType<typeof folder>
let server: Running
let client: Cloudflare
/** How often the client asked, so that what it does again is seen. */
let asked = 0
/** The ids of the logs, oldest first. */
const ids: string[] = []

async function chat(index: number): Promise<string> {
  const response = await fetch(`${server.address}/v1/home/${gateway_id}/openai/chat/completions`, {
    method: 'POST',
    headers: {
      'cf-aig-authorization': `Bearer ${TOKEN}`,
      'content-type': 'application/json',
      'user-agent': `heron/${index}`,
      'cf-aig-metadata': JSON.stringify({ place: index % 2 ? 'reeds' : 'lake', index }),
      'cf-aig-custom-cost': JSON.stringify({ total_cost: index / 100 }),
    },
    body: JSON.stringify({
      model: index < 5 ? 'gpt-heron' : 'o-heron',
      messages: [{ role: 'user', content: `${index}?` }],
    }),
  })
  expect(response.status).toBe(200)
  await response.text()
  return response.headers.get('cf-aig-log-id')!
}

beforeAll(async () => {
  provider = standIn(async ({ body: { model } }) => {
    const answer = (await wholeAnswer('openai-chat', 'In the reeds.').json()) as object
    return Response.json({ ...answer, model })
  })
  here = folder({
    'postern.yaml': `storage: { database: "sqlite:./postern.db" }
tokens: [{ name: operator, token: ${TOKEN}, permissions: [run, read, edit] }]
providers:
  openai: { base_url: "${provider.address}", keys: { default: sk-test } }
gateways: { lab: {} }
`,
  })
  server = await start([], here.path)
  process.env.CLOUDFLARE_BASE_URL = `${server.address}/client/v4`
  client = new Cloudflare({
    apiToken: TOKEN,
    fetch: (...given: Parameters<typeof fetch>) => {
      asked++
      return fetch(...given)
    },
  })
  for (let index = 0; index < COUNT; index++) ids.push(await chat(index))
  const all = () => client.aiGateway.logs.list(gateway_id, { account_id })
  expect(await eventually(async () => (await all()).result.length === COUNT)).toBe(true)
})
afterAll(async () => {
  delete process.env.CLOUDFLARE_BASE_URL
  await endAll()
  here.remove()
  provider.stop()
})

/** The members of the client's type, with what the type says of each. */
const LISTED: Record<keyof LogListResponse, string> = {
  id: 'string',
  cached: 'boolean',
  created_at: 'string',
  duration: 'number',
  model: 'string',
  path: 'string',
  provider: 'string',
  success: 'boolean',
  tokens_in: 'number',
  tokens_out: 'number',
  cost: 'number',
  custom_cost: 'boolean',
  metadata: 'string',
  model_type: 'string',
  request_content_type: 'string',
  request_type: 'string',
  response_content_type: 'string',
  status_code: 'number',
  step: 'undefined',
}
const LOOKED_AT: Record<keyof LogGetResponse, string> = {
  ...LISTED,
  request_head: 'string',
  request_head_complete: 'boolean',
  request_size: 'number',
  response_head: 'string',
  response_head_complete: 'boolean',
  response_size: 'number',
}
const typesOf = (value: object, of: object): Record<string, string> =>
  Object.fromEntries(Object.keys(of).map(name => [name, typeof value[name as keyof typeof value]]))

async function refusal(call: Promise<unknown>) {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(Cloudflare.APIError)
  const { status, errors } = error as InstanceType<typeof Cloudflare.APIError>
  return [status, errors[0]?.code]
}

describe('logs', () => {
  const { stringify, parse } = JSON
  const list = async (params: Omit<LogListParams, 'account_id'>) =>
    (await Array.fromAsync(client.aiGateway.logs.list(gateway_id, { account_id, ...params }))).map(({ id }) =>
      ids.indexOf(id),
    )

  /** The client's types know less than its answers. */
  const wide = (value: unknown) => expect(value as Record<string, unknown>)

  test('the iterator has every log once, and ends', async () => {
    asked = 0
    expect(await list({ per_page: 3 })).toEqual([6, 5, 4, 3, 2, 1, 0])
    expect(asked).toBe(4)
    const page = await client.aiGateway.logs.list(gateway_id, { account_id, per_page: 3, meta_info: true })
    wide(page.result_info).toMatchObject({
      count: 3,
      page: 1,
      per_page: 3,
      total_count: COUNT,
      max_cost: 0.06,
    })
    for (const one of page.result) expect(typesOf(one, LISTED)).toEqual(LISTED)
  })

  test('filters as the client writes them', async () => {
    expect(
      await list({
        filters: [
          { key: 'model', operator: 'eq', value: ['gpt-heron', 'other'] },
          { key: 'cost', operator: 'gt', value: [0.01] },
          { key: 'metadata.value', operator: 'eq', value: ['lake'] },
        ],
        order_by: 'created_at',
        order_by_direction: 'asc',
      }),
    ).toEqual([2, 4])
    expect(await list({ filters: [{ operator: 'contains', value: ['/6', '/5'], key: 'user_agent' }] })).toEqual([6, 5])
    expect(await list({ search: 'reeds', min_cost: 0.03, success: true })).toEqual([5, 3])
    expect(await list({ filters: [{ key: 'feedback', operator: 'eq', value: [null] }], page: 3 })).toEqual([])
    expect(await refusal(client.aiGateway.logs.list(gateway_id, { account_id, per_page: 51 }))).toEqual([400, 7_001])
  })

  test('get, edit, request and response', async () => {
    const id = ids[3]!
    const log = await client.aiGateway.logs.get(id, in_lab)
    expect(typesOf(log, LOOKED_AT)).toEqual(LOOKED_AT)
    expect(log).toMatchObject({ id, cost: 0.03, custom_cost: true, metadata: '{"place":"reeds","index":3}' })
    expect(parse(log.request_head!)).toMatchObject({ messages: [{ content: '3?' }] })

    await client.aiGateway.logs.edit(id, { ...in_lab, feedback: 1, score: 80, metadata: { place: 'nest' } })
    wide(await client.aiGateway.logs.get(id, in_lab)).toMatchObject({
      feedback: 1,
      score: 80,
      metadata: '{"place":"nest"}',
    })
    expect(await list({ feedback: 1 })).toEqual([3])

    expect(await client.aiGateway.logs.request(id, in_lab)).toMatchObject({ messages: [{ content: '3?' }] })
    expect(stringify(await client.aiGateway.logs.response(id, in_lab))).toContain('In the reeds.')
    for (const call of ['get', 'request', 'response', 'edit'] as const)
      expect(await refusal(client.aiGateway.logs[call]('none', { ...in_lab, score: 1 }))).toEqual([404, 7_002])
  })

  test('delete', async () => {
    const filters = [{ key: 'model', operator: 'eq', value: ['o-heron'] }] as const
    const { success } = await client.aiGateway.logs.delete(gateway_id, {
      account_id,
      filters: filters.map(one => ({ ...one, value: [...one.value] })),
      limit: 1,
      order_by: 'cost',
      order_by_direction: 'desc',
    })
    expect(success).toBe(true)
    expect(await list({})).toEqual([5, 4, 3, 2, 1, 0])
  })
})

describe('datasets and evaluations', () => {
  test('every method', async () => {
    const { datasets, evaluations, evaluationTypes } = client.aiGateway
    const types = await Array.fromAsync(evaluationTypes.list({ account_id, order_by: 'name' }))
    expect(types.map(({ id, enable }) => [id, enable])).toEqual([
      ['cost', true],
      ['human_feedback', true],
      ['speed', true],
    ])

    const made = await datasets.create(gateway_id, {
      account_id,
      name: 'Herons',
      enable: true,
      filters: [{ key: 'provider', operator: 'eq', value: ['nobody'] }],
    })
    const dataset = await datasets.update(made.id, {
      ...in_lab,
      name: 'Herons',
      enable: true,
      filters: [{ key: 'cost', operator: 'lt', value: [0.04] }],
    })
    expect(await datasets.get(made.id, in_lab)).toEqual(dataset)
    const more = await datasets.create(gateway_id, { account_id, name: 'More', enable: false, filters: [] })
    expect(
      (await Array.fromAsync(datasets.list(gateway_id, { account_id, per_page: 1 }))).map(({ name }) => name),
    ).toEqual(['Herons', 'More'])
    expect(await datasets.delete(more.id, in_lab)).toEqual(more)

    const evaluation = await evaluations.create(gateway_id, {
      account_id,
      name: 'What they cost',
      dataset_ids: [dataset.id],
      evaluation_type_ids: types.map(({ id }) => id),
    })
    const done = async () => evaluations.get(evaluation.id, in_lab)
    expect(await eventually(async () => (await done()).processed)).toBe(true)
    const { results, total_logs, datasets: of } = await done()
    expect([total_logs, of]).toEqual([4, [{ ...dataset, account_id, account_tag: account_id }]])
    const told = Object.fromEntries(results.map(one => [one.evaluation_type_id, one]))
    expect(told.cost).toMatchObject({ evaluation_id: evaluation.id, result: '0.015', status: 1, total_logs: 4 })
    expect(told.human_feedback).toMatchObject({ result: '100', total_logs: 1 })
    expect(Number(told.speed!.result)).toBeGreaterThan(0)

    expect(await Array.fromAsync(evaluations.list(gateway_id, { account_id, processed: true, per_page: 1 }))).toEqual([
      await done(),
    ])
    expect((await evaluations.delete(evaluation.id, in_lab)).id).toBe(evaluation.id)
    expect(await refusal(done())).toEqual([404, 7_002])
    expect(await refusal(datasets.get('none', in_lab))).toEqual([404, 7_002])
  })
})

test('GraphQL and analytics, from the executable', async () => {
  const query = `{ viewer { accounts(filter: { accountTag: "home" }) {
    aiGatewayRequestsAdaptiveGroups(limit: 5, orderBy: [model_ASC]) { count dimensions { model } } } } }`
  const said = (await client.post('/graphql', { body: { query } })) as { data: unknown; errors: unknown }
  expect(said).toEqual({
    data: {
      viewer: {
        accounts: [
          {
            aiGatewayRequestsAdaptiveGroups: [
              { count: 5, dimensions: { model: 'openai/gpt-heron' } },
              { count: 2, dimensions: { model: 'openai/o-heron' } },
            ],
          },
        ],
      },
    },
    errors: null,
  })
  const { result } = (await client.get('/accounts/home/ai-gateway/analytics')) as { result: Record<string, unknown> }
  expect(result.totals).toMatchObject({ requests: COUNT, errors: 0, cost: 0.21 })
})
