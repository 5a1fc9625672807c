import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { loadConfig } from '../../../src/config/load.ts'
import { providerSlugs } from '../../../src/providers/slugs.ts'
import { CustomProviderAnswer } from '../../../src/schemas/management/custom-providers.ts'
import { wholeAnswer } from '../../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../../support/app.ts'
import { answerOf, ask, post } from '../../support/chat.ts'
import { manage } from '../../support/management.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

/** Custom providers through the management API (contract 1.8 and 11.9), and what becomes of requests to them. */

const LOOKS = 'a-token-that-only-looks'
const SECRET = 'a-secret-in-a-header'

let one: StandIn
let two: StandIn
let app: RunningApp
beforeAll(async () => {
  one = standIn(() => wholeAnswer('openai-chat', 'One.'))
  two = standIn(() => wholeAnswer('openai-chat', 'Two.'))
  app = await startApp({
    tokens: [
      { name: 'tests', token: TOKEN, permissions: ['run', 'read', 'edit'] },
      { name: 'looks', token: LOOKS, permissions: ['read'] },
      { name: 'lab', token: 'a-token-of-the-lab', permissions: ['read', 'edit'], gateways: ['lab'] },
    ],
    storage: { encryption_key: 'thirty-two-characters-of-a-secret' },
    gateways: { default: { cache_ttl: 300 }, lab: {} },
  })
})
afterAll(async () => {
  await app.stop()
  one.stop()
  two.stop()
})

const call = (method: string, path = '', body?: unknown, token?: string) =>
  manage(app, method, `/ai-gateway/custom-providers${path}`, body, token)
const said = (more: object = {}) => ({ name: 'Heron', slug: 'heron', base_url: one.address, enable: true, ...more })
/** What a chat with a provider comes to: the answer's text, or the code of its error. */
async function chat(slug = 'custom-heron') {
  const response = await post(app.address, ask(`${slug}/m`))
  const { choices, error } = await answerOf(response)
  return choices?.[0]?.message.content ?? error?.code
}

beforeEach(async () => {
  for (const { id } of (await call('GET', '?per_page=100')).result) await call('DELETE', `/${id}`)
})

test('one is made, serves at once in every way, and no more when it is removed', async () => {
  const made = await call('POST', '', said({ description: 'By the water.', position: 3 }))
  expect(made).toMatchObject({
    status: 200,
    success: true,
    result: said({ description: 'By the water.', position: 3 }),
  })
  const { status: _, headers: __, ...envelope } = made
  expect([...Value.Errors(CustomProviderAnswer, envelope)]).toEqual([])
  expect((await call('GET', `/${made.result.id}`)).result).toEqual(made.result)
  expect([await chat(), await chat('heron')]).toEqual(['One.', 'One.'])
  const native = await fetch(`${app.address}/v1/home/default/custom-heron/v1/things?q=1`, {
    headers: { 'cf-aig-authorization': `Bearer ${TOKEN}` },
  })
  expect([native.status, one.last().path]).toEqual([200, '/v1/things?q=1'])
  expect((await manage(app, 'GET', '/ai-gateway/gateways/default/url/custom-heron')).status).toBe(200)
  expect((await call('DELETE', `/${made.result.id}`)).result).toEqual(made.result)
  expect(await chat()).toBe('invalid_provider')
})

test('one that is not enabled counts as unknown', async () => {
  const { result } = await call('POST', '', { name: 'Heron', slug: 'heron', base_url: one.address })
  expect(result.enable).toBe(false)
  expect(await chat()).toBe('invalid_provider')
  await call('PATCH', `/${result.id}`, { enable: true })
  expect(await chat()).toBe('One.')
})

test('PATCH changes what it says; answers from before are not given again', async () => {
  const { result } = await call('POST', '', said({ link: 'https://example.com', headers: '{"x-team":"blue"}' }))
  expect([await chat(), await chat()]).toEqual(['One.', 'One.'])
  expect(one.last().headers.get('x-team')).toBe('blue')
  const changed = await call('PATCH', `/${result.id}`, { base_url: two.address, link: null })
  expect(changed.result).toMatchObject({ name: 'Heron', base_url: two.address, headers: '{"x-team":"blue"}' })
  expect(changed.result.link).toBeUndefined()
  expect(await chat()).toBe('Two.')
  expect(two.last().headers.get('x-team')).toBe('blue')
  await call('PATCH', `/${result.id}`, { headers: null })
  await chat()
  expect(two.last().headers.get('x-team')).toBeNull()
})

test('one of the same slug does not inherit answers and keys', async () => {
  const first = (await call('POST', '', said())).result
  const key = { provider_slug: 'custom-heron', alias: 'default', default_config: true, secret: 'sk-of-the-heron' }
  await manage(app, 'POST', '/ai-gateway/gateways/default/provider_configs', key)
  await chat()
  expect(one.last().headers.get('authorization')).toBe('Bearer sk-of-the-heron')
  await call('DELETE', `/${first.id}`)
  await call('POST', '', said({ base_url: two.address }))
  expect(await chat()).toBe('Two.')
  expect(two.last().headers.get('authorization')).toBeNull()
  expect(await app.store.keys.list()).toEqual([])
})

