import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { buildClientSchema, getIntrospectionQuery, type IntrospectionQuery } from 'graphql'
import type { AttemptRecord } from '../../../src/telemetry/attempt-record.ts'
import { type RunningApp, startApp, TOKEN } from '../../support/app.ts'
import { costing, keep, OF_LAB, RUNS, tokens, used } from '../management/logs-support.ts'

/** The datasets of Cloudflare's analytics at the socket (contract 9.2). */

const AT = Date.UTC(2026, 10, 2, 10)
const minutes = (count: number) => AT + count * 60_000

const kept: Partial<AttemptRecord>[] = [
  { at: minutes(1), provider: 'openai', model: 'gpt', ...used(10, 1), ...costing(0.1) },
  { at: minutes(2), provider: 'openai', model: 'gpt', ...used(20, 2), ...costing(0.2), cached: true },
  { at: minutes(62), provider: 'groq', model: 'llama', status: 429, userAgent: 'heron/1' },
  { at: minutes(63), provider: 'openai', model: 'o9', status: 500, metadata: { team: 'herons' } },
]

let app: RunningApp
beforeAll(async () => {
  app = await startApp({ tokens, gateways: { lab: { log_management: 20_000 }, other: {} } })
  await keep(
    app,
    kept.map(one => ({ gateway: 'lab', ...one })),
  )
  await keep(app, [{ gateway: 'other', at: minutes(0), provider: 'openai', model: 'gpt' }])
})
afterAll(() => app.stop())

async function post(body: unknown, token = TOKEN) {
  const response = await fetch(`${app.address}/client/v4/graphql`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  })
  // biome-ignore lint/suspicious/noExplicitAny: answers of every form, which the expectations hold against theirs
  return { status: response.status, body: (await response.json()) as any }
}

/** The groups that one dataset comes to. */
async function groups(field: string, token?: string) {
  const { status, body } = await post(
    { query: `{ viewer { accounts(filter: { accountTag: "home" }) { groups: ${field} } } }` },
    token,
  )
  expect([status, body.errors]).toEqual([200, null])
  return body.data.viewer.accounts[0].groups
}
const REQUESTS = 'aiGatewayRequestsAdaptiveGroups'
const DAY = 'datetime_geq: "2026-11-02T00:00:00Z", datetime_lt: "2026-11-03T00:00:00Z"'

test('the query of Cloudflare’s documentation', async () => {
  const query = `query {
    viewer {
      accounts(filter: { accountTag: "home" }) {
        requests: aiGatewayRequestsAdaptiveGroups(
          limit: 10
          filter: { datetimeHour_geq: "2026-11-02T10:00:00Z", datetimeHour_leq: "2026-11-02T11:00:00Z" }
          orderBy: [datetimeMinute_ASC]
        ) {
          count,
          dimensions { model, provider, gateway, ts: datetimeMinute }
        }
      }
    }
  }`
  const { body } = await post({ query })
  expect(body.errors).toBeNull()
  expect(body.data.viewer.accounts[0].requests).toEqual([
    { count: 1, dimensions: { model: 'openai/gpt', provider: 'openai', gateway: 'other', ts: '2026-11-02T10:00:00Z' } },
    { count: 1, dimensions: { model: 'openai/gpt', provider: 'openai', gateway: 'lab', ts: '2026-11-02T10:01:00Z' } },
    { count: 1, dimensions: { model: 'openai/gpt', provider: 'openai', gateway: 'lab', ts: '2026-11-02T10:02:00Z' } },
    { count: 1, dimensions: { model: 'groq/llama', provider: 'groq', gateway: 'lab', ts: '2026-11-02T11:02:00Z' } },
    { count: 1, dimensions: { model: 'openai/o9', provider: 'openai', gateway: 'lab', ts: '2026-11-02T11:03:00Z' } },
  ])
})

test('sums', async () => {
  expect(
    await groups(`${REQUESTS}(limit: 1, filter: { ${DAY}, gateway: "lab" }) { count sum {
      cachedRequests erroredRequests cachedTokensIn cachedTokensOut uncachedTokensIn uncachedTokensOut tokensIn tokensOut cost } }`),
  ).toEqual([
    {
      count: 4,
      sum: {
        cachedRequests: 1,
        erroredRequests: 2,
        cachedTokensIn: 20,
        cachedTokensOut: 2,
        uncachedTokensIn: 10,
        uncachedTokensOut: 1,
        tokensIn: 30,
        tokensOut: 3,
        cost: 0.3,
      },
    },
  ])
})

