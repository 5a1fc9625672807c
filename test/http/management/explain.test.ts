import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { loadConfig } from '../../../src/config/load.ts'
import { providerSlugs } from '../../../src/providers/slugs.ts'
import type { LogExplanation } from '../../../src/schemas/management/explain.ts'
import { wholeAnswer } from '../../support/answers.ts'
import { type RunningApp, startApp } from '../../support/app.ts'
import { ask, post } from '../../support/chat.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

const TOKEN = 'a-token-of-the-operator'
const KEY = 'sk-a-heron-in-the-reeds-4711'
const folder = mkdtempSync(join(tmpdir(), 'postern-explain-'))
let anthropic: StandIn
let openai: StandIn
let refusals = 0
let app: RunningApp

beforeAll(async () => {
  anthropic = standIn(() => wholeAnswer('anthropic-messages', 'In the reeds.'))
  openai = standIn(() =>
    refusals-- > 0
      ? Response.json({ error: { message: 'busy', type: 'server_error' } }, { status: 503 })
      : wholeAnswer('openai-chat', 'In the reeds.'),
  )
  const path = join(folder, 'postern.yaml')
  writeFileSync(
    path,
    `tokens:
  - { name: operator, token: ${TOKEN}, permissions: [run, read, edit] }
  - { name: runs, token: a-token-that-only-runs, permissions: [run] }
  - { name: elsewhere, token: a-token-of-another-gateway, permissions: [read], gateways: [quiet] }
providers:
  anthropic: { base_url: "${anthropic.address}", keys: { default: ${KEY} } }
  openai: { base_url: "${openai.address}/v1", keys: { default: ${KEY} } }
gateways:
  default:
    cache_ttl: 300
    retry_max_attempts: 2
    retry_delay: 1
    rate_limiting_limit: 100
    rate_limiting_interval: 60
    routes:
      birds:
        elements:
          - { id: start, type: start, outputs: { next: { elementId: big } } }
          - id: big
            type: model
            properties: { provider: openai, model: gpt-4o, timeout: 9000, retries: 1 }
            outputs: { success: { elementId: end }, fallback: { elementId: small } }
          - id: small
            type: model
            properties: { provider: anthropic, model: claude-sonnet-4-5, timeout: 8000, retries: 1 }
            outputs: { success: { elementId: end }, fallback: { elementId: end } }
          - { id: end, type: end, outputs: {} }
  quiet: { collect_log_payload: false }
`,
  )
  // With the lines of the file, which a test's plain object has not.
  const { config } = loadConfig({ path, env: {}, knownProviders: providerSlugs })
  const { server: _, path: __, declared: ___, storage: ____, accounts: _____, ...file } = config
  app = await startApp(file as never)
  app.app.reload(config)
})
afterAll(async () => {
  await app.stop()
  anthropic.stop()
  openai.stop()
  rmSync(folder, { recursive: true, force: true })
})

type Answer = { status: number; body: { success: boolean; result: LogExplanation; errors: { message: string }[] } }

async function explained(id: string, { gateway = 'default', token = TOKEN } = {}): Promise<Answer> {
  const address = `${app.address}/client/v4/accounts/home/ai-gateway/gateways/${gateway}/logs/${id}/explain`
  const response = await fetch(address, { headers: { authorization: `Bearer ${token}` } })
  const text = await response.text()
  expect(text).not.toContain(KEY)
  expect(text).not.toContain(TOKEN)
  return { status: response.status, body: JSON.parse(text) as Answer['body'] }
}

/** Asks, and says what happened. */
async function story(body: unknown, headers: Record<string, string> = {}, path?: string): Promise<LogExplanation> {
  const response = await post(app.address, body, { token: TOKEN, headers, ...(path && { path }) })
  await response.text()
  const { body: told } = await explained(response.headers.get('cf-aig-log-id')!)
  return told.result
}

const setting = ({ settings }: LogExplanation, name: string) => settings.find(one => one.name === name)

