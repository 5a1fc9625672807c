import { afterAll, beforeAll, beforeEach, describe, expect, setSystemTime, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Value } from '@sinclair/typebox/value'
import { loadConfig } from '../../../src/config/load.ts'
import { MadeTokenAnswer, TokenPage } from '../../../src/schemas/management/tokens.ts'
import { wholeAnswer } from '../../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../../support/app.ts'
import { ask, post } from '../../support/chat.ts'
import { manage } from '../../support/management.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

/** Tokens through the management API, and what they open. */

const EDITS = 'a-token-that-edits'
const RUNS = 'a-token-that-runs'

let provider: StandIn
let app: RunningApp
const tokens = [
  { name: 'tests', token: TOKEN, permissions: ['run' as const, 'read' as const, 'edit' as const] },
  { name: 'edits', token: EDITS, permissions: ['read' as const, 'edit' as const] },
  { name: 'runs', token: RUNS, rate_limit: 1_000 },
  { name: 'lab', token: 'a-token-of-the-lab', permissions: ['read' as const, 'edit' as const], gateways: ['lab'] },
]
beforeAll(async () => {
  provider = standIn(() => wholeAnswer('openai-chat', 'Yes.'))
  const providers = { openai: { base_url: provider.address, keys: { default: 'the-key' } } }
  app = await startApp({ tokens, providers, gateways: { lab: {} } })
})
afterAll(async () => {
  setSystemTime()
  await app.stop()
  provider.stop()
})
beforeEach(async () => {
  setSystemTime()
  for (const { name } of await app.store.tokens.list()) await app.store.tokens.remove(name)
})

const call = (method: string, path = '', body?: unknown, token?: string) =>
  manage(app, method, `/tokens${path}`, body, token)
const chat = async (token: string, gateway = 'default') =>
  (await post(app.address, ask('openai/gpt-5-mini'), { token, path: `/v1/home/${gateway}/compat/chat/completions` }))
    .status
const make = async (body: object = {}) =>
  (await call('POST', '', { name: 'phone', permissions: ['run'], ...body })).result
const account = (below: unknown = '*') => ({ 'com.cloudflare.api.account.home': below })

test('one is made, its value shown this once, and it opens what it says', async () => {
  const made = await call('POST', '', { name: 'phone', permissions: ['run'], gateways: ['lab'] })
  const { status: _, headers: __, ...envelope } = made
  expect([...Value.Errors(MadeTokenAnswer, envelope)].map(({ path, message }) => path + message)).toEqual([])
  const { value, ...shown } = made.result
  expect(value).toMatch(/^pst_[0-9A-Za-z]{32}$/)
  expect(shown.id).toMatch(/^[0-9a-f]{32}$/)
  expect(shown).toMatchObject({
    name: 'phone',
    status: 'active',
    permissions: ['run'],
    gateways: ['lab'],
    policies: [
      {
        effect: 'allow',
        permission_groups: [{ name: 'AI Gateway Run' }],
        resources: account({ 'com.postern.gateway.lab': '*' }),
      },
    ],
  })
  expect([await chat(value, 'lab'), await chat(value)]).toEqual([200, 403])
  expect((await call('GET', `/${shown.id}`)).result).toEqual(shown)
  const listed = await call('GET')
  expect(listed.result.at(-1)).toEqual(shown)
  expect(JSON.stringify(listed)).not.toContain(value)
  expect(app.logged()).not.toContain(value)
  expect((await call('DELETE', `/${shown.id}`)).result).toEqual({ id: shown.id })
  expect(await chat(value, 'lab')).toBe(401)
  expect((await call('GET', `/${shown.id}`)).status).toBe(404)
})

test('another value takes the place of the old one at once', async () => {
  const { id, value } = await make()
  expect(await chat(value)).toBe(200)
  const rolled = (await call('PUT', `/${id}/value`)).result
  expect(rolled).toMatch(/^pst_/)
  expect([await chat(value), await chat(rolled)]).toEqual([401, 200])
})

