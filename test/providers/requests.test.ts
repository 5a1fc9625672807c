import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { DialectName } from '../../src/dialects/dialect.ts'
import { builtIn } from '../../src/providers/index.ts'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { answerOf, ask, post, streamOf } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/**
 * What goes upstream for a chat call, for every provider: each has a stand-in at the place of its own host, so that the
 * path behind it is the one that the provider really gets.
 */
interface Case {
  slug: string
  dialect: DialectName
  /** Behind the host, as {@link base} keeps it. */
  path: string
  /** The same for a stream, where it differs. */
  streamPath?: string
  /** Header and value for the key `key-of-<slug>`. */
  key?: [string, string]
  model?: string
  /** Headers beside the key's that must be there. */
  headers?: Record<string, string>
  /** Where the model stands in the body; false where it stands in the address only. */
  bodyModel?: false
}

const converse = 'eu.anthropic.claude-sonnet-4-5-20250929-v1%3A0'

const cases: Case[] = [
  { slug: 'openai', dialect: 'openai-chat', path: '/v1/chat/completions' },
  {
    slug: 'azure-openai',
    dialect: 'openai-chat',
    path: '/openai/deployments/gpt-5-mini/chat/completions?api-version=2024-10-21',
    key: ['api-key', 'key-of-azure-openai'],
    model: 'gpt-5-mini',
  },
  {
    slug: 'anthropic',
    dialect: 'anthropic-messages',
    path: '/v1/messages',
    key: ['x-api-key', 'key-of-anthropic'],
    model: 'claude-sonnet-4-5',
    headers: { 'anthropic-version': '2023-06-01' },
  },
  {
    slug: 'google-ai-studio',
    dialect: 'gemini',
    path: '/v1beta/models/gemini-2.5-flash:generateContent',
    streamPath: '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    key: ['x-goog-api-key', 'key-of-google-ai-studio'],
    model: 'gemini-2.5-flash',
    bodyModel: false,
  },
  {
    slug: 'google-vertex-ai',
    dialect: 'gemini',
    path: '/v1/projects/a-project/locations/europe-west4/publishers/google/models/gemini-2.5-flash:generateContent',
    streamPath:
      '/v1/projects/a-project/locations/europe-west4/publishers/google/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    model: 'google/gemini-2.5-flash',
    bodyModel: false,
  },
  {
    slug: 'aws-bedrock',
    dialect: 'bedrock-converse',
    path: `/model/${converse}/converse`,
    streamPath: `/model/${converse}/converse-stream`,
    model: 'eu.anthropic.claude-sonnet-4-5-20250929-v1:0',
    bodyModel: false,
  },
  {
    slug: 'workers-ai',
    dialect: 'workers-ai',
    path: '/client/v4/accounts/an-account/ai/run/@cf/meta/llama-3.3-70b-instruct-fp8-fast',
    model: '@cf/meta/llama-3.3-70b-instruct-fp8-fast',
    bodyModel: false,
  },
  { slug: 'mistral', dialect: 'openai-chat', path: '/v1/chat/completions' },
  { slug: 'cohere', dialect: 'cohere-chat', path: '/v2/chat' },
  { slug: 'groq', dialect: 'openai-chat', path: '/openai/v1/chat/completions' },
  { slug: 'grok', dialect: 'openai-chat', path: '/v1/chat/completions' },
  { slug: 'deepseek', dialect: 'openai-chat', path: '/chat/completions' },
  { slug: 'openrouter', dialect: 'openai-chat', path: '/api/v1/chat/completions', model: 'meta-llama/llama-4:free' },
  { slug: 'perplexity-ai', dialect: 'openai-chat', path: '/chat/completions' },
  { slug: 'cerebras', dialect: 'openai-chat', path: '/v1/chat/completions' },
  { slug: 'fireworks', dialect: 'openai-chat', path: '/inference/v1/chat/completions', model: 'accounts/f/models/k2' },
  { slug: 'together', dialect: 'openai-chat', path: '/v1/chat/completions' },
  { slug: 'huggingface', dialect: 'openai-chat', path: '/v1/chat/completions', model: 'openai/gpt-oss-120b:groq' },
  { slug: 'baseten', dialect: 'openai-chat', path: '/v1/chat/completions' },
  { slug: 'parallel', dialect: 'openai-chat', path: '/chat/completions' },
  { slug: 'ollama', dialect: 'ollama-chat', path: '/api/chat', model: 'qwen3:8b' },
  { slug: 'lmstudio', dialect: 'openai-chat', path: '/v1/chat/completions' },
  { slug: 'vllm', dialect: 'openai-chat', path: '/v1/chat/completions' },
  { slug: 'llamacpp', dialect: 'openai-chat', path: '/v1/chat/completions' },
]

