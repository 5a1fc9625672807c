import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { loadConfig } from '../../../src/config/load.ts'
import { providerSlugs } from '../../../src/providers/slugs.ts'
import { ProviderConfigAnswer, ProviderConfigPage } from '../../../src/schemas/management/provider-configs.ts'
import { keyCipher } from '../../../src/storage/key-cipher.ts'
import { secretInMemory } from '../../../src/storage/own-secret.ts'
import { wholeAnswer } from '../../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../../support/app.ts'
import { ask } from '../../support/chat.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

/** The stored keys of providers, through the management API (contract 11.7). */

const SECRET = 'a-secret-of-the-operator'
const KEY = 'sk-a-heron-in-the-reeds-4711'
const OTHER = 'sk-a-bittern-in-the-reeds-0815'

let provider: StandIn
let app: RunningApp
beforeAll(() => {
  provider = standIn(() => wholeAnswer('openai-chat', 'Yes.'))
})
afterAll(() => provider.stop())
beforeEach(async () => {
  app = await startApp({
    storage: { encryption_key: SECRET },
    providers: { groq: { base_url: provider.address }, mistral: { keys: { default: 'of-the-file' } } },
    gateways: { lab: {} },
  })
})
afterEach(() => app.stop())

type Config = Record<string, unknown> & { id: string }
interface Envelope {
  errors: { code: number; message: string; path?: string[] }[]
  messages: { message: string }[]
  result: Config
}

async function call(method: string, path = '', body?: unknown, gateway = 'lab') {
  const response = await fetch(
    `${app.address}/client/v4/accounts/home/ai-gateway/gateways/${gateway}/provider_configs${path}`,
    {
      method,
      headers: { authorization: `Bearer ${TOKEN}` },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    },
  )
  const text = await response.text()
  for (const secret of [KEY, OTHER, 'of-the-file']) expect(text).not.toContain(secret)
  return { status: response.status, headers: response.headers, ...(JSON.parse(text) as Envelope) }
}

const NEW = { provider_slug: 'groq', alias: 'default', default_config: true, secret: KEY }
const create = async (more: Record<string, unknown> = {}, gateway = 'lab') => {
  const { status, result, errors } = await call('POST', '', { ...NEW, ...more }, gateway)
  expect([status, errors]).toEqual([200, []])
  return result
}
const list = async (gateway = 'lab') => (await call('GET', '', undefined, gateway)).result as unknown as Config[]

