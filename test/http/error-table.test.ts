import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { keyCipher } from '../../src/storage/key-cipher.ts'
import { secretInMemory } from '../../src/storage/own-secret.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/**
 * Every row of the contract's error table (2.5) that a client can meet, at every surface where it can: status, number
 * and the whole body. Where a surface says it differently, the row says so.
 */

const SECRET = 'a-secret-of-the-operator'
const READER = 'a-token-that-only-reads'
const NARROW = 'a-token-for-the-lab-only'
const LONGEST = 'g'.repeat(64)

type Surface = 'native' | 'universal' | 'compat' | 'run' | 'rest chat'
const SURFACES: readonly Surface[] = ['native', 'universal', 'compat', 'run', 'rest chat']
const ON_DATA_PLANE: readonly Surface[] = ['native', 'universal', 'compat']
const ON_REST: readonly Surface[] = ['run', 'rest chat']

/** What a request is like where it differs from one that is answered well. */
interface Asked {
  app?: () => RunningApp
  provider?: string
  gateway?: string
  account?: string
  /** Null for none. */
  token?: string | null
  headers?: Record<string, string>
}

interface Row extends Asked {
  number: number
  status: number
  what: string
  /** In the message. */
  says: string
  /** All of them when left out. */
  at?: readonly Surface[]
  /** OpenAI's members of the error, where a surface has them. */
  code: string
  type?: string
  param?: string
  retryAfter?: boolean
}

let provider: StandIn
let app: RunningApp
/** The house's keys cost credit here, of which there is none. */
let poor: RunningApp
/** Here there is plenty, for one request a minute. */
let busy: RunningApp

beforeAll(async () => {
  provider = standIn(({ headers, body }) => {
    if (headers.get('authorization') === 'Bearer a-key-that-expired')
      return Response.json({ error: { message: 'Incorrect API key provided' } }, { status: 401 })
    const choices = [{ index: 0, message: { role: 'assistant', content: 'Yes.' }, finish_reason: 'stop' }]
    const usage = { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 }
    return Response.json({ id: 'c', object: 'chat.completion', created: 1, model: body.model, choices, usage })
  })
  const base_url = provider.address
  const keys = { default: 'k' }
  // A port that was free a moment ago.
  const gone = standIn(() => new Response())
  gone.stop()
  const file = {
    storage: { encryption_key: SECRET },
    tokens: [
      { name: 'tests', token: TOKEN },
      { name: 'reader', token: READER, permissions: ['read' as const] },
      { name: 'narrow', token: NARROW, gateways: ['lab'] },
    ],
    providers: {
      openai: { base_url, keys },
      mistral: { base_url },
      cerebras: { base_url, keys: { default: 'a-key-that-expired' } },
      groq: { base_url: gone.address, keys },
    },
    prices: { 'openai/m': { input: 1, output: 10 } },
    gateways: {
      lab: {},
      [LONGEST]: {},
      often: { rate_limiting_limit: 1, rate_limiting_interval: 3600 },
      spent: { spend_limits: { enabled: true, rules: [{ id: 'a1b2c3d4', limit: 0.000_001, window: 3600 }] } },
    },
  }
  app = await startApp(file)
  poor = await startApp({ ...file, billing: { enabled: true } })
  busy = await startApp({ ...file, billing: { enabled: true, rate_limit: 1 } })
  const scope = { provider: 'mistral', alias: 'default' }
  await app.store.keys.put({
    id: Bun.randomUUIDv7(),
    ...scope,
    ...keyCipher(SECRET, secretInMemory()).seal('a-key-that-expired', scope),
    is_default: true,
    preview: 'ired',
    created: 1,
    modified: 1,
  })
  await busy.store.credits.add('account', 10n ** 12n, 'test')
  expect((await asked('compat', { app: () => busy })).status).toBe(200)
  expect((await asked('compat', { gateway: 'often' })).status).toBe(200)
})
afterAll(async () => {
  for (const one of [app, poor, busy]) await one.stop()
  provider.stop()
})

const CHAT = { messages: [{ role: 'user', content: 'Where does the heron stand?' }], max_tokens: 50 }

