import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import { Log, LogDetail } from '../../../src/schemas/management/logs.ts'
import type { AttemptRecord } from '../../../src/telemetry/attempt-record.ts'
import { type RunningApp, startApp } from '../../support/app.ts'
import { ask, call, costing, json, keep, LOOKS, OF_LAB, RUNS, tokens, used } from './logs-support.ts'

/** Logs at the socket (contract 8.1 and 8.2). */

const AT = Date.UTC(2026, 10, 2, 10)
const minutes = (count: number) => AT + count * 60_000

/** Five logs whose every number differs, so that an order and a bound show. */
const kept: Partial<AttemptRecord>[] = [
  { provider: 'openai', model: 'gpt-5.2', at: minutes(0), duration: 100, ...used(10, 1), ...costing(0.5) },
  { provider: 'groq', model: 'llama', at: minutes(1), duration: 200, ...used(20, 2), ...costing(1) },
  {
    provider: 'openai',
    model: 'gpt-5.2',
    at: minutes(2),
    duration: 300,
    ...used(30, 3),
    ...costing(1.5),
    cached: true,
  },
  { provider: 'anthropic', model: 'claude', at: minutes(3), duration: 400, ...used(40, 4), ...costing(2), status: 500 },
  { provider: 'openai', model: 'o9', at: minutes(4), duration: 500, metadata: { team: 'Herons', user: 7 } },
]

let app: RunningApp
let ids: string[]
beforeAll(async () => {
  app = await startApp({ tokens, gateways: { lab: {}, many: {}, other: {} } })
  ids = await keep(
    app,
    kept.map(one => ({ gateway: 'lab', token: 'tests', userAgent: 'heron/1', ...one })),
  )
})
afterAll(() => app.stop())

const LOGS = '/gateways/lab/logs'

/** Which of the logs a query finds, by their places above, in the order of the answer. */
async function found(query: string): Promise<number[]> {
  const { status, body } = await call(app, `${LOGS}?${query}`)
  expect([status, body.errors]).toEqual([200, []])
  for (const log of body.result) expect([...Value.Errors(Log, log)]).toEqual([])
  expect(body.result_info.total_count).toBe(body.result.length)
  return body.result.map(({ id }: Log) => ids.indexOf(id))
}
const filters = (...list: unknown[]) => `filters=${encodeURIComponent(JSON.stringify(list))}`

test('a log has all that is known of it', async () => {
  const { body } = await call(app, `${LOGS}?${filters({ key: 'id', operator: 'eq', value: [ids[2]] })}`)
  expect(body.result).toEqual([
    {
      id: ids[2]!,
      created_at: '2026-11-02T10:02:00.000Z',
      provider: 'openai',
      model: 'gpt-5.2',
      path: '/v1/home/default/compat/chat/completions',
      duration: 300,
      success: true,
      cached: true,
      tokens_in: 30,
      tokens_out: 3,
      cost: 1.5,
      custom_cost: false,
      model_type: 'text-generation',
      request_type: 'chat',
      status_code: 200,
      event_id: ids[2]!,
      usage_metadata: { input_tokens: 30, output_tokens: 3, total_tokens: 33 },
      timings: { total: 300, latency: 230 },
      feedback: null,
      score: null,
      user_agent: 'heron/1',
      authentication: true,
      wholesale: false,
      byok: false,
      compatibilityMode: true,
      request_id: ids[2]!,
      attempt: 1,
      method: 'POST',
      stream: false,
      token: 'tests',
    },
  ])
  const [last] = (await call(app, `${LOGS}?search=herons`)).body.result
  expect(last).toMatchObject({ tokens_in: null, tokens_out: null, metadata: '{"team":"Herons","user":7}' })
  expect(last.cost).toBeUndefined()
})

