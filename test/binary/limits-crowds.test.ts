import { afterAll, afterEach, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import { answerBound } from '../../src/costs/answer-bound.ts'
import { promptBound } from '../../src/costs/prompt-bound.ts'
import { redisServer } from '../storage/counters/redis-server.ts'
import { hasPostgres, postgresServer } from '../support/postgres-server.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'
import { type Asking, crowd, tally } from './crowd.ts'
import { endAll, eventually, folder, type Running, run, start } from './executable.ts'

/** Limits of each kind under a crowd, on the executable: exactly what is allowed goes through (contract 5, 2.4). */

setDefaultTimeout(180_000)
afterEach(endAll)

const CROWD = 5_000
/** The same is shown of a database with less. */
const SMALLER_CROWD = 1_000
/** How many of the crowd every limit lets through. */
const LIMIT = 300
const BUDGET = 0.3
/** USD of a request at a price for each. */
const FLAT = BUDGET / LIMIT
/** Longer than the tests run, so that no window ends meanwhile. */
const LONG_S = 2_592_000

const chat = (model: string) => ({ model, max_tokens: 50, messages: [{ role: 'user', content: 'Where is it?' }] })

/** What is taken for a request before its provider is asked; here its provider uses all of it. */
const TOKENS = (() => {
  const body = chat('openai/gateway-tokens')
  const { text } = promptBound(body, JSON.stringify(body).length)
  return text + (answerBound(body).maxTokens ?? 0)
})()

/** USD a million tokens, of the model that uses far less than it may. */
const PRICE = { input: 10, output: 10 }
const USED = { prompt_tokens: 60, completion_tokens: 40, total_tokens: 100 }
const USED_COST = 100 * 10e-6

let provider: StandIn
/** Requests by model that the provider has served. */
const served: Record<string, number> = {}

beforeAll(() => {
  provider = standIn(async ({ body }) => {
    const model = String(body.model)
    served[model] = (served[model] ?? 0) + 1
    // As long as some are under way together, what they may use is only promised.
    await Bun.sleep(20)
    const all = { prompt_tokens: TOKENS - 50, completion_tokens: 50, total_tokens: TOKENS }
    const usage = model.endsWith('tokens') ? all : USED
    const choices = [{ index: 0, message: { role: 'assistant', content: 'There.' }, finish_reason: 'stop' }]
    return Response.json({ id: 'c', object: 'chat.completion', created: 1, model, choices, usage })
  })
})
afterAll(() => provider.stop())

/** Each limit has a gateway, a token or a key to itself. */
const gatewayLimit = (technique: string) => ({
  rate_limiting_limit: LIMIT,
  rate_limiting_interval: LONG_S,
  rate_limiting_technique: technique,
})
const rule = { limit: BUDGET, window: LONG_S }
const flat = { input: 0, output: 0, request: FLAT }
const file = (server: object, storage: object) => ({
  server,
  storage,
  tokens: [
    { name: 'any', token: 'token-any' },
    { name: 'rated', token: 'token-rated', rate_limit: LIMIT, rate_limit_period: LONG_S },
    { name: 'metered', token: 'token-metered', token_limit: LIMIT * TOKENS, rate_limit_period: LONG_S },
    { name: 'budgeted', token: 'token-budgeted', budget: BUDGET },
    { name: 'saving', token: 'token-saving', budget: BUDGET },
    { name: 'payer', token: 'token-payer' },
  ],
  providers: {
    openai: { base_url: provider.address, keys: { default: 'of-the-house' } },
    groq: { base_url: provider.address },
  },
  gateways: {
    default: {},
    fixed: gatewayLimit('fixed'),
    sliding: gatewayLimit('sliding'),
    metered: { rate_limiting_tokens: LIMIT * TOKENS, rate_limiting_interval: LONG_S },
    ruled: { spend_limits: { enabled: true, rules: [rule] } },
    saving: { spend_limits: { enabled: true, rules: [{ ...rule, technique: 'fixed' }] } },
  },
  billing: { enabled: true, balance: 'token', rate_limit: 1_000_000 },
  prices: {
    'openai/gateway-rule': flat,
    'openai/token-budget': flat,
    'openai/credit': flat,
    'openai/rule-saved': PRICE,
    'openai/budget-saved': PRICE,
  },
})

interface Kind {
  model: string
  gateway?: string
  token?: string
  refused: number
}
const kinds: [string, Kind][] = [
  ['requests of a gateway, fixed', { model: 'openai/gateway-fixed', gateway: 'fixed', refused: 429 }],
  ['requests of a gateway, sliding', { model: 'openai/gateway-sliding', gateway: 'sliding', refused: 429 }],
  ['requests of a token', { model: 'openai/token-requests', token: 'rated', refused: 429 }],
  ['requests of a stored key', { model: 'groq/key-requests', refused: 429 }],
  ['tokens of a gateway', { model: 'openai/gateway-tokens', gateway: 'metered', refused: 429 }],
  ['tokens of a token', { model: 'openai/token-tokens', token: 'metered', refused: 429 }],
  ['money of a rule', { model: 'openai/gateway-rule', gateway: 'ruled', refused: 429 }],
  ['money of a token', { model: 'openai/token-budget', token: 'budgeted', refused: 429 }],
  ['credit', { model: 'openai/credit', token: 'payer', refused: 402 }],
]

/** Nobody but the payer pays for the key of the house. */
function asking({ model, gateway = 'default', token = 'any' }: Kind): Asking {
  const own = model.startsWith('openai/') && token !== 'payer'
  return {
    path: `/v1/home/${gateway}/compat/chat/completions`,
    headers: {
      'cf-aig-authorization': `Bearer token-${token}`,
      ...(own && { authorization: 'Bearer key-of-the-caller' }),
    },
    body: chat(model),
  }
}

const servedOf = ({ model }: Kind) => served[model.slice(model.indexOf('/') + 1)] ?? 0

interface Topology {
  ports: number[]
  size?: number
  end(): Promise<void>
}

/** Starts as many servers over one configuration, with the key and the credit in place. */
async function started(
  server: object,
  storage: object,
  replicas: number,
): Promise<{ servers: Running[]; path: string }> {
  for (const model in served) delete served[model]
  const here = folder({ 'postern.yaml': JSON.stringify(file(server, storage)) })
  const env = { KEY: 'sk-of-the-store', POSTERN_ENCRYPTION_KEY: 'a-secret-for-the-stored-keys' }
  const limits = ['--rate-limit', `${LIMIT}`, '--rate-limit-period', `${LONG_S}`]
  expect(await run(['key', 'add', 'groq', '--from-env', 'KEY', ...limits], here.path, env)).toMatchObject({ code: 0 })
  expect(await run(['credit', 'add', `${BUDGET}`, '--token', 'payer'], here.path, env)).toMatchObject({ code: 0 })
  const servers: Running[] = []
  for (let count = 0; count < replicas; count++) servers.push(await start([], here.path, env))
  return { servers, path: here.path }
}

const topologies: [string, () => Promise<Topology>][] = [
  [
    'one worker',
    async () => {
      const { servers } = await started({}, {}, 1)
      return { ports: servers.map(({ port }) => port), end: async () => {} }
    },
  ],
  [
    'two workers',
    async () => {
      const { servers } = await started({ workers: 2 }, {}, 1)
      await servers[0]!.until(/"worker":1/)
      return { ports: servers.map(({ port }) => port), end: async () => {} }
    },
  ],
  [
    'two replicas over Redis',
    async () => {
      const redis = await redisServer()
      const { servers } = await started({}, { redis: redis.url }, 2)
      return { ports: servers.map(({ port }) => port), end: () => redis.kill() }
    },
  ],
]
if (hasPostgres)
  topologies.push([
    'two replicas over PostgreSQL',
    async () => {
      const postgres = await postgresServer()
      const { servers } = await started({}, { database: await postgres.fresh() }, 2)
      return { ports: servers.map(({ port }) => port), size: SMALLER_CROWD, end: () => postgres.remove() }
    },
  ])

describe.each(topologies)('%s', (_, begin) => {
  let topology: Topology | undefined
  afterEach(async () => {
    await endAll()
    await topology?.end()
  })

  test('of thousands at once exactly what is allowed goes through, of every kind; money stays within its bounds', async () => {
    topology = await begin()
    const { ports, size = CROWD } = topology
    for (const [name, kind] of kinds) {
      const statuses = tally(await crowd(ports, size, asking(kind)))
      expect({ name, statuses, served: servedOf(kind) }).toEqual({
        name,
        statuses: { 200: LIMIT, [kind.refused]: size - LIMIT },
        served: LIMIT,
      })
      // Nothing of it comes back by itself.
      expect({ name, status: await crowd(ports, 2, asking(kind)) }).toEqual({
        name,
        status: [kind.refused, kind.refused],
      })
    }

    // What was promised and not used is given back; it is never more than there is, and in the end nearly all of it.
    for (const kind of [
      { model: 'openai/rule-saved', gateway: 'saving', refused: 429 },
      { model: 'openai/budget-saved', token: 'saving', refused: 429 },
    ] satisfies Kind[]) {
      const most = Math.floor(BUDGET / USED_COST + 1e-9)
      const reserved = (TOKENS * 10e-6) / USED_COST
      await crowd(ports, size, asking(kind))
      expect(servedOf(kind)).toBeGreaterThan(0)
      expect(servedOf(kind)).toBeLessThanOrEqual(most)
      const usedUp = async () => {
        while ((await crowd(ports, 10, asking(kind))).includes(200));
        expect(servedOf(kind)).toBeLessThanOrEqual(most)
        return servedOf(kind) > most - reserved
      }
      expect(await eventually(usedUp)).toBe(true)
    }
  })
})
