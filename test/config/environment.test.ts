import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ollamaAddress, readEnvironment } from '../../src/config/environment.ts'
import { loadConfig } from '../../src/config/load.ts'
import { providerSlugs } from '../../src/providers/slugs.ts'

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-environment-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

const providersOf = (env: Record<string, string>) => readEnvironment(env).providers

describe('the usual variables', () => {
  test.each([
    ['OPENAI_API_KEY', 'openai'],
    ['ANTHROPIC_API_KEY', 'anthropic'],
    ['GEMINI_API_KEY', 'google-ai-studio'],
    ['GOOGLE_API_KEY', 'google-ai-studio'],
    ['MISTRAL_API_KEY', 'mistral'],
    ['COHERE_API_KEY', 'cohere'],
    ['CO_API_KEY', 'cohere'],
    ['GROQ_API_KEY', 'groq'],
    ['XAI_API_KEY', 'grok'],
    ['DEEPSEEK_API_KEY', 'deepseek'],
    ['OPENROUTER_API_KEY', 'openrouter'],
    ['PERPLEXITY_API_KEY', 'perplexity-ai'],
    ['PPLX_API_KEY', 'perplexity-ai'],
    ['CEREBRAS_API_KEY', 'cerebras'],
    ['FIREWORKS_API_KEY', 'fireworks'],
    ['TOGETHER_API_KEY', 'together'],
    ['HF_TOKEN', 'huggingface'],
    ['BASETEN_API_KEY', 'baseten'],
    ['PARALLEL_API_KEY', 'parallel'],
    ['REPLICATE_API_TOKEN', 'replicate'],
    ['FAL_KEY', 'fal'],
    ['IDEOGRAM_API_KEY', 'ideogram'],
    ['CARTESIA_API_KEY', 'cartesia'],
    ['DEEPGRAM_API_KEY', 'deepgram'],
    ['ELEVENLABS_API_KEY', 'elevenlabs'],
  ])('%s → %s', (name, slug) => {
    expect(providersOf({ [name]: ' key-1\n' })).toEqual({ [slug]: { keys: { default: 'key-1' } } })
    expect(providersOf({ [name]: '  ' })).toEqual({})
  })

  test('of two names the first', () => {
    expect(providersOf({ GOOGLE_API_KEY: 'second', GEMINI_API_KEY: 'first' })['google-ai-studio']?.keys?.default).toBe(
      'first',
    )
  })

  test('Azure: the resource out of the endpoint, or the address itself', () => {
    const azure = (endpoint: string) =>
      providersOf({ AZURE_OPENAI_API_KEY: 'k', AZURE_OPENAI_ENDPOINT: endpoint, AZURE_OPENAI_API_VERSION: 'v1' })[
        'azure-openai'
      ]
    const keys = { default: 'k' }
    expect(azure('https://house.openai.azure.com/')).toEqual({ keys, resource: 'house', api_version: 'v1' })
    expect(azure('https://ai.example.com/x')).toEqual({
      keys,
      base_url: 'https://ai.example.com/openai/deployments/{deployment}',
      api_version: 'v1',
    })
    expect(providersOf({ AZURE_OPENAI_ENDPOINT: 'https://house.openai.azure.com' })).toEqual({})
  })

  test('Bedrock: an API key before the parts of a credential', () => {
    const parts = {
      AWS_ACCESS_KEY_ID: 'AKIA1',
      AWS_SECRET_ACCESS_KEY: 's',
      AWS_SESSION_TOKEN: 't',
      AWS_REGION: 'eu-west-1',
    }
    const bedrock = providersOf(parts)['aws-bedrock']
    expect(JSON.parse(bedrock?.keys?.default ?? '')).toEqual({
      accessKeyId: 'AKIA1',
      secretAccessKey: 's',
      region: 'eu-west-1',
      sessionToken: 't',
    })
    expect(bedrock?.region).toBe('eu-west-1')
    expect(providersOf({ ...parts, AWS_BEARER_TOKEN_BEDROCK: 'b' })['aws-bedrock']).toEqual({
      keys: { default: 'b' },
      region: 'eu-west-1',
    })
    expect(providersOf({ AWS_ACCESS_KEY_ID: 'AKIA1' })).toEqual({})
  })

  test('Vertex: the file of the service account', () => {
    const path = join(folder, 'account.json')
    writeFileSync(path, '{"type":"service_account","private_key":"pem","client_email":"a@b"}\n')
    const vertex = providersOf({ GOOGLE_APPLICATION_CREDENTIALS: path, GOOGLE_CLOUD_LOCATION: 'europe-west4' })
    expect(vertex['google-vertex-ai']?.region).toBe('europe-west4')
    expect(JSON.parse(vertex['google-vertex-ai']?.keys?.default ?? '')).toMatchObject({ private_key: 'pem' })
  })

  test('Vertex: a file that is of no use is a warning that repeats nothing of it', () => {
    const path = join(folder, 'odd.json')
    for (const [content, why] of [
      ['secret-text', 'it is not JSON'],
      ['{"type":"authorized_user","refresh_token":"secret-text"}', 'it is not the key of a service account'],
    ] as const) {
      writeFileSync(path, content)
      const { providers, warnings } = readEnvironment({ GOOGLE_APPLICATION_CREDENTIALS: path })
      expect(providers).toEqual({})
      expect(warnings).toHaveLength(1)
      expect(warnings[0]?.message).toContain(why)
      expect(warnings[0]?.message).not.toContain('secret-text')
    }
    const missing = readEnvironment({ GOOGLE_APPLICATION_CREDENTIALS: join(folder, 'none.json') })
    expect(missing.warnings[0]?.message).toContain('there is no such file')
  })

  test('Workers AI wants both the token and the account', () => {
    expect(providersOf({ CLOUDFLARE_API_TOKEN: 't' })).toEqual({})
    expect(providersOf({ CLOUDFLARE_API_TOKEN: 't', CLOUDFLARE_ACCOUNT_ID: 'a' })).toEqual({
      'workers-ai': { keys: { default: 't' }, account: 'a' },
    })
  })

  test.each([
    ['127.0.0.1', 'http://127.0.0.1:11434'],
    ['0.0.0.0:11435', 'http://127.0.0.1:11435'],
    [':9000', 'http://127.0.0.1:9000'],
    ['box.lan', 'http://box.lan:11434'],
    ['http://box.lan:5000/', 'http://box.lan:5000'],
    ['https://ollama.example.com', 'https://ollama.example.com'],
    ['ftp://x', undefined],
    ['a b', undefined],
  ])('OLLAMA_HOST=%s', (value, expected) => {
    expect(ollamaAddress(value)).toBe(expected)
  })
})