/** The same question at each surface. */
function asked(surface: Surface, given: Asked = {}): Promise<Response> {
  const { provider = 'openai', gateway = 'default', account = 'home', token = TOKEN, headers } = given
  const plane = `/v1/${account}/${gateway}`
  const rest = `/client/v4/accounts/${account}/ai`
  const model = `${provider}/m`
  const step = { provider, endpoint: 'chat/completions', headers: {}, query: { model: 'm', ...CHAT } }
  const [path, body] = {
    native: [`${plane}/${provider}/chat/completions`, { model: 'm', ...CHAT }],
    universal: [plane, [step]],
    compat: [`${plane}/compat/chat/completions`, { model, ...CHAT }],
    run: [`${rest}/run`, { model, input: CHAT }],
    'rest chat': [`${rest}/v1/chat/completions`, { model, ...CHAT }],
  }[surface] as [string, unknown]
  return fetch((given.app ?? (() => app))().address + path, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(token !== null && { authorization: `Bearer ${token}` }),
      ...(ON_REST.includes(surface) && { 'cf-aig-gateway-id': gateway }),
      ...headers,
    },
    body: JSON.stringify(body),
  })
}

interface Told {
  status: number
  number: number
  message: string
  code: string
  type: string
  param: string | null
}

/** The body of a refusal, whole, as each surface shapes it. */
function shaped(surface: Surface, { status, number, message, code, type, param }: Told): unknown {
  const list = [{ code: number, message }]
  const openai = { error: { message, type, param, code } }
  if (surface === 'run') return { result: null, success: false, errors: list, messages: [] }
  if (surface === 'rest chat') return { result: null, success: false, errors: list, messages: [], ...openai }
  // These two are what Cloudflare's own client looks into, wherever it stands.
  if (surface === 'compat' && number !== 2001 && number !== 2009) return { ...openai, success: false, errors: list }
  return {
    success: false,
    result: [],
    messages: [],
    error: list,
    errors: list,
    name: 'AiGatewayError',
    httpCode: status,
    internalCode: number,
    message,
    description: message,
  }
}

const invalid = 'invalid_request_error'
const authentication = { code: 'unauthorized', type: 'authentication_error' }
const refused = { number: 2009, status: 401, says: 'Unauthorized', ...authentication, at: ON_DATA_PLANE }
const refusedByRest = { ...refused, number: 10_000, says: 'Authentication error', at: ON_REST }
const forbidden = { number: 2009, status: 403, code: 'forbidden', type: 'permission_error', at: ON_DATA_PLANE }
const unreachable = { number: 2005, provider: 'groq', code: 'upstream_unreachable', says: 'no answer from Groq' }
const nowhere = { what: 'a provider that there is not', provider: 'nowhere', says: 'nowhere' }

const table: Row[] = [
  {
    number: 2001,
    status: 400,
    what: 'a gateway that nobody declared',
    gateway: 'elsewhere',
    says: 'Please configure AI Gateway: there is no gateway "elsewhere"',
    code: 'gateway_not_configured',
  },
  {
    number: 2003,
    status: 429,
    what: 'more requests than the gateway takes',
    gateway: 'often',
    says: 'Rate limited',
    code: 'rate_limited',
    type: 'rate_limit_error',
    retryAfter: true,
  },
  // One provider's outage is a 502 or 504, which clients try again; of a list that came to nothing Cloudflare says 400.
  { ...unreachable, status: 400, what: 'no step gave an answer', type: invalid, at: ['universal'] },
  {
    ...unreachable,
    status: 502,
    what: 'the provider gives no answer',
    type: 'server_error',
    at: SURFACES.filter(surface => surface !== 'universal'),
  },
  {
    ...nowhere,
    number: 2008,
    status: 400,
    code: 'invalid_provider',
    at: ['native', 'universal'],
  },
  {
    ...nowhere,
    number: 2008,
    status: 400,
    code: 'invalid_provider',
    param: 'model',
    at: ['compat', 'rest chat'],
  },
  { ...nowhere, number: 7003, status: 404, code: 'model_not_found', param: 'model', at: ['run'] },
  { ...refused, what: 'no token', token: null },
  { ...refused, what: 'a token that nobody gave out', token: null, headers: { 'cf-aig-authorization': 'Bearer no' } },
  { ...refused, what: 'a placeholder of an SDK', token: 'undefined' },
  { ...refused, what: 'another account', account: 'away' },
  // Whether there is such a gateway is told to those who may call.
  { ...refused, what: 'no token, and a gateway that nobody declared', token: null, gateway: 'elsewhere' },
  { ...forbidden, what: 'a token that may not run', token: READER, says: 'lacks the permission "run"' },
  { ...forbidden, what: 'a token of another gateway', token: NARROW, says: 'does not open the gateway "default"' },
  { ...refusedByRest, what: 'no token', token: null },
  { ...refusedByRest, what: 'a token that nobody gave out', token: 'no' },
  { ...refusedByRest, what: 'another account', account: 'away' },
  { ...forbidden, number: 10_000, what: 'a token that may not run', token: READER, says: 'lacks', at: ON_REST },
  {
    number: 2018,
    status: 429,
    what: "the house's keys have served what they may",
    app: () => busy,
    says: "the house's keys serve 1 requests in 60 s",
    code: 'house_throughput',
    type: 'rate_limit_error',
    retryAfter: true,
  },
  {
    number: 2021,
    status: 402,
    what: 'no credit',
    app: () => poor,
    says: 'not enough credit',
    code: 'insufficient_credit',
  },
  {
    number: 2040,
    status: 400,
    what: 'an alias that no key has',
    headers: { 'cf-aig-byok-alias': 'of-my-own' },
    says: 'provider openai has no BYOK credential named "of-my-own"; configured aliases: default',
    code: 'unknown_key_alias',
    param: 'cf-aig-byok-alias',
  },
  {
    number: 2041,
    status: 429,
    what: 'the spend limit is reached',
    gateway: 'spent',
    says: 'rule a1b2c3d4 allows $0.000001 in 3600 s (sliding)',
    code: 'spend_limit_reached',
    type: 'rate_limit_error',
    retryAfter: true,
  },
]