describe('filters', () => {
  test('in the order of the official client: repeated, with dots, without indices', async () => {
    const official =
      'filters.key=provider&filters.operator=eq&filters.value=openai&filters.value=groq&filters.key=cost&filters.operator=gt&filters.value=0.5'
    expect(await found(official)).toEqual([2, 1])
    expect(
      await found(
        official.replace('filters.key=provider&filters.operator=eq', 'filters.operator=eq&filters.key=provider'),
      ),
    ).toEqual([2, 1])
    expect(
      await found(
        'filters.value=o9&filters.key=model&filters.operator=eq&filters.value=true&filters.key=success&filters.operator=eq',
      ),
    ).toEqual([4])
  })

  test.each([
    ['a list as JSON', filters({ key: 'provider', operator: 'eq', value: ['groq'] })],
    ['one filter as JSON, with a value alone', 'filters={"key":"provider","operator":"eq","value":"groq"}'],
    [
      'several as JSON',
      'filters[]={"key":"provider","operator":"eq","value":["groq"]}&filters[]={"key":"cost","operator":"gt","value":["0.9"]}',
    ],
    ['brackets', 'filters[0][key]=provider&filters[0][operator]=eq&filters[0][value][0]=groq'],
    [
      'brackets out of order',
      'filters[0][key]=provider&filters[1][key]=cost&filters[1][operator]=lt&filters[1][value]=1.1&filters[0][operator]=eq&filters[0][value][]=openai&filters[0][value][]=groq&filters[2][key]=tokens&filters[2][operator]=gt&filters[2][value]=11',
    ],
    ['brackets without a number', 'filters[][key]=provider&filters[][operator]=eq&filters[][value][]=groq'],
  ])('%s', async (_, query) => {
    expect(await found(query)).toEqual([1])
  })

  test.each<[string, unknown[], number[]]>([
    ['neq', [{ key: 'provider', operator: 'neq', value: ['openai', 'groq'] }], [3]],
    ['contains', [{ key: 'model', operator: 'contains', value: ['GPT'] }], [2, 0]],
    ['success', [{ key: 'success', operator: 'eq', value: [false] }], [3]],
    ['cached, as text', [{ key: 'cached', operator: 'eq', value: ['true'] }], [2]],
    ['tokens', [{ key: 'tokens', operator: 'lt', value: [23] }], [1, 0]],
    ['duration', [{ key: 'duration', operator: 'gt', value: [300] }], [4, 3]],
    ['created_at', [{ key: 'created_at', operator: 'lt', value: ['2026-11-02T10:01:00Z'] }], [0]],
    ['cost that is not there', [{ key: 'cost', operator: 'eq', value: [null] }], [4]],
    [
      'metadata',
      [
        { key: 'metadata.key', operator: 'eq', value: ['team'] },
        { key: 'metadata.value', operator: 'eq', value: ['Herons'] },
      ],
      [4],
    ],
    [
      'status_code and user_agent',
      [
        { key: 'status_code', operator: 'eq', value: [500] },
        { key: 'user_agent', operator: 'contains', value: ['heron'] },
      ],
      [3],
    ],
  ])('%s', async (_, list, places) => {
    expect(await found(filters(...list))).toEqual(places)
  })

  test.each([
    ['filters.key=colour&filters.operator=eq&filters.value=x', ['query', 'filters', '0', 'key']],
    ['filters.key=cost&filters.operator=above&filters.value=1', ['query', 'filters', '0', 'operator']],
    ['filters.key=cost&filters.operator=gt&filters.value=much', ['query', 'filters', '0', 'value']],
    ['filters.key=cost&filters.operator=gt', ['query', 'filters', '0', 'value']],
    [
      'filters.key=provider&filters.operator=eq&filters.value=a&filters.key=success&filters.operator=gt&filters.value=true',
      ['query', 'filters', '1', 'operator'],
    ],
    ['filters.key=created_at&filters.operator=gt&filters.value=soon', ['query', 'filters', '0', 'value']],
    ['filters=[{', ['query', 'filters']],
    ['filters=[5]', ['query', 'filters', '0']],
    ['filters={"key":"cost","operator":"gt","value":[{}]}', ['query', 'filters', '0', 'value']],
    ['filters.colour=1', ['query', 'filters']],
    [Array(51).fill('filters.key=cost').join('&'), ['query', 'filters']],
    ['per_page=51', ['query', 'per_page']],
    ['order_by=colour', ['query', 'order_by']],
    ['start_date=soon', ['query', 'start_date']],
    ['min_cost=much', ['query', 'min_cost']],
  ])('%s is refused, and the place told', async (query, path) => {
    const { status, body } = await call(app, `${LOGS}?${query}`)
    expect(status).toBe(400)
    expect(body.errors[0]).toMatchObject({ code: 7_001, path })
    expect(body.errors[0]!.message).not.toMatch(/colour|much|soon|above/)
  })
})