const custom: Case[] = [
  { slug: 'custom-likely', dialect: 'openai-chat', path: '/v1/chat/completions' },
  { slug: 'custom-faithful', dialect: 'openai-chat', path: '/v1/chat/completions' },
  {
    slug: 'custom-claude',
    dialect: 'anthropic-messages',
    path: '/v1/messages',
    key: ['x-api-key', 'key-of-custom-claude'],
    model: 'claude-sonnet-4-5',
    headers: { 'anthropic-version': '2023-06-01' },
  },
  {
    slug: 'custom-gem',
    dialect: 'gemini',
    path: '/v1beta/models/gemini-2.5-flash:generateContent',
    streamPath: '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
    key: ['x-goog-api-key', 'key-of-custom-gem'],
    model: 'gemini-2.5-flash',
    bodyModel: false,
  },
  {
    slug: 'custom-rock',
    dialect: 'bedrock-converse',
    path: '/model/amazon.nova-lite-v1%3A0/converse',
    streamPath: '/model/amazon.nova-lite-v1%3A0/converse-stream',
    model: 'amazon.nova-lite-v1:0',
    bodyModel: false,
  },
  { slug: 'custom-command', dialect: 'cohere-chat', path: '/v2/chat' },
  { slug: 'custom-workstation', dialect: 'ollama-chat', path: '/api/chat', model: 'qwen3:8b' },
  {
    slug: 'custom-worker',
    dialect: 'workers-ai',
    path: '/@cf/qwen/qwq-32b',
    model: '@cf/qwen/qwq-32b',
    bodyModel: false,
  },
]

const settings: Record<string, object> = {
  'google-vertex-ai': { project: 'a-project', region: 'europe-west4' },
  'workers-ai': { account: 'an-account' },
}

const standIns = new Map<string, StandIn>()
let app: RunningApp

/** The provider's own base with its host replaced, path and placeholders kept. */
const moved = (base: string, address: string) => base.replace(/^https?:\/\/[^/]+/, address)

beforeAll(async () => {
  const providers: Record<string, object> = {}
  const own: Record<string, object> = {}
  for (const { slug, dialect } of [...cases, ...custom]) {
    const at = standIn(({ path, body }) => {
      const streams = body.stream === true || /stream/i.test(path)
      return streams ? streamedAnswer(dialect, 'In the reeds.') : wholeAnswer(dialect, 'In the reeds.')
    })
    standIns.set(slug, at)
    const keys = { default: `key-of-${slug}` }
    const known = builtIn.find(provider => provider.slug === slug)
    if (known) providers[slug] = { base_url: moved(known.base, at.address), keys, ...settings[slug] }
    else own[slug.slice(7)] = { base_url: at.address, dialect, keys, faithful: slug === 'custom-faithful' }
  }
  app = await startApp({ providers, custom_providers: own as never })
})
afterAll(async () => {
  await app.stop()
  for (const each of standIns.values()) each.stop()
})

test('every built-in provider with chat is in the table', () => {
  const chatting = builtIn.filter(({ endpoint }) => endpoint)
  expect(cases.map(({ slug }) => slug)).toEqual(chatting.map(({ slug }) => slug))
})