describe('GET …/logs/{id}/explain', () => {
  test('who, where, under which settings and from where, to whom, and what was written', async () => {
    const told = await story(
      {
        model: 'anthropic/claude-sonnet-4-5',
        messages: [
          { role: 'system', content: 'Be brief.' },
          { role: 'user', content: 'Where?' },
        ],
        max_tokens: 40,
        seed: 4711,
      },
      { 'cf-aig-cache-ttl': '60', 'cf-aig-metadata': '{"team":"birds"}', 'cf-aig-unheard-of': '1' },
    )
    expect(told).toMatchObject({
      status: 200,
      token: 'operator',
      authentication: 'the token "operator"',
      gateway: 'default',
      surface: 'compat',
      metadata: { team: 'birds' },
      ignored_headers: 'cf-aig-unheard-of',
    })
    expect(told.summary).toMatch(/^anthropic\/claude-sonnet-4-5 answered in .* for \$0\.000138\.$/)
    expect(setting(told, 'cache_ttl')).toEqual({
      name: 'cache_ttl',
      value: 60,
      from: 'header',
      at: 'cf-aig-cache-ttl',
      instead_of: 300,
    })
    expect(setting(told, 'retry_max_attempts')).toEqual({
      name: 'retry_max_attempts',
      value: 2,
      from: 'file',
      at: 'postern.yaml:11',
    })
    expect(told.cache).toMatchObject({ hit: false, ttl: 60, named: false, key: expect.stringMatching(/^default:/) })
    expect(told.cache.parts).toContainEqual({ name: 'credential', value: '"default" of the house' })
    const [attempt] = told.attempts
    expect(attempt).toMatchObject({ started: 0, answered: true, key: '"default" of the house', cost: '0.000138' })
    expect(attempt!.ended).toBeGreaterThanOrEqual(attempt!.first_byte!)
    expect(attempt!.limits).toEqual([
      { key: 'rate:default', counts: 'requests', taken: '1', limit: '100', window: expect.stringContaining('60 s') },
    ])
    expect(told.bodies).toMatchObject({ kept: true, from: 'openai-chat', to: 'anthropic-messages', dropped: ['seed'] })
    expect(told.bodies.changes).toContainEqual({
      change: 'moved',
      path: 'messages[0].content',
      to: 'system[0].text',
      before: '"Be brief."',
    })
    expect(told.bodies.changes).toContainEqual({ change: 'dropped', path: 'seed', before: '4711' })
    expect(told.answer).toMatchObject({ text: 'In the reeds.', finish: 'stop' })
    expect(told.cost.lines.map(({ units, each, amount }) => `${units} × ${each} = ${amount}`)).toEqual([
      '11 × 0.000003 = 0.000033',
      '7 × 0.000015 = 0.000105',
    ])
  })

  test('a hit says what was looked for', async () => {
    const question = ask('openai/gpt-4o', { n: 1 })
    const missed = await story(question)
    const hit = await story(question)
    expect(hit.cache).toEqual({ ...missed.cache, hit: true })
    expect(hit.summary).toStartWith('The cache answered')
    expect((await story(question, { 'cf-aig-skip-cache': 'true' })).cache).toEqual({
      hit: false,
      why: 'passed over: cf-aig-skip-cache',
    })
  })

  test('every attempt of a request, whichever of its ids is asked for', async () => {
    refusals = 1
    const fine = await post(app.address, ask('openai/gpt-4o', { n: 2 }), {
      token: TOKEN,
      headers: { 'cf-aig-event-id': 'event 100%/a' },
    })
    await fine.text()
    const log = fine.headers.get('cf-aig-log-id')!
    const request = fine.headers.get('cf-aig-request-id')!
    expect(log).not.toBe(request)
    for (const id of [log, request, encodeURIComponent('event 100%/a')]) {
      const { status, body } = await explained(id)
      expect(status).toBe(200)
      expect(body.result).toMatchObject({ log_id: log, request_id: request, status: 200, event_id: 'event 100%/a' })
      expect(body.result.attempts.map(one => [one.status, one.attempt, one.answered])).toEqual([
        [503, 1, false],
        [200, 2, true],
      ])
    }
  })

  test('a route: its turns, and which of its elements set what', async () => {
    refusals = 1
    const told = await story(ask('dynamic/birds', { temperature: 0.3 }))
    expect(told.asked).toBe('dynamic/birds')
    expect(told.route.map(({ node, output }) => `${node} ${output}`)).toEqual([
      'start next',
      'big fallback',
      'small success',
    ])
    expect(told.attempts.map(({ step, provider }) => `${step} ${provider}`)).toEqual(['0 openai', '1 anthropic'])
    expect(setting(told, 'request_timeout')).toEqual({ name: 'request_timeout', value: 8_000, from: 'route' })
    expect(setting(told, 'retry_max_attempts')).toMatchObject({ value: 1, from: 'route', instead_of: 2 })
  })

  test('a list of steps: what a step says itself, and what all of it says', async () => {
    const step = {
      provider: 'openai',
      endpoint: 'chat/completions',
      headers: { 'content-type': 'application/json', 'cf-aig-skip-cache': 'true' },
      config: { requestTimeout: 7_000 },
      query: { model: 'gpt-4o', messages: [{ role: 'user', content: 'Where?' }] },
    }
    const told = await story([step], { 'cf-aig-max-attempts': '1' }, '/v1/home/default')
    expect(told.surface).toBe('universal')
    expect(setting(told, 'skip_cache')).toMatchObject({ from: 'step', at: 'cf-aig-skip-cache' })
    expect(setting(told, 'request_timeout')).toEqual({ name: 'request_timeout', value: 7_000, from: 'config' })
    expect(setting(told, 'retry_max_attempts')).toMatchObject({ value: 1, from: 'header', instead_of: 2 })
    expect(told.bodies.note).toBe('It went on byte for byte.')
  })

  test('without bodies, and refused on the way', async () => {
    const quiet = await post(app.address, ask('openai/gpt-4o'), {
      token: TOKEN,
      path: '/v1/home/quiet/compat/chat/completions',
    })
    await quiet.text()
    const id = quiet.headers.get('cf-aig-log-id')!
    const { body } = await explained(id, { gateway: 'quiet' })
    expect(body.result.bodies).toMatchObject({ kept: false, changes: [] })
    expect(setting(body.result, 'collect_log_payload')).toMatchObject({ value: false, at: 'postern.yaml:28' })
    expect(body.result.cache).toEqual({ hit: false, why: 'off: cache_ttl of the gateway is 0' })

    const told = await story(ask('mistral/anything'))
    expect(told.summary).toMatch(
      /^The gateway refused it on the way to mistral\/anything in .*: 400 no_provider_key\.$/,
    )
    expect(told.bodies.note).toContain('refused')
    // The log of one gateway is none of another.
    expect((await explained(id)).status).toBe(404)
    const other = { gateway: 'quiet', token: 'a-token-of-another-gateway' }
    expect((await explained(id, other)).status).toBe(200)
  })

  test('who may not, and what is not there', async () => {
    const one = await story(ask('openai/gpt-4o', { n: 4 }))
    expect((await explained(one.log_id, { token: 'a-token-that-only-runs' })).status).toBe(403)
    expect((await explained(one.log_id, { token: 'a-token-of-another-gateway' })).status).toBe(403)
    expect((await explained(one.log_id, { gateway: 'nowhere' })).status).toBe(404)
    const { status, body } = await explained('nothing')
    expect([status, body.errors[0]!.message]).toEqual([404, 'there is no such log'])
  })
})