test.each<[string, number[]]>([
  ['provider=openai&success=true&cached=false', [4, 0]],
  ['model=claude&model_type=text-generation', [3]],
  ['min_cost=1&max_cost=1.5', [2, 1]],
  ['min_duration=200&max_duration=400', [3, 2, 1]],
  ['min_tokens_in=20&max_tokens_out=3', [2, 1]],
  ['min_total_tokens=22&max_total_tokens=33', [2, 1]],
  ['start_date=2026-11-02T10:01:00Z&end_date=2026-11-02T10:03:00Z', [3, 2, 1]],
  ['end_date=2026-11-02', [4, 3, 2, 1, 0]],
  ['end_date=2026-11-01', []],
  ['direction=asc', [0, 1, 2, 3, 4]],
  ['search=7', [4]],
  ['search=', [4, 3, 2, 1, 0]],
])('flat parameters of before: %s', async (query, places) => {
  expect(await found(query)).toEqual(places)
})

test.each<[string, number[]]>([
  ['order_by=cost', [3, 2, 1, 0, 4]],
  ['order_by=cost&order_by_direction=asc', [0, 1, 2, 3, 4]],
  ['order_by=duration', [4, 3, 2, 1, 0]],
  ['order_by=tokens_out&order_by_direction=asc', [0, 1, 2, 3, 4]],
  ['order_by=success&order_by_direction=asc', [3, 0, 1, 2, 4]],
])('orders: %s', async (query, places) => {
  expect(await found(query)).toEqual(places)
})

test('pages, of which those past the end are empty, and the least and most', async () => {
  const { body } = await call(app, `${LOGS}?page=2&per_page=2&meta_info=true`)
  expect(body.result.map(({ id }: Log) => ids.indexOf(id))).toEqual([2, 1])
  expect(body.result_info).toEqual({
    page: 2,
    per_page: 2,
    count: 2,
    total_count: 5,
    total_pages: 3,
    min_cost: 0.5,
    max_cost: 2,
    min_duration: 100,
    max_duration: 500,
    min_tokens_in: 10,
    max_tokens_in: 40,
    min_tokens_out: 1,
    max_tokens_out: 4,
    min_total_tokens: 11,
    max_total_tokens: 44,
  })
  const past = await call(app, `${LOGS}?page=9&per_page=2&meta_info=true`)
  expect(past.body.result).toEqual([])
  expect(past.body.result_info).toMatchObject({ count: 0, total_count: 5, max_cost: 2 })
  const none = await call(app, '/gateways/other/logs?meta_info=true')
  expect(none.body).toMatchObject({ result: [], result_info: { count: 0, total_count: 0 } })
})

describe('one log', () => {
  const request = JSON.stringify({
    model: 'm',
    messages: [{ role: 'user', content: 'wo steht der Reiher? '.repeat(400) }],
  })
  let id: string
  beforeAll(async () => {
    const bodies = { request, answer: [new TextEncoder().encode('{"ok":true}')] }
    const types = { requestType: 'application/json; charset=utf-8', answerType: 'application/json' }
    ;[id] = (await keep(app, [{ gateway: 'other', ...types, collectBodies: true, bodies }])) as [string]
  })
  const path = () => `/gateways/other/logs/${id}`

  test('has the beginning of its bodies', async () => {
    const { body } = await call(app, path())
    expect([...Value.Errors(LogDetail, body.result)]).toEqual([])
    expect(body.result).toMatchObject({
      id,
      request_head: request.slice(0, 4_096),
      request_head_complete: false,
      request_size: 120,
      response_head: '{"ok":true}',
      response_head_complete: true,
      response_size: 640,
    })
  })

  test('and the whole of them, raw', async () => {
    const response = await ask(app, `${path()}/request`)
    expect(response.headers.get('content-type')).toBe('application/json; charset=utf-8')
    expect(response.headers.get('content-security-policy')).toContain('sandbox')
    expect(await response.text()).toBe(request)
    const answer = await ask(app, `${path()}/response`)
    expect([answer.headers.get('content-type'), await answer.text()]).toEqual(['application/json', '{"ok":true}'])
  })

  test('what is not there is 7002', async () => {
    for (const none of [
      `${LOGS}/nonsense`,
      `${LOGS}/${Bun.randomUUIDv7('hex', 1)}`,
      `${LOGS}/${id}`,
      `${LOGS}/${ids[0]}/request`,
    ]) {
      const { status, body } = await call(app, none)
      expect([status, body.errors[0]!.code]).toEqual([404, 7_002])
    }
  })

  test('one that is not written yet is waited for', async () => {
    const young = Bun.randomUUIDv7()
    const answer = call(app, `/gateways/other/logs/${young}`)
    await Bun.sleep(150)
    await keep(app, [{ gateway: 'other', id: young, request: young, event: young }])
    expect((await answer).body.result.id).toBe(young)
  })

  test('feedback, score and metadata are changed, alone and together, and taken away', async () => {
    const change = (body: unknown) => call(app, path(), { ...json('PATCH', body) })
    expect((await change({ feedback: -1 })).body.result).toMatchObject({ feedback: -1, score: null })
    expect((await change({ score: 62.5, metadata: { team: 'reeds', user: 3, beta: true } })).body.result).toMatchObject(
      {
        feedback: -1,
        score: 62.5,
        metadata: '{"team":"reeds","user":3,"beta":true}',
      },
    )
    expect((await call(app, '/gateways/other/logs?search=reeds')).body.result_info.total_count).toBe(1)
    expect((await call(app, '/gateways/other/logs?feedback=0')).body.result_info.total_count).toBe(1)
    expect((await change({})).body.result).toMatchObject({ feedback: -1, score: 62.5 })
    const emptied = await change({ feedback: null, score: null, metadata: null })
    expect(emptied.body.result).toMatchObject({ feedback: null, score: null })
    expect(emptied.body.result.metadata).toBeUndefined()
    expect((await change({ feedback: 1, colour: 'grey' })).body.messages[0]!.message).toContain('colour')
  })

  test.each([
    [{ feedback: 2 }, 'feedback'],
    [{ feedback: 0.5 }, 'feedback'],
    [{ score: 101 }, 'score'],
    [{ metadata: { deep: {} } }, 'metadata'],
    [{ metadata: [] }, 'metadata'],
    [{ metadata: Object.fromEntries(Array.from({ length: 21 }, (_, i) => [`k${i}`, i])) }, 'metadata'],
  ])('%j is refused', async (body, member) => {
    const answer = await call(app, path(), json('PATCH', body))
    expect([answer.status, answer.body.errors[0]!.path]).toEqual([400, ['body', member]])
  })
})