describe.each([...cases, ...custom])('$slug', given => {
  const { slug, dialect, path, streamPath = path, model = 'a-model', bodyModel } = given
  const [keyHeader, keyValue] = given.key ?? ['authorization', `Bearer key-of-${slug}`]

  test.each([false, true])('stream %p', async stream => {
    const at = standIns.get(slug)!
    const before = at.seen.length
    const response = await post(app.address, ask(`${slug}/${model}`, { stream }))
    expect(response.status).toBe(200)
    if (stream) {
      const { text, finish, done } = await streamOf(response)
      expect({ text, finish, done }).toEqual({ text: 'In the reeds.', finish: 'stop', done: true })
    } else {
      const { choices } = await answerOf(response)
      expect(choices?.[0]).toMatchObject({ message: { content: 'In the reeds.' }, finish_reason: 'stop' })
    }
    expect(at.seen).toHaveLength(before + 1)
    const seen = at.last()
    expect(seen.method).toBe('POST')
    expect(seen.path).toBe(stream ? streamPath : path)
    expect(seen.headers.get(keyHeader)).toBe(keyValue)
    for (const other of ['authorization', 'api-key', 'x-api-key', 'x-goog-api-key'])
      if (other !== keyHeader) expect(seen.headers.get(other)).toBeNull()
    expect(seen.headers.get('content-type')).toBe('application/json')
    expect(seen.headers.get('accept-encoding')).toBe('identity')
    for (const [name, value] of Object.entries(given.headers ?? {})) expect(seen.headers.get(name)).toBe(value)
    // Nothing of the gateway's own goes upstream.
    for (const name of seen.headers.keys()) expect(name).not.toStartWith('cf-aig-')
    if (bodyModel === false) expect(seen.body).not.toHaveProperty('model')
    else expect(seen.body.model).toBe(model)
    const streams = dialect === 'gemini' || dialect === 'bedrock-converse' ? undefined : stream
    // Ollama streams unless told not to; the others take silence for no.
    if (streams === true) expect(seen.body.stream).toBe(true)
    else if (dialect === 'ollama-chat') expect(seen.body.stream).toBe(false)
    else expect(seen.body.stream ?? false).toBe(false)
  })
})

describe('prefixes', () => {
  const aliases = builtIn.flatMap(({ slug, aliases }) => aliases.map(alias => [alias, slug] as const))
  const models = new Map([...cases, ...custom].map(({ slug, model = 'a-model' }) => [slug, model]))

  test.each(aliases)('%s is %s', async (alias, slug) => {
    const before = standIns.get(slug)!.seen.length
    expect((await post(app.address, ask(`${alias}/${models.get(slug)}`))).status).toBe(200)
    expect(standIns.get(slug)!.seen).toHaveLength(before + 1)
  })

  test.each(custom.map(({ slug }) => [slug.slice(7), slug] as const))('bare %s is %s', async (bare, slug) => {
    const before = standIns.get(slug)!.seen.length
    expect((await post(app.address, ask(`${bare}/${models.get(slug)}`))).status).toBe(200)
    expect(standIns.get(slug)!.seen).toHaveLength(before + 1)
  })

  test('a custom provider with the name of a known one does not take its place', async () => {
    const own = standIn(() => wholeAnswer('openai-chat', 'mine'))
    const known = standIn(() => wholeAnswer('openai-chat', 'theirs'))
    const other = await startApp({
      providers: { groq: { base_url: known.address, keys: { default: 'k' } } },
      custom_providers: { groq: { base_url: own.address } },
    })
    const said = async (model: string) =>
      (await answerOf(await post(other.address, ask(model)))).choices?.[0]?.message.content
    expect(await said('groq/x')).toBe('theirs')
    expect(await said('custom-groq/x')).toBe('mine')
    await other.stop()
    own.stop()
    known.stop()
  })

  test('everything behind the first slash is the model', async () => {
    await post(app.address, ask('openrouter/openai/gpt-5.2:nitro'))
    expect(standIns.get('openrouter')!.last().body.model).toBe('openai/gpt-5.2:nitro')
  })
})

test.each(builtIn.filter(({ endpoint }) => !endpoint).map(({ slug }) => slug))(
  '%s has no chat: the unified endpoint says so',
  async slug => {
    const at = standIn(() => new Response('{}'))
    const one = await startApp({ providers: { [slug]: { base_url: at.address, keys: { default: 'a-key' } } } })
    const response = await post(one.address, ask(`${slug}/a-model`))
    expect(response.status).toBe(400)
    const { error } = await answerOf(response)
    expect(error).toMatchObject({ param: 'model', message: expect.stringContaining('chat') })
    expect(at.seen).toHaveLength(0)
    await one.stop()
    at.stop()
  },
)

