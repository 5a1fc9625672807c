import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import type { Operation } from '../../../src/http/documentation-operation.ts'
import { managementOperations } from '../../../src/http/management/documentation.ts'
import { bodyReader, queryReader } from '../../../src/http/management/input.ts'
import { pageFrom, pageOf } from '../../../src/http/management/paging.ts'
import { type RunningApp, startApp, TOKEN } from '../../support/app.ts'

/** What holds for every call of the management API: who may, the envelope, faults, pages (contract 11, 11.1). */

const LOOKS = 'a-token-that-looks'
const EDITS = 'a-token-that-edits'
const RUNS = 'a-token-that-runs'
const OF_LAB = 'a-token-of-the-lab'

let app: RunningApp
beforeAll(async () => {
  app = await startApp({
    account: ['home', 'elsewhere'],
    server: { public_url: 'https://ai.example.com/', max_body: 2_000 },
    tokens: [
      { name: 'tests', token: TOKEN, permissions: ['run', 'read', 'edit'] },
      { name: 'looks', token: LOOKS, permissions: ['read'] },
      { name: 'edits', token: EDITS, permissions: ['edit'] },
      { name: 'runs', token: RUNS },
      { name: 'lab', token: OF_LAB, permissions: ['read', 'edit'], gateways: ['lab', 'gone'] },
    ],
    custom_providers: { workstation: { base_url: 'http://127.0.0.1:1' } },
    gateways: { lab: {}, open: { authentication: false } },
  })
})
afterAll(() => app.stop())

interface Envelope {
  success: boolean
  errors: { code: number; message: string; path?: string[] }[]
  messages: { code: number; message: string }[]
  result: unknown
  result_info?: Record<string, number>
}

async function call(path: string, init: RequestInit & { account?: string } = {}) {
  const { account = 'home', ...rest } = init
  const response = await fetch(`${app.address}/client/v4/accounts/${account}/ai-gateway${path}`, {
    headers: { authorization: `Bearer ${TOKEN}` },
    ...rest,
  })
  expect(response.headers.get('content-type')).toStartWith('application/json')
  return { status: response.status, headers: response.headers, body: (await response.json()) as Envelope }
}

const URL = '/gateways/default/url/openai'
const ADDRESS = 'https://ai.example.com/v1/home/default/openai'
const LIMIT = '/billing/spending-limit'

describe('who may', () => {
  test.each([
    ['authorization', { authorization: `Bearer ${TOKEN}` }],
    ['x-auth-key', { 'x-auth-key': TOKEN, 'x-auth-email': 'me@example.com' }],
    ['x-auth-user-service-key', { 'x-auth-user-service-key': TOKEN }],
    ['one of two', { authorization: 'Bearer something-else', 'x-auth-key': TOKEN }],
  ])('a token in %s', async (_, headers) => {
    expect(await call(URL, { headers })).toMatchObject({ status: 200, body: { success: true, result: ADDRESS } })
  })

  test.each([
    ['no token', {}, 'home'],
    ['a wrong one', { authorization: 'Bearer wrong' }, 'home'],
    ['an empty one', { authorization: 'Bearer ' }, 'home'],
    ['a token where the data plane has it', { 'cf-aig-authorization': `Bearer ${TOKEN}` }, 'home'],
    ['an account that is not there', { authorization: `Bearer ${TOKEN}` }, 'nobody'],
  ])('%s is answered 401, all alike', async (_, headers, account) => {
    const { status, body, headers: said } = await call(URL, { headers, account })
    expect(status).toBe(401)
    expect(said.get('www-authenticate')).toBe('Bearer')
    expect(body).toEqual({
      success: false,
      errors: [
        {
          code: 10_000,
          message: 'Authentication error: send a token of this gateway as `Authorization: Bearer <token>`',
        },
      ],
      messages: [],
      result: null,
    })
  })

  test('an open gateway is not open to management', async () => {
    expect((await call('/gateways/open/url/openai', { headers: {} })).status).toBe(401)
  })

  test.each([
    [LOOKS, 'GET', 200],
    [LOOKS, 'DELETE', 403],
    [EDITS, 'DELETE', 200],
    [EDITS, 'GET', 403],
    [RUNS, 'GET', 403],
    [RUNS, 'DELETE', 403],
  ])('%s: %s is %d', async (token, method, status) => {
    const answer = await call(LIMIT, { method, headers: { authorization: `Bearer ${token}` } })
    expect(answer.status).toBe(status)
    const lacking = method === 'GET' ? 'read' : 'edit'
    if (status === 403)
      expect(answer.body.errors).toEqual([
        { code: 10_000, message: expect.stringContaining(`lacks the permission "${lacking}"`) },
      ])
  })

  test('a token of some gateways reaches those alone, and nothing of the account', async () => {
    const headers = { authorization: `Bearer ${OF_LAB}` }
    expect((await call('/gateways/lab/url/openai', { headers })).status).toBe(200)
    for (const path of [URL, '/gateways/nowhere/url/openai', '/billing/credit-balance', LIMIT])
      expect(await call(path, { headers })).toMatchObject({ status: 403, body: { errors: [{ code: 10_000 }] } })
    expect(await call('/gateways/gone/url/openai', { headers })).toMatchObject({ status: 404 })
  })
})

