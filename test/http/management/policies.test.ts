import { afterAll, expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import type { Manager } from '../../../src/gateway/manage.ts'
import { managementFault } from '../../../src/http/management/answers.ts'
import { policies } from '../../../src/http/management/policies.ts'
import { Policy, Simulation } from '../../../src/schemas/policy.ts'
import { openStore } from '../../../src/storage/store.ts'

const lines: unknown[] = []
const store = await openStore('sqlite::memory:')
const declared = [{ name: 'House', resource: { provider: 'openai' }, action: { type: 'no-limit' } }]
const manager = {
  caller: { name: 'tests', permissions: new Set(['read', 'edit']) },
  account: 'home',
  store,
  settings: {
    gateways: new Map<string, unknown>([
      ['default', {}],
      ['house', {}],
    ]),
    policies: { forget: () => {} },
    config: {
      server: { max_body: 100_000 },
      gateways: { house: { policies: declared } },
      path: '/etc/postern.yaml',
      declared: { modified: 5_000, lines: { '/gateways/house/policies/0': 12 } },
    },
    registry: {
      find: (slug: string) => (['openai', 'anthropic'].includes(slug) ? { provider: { slug } } : undefined),
      all: [{ provider: { slug: 'openai' } }],
    },
    log: { info: (line: unknown) => lines.push(line) },
  },
} as unknown as Manager

// The addresses as the document has them.
const server = Bun.serve({
  port: 0,
  async fetch(request) {
    const [gateway = '', id] = new URL(request.url).pathname.split('/').slice(1)
    const named = { 'POST commit': policies.commitPolicies, 'POST simulate': policies.simulatePolicies }
    const onOne = { GET: policies.getPolicy, PUT: policies.updatePolicy, DELETE: policies.deletePolicy }
    const onAll = { GET: policies.listPolicies, POST: policies.createPolicy }
    const { method } = request
    const handle =
      named[`${method} ${id}` as keyof typeof named] ?? (id ? onOne[method as 'PUT'] : onAll[method as 'POST'])
    return Promise.resolve(handle({ request, params: { gateway, ...(id && { id }) }, manager })).catch(managementFault)
  },
})
afterAll(() => server.stop(true))

// biome-ignore lint/suspicious/noExplicitAny: answers of every form, which the expectations hold against theirs
type Answer = { status: number; body: any }
async function call(method: string, path: string, body?: unknown): Promise<Answer> {
  const response = await fetch(`${server.url}${path}`, {
    method,
    ...(body !== undefined && { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
  })
  return { status: response.status, body: await response.json() }
}

const names = (answer: Answer) =>
  answer.body.result.map((policy: Policy) => `${policy.name}${policy.staging ? ' (draft)' : ''}`)

test('stage, simulate, commit, change and remove', async () => {
  const cap = {
    name: 'Cap',
    actor: 'company:all',
    action: { type: 'limit', amount: 1_000, period: 'monthly', technique: 'named-interval' },
  }
  const created = await call('POST', 'default', cap)
  expect(created).toMatchObject({
    status: 200,
    body: { success: true, committed: false, result: { ...cap, resource: '*', condition: 'true', staging: true } },
  })
  expect([...Value.Errors(Policy, created.body.result)]).toEqual([])
  const { id, created_at } = created.body.result
  expect(Math.abs(created_at - Date.now() / 1000)).toBeLessThan(60)
  expect(names(await call('GET', 'default'))).toEqual([])
  expect(names(await call('GET', 'default?includeStaging=true'))).toEqual(['Cap (draft)'])
  expect((await call('GET', `default/${id}`)).body.errors[0]).toMatchObject({ code: 7_002 })
  expect((await call('GET', `default/${id}?includeStaging=true`)).body).toMatchObject({
    uncommitted: true,
    result: { id },
  })
  expect((await call('PUT', `default/${id}`, { name: 'x' })).status).toBe(400)

  const asked = {
    identity: { cf: { user: { id: 'a' } } },
    model: 'openai/gpt-5.5',
    provider: 'openai',
    bucketUsage: { Cap: { spent: 1_000 } },
  }
  const simulated = await call('POST', 'default/simulate', asked)
  expect([...Value.Errors(Simulation, simulated.body.result)]).toEqual([])
  expect(simulated.body.result).toMatchObject({
    evaluation: { decision: 'check_limits' },
    enforcement: { allowed: false, reason: 'limit_exceeded', spent: 1_000, limit: 1_000, policyName: 'Cap' },
    policiesEvaluated: 1,
  })

  expect((await call('POST', 'default/commit')).body).toMatchObject({
    success: true,
    result: { committed: 1, failed: 0, policies: [{ id }] },
  })
  expect(names(await call('GET', 'default'))).toEqual(['Cap'])
  const changed = await call('PUT', `default/${id}?commit=true`, { action: { type: 'block' } })
  expect(changed.body).toMatchObject({
    success: true,
    committed: true,
    result: { name: 'Cap', action: { type: 'block' } },
  })
  expect((await call('PUT', `default/${id}`, { name: 'Draft' })).body).toMatchObject({ committed: false })
  expect(names(await call('GET', 'default?includeStaging=true'))).toEqual(['Cap', 'Draft (draft)'])
  expect((await call('DELETE', `default/${id}`)).body).toMatchObject({ success: true, result: { id } })
  expect(names(await call('GET', 'default?includeStaging=true'))).toEqual([])
  expect((await call('DELETE', `default/${id}`)).status).toBe(404)
  expect(lines).toHaveLength(5)
})

test('what does not fit is refused with its place', async () => {
  const refused = async (body: unknown) => (await call('POST', 'default', body)).body.errors?.[0]
  const action = { type: 'block' }
  expect(await refused({ action, condition: 'cf.user.id ==' })).toEqual({
    code: 7_001,
    message: 'condition: at character 14: Unexpected token: EOF',
    path: ['body', 'condition'],
  })
  expect(await refused({ action, actor: '{cf.nobody}' })).toMatchObject({ code: 7_001, path: ['body', 'actor'] })
  expect(await refused({ action, resource: { provider: ['openai', 'opnai'] } })).toMatchObject({
    message: 'resource.provider.1: there is no provider "opnai"; did you mean "openai"?',
    path: ['body', 'resource', 'provider', '1'],
  })
  for (const body of [
    {},
    { action: { type: 'limit', amount: 0, period: 'daily', technique: 'named-interval' } },
    { action: { type: 'limit', amount: 1, period: 'yearly', technique: 'named-interval' } },
    { action, resource: {} },
    { action, conditon: 'true' },
  ])
    expect(await refused(body)).toMatchObject({ code: 7_001 })
  expect((await call('POST', 'nowhere', { action })).status).toBe(404)
  // Nothing of it is there.
  expect(names(await call('GET', 'default?includeStaging=true'))).toEqual([])
})

test('policies of the file are shown and stay as they are; a page past the end is empty', async () => {
  const { result } = (await call('GET', 'house')).body
  expect(result).toMatchObject([{ id: 'file:1', name: 'House', declared: true, actor: '*', created_at: 5 }])
  expect([...Value.Errors(Policy, result[0])]).toEqual([])
  expect((await call('GET', 'house/file:1')).body.result.name).toBe('House')
  for (const [method, body] of [['PUT', { name: 'x' }], ['DELETE']] as const) {
    const answer = await call(method, 'house/file:1?commit=true', body)
    expect(answer.status).toBe(409)
    expect(answer.body.errors[0].message).toContain('postern.yaml:12')
  }
  expect((await call('POST', 'house/simulate', { model: 'openai/x' })).body.result.evaluation.decision).toBe('no-limit')
  expect((await call('POST', 'house/simulate', { model: 'anthropic/x' })).body.result.enforcement).toEqual({
    allowed: false,
    reason: 'blocked',
  })
  expect((await call('GET', 'house?page=2')).body.result).toEqual([])
})