/** The key that goes upstream for a request on a gateway. */
async function keyUsed(gateway = 'lab'): Promise<string | null> {
  const response = await fetch(`${app.address}/v1/home/${gateway}/compat/chat/completions`, {
    method: 'POST',
    headers: { 'cf-aig-authorization': `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify(ask('groq/m')),
  })
  const text = await response.text()
  if (!response.ok) return text
  return provider.last().headers.get('authorization')
}

describe('a new key', () => {
  test('is told of without itself, is sealed in the store, and serves its gateway at once', async () => {
    expect(await keyUsed()).toContain('no_provider_key')
    const made = await create({ rate_limit: 60, rate_limit_period: 30 })
    expect(made).toEqual({
      id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7/),
      gateway_id: 'lab',
      provider_slug: 'groq',
      alias: 'default',
      default_config: true,
      secret_id: made.id,
      secret_preview: '…4711',
      rate_limit: 60,
      rate_limit_period: 30,
      modified_at: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
    })
    const [stored] = await app.store.keys.list()
    expect(stored).toMatchObject({ id: made.id, provider: 'groq', gateway: 'lab', preview: '4711', is_default: true })
    expect(keyCipher(SECRET, secretInMemory()).open(stored!, stored!)).toBe(KEY)
    expect(await keyUsed()).toBe(`Bearer ${KEY}`)
    expect(await keyUsed('default')).toContain('no_provider_key')
  })

  test('goes into the log by its id, and never by itself', async () => {
    const { id } = await create()
    await call('PATCH', `/${id}`, { secret: OTHER })
    await call('DELETE', `/${id}`)
    const lines = app
      .logged()
      .split('\n')
      .filter(line => line.includes(id))
      .map(line => JSON.parse(line) as Record<string, unknown>)
    expect(lines.map(({ msg, by, gateway, provider, alias }) => [msg, by, gateway, provider, alias])).toEqual(
      ['stored', 'changed', 'removed'].map(what => [`provider key ${what}`, 'tests', 'lab', 'groq', 'default']),
    )
    for (const secret of [KEY, OTHER, TOKEN]) expect(app.logged()).not.toContain(secret)
  })

  test('takes over as the default, on its gateway alone', async () => {
    await create({ alias: 'one' })
    await create({ alias: 'one' }, 'default')
    await create({ alias: 'two', secret: OTHER })
    expect((await list()).map(({ alias, default_config }) => [alias, default_config])).toEqual([
      ['one', false],
      ['two', true],
      ['default', true],
    ])
    expect((await list('default'))[0]).toMatchObject({ alias: 'one', default_config: true, gateway_id: 'default' })
    expect(await keyUsed()).toBe(`Bearer ${OTHER}`)
  })

  test('may be JSON, or have white space around it', async () => {
    const json = '{"accessKeyId":"a","secretAccessKey":"b","region":"c"}'
    await create({ provider_slug: 'aws-bedrock', secret: `  ${json}\n` })
    const [stored] = await app.store.keys.ofProvider('aws-bedrock')
    expect(keyCipher(SECRET, secretInMemory()).open(stored!, stored!)).toBe(json)
  })

  test('for a provider by another of its names is kept under its own', async () => {
    expect(await create({ provider_slug: 'google' })).toMatchObject({ provider_slug: 'google-ai-studio' })
  })

  test('tells what has no effect', async () => {
    const { messages } = await call('POST', '', { ...NEW, provider_slug: 'mistral', secret_id: 'x', colour: 'red' })
    expect(messages.map(({ message }) => message)).toEqual([
      'colour: not known here, and without effect',
      expect.stringContaining('secret_id: without effect'),
      expect.stringContaining('that one wins'),
    ])
  })

  test('of a taken alias is refused, and the first stays; Cloudflare’s client is told not to try again', async () => {
    await create()
    const { status, headers, errors } = await call('POST', '', { ...NEW, secret: OTHER })
    expect([status, headers.get('x-should-retry')]).toEqual([409, 'false'])
    expect(errors).toEqual([{ code: 1_003, message: expect.stringContaining('alias: ') }])
    expect(await keyUsed()).toBe(`Bearer ${KEY}`)
  })

  test('of one alias, asked for ten times at once, is there once', async () => {
    const all = await Promise.all(Array.from({ length: 10 }, () => call('POST', '', NEW)))
    expect(all.map(({ status }) => status).sort()).toEqual([200, ...Array(9).fill(409)])
    expect(await app.store.keys.list()).toHaveLength(1)
  })

  test.each([
    [{ provider_slug: 'nowhere' }, 'provider_slug', 'there is no such provider'],
    [{ alias: 'with space' }, 'alias', 'expected 1 to 64 letters'],
    [{ alias: '' }, 'alias', 'expected 1 to 64 letters'],
    [{ alias: 'x'.repeat(65) }, 'alias', 'expected 1 to 64 letters'],
    [{ secret: undefined }, 'secret', 'required'],
    [{ secret: undefined, secret_id: 'a-secret' }, 'secret', 'there is no secrets store'],
    [{ secret: '   ' }, 'secret', 'not empty'],
    [{ secret: `${KEY}\n${KEY}` }, 'secret', 'no header can carry'],
    [{ secret: `{"x":"${KEY}"` }, 'secret', 'not valid JSON'],
    [{ default_config: 'yes' }, 'default_config', 'expected true or false'],
    [{ default_config: undefined }, 'default_config', 'required'],
    [{ rate_limit: 0 }, 'rate_limit', 'expected at least 1'],
    [{ rate_limit_period: 1.5 }, 'rate_limit_period', 'expected an integer'],
  ])('with %o is refused', async (more, name, message) => {
    const { status, errors } = await call('POST', '', { ...NEW, ...more })
    expect(status).toBe(400)
    expect(errors).toEqual([
      { code: 7_001, message: expect.stringMatching(new RegExp(`^${name}: .*${message}`)), path: ['body', name] },
    ])
    expect(await app.store.keys.list()).toEqual([])
  })

  test('on a gateway that is not there is refused', async () => {
    expect(await call('POST', '', NEW, 'nowhere')).toMatchObject({ status: 404, errors: [{ code: 7_002 }] })
  })
})

describe('a change', () => {
  test('PATCH changes what it names', async () => {
    const { id } = await create({ rate_limit: 5, rate_limit_period: 10 })
    expect((await call('PATCH', `/${id}`, { secret: OTHER })).result).toMatchObject({
      id,
      default_config: true,
      rate_limit: 5,
      rate_limit_period: 10,
      secret_preview: '…0815',
    })
    expect(await keyUsed()).toBe(`Bearer ${OTHER}`)
    const { result } = await call('PATCH', `/${id}`, { default_config: false, rate_limit: null })
    expect(result).toMatchObject({ default_config: false, rate_limit_period: 10, secret_preview: '…0815' })
    expect(result).not.toHaveProperty('rate_limit')
    expect(await keyUsed()).toBe(`Bearer ${OTHER}`)
    expect((await call('GET', `/${id}`)).result).toEqual(result)
  })

  test('PUT ends limits that it leaves out; the key stays, and what came from GET may go back whole', async () => {
    const { id } = await create({ rate_limit: 5 })
    const { result: whole } = await call('GET', `/${id}`)
    expect((await call('PUT', `/${id}`, whole)).result).toMatchObject({ rate_limit: 5, secret_preview: '…4711' })
    const { secret: _, ...rest } = NEW
    const { result } = await call('PUT', `/${id}`, { ...rest, default_config: false })
    expect(result).not.toHaveProperty('rate_limit')
    expect(result).toMatchObject({ id, default_config: false, secret_preview: '…4711' })
    expect(await keyUsed()).toBe(`Bearer ${KEY}`)
    expect(await call('PUT', `/${id}`, { secret: OTHER })).toMatchObject({
      status: 400,
      errors: [{ code: 7_001, path: ['body', 'provider_slug'] }],
    })
  })

  test('makes another the default', async () => {
    const one = await create({ alias: 'one' })
    const two = await create({ alias: 'two', default_config: false })
    await call('PATCH', `/${two.id}`, { default_config: true })
    expect((await call('GET', `/${one.id}`)).result.default_config).toBe(false)
  })

  test('has a time of its own, however soon it comes', async () => {
    const { id, modified_at } = await create()
    const { result } = await call('PATCH', `/${id}`, {})
    expect(Date.parse(result.modified_at as string)).toBeGreaterThan(Date.parse(modified_at as string))
  })

  test.each([{ alias: 'other' }, { provider_slug: 'openai' }, { secret_id: 'a-secret' }])(
    'of %o is refused',
    async change => {
      const { id } = await create()
      const [name] = Object.keys(change)
      expect(await call('PATCH', `/${id}`, change)).toMatchObject({
        status: 400,
        errors: [{ code: 7_001, path: ['body', name] }],
      })
    },
  )

  test('DELETE gives back what it was, and it serves nobody any more', async () => {
    const made = await create()
    expect(await keyUsed()).toBe(`Bearer ${KEY}`)
    expect((await call('DELETE', `/${made.id}`)).result).toEqual(made)
    expect(await keyUsed()).toContain('no_provider_key')
    for (const method of ['GET', 'DELETE'])
      expect(await call(method, `/${made.id}`)).toMatchObject({ status: 404, errors: [{ code: 7_002 }] })
  })

  test('from another gateway finds nothing', async () => {
    const { id } = await create()
    for (const method of ['GET', 'PATCH', 'PUT', 'DELETE'])
      expect((await call(method, `/${id}`, method === 'GET' ? undefined : NEW, 'default')).status).toBe(404)
    expect(await app.store.keys.list()).toHaveLength(1)
  })
})

describe('keys that are not the gateway’s own', () => {
  const here = mkdtempSync(join(tmpdir(), 'postern-management-'))
  afterAll(() => rmSync(here, { recursive: true, force: true }))

  /** The app goes on with this file. */
  async function configured(text: string, env: Record<string, string> = {}) {
    const path = join(here, 'postern.yaml')
    await Bun.write(path, `tokens: [{ name: tests, token: ${TOKEN}, permissions: [read, edit] }]\n${text}`)
    app.app.reload(loadConfig({ path, env, knownProviders: providerSlugs }).config)
  }

  test('those for all gateways are shown with each, and changed by `postern key`', async () => {
    const scope = { provider: 'groq', alias: 'house' }
    const sealed = keyCipher(SECRET, secretInMemory()).seal(KEY, scope)
    const times = { created: 1, modified: 1 }
    await app.store.keys.put({ id: 'shared-one', ...scope, ...sealed, is_default: true, preview: '4711', ...times })
    for (const gateway of ['lab', 'default']) {
      const shared = (await list(gateway)).find(({ id }) => id === 'shared-one')
      expect(shared).toMatchObject({ gateway_id: gateway, alias: 'house', shared: true, secret_preview: '…4711' })
    }
    for (const method of ['PUT', 'PATCH', 'DELETE']) {
      const { status, errors } = await call(method, '/shared-one', { ...NEW, alias: 'house' })
      expect(status).toBe(409)
      expect(errors[0]!.message).toBe('the key "house" for groq is one for all gateways: change it with `postern key`')
    }
  })

  test('those of the file are shown without anything of them, and refuse change with the file’s line', async () => {
    await configured(
      [
        'gateways: { lab: {} }',
        'providers:',
        '  openai:',
        '    keys:',
        '      default: of-the-file',
        '      research: of-the-file-too',
        'custom_providers:',
        '  workstation: { base_url: "http://127.0.0.1:1", keys: { default: of-the-file } }',
      ].join('\n'),
    )
    const shown = await list()
    expect(shown.map(({ id, default_config }) => [id, default_config])).toEqual([
      ['file:custom-workstation:default', true],
      ['file:openai:default', true],
      ['file:openai:research', false],
    ])
    for (const each of shown)
      expect(each).toMatchObject({ declared: true, secret_preview: '', gateway_id: 'lab', secret_id: each.id })
    expect(Date.now() - Date.parse(shown[0]!.modified_at as string)).toBeLessThan(600_000)
    for (const [id, line] of [
      ['file:openai:research', 7],
      ['file:custom-workstation:default', 9],
    ] as const)
      for (const method of ['PUT', 'PATCH', 'DELETE']) {
        const { status, headers, errors } = await call(method, `/${id}`, NEW)
        expect([status, headers.get('x-should-retry')]).toEqual([409, 'false'])
        expect(errors).toEqual([
          { code: 409, message: expect.stringContaining(`is declared in postern.yaml:${line}: change it there`) },
        ])
      }
    expect((await call('GET', '/file:openai:research')).result.alias).toBe('research')
    expect((await call('GET', '/file%3Aopenai%3Aresearch')).result.alias).toBe('research')
  })

  test('those of the environment are said to come from there', async () => {
    await configured('gateways: { lab: {} }', { OPENAI_API_KEY: 'of-the-file' })
    const [first] = await list()
    expect(first).toMatchObject({ id: 'environment:openai:default', declared: true })
    const { status, errors } = await call('DELETE', `/${first!.id}`)
    expect(status).toBe(409)
    expect(errors[0]!.message).toContain('comes from the environment (OPENAI_API_KEY): change it there')
  })
})

test('answers keep to the document', async () => {
  const made = await call('POST', '', NEW)
  expect([...Value.Errors(ProviderConfigAnswer, made)]).toEqual([])
  expect([...Value.Errors(ProviderConfigPage, await call('GET'))]).toEqual([])
})