test('PUT says all of it anew; a disabled one opens nothing', async () => {
  const { id, value } = await make({ rate_limit: 5, groups: ['birds'], claims: { team: 'blue' } })
  const put = (body: object) => call('PUT', `/${id}`, { name: 'phone', permissions: ['run'], ...body })
  expect((await call('GET', `/${id}`)).result).toMatchObject({
    rate_limit: 5,
    groups: ['birds'],
    claims: { team: 'blue' },
  })
  const changed = (await put({ permissions: ['run', 'read'] })).result
  expect(changed).toMatchObject({ id, permissions: ['run', 'read'], status: 'active' })
  expect([changed.rate_limit, changed.groups, changed.claims]).toEqual([undefined, undefined, undefined])
  expect((await call('GET', '', undefined, value)).status).toBe(200)
  expect((await put({ status: 'disabled' })).result.status).toBe('disabled')
  expect(await chat(value)).toBe(401)
  await put({ status: 'active' })
  expect(await chat(value)).toBe(200)
  expect((await put({ name: 'other' })).errors[0]!.path).toEqual(['body', 'name'])
})

test('its limits hold', async () => {
  const { value } = await make({ rate_limit: 2, rate_limit_period: 3_600 })
  expect([await chat(value), await chat(value), await chat(value)]).toEqual([200, 200, 429])
})

test('it opens nothing before its time and after it', async () => {
  const day = 86_400_000
  const start = Date.now()
  const at = (days: number) => new Date(start + days * day).toISOString()
  const { id, value } = await make({ not_before: at(1), expires_on: at(2) })
  expect(await chat(value)).toBe(401)
  setSystemTime(start + 1.5 * day)
  expect(await chat(value)).toBe(200)
  setSystemTime(start + 2.5 * day)
  expect(await chat(value)).toBe(401)
  const ids = async (query: string) => (await call('GET', query)).result.map((one: { id: string }) => one.id)
  expect(await ids('')).not.toContain(id)
  expect(await ids('?include_expired=true')).toContain(id)
  expect((await call('GET', `/${id}`)).result.status).toBe('expired')
})

describe('Cloudflare’s policies', () => {
  const policy = (groups: { id: string; name?: string }[], resources: unknown = account(), effect = 'allow') => ({
    effect,
    permission_groups: groups,
    resources,
  })
  const said = (...policies: unknown[]) => call('POST', '', { name: 'phone', policies })

  test('are read as permissions and gateways', async () => {
    const groups = (await call('GET', '/permission_groups')).result as { id: string; name: string }[]
    expect(groups.map(({ name }) => name)).toEqual(['AI Gateway Run', 'AI Gateway Read', 'AI Gateway Write'])
    const one = await said(policy([groups[0]!]), policy([{ id: groups[2]!.id }]))
    expect(one.result).toMatchObject({ permissions: ['run', 'edit'] })
    expect(one.result.gateways).toBeUndefined()
    await call('DELETE', `/${one.result.id}`)
    const below = account({ 'com.postern.gateway.lab': '*', 'com.postern.gateway.default': '*' })
    const two = await said(policy([{ id: 'read' }], below))
    expect(two.result).toMatchObject({ permissions: ['read'], gateways: ['default', 'lab'] })
    await call('DELETE', `/${two.result.id}`)
    const again = await said(...two.result.policies)
    expect(again.result).toMatchObject({ permissions: ['read'], gateways: ['default', 'lab'] })
  })

  test('what has no meaning here is refused', async () => {
    for (const [policies, path] of [
      [[], ['permissions']],
      [[policy([{ id: 'run' }], account(), 'deny')], ['policies', '0', 'effect']],
      [[policy([{ id: 'c8fed203ed3043cba015a93ad1616f1f' }])], ['policies', '0', 'permission_groups', '0', 'id']],
      [[policy([])], ['policies', '0', 'permission_groups']],
      [[policy([{ id: 'run' }], { 'com.cloudflare.api.account.other': '*' })], ['policies', '0', 'resources']],
      [[policy([{ id: 'run' }], { 'com.cloudflare.api.account.zone.x': '*' })], ['policies', '0', 'resources']],
      [[policy([{ id: 'run' }], {})], ['policies', '0', 'resources']],
      [
        [policy([{ id: 'run' }]), policy([{ id: 'read' }], account({ 'com.postern.gateway.lab': '*' }))],
        ['policies', '1', 'resources'],
      ],
    ] as const)
      expect(await said(...policies)).toMatchObject({ status: 400, errors: [{ code: 7_001, path: ['body', ...path] }] })
    expect(await app.store.tokens.list()).toEqual([])
  })
})