test('every provider that it fills is one of ours', () => {
  const names =
    'OPENAI ANTHROPIC GEMINI MISTRAL COHERE GROQ XAI DEEPSEEK OPENROUTER PERPLEXITY CEREBRAS FIREWORKS TOGETHER IDEOGRAM CARTESIA DEEPGRAM ELEVENLABS'
  const env: Record<string, string> = Object.fromEntries(names.split(' ').map(name => [`${name}_API_KEY`, 'k']))
  Object.assign(env, { HF_TOKEN: 'k', BASETEN_API_KEY: 'k', PARALLEL_API_KEY: 'k', AZURE_OPENAI_API_KEY: 'k' })
  Object.assign(env, {
    AWS_BEARER_TOKEN_BEDROCK: 'k',
    CLOUDFLARE_API_TOKEN: 'k',
    CLOUDFLARE_ACCOUNT_ID: 'a',
    OLLAMA_HOST: 'h',
    REPLICATE_API_TOKEN: 'k',
    FAL_KEY: 'k',
  })
  const slugs = Object.keys(providersOf(env))
  expect(slugs).toHaveLength(26)
  for (const slug of slugs) expect(providerSlugs as readonly string[]).toContain(slug)
})

describe('beside a file', () => {
  const load = (text: string, knownProviders: string[] = []) => {
    writeFileSync(join(folder, 'postern.yaml'), text)
    const env = { OPENAI_API_KEY: 'from-environment', OLLAMA_HOST: 'box' }
    return loadConfig({ folder, path: 'postern.yaml', env, knownProviders }).config.providers
  }

  test('fills a provider that is not mentioned, or mentioned without keys', () => {
    expect(load('').openai).toEqual({ keys: { default: 'from-environment' } })
    expect(load('providers: { openai: { base_url: "http://x" } }').openai).toEqual({
      keys: { default: 'from-environment' },
      base_url: 'http://x',
    })
    expect(load('providers: { openai: }').openai?.keys).toEqual({ default: 'from-environment' })
  })

  test('leaves alone what the file says', () => {
    expect(load('providers: { openai: { keys: { work: k } } }').openai).toEqual({ keys: { work: 'k' } })
    expect(load('providers: { openai: { keys: {} } }').openai).toEqual({ keys: {} })
    expect(load('providers: { ollama: { base_url: "http://here" } }').ollama).toEqual({ base_url: 'http://here' })
  })

  test('brings in no provider that is not known', () => {
    expect(Object.keys(load('', ['ollama']))).toEqual(['ollama'])
  })
})

test('with no file at all', () => {
  const { config, warnings } = loadConfig({ folder: join(folder, 'nothing-here'), env: { GROQ_API_KEY: 'g' } })
  expect(warnings).toEqual([])
  expect(config.path).toBeUndefined()
  expect(config.providers).toEqual({ groq: { keys: { default: 'g' } } })
  expect(config.server.port).toBe(8787)
})
