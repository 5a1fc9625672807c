import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import type { File } from '../../src/config/schema.ts'
import { startApp, TOKEN } from '../support/app.ts'
import { answerOf } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** Each provider's own list, in its own form. */
const lists: Record<string, unknown> = {
  '/openai/models': {
    object: 'list',
    data: [
      { id: 'gpt-4.1', object: 'model', created: 1_744_316_542, owned_by: 'system' },
      { id: 'a-model-that-nobody-prices', object: 'model', created: 0 },
    ],
  },
  '/anthropic/v1/models?limit=1000': {
    data: [{ type: 'model', id: 'claude-haiku-4-5', display_name: 'Haiku', created_at: '2025-10-01T00:00:00Z' }],
    has_more: false,
  },
  '/google/v1beta/models?pageSize=1000': {
    models: [
      { name: 'models/gemini-2.5-flash', supportedGenerationMethods: ['generateContent', 'countTokens'] },
      { name: 'models/embedding-001', supportedGenerationMethods: ['embedContent'] },
    ],
  },
  '/cohere/v1/models?endpoint=chat&page_size=1000': { models: [{ name: 'command-a-03-2025' }, {}] },
  '/cf/client/v4/accounts/an-account/ai/models/search?per_page=1000&task=Text%20Generation': {
    success: true,
    result: [{ id: 'f8', name: '@cf/openai/gpt-oss-120b' }],
  },
  '/ollama/api/tags': { models: [{ name: 'qwen3:8b', modified_at: '2026-01-02T03:04:05.678Z' }] },
  // Together leaves out the wrapper.
  '/together/models': [{ id: 'zai-org/GLM-4.6', created: 1_759_000_000 }],
  '/bare/v1/models': { data: [{ id: 'mine' }] },
}

let all: StandIn
let fails = false

beforeAll(() => {
  all = standIn(({ path }) => {
    if (path.startsWith('/mistral')) return new Response('<html>busy</html>', { status: 503 })
    if (fails) return new Response('', { status: 500 })
    return lists[path] ? Response.json(lists[path]) : new Response('no', { status: 404 })
  })
})
afterAll(() => all.stop())
beforeEach(() => {
  all.seen.length = 0
  fails = false
})

const base = (name: string) => ({ base_url: `${all.address}/${name}`, keys: { default: `key-of-${name}` } })
const NO_OTHERS = { base_url: 'http://127.0.0.1:1' }

const file = (): File => ({
  tokens: [
    { name: 'tests', token: TOKEN },
    { name: 'reader', token: 'only-reads', permissions: ['read'] },
  ],
  providers: {
    openai: base('openai'),
    anthropic: { ...base('anthropic'), headers: { 'Anthropic-Version': '2024-01-01' } },
    'google-ai-studio': base('google'),
    cohere: base('cohere'),
    mistral: base('mistral'),
    together: base('together'),
    'workers-ai': {
      ...base('cf'),
      base_url: `${all.address}/cf/client/v4/accounts/{account}/ai/run`,
      account: 'an-account',
    },
    groq: { base_url: `${all.address}/groq` },
    ollama: { base_url: `${all.address}/ollama` },
    lmstudio: NO_OTHERS,
    vllm: NO_OTHERS,
    llamacpp: NO_OTHERS,
  },
  custom_providers: { bare: { base_url: `${all.address}/bare` } },
  gateways: { open: { authentication: false } },
  prices: { 'custom-bare/mine': { input: 1.5, output: 6 }, 'openai/gpt-4.1': { input: 100, output: 200 } },
})

interface Listed {
  id: string
  object: string
  created: number
  created_at: number
  owned_by: string
  cost_in: number | null
  cost_out: number | null
}

async function listed(address: string, path = '/v1/home/default/compat/models', token: string | null = TOKEN) {
  const response = await fetch(address + path, token === null ? {} : { headers: { authorization: `Bearer ${token}` } })
  const body = (await response.json()) as { object: string; data: Listed[] }
  return { status: response.status, body, models: new Map(body.data?.map(model => [model.id, model])) }
}

