import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { type TSchema, Type } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { Elysia } from 'elysia'
import { readControls } from '../../src/gateway/controls.ts'
import { documented } from '../../src/http/documentation.ts'
import { callHeaders, replyHeaders, stepHeader } from '../../src/http/documentation-headers.ts'
import type { Operation } from '../../src/http/documentation-operation.ts'
import { buildDocument } from '../../src/http/openapi.ts'
import { builtIn } from '../../src/providers/index.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** What the document says of Cloudflare's addresses, held against what the gateway does. */

const operations = new Map(documented.map(({ detail }) => [detail.operationId!, detail as unknown as Operation]))
const operationOf = (id: string) => operations.get(id)!

let provider: StandIn
let app: RunningApp
beforeAll(async () => {
  provider = standIn(({ path }) =>
    path.endsWith('/refused') ? Response.json({ detail: 'no' }, { status: 418 }) : Response.json({ fine: true }),
  )
  const reach = { base_url: provider.address, keys: { default: 'key-of-the-operator-4711' } }
  app = await startApp({
    tokens: [
      { name: 'tests', token: TOKEN },
      { name: 'team', token: 'a-token-of-the-team', gateways: ['team'] },
    ],
    providers: { openai: reach, anthropic: reach, mistral: { ...reach, base_url: 'http://127.0.0.1:1' } },
    server: { max_body: 2_000 },
    gateways: { team: {} },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

const call = (path: string, body: unknown, headers: Record<string, string> = {}) =>
  fetch(app.address + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

/** The schema that the document has for an answer with this status. */
function schemaOf(id: string, status: number): TSchema {
  const { responses } = operationOf(id)
  return (responses[status] ?? responses.default)!.content!['application/json']!.schema
}

describe('request headers', () => {
  const objects: Record<string, string> = {
    'cf-aig-metadata': '{"team":"blue","user":17}',
    'cf-aig-custom-cost': '{"per_token_in":0.000001,"per_token_out":0.000002}',
  }
  const sample = ({ name, schema }: (typeof callHeaders)[number]): string => {
    if (objects[name]) return objects[name]
    if (schema.enum) return String((schema.enum as string[])[0])
    if (schema.pattern) return 'a'.repeat(Number(/\{(\d+)\}/.exec(String(schema.pattern))![1]))
    return { boolean: 'true', integer: String(schema.minimum) }[String(schema.type)] ?? 'a-word'
  }

  test.each(callHeaders)('$name is one that the gateway understands as described', parameter => {
    const { dropped, ...said } = readControls(new Headers({ [parameter.name]: sample(parameter) }))
    expect(dropped).toBeUndefined()
    expect(Object.keys(said)).toHaveLength(1)
  })

  test.each(callHeaders.filter(({ schema }) => schema.type !== 'string' || schema.enum || schema.pattern))(
    '$name takes nothing that the document does not',
    ({ name, schema }) => {
      const beyond = ['soon', ...(schema.maximum ? [String(Number(schema.maximum) + 1)] : [])]
      for (const value of beyond) expect(() => readControls(new Headers({ [name]: value }))).toThrow(name)
    },
  )

  test('every operation that asks a provider has them all', () => {
    for (const [id, { parameters = [], tags }] of operations) {
      // A stream that is taken up again was asked for before.
      if (/^(?:resume|stop)Run$/.test(id)) continue
      if (!['Chat', 'Universal', 'Providers', 'REST'].includes(tags[0]!)) continue
      const names = (parameters as { name: string }[]).map(({ name }) => name)
      for (const { name } of callHeaders) expect(`${id} ${names}`).toContain(name)
      expect(names.includes('cf-aig-gateway-id')).toBe(tags[0] === 'REST')
    }
  })
})

test('the answer of a step has the headers that the document has, and no other of the gateway’s', async () => {
  const response = await call('/v1/home/default', { provider: 'openai', endpoint: 'models', query: {} })
  expect(response.status).toBe(200)
  const told = [...response.headers.keys()].filter(name => name.startsWith('cf-aig-') || name.startsWith('postern-'))
  expect(told).toContain('cf-aig-step')
  const documentedHeaders = Object.keys({ ...replyHeaders, ...stepHeader })
  expect(told.filter(name => !documentedHeaders.includes(name))).toEqual([])
})

describe('refusals are in the shape that the document has for them', () => {
  const WRONG = { authorization: 'Bearer wrong' }
  const LONG = { query: 'x'.repeat(3_000), model: 'openai/m', input: {} }
  const NATIVE = '/v1/home/default'
  const REST = '/client/v4/accounts/home/ai'
  const chat = { model: 'mistral/m', messages: [{ role: 'user', content: 'hello' }] }
  const cases: [string, string, number, unknown, Record<string, string>?][] = [
    ['postToProvider', `${NATIVE}/openai/responses`, 401, {}, WRONG],
    ['postToProvider', `${NATIVE}/nowhere/responses`, 400, {}],
    ['postToProvider', `${NATIVE}/openai/responses`, 403, {}, { authorization: 'Bearer a-token-of-the-team' }],
    ['postToProvider', `${NATIVE}/openai/responses`, 413, LONG],
    ['postToProvider', `${NATIVE}/openai/refused`, 418, {}],
    ['postToProvider', `${NATIVE}/mistral/v1/chat/completions`, 502, {}],
    ['runSteps', NATIVE, 401, [], WRONG],
    ['runSteps', NATIVE, 400, []],
    ['runSteps', NATIVE, 418, [{ provider: 'openai', endpoint: 'refused', query: {} }]],
    ['runModel', `${REST}/run`, 401, {}, WRONG],
    ['runModel', `${REST}/run`, 400, { model: 'openai/m' }],
    ['runModel', `${REST}/run`, 413, LONG],
    ['runModel', `${REST}/run`, 502, { model: 'mistral/m', input: { messages: chat.messages } }],
    ['runNamedModel', `${REST}/run/openai/m`, 400, {}],
    ['createAccountChatCompletion', `${REST}/v1/chat/completions`, 401, {}, WRONG],
    ['createAccountChatCompletion', `${REST}/v1/chat/completions`, 502, chat],
    ['createAccountEmbeddings', `${REST}/v1/embeddings`, 400, { model: 'anthropic/m', input: 'x' }],
    ['createAccountMessage', `${REST}/v1/messages`, 400, {}],
    ['createAccountResponse', `${REST}/v1/responses`, 403, {}, { authorization: 'Bearer a-token-of-the-team' }],
  ]
  test.each(cases)('%s at %s: %d', async (id, path, status, body, headers = {}) => {
    const response = await call(path, body, headers)
    expect(response.status).toBe(status)
    const said: unknown = await response.json()
    const schema = schemaOf(id, status)
    expect([...Value.Errors(schema, said)].map(({ path, message }) => `${path}: ${message}`)).toEqual([])
    // The free shape of a provider's refusal would take any object: the gateway's own must fit the first.
    const own = (schema.anyOf as TSchema[] | undefined)?.[0] ?? schema
    if (status !== 418) expect(Value.Check(own, said)).toBe(true)
  })
})

describe('examples keep to their schemas', () => {
  interface Media {
    schema: TSchema
    example?: unknown
    examples?: Record<string, { value: unknown }>
  }
  const shown: [string, TSchema, unknown][] = []
  const add = (where: string, content: Record<string, Media> = {}) => {
    for (const { schema, example, examples = {} } of Object.values(content)) {
      if (example !== undefined) shown.push([where, schema, example])
      for (const [name, { value }] of Object.entries(examples)) shown.push([`${where} ${name}`, schema, value])
      for (const value of (schema.examples ?? []) as unknown[]) shown.push([where, schema, value])
    }
  }
  for (const [id, { requestBody, responses }] of operations) {
    add(id, requestBody?.content as Record<string, Media>)
    for (const [status, { content }] of Object.entries(responses))
      add(`${id} ${status}`, content as Record<string, Media>)
  }

  test('there are some', () => expect(shown.length).toBeGreaterThan(100))
  test.each(shown)('%s', (_, schema, value) => {
    expect([...Value.Errors(schema, value)].map(({ path, message }) => `${path}: ${message}`)).toEqual([])
  })
})

test('the table has every provider that Postern knows by itself', () => {
  const rows = operationOf('postToProvider')
    .description!.split('\n')
    .filter(line => line.startsWith('| `'))
  expect(rows.slice(1).map(row => row.split('`')[1]!)).toEqual(builtIn.map(({ slug }) => slug))
  for (const { title, keyIn } of builtIn) {
    const row = rows.find(line => line.includes(`| ${title} |`))
    for (const name of keyIn) expect(row).toContain(`\`${name}\``)
  }
})

describe('the document refuses to lose anything', () => {
  const nothing = () => new Response()
  const operation = (operationId: string, parts: Partial<Operation>) =>
    ({ detail: { operationId, responses: { default: { description: 'x' } }, ...parts } }) as never
  const parameter = (description: string) => ({
    name: 'size',
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  })

  test('two parameters that differ under one name', async () => {
    const app = new Elysia()
      .get('/a', nothing, operation('a', { parameters: [parameter('one')] }))
      .get('/b', nothing, operation('b', { parameters: [parameter('other')] }))
    expect(buildDocument(app)).rejects.toThrow('parameters: two that differ are named "size"')
  })

  test('an answer under `default` has its schemas among the components', async () => {
    const schema = Type.Object({ x: Type.String() }, { $id: 'Thing' })
    const content = { 'application/json': { schema } }
    const app = new Elysia().get(
      '/a',
      nothing,
      operation('a', { responses: { default: { description: 'x', content } } }),
    )
    expect(await buildDocument(app)).toMatchObject({
      paths: {
        '/a': {
          get: {
            responses: {
              default: { content: { 'application/json': { schema: { $ref: '#/components/schemas/Thing' } } } },
            },
          },
        },
      },
      components: { schemas: { Thing: { type: 'object' } } },
    })
  })
})