describe('what does not fit', () => {
  test.each([
    [{ permissions: ['fly'] }, ['permissions', '0']],
    [{ permissions: [] }, ['permissions']],
    [{ name: '' }, ['name']],
    [{ gateways: [] }, ['gateways']],
    [{ budget: 9_001 }, ['budget']],
    [{ expires_on: 'tomorrow' }, ['expires_on']],
    [{ condition: { request_ip: { in: ['10.0.0.0/8'] } } }, ['condition']],
  ])('%o', async (change, path) => {
    const refused = await call('POST', '', { name: 'phone', permissions: ['run'], ...change })
    expect(refused).toMatchObject({ status: 400, errors: [{ code: 7_001, path: ['body', ...path] }] })
  })

  test('names that are taken, in the file or in the store', async () => {
    await make()
    for (const name of ['phone', 'tests'])
      expect(await call('POST', '', { name, permissions: ['run'] })).toMatchObject({
        status: 409,
        errors: [{ code: 1_003 }],
      })
  })
})

test('nobody gives away more than they have, nor gets at it by another’s token', async () => {
  expect((await call('POST', '', { name: 'x', permissions: ['read'] }, EDITS)).status).toBe(200)
  expect(await call('POST', '', { name: 'y', permissions: ['run'] }, EDITS)).toMatchObject({
    status: 403,
    errors: [{ message: 'the token "edits" lacks the permission "run", and cannot give it to another' }],
  })
  const { id } = await make()
  expect((await call('PUT', `/${id}/value`, undefined, EDITS)).status).toBe(403)
  expect((await call('PUT', `/${id}`, { name: 'phone', permissions: ['read'] }, EDITS)).status).toBe(403)
  expect((await call('GET', '', undefined, 'a-token-of-the-lab')).status).toBe(403)
})

test('any token may be tried, with an account and without', async () => {
  const { id, value } = await make({ expires_on: '2999-01-01T00:00:00Z' })
  const verify = async (path: string, token: string) =>
    (await fetch(`${app.address}/client/v4${path}`, { headers: { authorization: `Bearer ${token}` } })).json()
  for (const path of ['/accounts/home/tokens/verify', '/user/tokens/verify']) {
    expect(await verify(path, value)).toMatchObject({
      success: true,
      result: { id, status: 'active', expires_on: '2999-01-01T00:00:00.000Z' },
    })
    expect(await verify(path, RUNS)).toMatchObject({ result: { id: 'file:runs', status: 'active' } })
    expect(await verify(path, 'wrong')).toMatchObject({ success: false, errors: [{ code: 10_000 }] })
  }
  expect(await verify('/user/tokens/other', value)).toMatchObject({ success: false, errors: [{ code: 7_003 }] })
})

test('those of the file are shown without their secrets, and refuse change with the file’s line', async () => {
  const here = mkdtempSync(join(tmpdir(), 'postern-tokens-'))
  const path = join(here, 'postern.yaml')
  await Bun.write(
    path,
    [
      'tokens:',
      `  - { name: tests, token: ${TOKEN}, permissions: [run, read, edit] }`,
      `  - { name: runs, token: ${RUNS}, gateways: [lab], budget: 5 }`,
      'gateways: { lab: {} }',
    ].join('\n'),
  )
  app.app.reload(loadConfig({ path, env: {}, knownProviders: [] }).config)
  const listed = await call('GET')
  const { status: _, headers: __, ...envelope } = listed
  expect([...Value.Errors(TokenPage, envelope)].map(({ path, message }) => path + message)).toEqual([])
  expect(listed.result[1]).toMatchObject({ id: 'file:runs', declared: true, gateways: ['lab'], budget: 5 })
  expect(JSON.stringify(listed)).not.toContain(RUNS)
  for (const [method, end] of [
    ['PUT', ''],
    ['PUT', '/value'],
    ['DELETE', ''],
  ] as const)
    expect(await call(method, `/file:runs${end}`, { name: 'runs', permissions: ['run'] })).toMatchObject({
      status: 409,
      errors: [{ message: 'the token "runs" is declared in postern.yaml:3: change it there' }],
    })
  rmSync(here, { recursive: true })
})