describe.each(table)('$number with $status: $what', row => {
  test.each((row.at ?? SURFACES).map(surface => [surface] as const))('at %s', async surface => {
    const response = await asked(surface, row)
    const text = await response.text()
    const body = JSON.parse(text) as { errors: { message: string }[] }
    const { number, status, code, type = invalid, param = null } = row
    const message = body.errors[0]!.message
    expect(message).toContain(row.says)
    expect(body as unknown).toEqual(shaped(surface, { status, number, message, code, type, param }))
    expect(response.status).toBe(status)
    expect(response.headers.get('content-type')).toBe('application/json')
    expect(response.headers.has('retry-after')).toBe(row.retryAfter === true)
    expect(response.headers.get('www-authenticate')).toBe(status === 401 ? 'Bearer' : null)
    // Neither what the client sent nor a key of the operator's is in it.
    for (const secret of [TOKEN, READER, NARROW, SECRET, 'heron']) expect(text).not.toContain(secret)
  })
})

describe('a provider that refuses its key', () => {
  test('a stored one: 401 with 2009 on the run path', async () => {
    const response = await asked('run', { provider: 'mistral' })
    expect(response.status).toBe(401)
    expect(await response.json()).toEqual({
      result: null,
      success: false,
      errors: [{ code: 2009, message: 'Incorrect API key provided' }],
      messages: [],
    })
  })

  test("the house's: no fault of the caller's, 503 on the run path", async () => {
    const response = await asked('run', { provider: 'cerebras' })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ success: false, errors: [{ code: 503 }] })
  })

  test.each(['native', 'universal'] as const)('at %s its own answer goes on as it came', async surface => {
    const response = await asked(surface, { provider: 'mistral' })
    expect(response.status).toBe(401)
    expect(await response.text()).toBe('{"error":{"message":"Incorrect API key provided"}}')
  })
})

describe('ids of gateways (contract 1.2)', () => {
  test.each(SURFACES)(
    'at %s "default" is there for its first caller, and one of 64 characters works',
    async surface => {
      expect((await asked(surface)).status).toBe(200)
      expect((await asked(surface, { gateway: LONGEST })).status).toBe(200)
    },
  )

  test.each(SURFACES)('at %s one of 65 characters is not there, and is not repeated whole', async surface => {
    const response = await asked(surface, { gateway: `${LONGEST}g` })
    expect(response.status).toBe(400)
    const { errors } = (await response.json()) as { errors: { code: number; message: string }[] }
    expect(errors[0]!.code).toBe(2001)
    expect(errors[0]!.message).not.toContain(`${LONGEST}g`)
  })
})