test.each<[string, string, unknown[]]>([
  [
    'by the hour, out of the sums',
    `(limit: 9, filter: { ${DAY} }) { count dimensions { datetimeHour date } }`,
    [
      { count: 3, dimensions: { datetimeHour: '2026-11-02T10:00:00Z', date: '2026-11-02' } },
      { count: 2, dimensions: { datetimeHour: '2026-11-02T11:00:00Z', date: '2026-11-02' } },
    ],
  ],
  [
    'the largest first',
    `(limit: 1, orderBy: [sum_cost_DESC]) { count dimensions { cached } }`,
    [{ count: 1, dimensions: { cached: 1 } }],
  ],
  [
    'AND, OR and lists',
    `(limit: 9, filter: { AND: [{ provider_in: ["groq", "openai"] }, { OR: [{ statusCode_geq: 500 }, { rateLimited: 1 }] }] }, orderBy: [statusCode_ASC]) { count dimensions { statusCode error } }`,
    [
      { count: 1, dimensions: { statusCode: 429, error: 1 } },
      { count: 1, dimensions: { statusCode: 500, error: 1 } },
    ],
  ],
  [
    'like, and a model with its provider',
    `(limit: 9, filter: { model_like: "openai/%t", gateway_neq: "other" }) { count dimensions { model } }`,
    [{ count: 2, dimensions: { model: 'openai/gpt' } }],
  ],
  [
    'of the logs themselves',
    `(limit: 9, filter: { userAgent: "heron/1" }) { count dimensions { userAgent metadataRaw durationMs } }`,
    [{ count: 1, dimensions: { userAgent: 'heron/1', metadataRaw: '', durationMs: 812.5 } }],
  ],
  [
    'a window within hours, exactly',
    `(limit: 9, filter: { datetime_geq: "2026-11-02T10:02:00Z", datetime_lt: "2026-11-02T11:03:00Z" }) { count }`,
    [{ count: 2 }],
  ],
  [
    'up to a minute and with it',
    `(limit: 9, filter: { datetimeMinute_gt: "2026-11-02T10:01:00Z", datetimeMinute_leq: "2026-11-02T11:02:00Z" }) { count }`,
    [{ count: 2 }],
  ],
  ['a day', `(limit: 9, filter: { date: "2026-11-02", gateway_in: ["lab"] }) { count }`, [{ count: 4 }]],
  ['another day', `(limit: 9, filter: { date_in: ["2026-11-01"] }) { count }`, []],
])('%s', async (_, field, expected) => {
  expect(await groups(`${REQUESTS}${field}`)).toEqual(expected)
})

test('errors, cache and sizes', async () => {
  expect(
    await groups('aiGatewayErrorsAdaptiveGroups(limit: 9, orderBy: [provider_ASC]) { count dimensions { provider } }'),
  ).toEqual([
    { count: 1, dimensions: { provider: 'groq' } },
    { count: 1, dimensions: { provider: 'openai' } },
  ])
  expect(
    await groups(
      'aiGatewayCacheAdaptiveGroups(limit: 9, filter: { cacheStatus: "HIT" }) { count dimensions { cacheStatus } }',
    ),
  ).toEqual([{ count: 1, dimensions: { cacheStatus: 'HIT' } }])
  expect(
    await groups(
      'aiGatewaySizeAdaptiveGroups(limit: 9, filter: { gateway_in: ["lab", "other"] }) { max { rows } dimensions { gateway logManagement } }',
    ),
  ).toEqual([
    { max: { rows: 4 }, dimensions: { gateway: 'lab', logManagement: 20_000 } },
    { max: { rows: 1 }, dimensions: { gateway: 'other', logManagement: 0 } },
  ])
})

test('variables, by Cloudflare’s names of types and by GraphQL’s own, with fragments', async () => {
  for (const [text, count] of [
    ['string', 'uint64'],
    ['String', 'Int'],
  ]) {
    const { body } = await post({
      query: `query Q($tag: ${text}!, $limit: ${count}!, $filter: AccountAiGatewayRequestsAdaptiveGroupsFilter_InputObject) {
        viewer { accounts(filter: { accountTag: $tag }) { ...All } } }
        fragment All on account { ${REQUESTS}(limit: $limit, filter: $filter) { ...Group } }
        fragment Group on AccountAiGatewayRequestsAdaptiveGroups { count dimensions { ... on AccountAiGatewayRequestsAdaptiveGroupsDimensions { gateway } } }`,
      variables: { tag: 'home', limit: 5, filter: { gateway: 'lab', datetime_geq: '2026-11-02T00:00:00Z' } },
      operationName: 'Q',
    })
    expect(body).toEqual({
      data: { viewer: { accounts: [{ [REQUESTS]: [{ count: 4, dimensions: { gateway: 'lab' } }] }] } },
      errors: null,
    })
  }
})

