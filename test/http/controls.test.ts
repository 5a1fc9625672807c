import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** The headers of requests and answers (contract section 3). */

const UUID7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
const CHAT = { model: 'openai/gpt-5-mini', messages: [{ role: 'user', content: 'Hi' }] }

let provider: StandIn
let app: RunningApp

beforeAll(async () => {
  provider = standIn(() => {
    const answer = wholeAnswer('openai-chat', 'Yes.')
    answer.headers.set('cf-aig-step', '7')
    answer.headers.set('cf-ray', 'of-the-provider')
    return answer
  })
  app = await startApp({
    providers: { openai: { base_url: provider.address, keys: { default: 'the-key' } } },
    gateways: { silent: { collect_logs: false }, strict: { byok_only: true } },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

interface Way {
  gateway?: string
  path?: string
  body?: unknown
}

const asked = (headers: Record<string, string> = {}, { gateway = 'default', path, body = CHAT }: Way = {}) =>
  fetch(`${app.address}/v1/home/${gateway}${path ?? '/compat/chat/completions'}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json', ...headers },
    body: JSON.stringify(body),
  })

const surfaces: [string, Way][] = [
  ['compat', {}],
  ['native', { path: '/openai/chat/completions', body: { ...CHAT, model: 'gpt-5-mini' } }],
  ['universal', { path: '', body: { provider: 'openai', endpoint: 'chat/completions', query: CHAT } }],
]

describe('3.2 what every answer says', () => {
  test.each(surfaces)('%s: ids, and that nothing came from the cache', async (_, way) => {
    const { status, headers } = await asked({}, way)
    expect(status).toBe(200)
    expect(headers.get('cf-aig-cache-status')).toBe('MISS')
    expect(headers.get('cf-aig-request-id')).toMatch(UUID7)
    expect(headers.get('cf-aig-event-id')).toBe(headers.get('cf-aig-request-id'))
    expect(headers.get('cf-aig-log-id')).toMatch(UUID7)
    expect(headers.get('cf-ray')).toBe('of-the-provider')
  })

  test('another gateway behind us does not speak for this one', async () => {
    expect((await asked()).headers.get('cf-aig-step')).toBeNull()
  })

  test.each(surfaces)('%s: the caller’s own event id is echoed', async (_, way) => {
    const { headers } = await asked({ 'cf-aig-event-id': 'order-7' }, way)
    expect(headers.get('cf-aig-event-id')).toBe('order-7')
    expect(headers.get('cf-aig-request-id')).toMatch(UUID7)
  })

  test('a step’s event id goes before the list’s', async () => {
    const step = { provider: 'openai', endpoint: 'chat/completions', query: CHAT }
    const { headers } = await asked(
      { 'cf-aig-event-id': 'list' },
      { path: '/', body: [{ ...step, headers: { 'cf-aig-event-id': 'step' } }] },
    )
    expect(headers.get('cf-aig-event-id')).toBe('step')
  })

  test.each([
    ['compat', { body: { model: 'heron/x', messages: [] } }],
    ['native', { path: '/heron/x' }],
    ['an unknown gateway', { gateway: 'heron' }],
  ])('a refusal has them too: %s', async (_, way) => {
    const { status, headers } = await asked({}, way)
    expect(status).toBe(400)
    expect(headers.get('cf-aig-event-id')).toMatch(UUID7)
  })

  test('an id of a log only where something is put on record', async () => {
    expect((await asked({}, { gateway: 'silent' })).headers.get('cf-aig-log-id')).toBeNull()
    const heard = await asked({ 'cf-aig-collect-log': 'true' }, { gateway: 'silent' })
    expect(heard.headers.get('cf-aig-log-id')).toMatch(UUID7)
    expect((await asked({ 'cf-aig-collect-log': 'FALSE' })).headers.get('cf-aig-log-id')).toBeNull()
  })

  test('the line of the log has the same id', async () => {
    const count = app.requests().length
    const { headers } = await asked({ 'cf-aig-event-id': 'order-8' })
    expect(await app.record(count + 1)).toMatchObject({ id: headers.get('cf-aig-log-id')!, event: 'order-8' })
  })
})

describe('3.1 what a request may ask for', () => {
  const fine: Record<string, string> = {
    'cf-aig-skip-cache': 'True',
    'cf-skip-cache': '1',
    'cf-aig-cache-ttl': '2592000',
    'cf-cache-ttl': '0',
    'cf-aig-cache-key': 'a key of mine',
    'cf-aig-collect-log': '0',
    'cf-aig-collect-log-payload': 'false',
    'cf-aig-metadata': '{"team":"search","user":7,"paid":true,"none":null}',
    'cf-aig-custom-cost': '{"per_token_in":0.000001,"per_token_out":0.000002}',
    'cf-aig-request-timeout': '5000',
    'cf-aig-max-attempts': '5',
    'cf-aig-retry-delay': '0',
    'cf-aig-backoff': 'exponential',
    'cf-aig-no-wholesale': 'false',
    'cf-aig-zdr': 'true',
    'cf-aig-otel-trace-id': '0AF7651916CD43DD8448EB211C80319C',
    'cf-aig-otel-parent-span-id': 'b7ad6b7169203331',
    'cf-aig-session-id': 's',
    'cf-aig-turn-id': 't',
    'cf-aig-no-session-affinity': 'true',
    'cf-aig-allowed-models': 'openai/*, anthropic/claude-*',
    'cf-aig-allowed-providers': '*',
  }

  test.each(surfaces)('%s: all of it at once, and none of it goes upstream', async (_, way) => {
    const { status, headers } = await asked(fine, way)
    expect([status, headers.get('postern-dropped')]).toEqual([200, null])
    expect([...provider.last().headers.keys()].filter(name => name.startsWith('cf-'))).toEqual([])
  })

  const wrong: [string, string][] = [
    ['cf-aig-skip-cache', 'yes'],
    ['cf-skip-cache', 'yes'],
    ['cf-aig-cache-ttl', '30'],
    ['cf-aig-cache-ttl', '2592001'],
    ['cf-aig-cache-ttl', '1e3'],
    ['cf-cache-ttl', '-1'],
    ['cf-aig-cache-key', 'k'.repeat(257)],
    ['cf-aig-collect-log', 'maybe'],
    ['cf-aig-metadata', 'team=search'],
    ['cf-aig-metadata', '["teams"]'],
    ['cf-aig-custom-cost', '0.5'],
    ['cf-aig-request-timeout', '-1'],
    ['cf-aig-request-timeout', '99999999999999'],
    ['cf-aig-request-timeout', 'soon'],
    ['cf-aig-max-attempts', '6'],
    ['cf-aig-retry-delay', '5001'],
    ['cf-aig-backoff', 'fast'],
    ['cf-aig-otel-trace-id', 'abc'],
    ['cf-aig-otel-trace-id', '0'.repeat(32)],
    ['cf-aig-otel-parent-span-id', 'xyz'],
  ]
  test.each(wrong)('%s: %s is refused by name, and what it said is not repeated', async (name, value) => {
    const count = provider.seen.length
    const response = await asked({ [name]: value })
    const { error } = (await response.json()) as { error: { message: string; param: string } }
    expect(response.status).toBe(400)
    expect(error.param).toBe(name)
    expect(error.message).toStartWith(`${name}: expected`)
    if (value.length > 4) expect(error.message).not.toContain(value)
    expect(provider.seen).toHaveLength(count)
  })

  test('an empty value says nothing', async () => {
    expect((await asked({ 'cf-aig-cache-ttl': '', 'cf-aig-metadata': ' ' })).status).toBe(200)
  })

  test('the new name goes before the old', async () => {
    expect((await asked({ 'cf-aig-cache-ttl': '60', 'cf-cache-ttl': 'old' })).status).toBe(200)
  })

  test('what has no effect is told', async () => {
    const metadata = { a: 1, 'cf.user_id': 'x', b: 2, c: 3, d: 4, e: 5, f: 6 }
    const { status, headers } = await asked({ 'cf-aig-metadata': JSON.stringify(metadata), 'cf-aig-cahce-ttl': '60' })
    expect(status).toBe(200)
    expect(headers.get('postern-dropped')?.split(', ').sort()).toEqual([
      'cf-aig-cahce-ttl',
      'cf-aig-metadata.cf.user_id',
      'cf-aig-metadata.f',
    ])
    const nested = await asked({ 'cf-aig-metadata': '{"a":1,"b":{"c":2}}' })
    expect(nested.headers.get('postern-dropped')).toBe('cf-aig-metadata')
  })

  test('whoever may not call hears nothing of headers', async () => {
    const response = await asked({ authorization: 'Bearer pst_wrong', 'cf-aig-cache-ttl': 'soon' })
    expect(response.status).toBe(401)
  })
})

describe('2.2 the house’s keys', () => {
  test.each(surfaces)('%s: not on a gateway with byok_only', async (_, way) => {
    const { status } = await asked({}, { ...way, gateway: 'strict' })
    expect(status).toBe(400)
  })

  test('not when the request says so, and it can only be stricter than the gateway', async () => {
    const refused = await asked({ 'cf-aig-no-wholesale': 'true' })
    expect([refused.status, await refused.text()]).toEqual([400, expect.stringContaining('cf-aig-no-wholesale')])
    expect((await asked({ 'cf-aig-no-wholesale': 'false' }, { gateway: 'strict' })).status).toBe(400)
  })

  test('a key of the caller’s own is served all the same', async () => {
    const headers = { authorization: 'Bearer sk-mine', 'cf-aig-authorization': `Bearer ${TOKEN}` }
    const { status } = await asked(headers, { gateway: 'strict' })
    expect([status, provider.last().headers.get('authorization')]).toEqual([200, 'Bearer sk-mine'])
  })
})