describe('addresses of gateways', () => {
  test.each([
    ['default/url/openai', 'default/openai'],
    ['default/url/claude', undefined],
    ['lab/url/universal', 'lab'],
    ['lab/url/compat', 'lab/compat'],
    ['default/url/custom-workstation', 'default/custom-workstation'],
    ['default/url/workstation', 'default/custom-workstation'],
    ['nowhere/url/openai', undefined],
  ])('%s', async (path, end) => {
    const { status, body } = await call(`/gateways/${path}`)
    if (end === undefined) expect([status, body.errors[0]!.code]).toEqual([404, 7_002])
    else expect(body.result).toBe(`https://ai.example.com/v1/home/${end}`)
  })

  test('have the account that was asked with', async () => {
    expect((await call(URL, { account: 'elsewhere' })).body.result).toBe(
      'https://ai.example.com/v1/elsewhere/default/openai',
    )
  })
})

test('an address that is none is answered in the envelope', async () => {
  for (const path of ['/nothing', '/gateways/default/provider_configs/a/b'])
    expect(await call(path)).toMatchObject({
      status: 404,
      body: { success: false, errors: [{ code: 7_003 }], messages: [], result: null },
    })
})

describe('what does not fit', () => {
  const post = (body: string, headers: Record<string, string> = {}) =>
    call(LIMIT, { method: 'POST', body, headers: { authorization: `Bearer ${TOKEN}`, ...headers } })

  test.each([
    ['{}', 'amount: required', ['body', 'amount']],
    ['{"amount":"herons"}', 'amount: expected a number', ['body', 'amount']],
    ['{"amount":99,"duration":"daily","strategy":"fixed"}', 'amount: expected at least 100', ['body', 'amount']],
    [
      '{"amount":100,"duration":"yearly","strategy":"fixed"}',
      'duration: expected one of "daily", "weekly" or "monthly"',
      ['body', 'duration'],
    ],
    ['["herons"]', 'the body must be a JSON object', undefined],
    ['{"herons', 'the body is not valid JSON', undefined],
    ['', 'the body is empty; expected JSON', undefined],
  ])('%s', async (text, message, path) => {
    const { status, body } = await post(text)
    expect(status).toBe(400)
    expect(body.errors).toEqual([{ code: 7_001, message: expect.stringContaining(message), ...(path && { path }) }])
    expect(JSON.stringify(body)).not.toContain('herons')
  })

  test('a body that is too large, or packed in a way that nobody knows', async () => {
    expect(await post(`{"amount":${'1'.repeat(3_000)}}`)).toMatchObject({
      status: 413,
      body: { errors: [{ code: 413 }] },
    })
    expect(await post('{}', { 'content-encoding': 'herons' })).toMatchObject({ status: 415 })
  })

  test('members that nobody knows are told of, and have no effect', async () => {
    const { status, body } = await post('{"amount":100,"duration":"daily","strategy":"fixed","amuont":7}')
    expect(status).toBe(200)
    expect(body.messages).toEqual([{ code: 1_000, message: 'amuont: not known here, and without effect' }])
  })
})

describe('a query', () => {
  const read = queryReader(
    Type.Object({
      at: Type.Optional(Type.Union([Type.Integer({ minimum: 1 }), Type.Null()])),
      on: Type.Optional(Type.Boolean()),
      by: Type.Optional(Type.Union([Type.Literal('cost'), Type.Literal('id')])),
      name: Type.Optional(Type.String()),
    }),
  )
  const reading = (query: string) => read(new Request(`http://x/y?${query}`)) as unknown

  test('is what its schema says of it', () => {
    expect(reading('at=7&on=true&by=cost&name=12&other=x')).toEqual({ at: 7, on: true, by: 'cost', name: '12' })
    expect(reading('at=null&on=false&name=null')).toEqual({ at: null, on: false, name: 'null' })
    expect(reading('at=')).toEqual({ at: null })
    expect(read(new Request('http://x/y'))).toEqual({})
  })

  test.each(['at=0', 'at=1.5', 'at=1e3', 'at=herons', 'on=1', 'by=name'])('refuses %s', query => {
    expect(() => reading(query)).toThrow(/^(?:at|on|by): expected/)
  })
})