test('delete: filtered, up to a limit, in an order; the reply has no result', async () => {
  const MANY = '/gateways/many/logs'
  await keep(
    app,
    [0, 1, 2, 3, 4, 5].map(step => ({ gateway: 'many', at: minutes(step), provider: step % 2 ? 'groq' : 'openai' })),
  )
  const left = async () =>
    (await call(app, `${MANY}?order_by_direction=asc`)).body.result.map(({ created_at }: Log) =>
      created_at.slice(14, 16),
    )
  const remove = async (query: string) => {
    const response = await ask(app, `${MANY}?${query}`, { method: 'DELETE' })
    expect([response.status, await response.json()]).toEqual([200, { success: true }])
  }
  await remove(
    'filters.key=provider&filters.operator=eq&filters.value=groq&limit=2&order_by=created_at&order_by_direction=asc',
  )
  expect(await left()).toEqual(['00', '02', '04', '05'])
  await remove('limit=1')
  expect(await left()).toEqual(['00', '02', '04'])
  expect((await call(app, `${MANY}?filters.key=nothing`, { method: 'DELETE' })).status).toBe(400)
  expect((await call(app, `${MANY}?limit=0`, { method: 'DELETE' })).status).toBe(400)
  await remove('')
  expect(await left()).toEqual([])
  await remove('')
})

describe('who may', () => {
  test.each([
    ['a token that only looks: list', LOOKS, LOGS, 'GET', 200],
    ['a token that only looks: delete', LOOKS, LOGS, 'DELETE', 403],
    ['a token that only runs: list', RUNS, LOGS, 'GET', 403],
    ['a token that only runs: export', RUNS, `${LOGS}/export`, 'GET', 403],
    ['a token of this gateway', OF_LAB, LOGS, 'GET', 200],
    ['a token of another', OF_LAB, '/gateways/other/logs', 'GET', 403],
    ['a gateway that is not there', LOOKS, '/gateways/nowhere/logs', 'GET', 404],
  ])('%s', async (_, token, path, method, status) => {
    expect((await ask(app, path, { token, method })).status).toBe(status)
  })

  test('bodies need `read` like rows', async () => {
    const path = `/gateways/lab/logs/${ids[0]}`
    for (const one of [path, `${path}/request`, `${path}/response`])
      expect((await ask(app, one, { token: RUNS })).status).toBe(403)
    expect((await ask(app, path, { token: LOOKS, ...json('PATCH', { feedback: 1 }) })).status).toBe(403)
  })
})