describe('base addresses of custom providers', () => {
  test.each([
    ['', '/v1/chat/completions'],
    ['/', '/v1/chat/completions'],
    ['/v1', '/v1/chat/completions'],
    ['/v1/', '/v1/chat/completions'],
    ['/api/v3', '/api/v3/chat/completions'],
    ['/openai/v1beta', '/openai/v1beta/chat/completions'],
    ['/some/place', '/some/place/v1/chat/completions'],
  ])('base ending in "%s"', async (ending, path) => {
    const at = standIn(() => wholeAnswer('openai-chat', 'yes'))
    const one = await startApp({ custom_providers: { mine: { base_url: at.address + ending } } })
    expect((await post(one.address, ask('custom-mine/x'))).status).toBe(200)
    expect(at.last().path).toBe(path)
    // Without a key nothing is made up.
    expect(at.last().headers.get('authorization')).toBeNull()
    await one.stop()
    at.stop()
  })
})

test.each([
  ['openrouter', '/api/v1', '/api/v1/chat/completions'],
  ['openrouter', '/api', '/api/v1/chat/completions'],
  ['grok', '/v1', '/v1/chat/completions'],
  ['mistral', '/v1/', '/v1/chat/completions'],
  ['baseten', '/of/{model}/v1', '/of/a-model/v1/chat/completions'],
  ['anthropic', '/v1', '/v1/messages'],
  ['cohere', '/v2', '/v2/chat'],
  // Its chat is written in version 2, whatever the base says.
  ['cohere', '/v1', '/v2/chat'],
  ['google-ai-studio', '/v1beta', '/v1beta/models/a-model:generateContent'],
  ['groq', '/openai/v1', '/openai/v1/chat/completions'],
])('%s takes a base that ends in "%s"', async (slug, ending, path) => {
  const dialect = cases.find(given => given.slug === slug)!.dialect
  const at = standIn(() => wholeAnswer(dialect, 'yes'))
  const providers = { [slug]: { base_url: at.address + ending, keys: { default: 'k' } } }
  const one = await startApp({ providers })
  expect((await post(one.address, ask(`${slug}/a-model`))).status).toBe(200)
  expect(at.last().path).toBe(path)
  await one.stop()
  at.stop()
})

describe('model ids in addresses', () => {
  test.each(['../../../../zones', '@cf/meta/../../x', '..', './x', 'x/.'])('%s is refused', async id => {
    for (const slug of ['workers-ai', 'aws-bedrock', 'openai']) {
      const before = standIns.get(slug)!.seen.length
      const response = await post(app.address, ask(`${slug}/${id}`))
      expect(response.status).toBe(400)
      expect((await answerOf(response)).error).toMatchObject({ param: 'model', code: 'invalid_model' })
      expect(standIns.get(slug)!.seen).toHaveLength(before)
    }
  })

  test.each([
    ['workers-ai', '%2e%2e/%2e%2e/zones', '/client/v4/accounts/an-account/ai/run/%252e%252e/%252e%252e/zones'],
    ['workers-ai', '..\\..\\zones?x=1#y', '/client/v4/accounts/an-account/ai/run/..%5C..%5Czones%3Fx%3D1%23y'],
    ['google-ai-studio', 'a/b?key=c', '/v1beta/models/a%2Fb%3Fkey%3Dc:generateContent'],
    ['aws-bedrock', 'a?b/c', '/model/a%3Fb%2Fc/converse'],
    ['vertex', 'anthropic/claude?x#y@1', '/claude%3Fx%23y@1:rawPredict'],
  ])('%s/%s stays one model', async (slug, id, path) => {
    await post(app.address, ask(`${slug}/${id}`))
    expect(standIns.get(slug === 'vertex' ? 'google-vertex-ai' : slug)!.last().path).toEndWith(path)
  })
})