describe('what does not fit', () => {
  test.each([
    [{ base_url: 'ftp://x' }, 400, 1_002],
    [{ base_url: 'not an address' }, 400, 1_002],
    [{ base_url: 'https://me:pass@example.com' }, 400, 1_002],
    [{ base_url: 'https://example.com/?key=1' }, 400, 1_002],
    [{ slug: 'Heron' }, 400, 7_001],
    [{ headers: '{"x":1}' }, 400, 7_001],
    [{ headers: '["x"]' }, 400, 7_001],
    [{ headers: '{"x y":"1"}' }, 400, 7_001],
    [{ headers: '{"x":"a\\nb"}' }, 400, 7_001],
    [{ dialect: 'latin' }, 400, 7_001],
    [{ name: undefined }, 400, 7_001],
  ])('%o', async (change, status, code) => {
    const refused = await call('POST', '', said(change))
    expect([refused.status, refused.errors[0]!.code]).toEqual([status, code])
    expect((await call('GET')).result).toEqual([])
  })

  test('a slug that is taken, one that is to change, and an id that is not there', async () => {
    const { result } = await call('POST', '', said())
    expect(await call('POST', '', said())).toMatchObject({ status: 409, errors: [{ code: 1_003 }] })
    expect(await call('PATCH', `/${result.id}`, { slug: 'other' })).toMatchObject({
      errors: [{ path: ['body', 'slug'] }],
    })
    expect(await call('PATCH', `/${result.id}`, { base_url: 'x' })).toMatchObject({ errors: [{ code: 1_002 }] })
    for (const method of ['GET', 'PATCH', 'DELETE'])
      expect(await call(method, '/nobody', method === 'PATCH' ? {} : undefined)).toMatchObject({
        status: 404,
        errors: [{ code: 1_004 }],
      })
  })
})

test('headers are encrypted, and shown to those alone who may change them', async () => {
  const { result } = await call('POST', '', said({ headers: JSON.stringify({ authorization: SECRET }) }))
  expect((await call('GET', `/${result.id}`)).result.headers).toContain(SECRET)
  expect((await call('GET', `/${result.id}`, undefined, LOOKS)).result.headers).toBe('{"authorization":"***"}')
  expect(JSON.stringify(await app.store.database.all('SELECT id, slug, details FROM custom_providers'))).not.toContain(
    SECRET,
  )
  expect(app.logged()).not.toContain(SECRET)
})

test('the list: order, filters, search and pages', async () => {
  for (const [slug, more] of Object.entries({
    alpha: { name: 'Zeta', beta: true },
    beta: { name: 'Beta', enable: false },
    gamma: { name: 'Alpha', position: 1 },
  }))
    await call('POST', '', said({ slug, ...more }))
  const slugs = async (query: string) => (await call('GET', query)).result.map(({ slug }: { slug: string }) => slug)
  expect(await slugs('')).toEqual(['gamma', 'beta', 'alpha'])
  expect(await slugs('?order_by=slug%20DESC')).toEqual(['gamma', 'beta', 'alpha'])
  expect(await slugs('?order_by=name%20ASC')).toEqual(['gamma', 'beta', 'alpha'])
  expect(await slugs('?order_by=slug')).toEqual(['alpha', 'beta', 'gamma'])
  expect(await slugs('?enable=false')).toEqual(['beta'])
  expect(await slugs('?beta=true')).toEqual(['alpha'])
  expect(await slugs('?search=ZET')).toEqual(['alpha'])
  expect(await slugs('?per_page=2&page=2')).toEqual(['alpha'])
  expect(await slugs('?per_page=2&page=3')).toEqual([])
  expect((await call('GET', '?per_page=101')).status).toBe(400)
  expect((await call('GET', '?order_by=secret')).status).toBe(400)
})

test('they are of the account: a token of some gateways has nothing to do with them', async () => {
  expect((await call('GET', '', undefined, 'a-token-of-the-lab')).status).toBe(403)
  expect((await call('POST', '', said(), 'a-token-of-the-lab')).status).toBe(403)
})

test('those of the file are shown without credentials, go before, and refuse change with the file’s line', async () => {
  const here = mkdtempSync(join(tmpdir(), 'postern-custom-'))
  const path = join(here, 'postern.yaml')
  await call('POST', '', said({ base_url: two.address }))
  await Bun.write(
    path,
    [
      `tokens: [{ name: tests, token: ${TOKEN}, permissions: [run, read, edit] }]`,
      'custom_providers:',
      '  heron:',
      `    base_url: ${one.address}`,
      `    headers: { x-key: ${SECRET} }`,
    ].join('\n'),
  )
  app.app.reload(loadConfig({ path, env: {}, knownProviders: providerSlugs }).config)
  const { result } = await call('GET', '/file:heron')
  expect(result).toMatchObject({ slug: 'heron', declared: true, enable: true, headers: '{"x-key":"***"}' })
  expect((await call('GET')).result).toEqual([result])
  expect(await chat()).toBe('One.')
  for (const method of ['PATCH', 'DELETE'])
    expect(await call(method, '/file:heron', {})).toMatchObject({
      status: 409,
      errors: [{ message: 'the custom provider "heron" is declared in postern.yaml:3: change it there' }],
    })
  expect(await call('POST', '', said())).toMatchObject({ status: 409, errors: [{ code: 1_003 }] })
  rmSync(here, { recursive: true })
})
