import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** Host names that stand for a gateway (contract 1.11). */

let provider: StandIn
let app: RunningApp
/** While it is there the provider waits for its caller to leave. */
let waiting: PromiseWithResolvers<void> | undefined

beforeAll(async () => {
  provider = standIn(async ({ signal }) => {
    if (waiting) {
      signal.addEventListener('abort', () => waiting?.resolve())
      await waiting.promise
    }
    return wholeAnswer('openai-chat', 'Yes.')
  })
  app = await startApp({
    server: { domains: { 'ai.example.com': 'lab' } },
    providers: { openai: { base_url: provider.address, keys: { default: 'the-key' } } },
    gateways: { lab: {} },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

const CHAT = { model: 'openai/gpt-5-mini', messages: [{ role: 'user', content: 'Hi, 世界' }] }

const asked = (path: string, body?: unknown, host = 'ai.example.com') =>
  fetch(`${app.address}${path}`, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { host, authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  })

describe('on the host name of a gateway', () => {
  test.each<[string, string, unknown]>([
    ['the unified endpoint', '/compat/chat/completions', CHAT],
    ['a provider', '/openai/chat/completions?a=1', { ...CHAT, model: 'gpt-5-mini' }],
    ['a list of steps', '/', [{ provider: 'openai', endpoint: 'chat/completions', query: CHAT }]],
    ['the whole address too', '/v1/home/lab/compat/chat/completions', CHAT],
  ])('%s', async (_, path, body) => {
    const count = app.requests().length
    const response = await asked(path, body)
    expect(response.status).toBe(200)
    expect(await response.json()).toMatchObject({ choices: [{ message: { content: 'Yes.' } }] })
    expect(await app.record(count + 1)).toMatchObject({ gateway: 'lab', provider: 'openai' })
    expect(provider.last().text).toContain('世界')
  })

  test('in any case, and with a port', async () => {
    const count = app.requests().length
    expect((await asked('/compat/chat/completions', CHAT, 'AI.Example.com:8443')).status).toBe(200)
    expect(await app.record(count + 1)).toMatchObject({ gateway: 'lab' })
  })

  test('a token is asked for', async () => {
    const response = await fetch(`${app.address}/openai/models`, { headers: { host: 'ai.example.com' } })
    expect([response.status, await response.json()]).toMatchObject([401, { error: [{ code: 2009 }] }])
  })

  test('pages may call it from elsewhere', async () => {
    const headers = { host: 'ai.example.com', origin: 'https://page.example', authorization: `Bearer ${TOKEN}` }
    const { headers: told } = await fetch(`${app.address}/openai/models`, { headers })
    expect(told.get('access-control-allow-origin')).toBe('https://page.example')
  })

  test('a client that leaves is noticed', async () => {
    waiting = Promise.withResolvers()
    const leaving = new AbortController()
    const headers = { host: 'ai.example.com', authorization: `Bearer ${TOKEN}` }
    const count = provider.seen.length
    const call = fetch(`${app.address}/openai/models`, { headers, signal: leaving.signal }).catch(() => {})
    await provider.until(count + 1)
    leaving.abort()
    await Promise.all([call, waiting.promise])
    waiting = undefined
  })
})

test('elsewhere such an address leads nowhere', async () => {
  expect((await asked('/openai/chat/completions', CHAT, 'other.example.com')).status).toBe(404)
})