test('a body’s members keep their types', async () => {
  const read = bodyReader(Type.Object({ at: Type.Integer() }))
  const request = (body: string) => new Request('http://x', { method: 'POST', body })
  expect(await read(request('{"at":1}'), 1_000)).toEqual({ value: { at: 1 }, notes: [] })
  expect(read(request('{"at":"1"}'), 1_000)).rejects.toThrow('at: expected an integer')
})

describe('pages', () => {
  const list = Array.from({ length: 7 }, (_, index) => index)
  const page = async (query: string) =>
    (await pageFrom(list, pageOf(new Request(`http://x/y?${query}`))).json()) as Envelope

  test.each([
    ['', [0, 1, 2, 3, 4, 5, 6], { page: 1, per_page: 20, count: 7, total_count: 7, total_pages: 1 }],
    ['per_page=3', [0, 1, 2], { page: 1, per_page: 3, count: 3, total_count: 7, total_pages: 3 }],
    ['per_page=3&page=3', [6], { page: 3, per_page: 3, count: 1, total_count: 7, total_pages: 3 }],
    ['per_page=3&page=4', [], { page: 4, per_page: 3, count: 0, total_count: 7, total_pages: 3 }],
    [
      'page=9007199254740991',
      [],
      { page: 9_007_199_254_740_991, per_page: 20, count: 0, total_count: 7, total_pages: 1 },
    ],
  ])('"%s"', async (query, result, result_info) => {
    expect(await page(query)).toEqual({ success: true, errors: [], messages: [], result, result_info })
  })

  test.each([
    ['per_page=51', 'per_page: expected at most 50', 'per_page'],
    ['per_page=0', 'per_page: expected at least 1', 'per_page'],
    ['page=0', 'page: expected at least 1', 'page'],
    ['page=last', 'page: expected an integer', 'page'],
  ])('%s is refused', async (query, message, name) => {
    const { status, body } = await call(`/gateways/default/provider_configs?${query}`)
    expect(status).toBe(400)
    expect(body.errors).toEqual([{ code: 7_001, message, path: ['query', name] }])
  })
})

describe('the document', () => {
  const operations = Object.entries(managementOperations).map(
    ([name, { detail }]) => [name, detail as unknown as Operation] as const,
  )

  test.each(operations)('%s is called so, and its examples keep to its schemas', (name, operation) => {
    expect(operation.operationId).toBe(name)
    expect(operation.tags).toEqual(['Management'])
    const shown = Object.values(operation.responses).flatMap(({ content = {} }) => Object.values(content))
    for (const { schema, example } of [...shown, ...Object.values(operation.requestBody?.content ?? {})]) {
      expect(example).toBeDefined()
      expect([...Value.Errors(schema, example)].map(({ path, message }) => `${path}: ${message}`)).toEqual([])
    }
  })

  test('refusals are as it has them', async () => {
    const schemaOf = (name: keyof typeof managementOperations, status: number): TSchema =>
      (managementOperations[name].detail as unknown as Operation).responses[status]!.content!['application/json']!
        .schema
    const headers = { authorization: `Bearer ${LOOKS}` }
    for (const [name, status, answer] of [
      ['setSpendingLimit', 400, await call(LIMIT, { method: 'POST', body: '{}' })],
      ['getSpendingLimit', 401, await call(LIMIT, { headers: {} })],
      ['setSpendingLimit', 403, await call(LIMIT, { method: 'POST', headers })],
      ['getGatewayUrl', 404, await call('/gateways/nowhere/url/openai')],
      ['setSpendingLimit', 413, await call(LIMIT, { method: 'POST', body: ' '.repeat(3_000) })],
    ] as const) {
      expect(answer.status).toBe(status)
      expect([...Value.Errors(schemaOf(name, status), answer.body)]).toEqual([])
    }
  })
})

test('a fault of our own is in the envelope, and in the log', async () => {
  const broken = await startApp()
  await broken.store.close()
  const response = await fetch(`${broken.address}/client/v4/accounts/home/ai-gateway/billing/credit-balance`, {
    headers: { authorization: `Bearer ${TOKEN}` },
  })
  expect(response.status).toBe(500)
  expect(await response.json()).toMatchObject({ success: false, errors: [{ code: 500 }], result: null })
  expect(broken.logged()).toContain('a fault of our own')
  await broken.stop()
})
