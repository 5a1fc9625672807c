import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TSchema } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { loadConfig } from '../../../src/config/load.ts'
import { providerSlugs } from '../../../src/providers/slugs.ts'
import {
  RenamedRoute,
  RouteAnswer,
  RouteDeploymentList,
  RouteList,
  RouteVersionAnswer,
  RouteVersionList,
  ShortRouteAnswer,
} from '../../../src/schemas/management/routes.ts'
import { wholeAnswer } from '../../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../../support/app.ts'
import { answerOf, ask, post } from '../../support/chat.ts'
import { type Managed, manage } from '../../support/management.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

/** Dynamic routes through the management API (contract 7.6), and where they lead requests. */

let provider: StandIn
let app: RunningApp
beforeAll(async () => {
  provider = standIn(({ body }) => wholeAnswer('openai-chat', `From ${body.model}.`))
  app = await startApp({
    tokens: [{ name: 'tests', token: TOKEN, permissions: ['run', 'read', 'edit'] }],
    providers: { openai: { base_url: provider.address, keys: { default: 'the-key' } } },
    gateways: { default: {}, lab: {} },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

const call = (method: string, path = '', body?: unknown, gateway = 'default') =>
  manage(app, method, `/ai-gateway/gateways/${gateway}/routes${path}`, body)
/** A way to one model. */
const to = (model: string) => [
  { id: 's', type: 'start', outputs: { next: { elementId: 'm' } } },
  {
    id: 'm',
    type: 'model',
    properties: { provider: 'openai', model, timeout: 5_000, retries: 1 },
    outputs: { success: { elementId: 'e' }, fallback: { elementId: 'e' } },
  },
  { id: 'e', type: 'end', outputs: {} },
]
/** What a chat with a route comes to: the answer's text, or its status. */
async function chat(name: string, gateway = 'default') {
  const path = `/v1/home/${gateway}/compat/chat/completions`
  const response = await post(app.address, ask(`dynamic/${name}`), { path })
  return response.ok ? (await answerOf(response)).choices![0]!.message.content : response.status
}
function demand(schema: TSchema, { status, headers: _, ...body }: Managed) {
  expect(status).toBe(200)
  expect([...Value.Errors(schema, body)].map(({ path, message }) => `${path}: ${message}`)).toEqual([])
}

beforeEach(async () => {
  for (const { id } of (await call('GET', '?per_page=50')).data.routes) await call('DELETE', `/${id}`)
})

test('one is made and deployed, versions are added and deployed, and it goes', async () => {
  expect(await chat('support')).toBe(404)
  const made = await call('POST', '', { name: 'support', elements: to('one') })
  demand(RouteAnswer, made)
  const { id, version, deployment } = made.result
  expect(made.result).toMatchObject({ name: 'support', gateway_id: 'default', elements: to('one') })
  expect(version).toMatchObject({ active: 'true', is_valid: true })
  expect(JSON.parse(version.data)).toEqual(to('one'))
  expect(deployment.version_id).toBe(version.version_id)
  expect(await chat('support')).toBe('From one.')
  expect(await chat('support', 'lab')).toBe(404)

  const second = await call('POST', `/${id}/versions`, { elements: to('two') })
  demand(ShortRouteAnswer, second)
  expect(second.result.elements).toEqual(to('two'))
  expect(await chat('support')).toBe('From one.')
  const versions = await call('GET', `/${id}/versions`)
  demand(RouteVersionList, versions)
  const [newest] = versions.data.versions
  expect(versions.data.versions.map(({ active }: { active: string }) => active)).toEqual(['false', 'true'])
  const one = await call('GET', `/${id}/versions/${newest.version_id}`)
  demand(RouteVersionAnswer, one)
  expect(one.result).toMatchObject({ id, active: 'false', elements: to('two') })

  demand(ShortRouteAnswer, await call('POST', `/${id}/deployments`, { version_id: newest.version_id }))
  expect(await chat('support')).toBe('From two.')
  await call('POST', `/${id}/deployments`, { version_id: version.version_id })
  expect(await chat('support')).toBe('From one.')
  const deployments = await call('GET', `/${id}/deployments`)
  demand(RouteDeploymentList, deployments)
  expect(deployments.data.deployments.map((each: { version_id: string }) => each.version_id)).toEqual([
    version.version_id,
    newest.version_id,
    version.version_id,
  ])

  const renamed = await call('PATCH', `/${id}`, { name: 'help desk' })
  demand(RenamedRoute, renamed)
  expect(renamed).toMatchObject({ success: true, route: { id, name: 'help desk', account_tag: 'home' } })
  expect([await chat('support'), await chat('help desk')]).toEqual([404, 'From one.'])
  expect((await call('GET', `/${id}`)).result).toMatchObject({ name: 'help desk', elements: to('one') })
  demand(ShortRouteAnswer, await call('DELETE', `/${id}`))
  expect(await chat('help desk')).toBe(404)
  expect(await app.store.database.all('SELECT id FROM route_versions')).toEqual([])
  expect(await app.store.database.all('SELECT id FROM route_deployments')).toEqual([])
})

test('a graph in the older names is answered in the current ones', async () => {
  const elements = [
    { id: 's', type: 'start', outputs: { next: 'm' } },
    { id: 'm', type: 'model', properties: { provider: 'openai', model: 'x' }, outputs: { success: 'e' } },
    { id: 'e', type: 'end' },
  ]
  const { result } = await call('POST', '', { name: 'older', elements })
  expect(result.elements[1]).toEqual({
    id: 'm',
    type: 'model',
    properties: { provider: 'openai', model: 'x', timeout: 0, retries: 0 },
    outputs: { success: { elementId: 'e' }, fallback: { elementId: 'e' } },
  })
})

test('the list has no envelope, and is empty past its end', async () => {
  for (const name of ['a', 'b', 'c']) await call('POST', '', { name, elements: to(name) })
  const page = await call('GET', '?per_page=2')
  demand(RouteList, page)
  expect(page.result).toBeUndefined()
  expect(page.data).toMatchObject({ page: 1, per_page: 2, order_by: 'created_at', order_by_direction: 'asc' })
  expect(page.data.routes.map(({ name }: { name: string }) => name)).toEqual(['a', 'b'])
  expect((await call('GET', '?per_page=2&page=2')).data.routes).toHaveLength(1)
  expect((await call('GET', '?per_page=2&page=3')).data.routes).toEqual([])
})

describe('what does not fit', () => {
  test('everything that is wrong with a graph is told, with its place', async () => {
    const elements = structuredClone(to('x')) as Record<string, unknown>[]
    elements[1]!.properties = { provider: 'opnai', model: 'x', timeout: -1, retries: 1 }
    elements[1]!.outputs = { success: { elementId: 'ende' } }
    const refused = await call('POST', '', { name: 'wrong', elements })
    expect(refused.status).toBe(400)
    expect(refused.errors.map(({ path }) => path?.join('.'))).toEqual([
      'body.elements.1.properties.timeout',
      'body.elements.1.outputs.success.elementId',
      'body.elements.2',
    ])
    expect(refused.errors.every(({ code }) => code === 7_001)).toBe(true)
    elements[1]!.properties = { provider: 'opnai', model: 'x' }
    elements[1]!.outputs = { success: 'e' }
    expect((await call('POST', '', { name: 'wrong', elements })).errors).toEqual([
      {
        code: 7_001,
        message: 'elements[1] "m": properties.provider: there is no provider "opnai"; did you mean "openai"?',
        path: ['body', 'elements', '1', 'properties', 'provider'],
      },
    ])
    expect((await call('GET')).data.routes).toEqual([])
  })

  test.each([
    [{ name: 'a/b', elements: to('x') }, ['body', 'name']],
    [{ elements: to('x') }, ['body', 'name']],
    [{ name: 'x', elements: [] }, ['body', 'elements']],
    [{ name: 'x', elements: 'all' }, ['body', 'elements']],
  ])('%o', async (body, path) => {
    expect(await call('POST', '', body)).toMatchObject({ status: 400, errors: [{ code: 7_001, path }] })
  })

  test('names that are taken, and what is not there', async () => {
    const { id, version } = (await call('POST', '', { name: 'a', elements: to('a') })).result
    const other = (await call('POST', '', { name: 'b', elements: to('b') })).result
    const conflict = { status: 409, errors: [{ code: 1_003 }] }
    expect(await call('POST', '', { name: 'a', elements: to('a') })).toMatchObject(conflict)
    expect(await call('PATCH', `/${id}`, { name: 'b' })).toMatchObject(conflict)
    expect((await call('PATCH', `/${id}`, { name: 'a' })).status).toBe(200)
    const absent = { status: 404, errors: [{ code: 7_002 }] }
    expect(await call('POST', `/${other.id}/deployments`, { version_id: version.version_id })).toMatchObject(absent)
    expect(await call('GET', `/${other.id}/versions/${version.version_id}`)).toMatchObject(absent)
    expect(await call('GET', `/${id}`, undefined, 'lab')).toMatchObject(absent)
    expect(await call('DELETE', '/nobody')).toMatchObject(absent)
    expect(await call('GET', '', undefined, 'nowhere')).toMatchObject(absent)
  })
})

test('those of the file are listed first, serve, and refuse change with the file’s line', async () => {
  const here = mkdtempSync(join(tmpdir(), 'postern-routes-'))
  const path = join(here, 'postern.yaml')
  await call('POST', '', { name: 'made', elements: to('made') })
  await Bun.write(
    path,
    [
      `tokens: [{ name: tests, token: ${TOKEN}, permissions: [run, read, edit] }]`,
      `providers: { openai: { base_url: "${provider.address}", keys: { default: the-key } } }`,
      'gateways:',
      '  lab: {}',
      '  default:',
      '    routes:',
      '      from the file:',
      '        elements:',
      '          - { id: s, type: start, outputs: { next: m } }',
      '          - { id: m, type: model, properties: { provider: openai, model: file }, outputs: { success: e } }',
      '          - { id: e, type: end }',
    ].join('\n'),
  )
  app.app.reload(loadConfig({ path, env: {}, knownProviders: providerSlugs }).config)
  const { data } = await call('GET')
  expect(data.routes.map(({ id }: { id: string }) => id)[0]).toBe('file:from the file')
  expect(data.routes).toHaveLength(2)
  expect((await call('GET', '?per_page=1&page=2')).data.routes[0].name).toBe('made')
  expect([await chat('from the file'), await chat('made')]).toEqual(['From file.', 'From made.'])
  const id = encodeURIComponent('file:from the file')
  const one = await call('GET', `/${id}`)
  demand(RouteAnswer, one)
  demand(RouteVersionAnswer, await call('GET', `/${id}/versions/${id}`))
  demand(RouteVersionList, await call('GET', `/${id}/versions`))
  demand(RouteDeploymentList, await call('GET', `/${id}/deployments`))
  expect((await call('GET', `/${id}/versions?page=2`)).data.versions).toEqual([])
  for (const [method, end, body] of [
    ['PATCH', '', { name: 'x' }],
    ['DELETE', '', undefined],
    ['POST', '/versions', { elements: to('x') }],
    ['POST', '/deployments', { version_id: 'x' }],
  ] as const)
    expect(await call(method, `/${id}${end}`, body)).toMatchObject({
      status: 409,
      errors: [{ message: 'the route "from the file" is declared in postern.yaml:7: change it there' }],
    })
  expect(await call('POST', '', { name: 'from the file', elements: to('x') })).toMatchObject({
    status: 409,
    errors: [{ code: 1_003 }],
  })
  rmSync(here, { recursive: true })
})