describe('GET …/compat/models', () => {
  test('1.4 the models of every provider, in their own order, with ids that can be asked for', async () => {
    const app = await startApp(file())
    const { status, body, models } = await listed(app.address)
    expect(status).toBe(200)
    expect(body.object).toBe('list')
    expect([...models.keys()]).toEqual([
      'custom-bare/mine',
      'openai/gpt-4.1',
      'openai/a-model-that-nobody-prices',
      'anthropic/claude-haiku-4-5',
      'google-ai-studio/gemini-2.5-flash',
      'workers-ai/@cf/openai/gpt-oss-120b',
      'cohere/command-a-03-2025',
      'together/zai-org/GLM-4.6',
      'ollama/qwen3:8b',
    ])
    expect(models.get('anthropic/claude-haiku-4-5')).toEqual({
      id: 'anthropic/claude-haiku-4-5',
      object: 'model',
      created: 1_759_276_800,
      created_at: 1_759_276_800,
      owned_by: 'anthropic',
      cost_in: 0.000001,
      cost_out: 0.000005,
    })
    expect(models.get('ollama/qwen3:8b')?.created).toBe(1_767_323_045)
    await app.stop()
  })

  test('prices: the operator’s before the list’s, null where nobody knows', async () => {
    const app = await startApp(file())
    const { models } = await listed(app.address, '/v1/models')
    const price = (id: string) => [models.get(id)?.cost_in, models.get(id)?.cost_out]
    expect(price('custom-bare/mine')).toEqual([0.0000015, 0.000006])
    expect(price('openai/gpt-4.1')).toEqual([0.0001, 0.0002])
    expect(price('openai/a-model-that-nobody-prices')).toEqual([null, null])
    await app.stop()
  })

  test('each provider is asked with its key, once; those without one are not', async () => {
    const app = await startApp(file())
    await Promise.all([listed(app.address), listed(app.address), listed(app.address)])
    await listed(app.address)
    const paths = all.seen.map(({ path }) => path.split('/')[1])
    expect(paths.toSorted()).toEqual(
      ['anthropic', 'bare', 'cf', 'cohere', 'google', 'mistral', 'ollama', 'openai', 'together'].toSorted(),
    )
    const keyOf = (name: string, header: string) =>
      all.seen.find(({ path }) => path.startsWith(`/${name}/`))?.headers.get(header)
    expect(keyOf('openai', 'authorization')).toBe('Bearer key-of-openai')
    expect(keyOf('anthropic', 'x-api-key')).toBe('key-of-anthropic')
    expect(keyOf('anthropic', 'anthropic-version')).toBe('2024-01-01')
    expect(keyOf('google', 'x-goog-api-key')).toBe('key-of-google')
    expect(keyOf('bare', 'authorization')).toBeNull()
    await app.stop()
  })

  test('a provider that fails is left out and said so in the log, once; a local server that is off is no news', async () => {
    const app = await startApp(file())
    await listed(app.address)
    await listed(app.address)
    const warnings = app
      .logged()
      .split('\n')
      .filter(line => line.includes('the list of models could not be read'))
    expect(warnings).toHaveLength(1)
    expect(warnings[0]).toContain('"provider":"mistral"')
    expect(warnings[0]).toContain('503')
    await app.stop()
  })

  test('a reload asks again', async () => {
    const app = await startApp(file())
    await listed(app.address)
    const before = all.seen.length
    app.reload(file())
    expect((await listed(app.address)).models.size).toBe(9)
    expect(all.seen.length).toBe(before * 2)
    await app.stop()
  })

  test('every provider failing is an empty list, not an error', async () => {
    fails = true
    const app = await startApp(file())
    const { status, body } = await listed(app.address)
    expect({ status, data: body.data }).toEqual({ status: 200, data: [] })
    await app.stop()
  })

  test('it needs a token; on an open gateway those without one see only servers that need no key', async () => {
    const app = await startApp(file())
    expect((await listed(app.address, undefined, null)).status).toBe(401)
    expect((await listed(app.address, '/v1/models', 'wrong')).status).toBe(401)
    expect((await listed(app.address, '/v1/models', 'only-reads')).status).toBe(403)
    expect((await listed(app.address, '/v1/home/nothing/compat/models')).status).toBe(400)
    const open = await listed(app.address, '/v1/home/open/compat/models', null)
    expect([...open.models.keys()]).toEqual(['custom-bare/mine', 'ollama/qwen3:8b'])
    expect((await listed(app.address, '/v1/home/open/compat/models')).models.size).toBe(9)
    await app.stop()
  })

  test('a model from the list can be asked for as it stands there', async () => {
    const app = await startApp(file())
    const { models } = await listed(app.address)
    for (const id of models.keys()) {
      const response = await fetch(`${app.address}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${TOKEN}` },
        body: JSON.stringify({ model: id, messages: [{ role: 'user', content: 'x' }] }),
      })
      // The stand-ins have no chat, and say so themselves.
      expect((await answerOf(response)).error?.message).toBe('no')
    }
    await app.stop()
  })
})