test('tools can ask for the schema', async () => {
  const { body } = await post({ query: getIntrospectionQuery() })
  expect(body.errors).toBeNull()
  expect(buildClientSchema(body.data as IntrospectionQuery).getType('account')).toBeDefined()
})

describe('who may', () => {
  test('a token that does not look, and none at all', async () => {
    expect((await post({ query: '{ viewer { accounts { accountTag } } }' }, RUNS)).status).toBe(403)
    const { status, body } = await post({ query: '{ viewer { accounts { accountTag } } }' }, 'wrong')
    expect([status, body.errors[0].code]).toEqual([401, 10_000])
  })

  test('another account is refused', async () => {
    const { status, body } = await post({
      query: '{ viewer { accounts(filter: { accountTag: "nobody" }) { accountTag } } }',
    })
    expect([status, body.data, body.errors[0].extensions.code]).toEqual([200, null, 'authz'])
  })

  test('a token for some gateways sees those', async () => {
    expect(await groups(`${REQUESTS}(limit: 9) { count dimensions { gateway } }`, OF_LAB)).toEqual([
      { count: 4, dimensions: { gateway: 'lab' } },
    ])
    expect(await groups(`${REQUESTS}(limit: 9, filter: { gateway: "other" }) { count }`, OF_LAB)).toEqual([])
    expect(await groups('aiGatewaySizeAdaptiveGroups(limit: 9) { dimensions { gateway } }', OF_LAB)).toEqual([
      { dimensions: { gateway: 'lab' } },
    ])
  })
})

describe('faults, in GraphQL’s form', () => {
  const deep = (levels: number): string => (levels ? `ofType { ${deep(levels - 1)} }` : 'name')
  test.each([
    ['no query', '{', /Syntax Error/],
    ['an unknown field', '{ viewer { beauty } }', /Cannot query field/],
    [
      'an unknown order',
      `{ viewer { accounts { ${REQUESTS}(limit: 1, orderBy: [beauty_ASC]) { count } } } }`,
      /beauty_ASC/,
    ],
    [
      'an order that is not selected',
      `{ viewer { accounts { ${REQUESTS}(limit: 1, orderBy: [model_ASC]) { count } } } }`,
      /not selected/,
    ],
    ['a limit of nothing', `{ viewer { accounts { ${REQUESTS}(limit: 0) { count } } } }`, /limit: expected/],
    ['a limit of too many', `{ viewer { accounts { ${REQUESTS}(limit: 10001) { count } } } }`, /limit: expected/],
    [
      'a time that is none',
      `{ viewer { accounts { ${REQUESTS}(limit: 1, filter: { datetime_gt: "soon" }) { count } } } }`,
      /filter.datetime_gt: expected a time/,
    ],
    ['a query that is too deep', `{ __type(name: "account") { ${deep(25)} } }`, /deeper than/],
    ['too many tokens', `{ viewer { ${'accounts { accountTag } '.repeat(1_500)} } }`, /tokens/],
    [
      'too many fields through fragments',
      `query { viewer { ...A } } fragment A on viewer { ${Array.from({ length: 40 }, (_, i) => `a${i}: accounts { ...B }`).join(' ')} } fragment B on account { ${Array.from({ length: 40 }, (_, i) => `b${i}: accountTag`).join(' ')} }`,
      /more than 1000 fields/,
    ],
    [
      'too many datasets',
      `{ viewer { accounts { ${Array.from({ length: 21 }, (_, i) => `a${i}: ${REQUESTS}(limit: 1) { count }`).join(' ')} } } }`,
      /more than 20 datasets/,
    ],
    ['a fragment within itself', '{ viewer { ...A } } fragment A on viewer { ...A }', /Cannot spread fragment/],
  ])('%s', async (_, query, message) => {
    const { status, body } = await post({ query })
    expect(status).toBe(200)
    expect(body.data).toBeNull()
    expect(body.errors[0].message).toMatch(message)
  })

  test('what is no request', async () => {
    const { status, body } = await post({ variables: {} })
    expect([status, body.data, body.errors[0].message]).toEqual([400, null, 'query: required'])
  })
})
