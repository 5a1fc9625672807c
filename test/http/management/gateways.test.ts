import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { loadConfig } from '../../../src/config/load.ts'
import { GatewayAnswer } from '../../../src/schemas/management/gateways.ts'
import { wholeAnswer } from '../../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../../support/app.ts'
import { ask, post } from '../../support/chat.ts'
import { manage } from '../../support/management.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

/** Gateways through the management API (contract 11.2), and what becomes of requests to them. */

const LOOKS = 'a-token-that-only-looks'
const OF_LAB = 'a-token-of-the-lab'
const SECRET = 'a-secret-of-the-receiver'

let said = 0
let provider: StandIn
let app: RunningApp
beforeAll(async () => {
  provider = standIn(() => wholeAnswer('openai-chat', `Answer ${++said}.`))
  app = await startApp({
    tokens: [
      { name: 'tests', token: TOKEN, permissions: ['run', 'read', 'edit'] },
      { name: 'looks', token: LOOKS, permissions: ['read'] },
      { name: 'lab', token: OF_LAB, permissions: ['run', 'read', 'edit'], gateways: ['lab'] },
    ],
    storage: { encryption_key: 'thirty-two-characters-of-a-secret' },
    providers: { openai: { base_url: provider.address, keys: { default: 'the-key' } } },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

const BASE = '/ai-gateway/gateways'
const call = (method: string, path = '', body?: unknown, token?: string) =>
  manage(app, method, `${BASE}${path}`, body, token)
const REQUIRED = {
  cache_invalidate_on_update: false,
  cache_ttl: 0,
  collect_logs: true,
  rate_limiting_interval: 0,
  rate_limiting_limit: 0,
}
const chat = (gateway: string, headers: Record<string, string> = {}) =>
  post(app.address, ask('openai/gpt-5-mini'), { path: `/v1/home/${gateway}/compat/chat/completions`, headers })

test('one is made, listed, put anew and removed', async () => {
  const made = await call('POST', '', { ...REQUIRED, id: 'first', retry_max_attempts: 3 })
  expect(made).toMatchObject({
    status: 200,
    success: true,
    messages: [],
    result: { ...REQUIRED, id: 'first', authentication: true, retry_max_attempts: 3, is_default: false },
  })
  const { status: _, headers: __, ...envelope } = made
  expect([...Value.Errors(GatewayAnswer, envelope)]).toEqual([])
  expect((await call('GET', '/first')).result).toEqual(made.result)
  expect((await call('GET', '?search=IRS')).result).toEqual([made.result])
  const put = await call('PUT', '/first', { ...REQUIRED, cache_ttl: null, rate_limiting_limit: 9 })
  expect(put.result).toMatchObject({ cache_ttl: null, rate_limiting_limit: 9, created_at: made.result.created_at })
  expect(put.result.retry_max_attempts).toBeUndefined()
  expect(Date.parse(put.result.modified_at)).toBeGreaterThan(Date.parse(made.result.modified_at))
  expect((await call('DELETE', '/first')).result.id).toBe('first')
  expect(await call('GET', '/first')).toMatchObject({ status: 404, errors: [{ code: 7_002 }] })
})

test('one serves with its settings as soon as it is made, changed and removed', async () => {
  const refusal = async () => ((await (await chat('swift')).json()) as { internalCode?: number }).internalCode
  expect(await refusal()).toBe(2_001)
  await call('POST', '', { ...REQUIRED, id: 'swift' })
  expect((await chat('swift')).status).toBe(200)
  await call('PUT', '/swift', { ...REQUIRED, rate_limiting_limit: 1, rate_limiting_interval: 3_600 })
  expect([(await chat('swift')).status, (await chat('swift')).status]).toEqual([200, 429])
  await call('PUT', '/swift', { ...REQUIRED, authentication: false })
  expect((await post(app.address, {}, { token: null, path: '/v1/home/swift/compat/chat/completions' })).status).toBe(
    400,
  )
  await call('DELETE', '/swift')
  expect(await refusal()).toBe(2_001)
})

test('`default` is there without being made, and again after it was removed', async () => {
  const one = await call('GET', '/default')
  expect(one.result).toMatchObject({ id: 'default', is_default: true, authentication: true, cache_ttl: 0 })
  expect((await call('GET', '/default')).result).toEqual(one.result)
  await call('PUT', '/default', { ...REQUIRED, rate_limiting_limit: 77 })
  expect((await call('DELETE', '/default')).result).toMatchObject({ id: 'default', rate_limiting_limit: 77 })
  expect((await chat('default')).status).toBe(200)
  expect((await call('GET', '/default')).result.rate_limiting_limit).toBe(0)
  expect((await call('GET')).result.filter(({ id }: { id: string }) => id === 'default')).toHaveLength(1)
})

describe('the cache', () => {
  const CACHED = { ...REQUIRED, cache_ttl: 300 }
  /** How it came, once it is kept. */
  async function status(gateway: string, key?: string) {
    // What began within the millisecond of a purge is taken to be older.
    await Bun.sleep(2)
    const before = app.requests().length
    const response = await chat(gateway, key ? { 'cf-aig-cache-key': key } : {})
    await response.text()
    await app.record(before + 1)
    return response.headers.get('cf-aig-cache-status')
  }

  test('is emptied by a change where the new settings say so, and by none that changes nothing', async () => {
    await call('POST', '', { ...CACHED, id: 'kept' })
    expect([await status('kept'), await status('kept')]).toEqual(['MISS', 'HIT'])
    await call('PUT', '/kept', { ...CACHED, retry_max_attempts: 2 })
    expect(await status('kept')).toBe('HIT')
    const empties = { ...CACHED, cache_invalidate_on_update: true }
    await call('PUT', '/kept', empties)
    expect([await status('kept'), await status('kept')]).toEqual(['MISS', 'HIT'])
    await call('PUT', '/kept', empties)
    expect(await status('kept')).toBe('HIT')
  })

  test('is purged, as a whole or by the key of a client', async () => {
    await call('POST', '', { ...CACHED, id: 'purged' })
    for (const key of [undefined, 'one', 'two']) await status('purged', key)
    expect((await call('POST', '/purged/cache/purge', { key: 'one' })).result).toEqual({ purged: 1 })
    expect([await status('purged', 'two'), await status('purged', 'one')]).toEqual(['HIT', 'MISS'])
    expect((await call('POST', '/purged/cache/purge')).result).toEqual({ purged: 3 })
    expect(await status('purged')).toBe('MISS')
    expect((await call('POST', '/purged/cache/purge', {}, LOOKS)).status).toBe(403)
    expect((await call('POST', '/nowhere/cache/purge')).status).toBe(404)
  })

  test('goes with its gateway', async () => {
    await call('POST', '', { ...CACHED, id: 'gone' })
    await status('gone')
    await call('DELETE', '/gone')
    await call('POST', '', { ...CACHED, id: 'gone' })
    expect(await status('gone')).toBe('MISS')
  })
})

test('its keys, routes and policies go with a gateway', async () => {
  await call('POST', '', { ...REQUIRED, id: 'full' })
  const key = { provider_slug: 'groq', alias: 'default', default_config: true, secret: 'sk-of-the-heron' }
  await call('POST', '/full/provider_configs', key)
  const elements = [
    { id: 's', type: 'start', outputs: { next: 'e' } },
    { id: 'e', type: 'end' },
  ]
  expect((await call('POST', '/full/routes', { name: 'one', elements })).status).toBe(200)
  expect((await call('POST', '/full/policies?commit=true', { action: { type: 'block' } })).status).toBe(200)
  expect((await chat('full')).status).toBe(403)
  await call('DELETE', '/full')
  await call('POST', '', { ...REQUIRED, id: 'full' })
  expect((await chat('full')).status).toBe(200)
  expect((await call('GET', '/full/routes')).data.routes).toEqual([])
  expect((await call('GET', '/full/policies?includeStaging=true')).result).toEqual([])
  const configs = (await call('GET', '/full/provider_configs')).result as { provider_slug: string }[]
  expect(configs.map(({ provider_slug }) => provider_slug)).not.toContain('groq')
})

describe('what does not fit', () => {
  const { cache_ttl: _, ...withoutOne } = REQUIRED
  test.each([
    [{ ...REQUIRED }, 'id: required', ['id']],
    [{ ...withoutOne, id: 'x' }, 'cache_ttl: required', ['cache_ttl']],
    [{ ...REQUIRED, id: 'Lab' }, 'id: expected 1 to 64 lower-case letters, digits, "_" and "-"', ['id']],
    [{ ...REQUIRED, id: 'x', retry_delay: 60_001 }, 'retry_delay: expected at most 60000', ['retry_delay']],
    [
      { ...REQUIRED, id: 'x', logpush_public_key: 'short' },
      'logpush_public_key: expected 16 to 1024 characters',
      ['logpush_public_key'],
    ],
    [
      { ...REQUIRED, id: 'x', spend_limits: { rules: [{ limit: 1, window: 60, every: 1 }] } },
      'spend_limits.rules[0]: has a member that is not known here; there are id, limitType, limit, window, technique, enabled, provider, model, metadata',
      ['spend_limits', 'rules', '0'],
    ],
    [
      { ...REQUIRED, id: 'x', spend_limits: { rules: Array(21).fill({ limit: 1, window: 60 }) } },
      'spend_limits.rules: expected at most 20 entries',
      ['spend_limits', 'rules'],
    ],
    [
      { ...REQUIRED, id: 'x', otel: [{ url: 'ftp://x' }] },
      'otel[0].url: expected an address that begins with http:// or https://',
      ['otel', '0', 'url'],
    ],
    [
      {
        ...REQUIRED,
        id: 'x',
        dlp: { enabled: true, policies: [{ id: 'p', action: 'FLAG', check: ['BOTH'], profiles: [] }] },
      },
      'dlp.policies[0].check[0]: expected one of "REQUEST" or "RESPONSE"',
      ['dlp', 'policies', '0', 'check', '0'],
    ],
  ])('%o', async (body, message, path) => {
    expect(await call('POST', '', body)).toMatchObject({
      status: 400,
      errors: [{ code: 7_001, message, path: ['body', ...path] }],
    })
  })

  test('an id that is taken', async () => {
    await call('POST', '', { ...REQUIRED, id: 'taken' })
    expect(await call('POST', '', { ...REQUIRED, id: 'taken' })).toMatchObject({
      status: 409,
      errors: [{ code: 1_003 }],
    })
  })

  test('what has no effect is told', async () => {
    const made = await call('POST', '', { ...REQUIRED, id: 'told', routes: {}, colour: 'blue', zdr: true })
    const told = made.messages.map(({ message }) => message)
    expect(told).toContain('colour: not known here, and without effect')
    expect(told).toContain('routes: not known here, and without effect')
    expect(made.result.colour).toBeUndefined()
  })
})

test('rules of a spending limit get ids, the same for the same rule', async () => {
  const body = { ...REQUIRED, spend_limits: { enabled: true, rules: [{ limit: 5, window: 60 }] } }
  const made = await call('POST', '', { ...body, id: 'spends' })
  const [rule] = made.result.spend_limits.rules
  expect(rule).toEqual({ id: expect.stringMatching(/^[0-9a-f]{8}$/), limitType: 'cost', limit: 5, window: 60 })
  expect((await call('PUT', '/spends', body)).result.spend_limits.rules).toEqual([rule])
})

test('credentials are encrypted, and shown to those alone who may change them', async () => {
  const otel = [{ url: 'http://127.0.0.1:1/v1/traces', headers: { 'x-key': SECRET }, authorization: SECRET }]
  const stripe = { authorization: SECRET, usage_events: [{ payload: '{}' }] }
  const made = await call('POST', '', { ...REQUIRED, id: 'secretive', otel, stripe })
  expect(made.result).toMatchObject({ otel, stripe })
  expect((await call('GET', '/secretive')).result).toEqual(made.result)
  const looked = await call('GET', '/secretive', undefined, LOOKS)
  expect(looked.result.otel).toEqual([{ url: otel[0]!.url, headers: { 'x-key': '***' }, authorization: '***' }])
  expect(JSON.stringify(looked)).not.toContain(SECRET)
  expect(JSON.stringify(await app.store.database.all('SELECT id, settings FROM gateways'))).not.toContain(SECRET)
  expect(app.logged()).not.toContain(SECRET)
})

test('a token of some gateways sees and changes those alone', async () => {
  await call('POST', '', { ...REQUIRED, id: 'lab' })
  expect((await call('GET', '', undefined, OF_LAB)).result.map(({ id }: { id: string }) => id)).toEqual(['lab'])
  expect((await call('PUT', '/lab', REQUIRED, OF_LAB)).status).toBe(200)
  expect((await call('GET', '/default', undefined, OF_LAB)).status).toBe(403)
  expect((await call('POST', '', { ...REQUIRED, id: 'own' }, OF_LAB)).status).toBe(403)
})

test('pages', async () => {
  const ids = new Set<string>()
  const { total_count } = (await call('GET', '?per_page=1')).result_info!
  for (let page = 1; ; page++) {
    const { result } = await call('GET', `?page=${page}&per_page=3`)
    if (!result.length) break
    for (const { id } of result) ids.add(id)
  }
  expect(ids.size).toBe(total_count!)
})

describe('of the file', () => {
  const here = mkdtempSync(join(tmpdir(), 'postern-gateways-'))
  let other: RunningApp
  beforeAll(async () => {
    other = await startApp({})
    await file(['cache_ttl: 60'])
  })
  afterAll(async () => {
    await other.stop()
    rmSync(here, { recursive: true, force: true })
  })

  const head = () => [
    `tokens: [{ name: tests, token: ${TOKEN}, permissions: [run, read, edit] }]`,
    `providers: { openai: { base_url: "${provider.address}", keys: { default: the-key } } }`,
    'gateways:',
    '  house:',
  ]
  /** The app goes on with a file that has these settings of a gateway, and these other lines. */
  async function file(settings: string[], ...more: string[]) {
    const path = join(here, 'postern.yaml')
    await Bun.write(path, [...head(), ...settings.map(line => `    ${line}`), ...more].join('\n'))
    other.app.reload(loadConfig({ path, env: { SECRET }, knownProviders: [] }).config)
  }

  test('they are shown without credentials, and refuse change with the file’s line', async () => {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference of the file, not of this source
    await file(['cache_ttl: 60', 'otel: [{ url: "http://127.0.0.1:1", authorization: "${SECRET}" }]'])
    const shown = await manage(other, 'GET', `${BASE}/house`)
    expect(shown.result).toMatchObject({ declared: true, cache_ttl: 60, otel: [{ authorization: '***', headers: {} }] })
    expect(JSON.stringify(shown)).not.toContain(SECRET)
    for (const method of ['PUT', 'DELETE'])
      expect(await manage(other, method, `${BASE}/house`, REQUIRED)).toMatchObject({
        status: 409,
        errors: [{ message: 'the gateway "house" is declared in postern.yaml:4: change it there' }],
      })
    expect(await manage(other, 'POST', BASE, { ...REQUIRED, id: 'house' })).toMatchObject({
      status: 409,
      errors: [{ code: 1_003, message: expect.stringContaining('postern.yaml:4') }],
    })
  })

  test('they go before those of the store, which serve again when the file no longer has them', async () => {
    await manage(other, 'POST', BASE, { ...REQUIRED, id: 'spare', cache_ttl: 120 })
    await file(['cache_ttl: 60'], '  spare: { cache_ttl: 90 }')
    expect((await manage(other, 'GET', `${BASE}/spare`)).result).toMatchObject({ declared: true, cache_ttl: 90 })
    await file(['cache_ttl: 60'])
    const { result } = await manage(other, 'GET', `${BASE}/spare`)
    expect([result.declared, result.cache_ttl]).toEqual([undefined, 120])
  })

  test('a file that changes their settings empties the cache where they say so', async () => {
    /** How it came, once it is kept. */
    async function status() {
      await Bun.sleep(2)
      const before = other.requests().length
      const path = '/v1/home/house/compat/chat/completions'
      const response = await post(other.address, ask('openai/gpt-5-mini'), { path })
      await response.text()
      await other.record(before + 1)
      return response.headers.get('cf-aig-cache-status')
    }
    await file(['cache_ttl: 60'])
    expect([await status(), await status()]).toEqual(['MISS', 'HIT'])
    await file(['cache_ttl: 60', 'retry_max_attempts: 2'])
    expect(await status()).toBe('HIT')
    await file(['cache_ttl: 60', 'cache_invalidate_on_update: true'])
    // Requests do not wait for it.
    while (!other.logged().includes('cache emptied')) await Bun.sleep(5)
    expect([await status(), await status()]).toEqual(['MISS', 'HIT'])
    await file(['cache_ttl: 60', 'cache_invalidate_on_update: true'])
    expect(await status()).toBe('HIT')
  })
})
