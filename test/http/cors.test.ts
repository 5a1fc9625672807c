import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { ask, COMPAT, streamOf } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

/** Pages in a browser call models from any origin (contract 3.2). */

const ORIGIN = 'https://heronry.example'
const AUTHORIZED = { 'cf-aig-authorization': `Bearer ${TOKEN}`, authorization: `Bearer ${TOKEN}` }
const DATA_PLANE = [
  '/v1/chat/completions',
  COMPAT,
  '/v1/home/default',
  '/v1/home/default/openai/chat/completions',
  '/v1/home/default/custom-own',
  '/client/v4/accounts/home/ai/run',
  '/client/v4/accounts/home/ai/run/@cf/meta/llama',
]

let provider: StandIn
let app: RunningApp

beforeAll(async () => {
  provider = standIn(({ body }) =>
    body.stream
      ? streamedAnswer('openai-chat', 'Yes.', { 'access-control-allow-origin': 'https://provider.example' })
      : wholeAnswer('openai-chat', 'Yes.'),
  )
  const reach = { base_url: provider.address, keys: { default: 'key-of-the-operator' } }
  app = await startApp({
    providers: { openai: reach, 'workers-ai': { ...reach, account: 'acc' } },
    custom_providers: { own: { base_url: provider.address } },
    gateways: { open: { authentication: false } },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

const send = (path: string, init: RequestInit) => fetch(app.address + path, init)

test('a gateway that asks for no token answers no page: any could read what the models of this machine say', async () => {
  const path = '/v1/home/open/custom-own/v1/models'
  const headers = { origin: ORIGIN, 'access-control-request-method': 'GET' }
  expect((await send(path, { method: 'OPTIONS', headers })).headers.has('access-control-allow-origin')).toBe(false)
  const answer = await send(path, { headers: { origin: ORIGIN } })
  expect(answer.status).toBe(200)
  expect(answer.headers.has('access-control-allow-origin')).toBe(false)
})

describe('a preflight', () => {
  test.each(DATA_PLANE)('is answered, and reaches no provider: %s', async path => {
    const before = provider.seen.length
    const response = await send(path, {
      method: 'OPTIONS',
      headers: {
        origin: ORIGIN,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'content-type,cf-aig-authorization,x-stainless-lang',
      },
    })
    expect(response.status).toBe(204)
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
    expect(response.headers.get('access-control-allow-methods')).toContain('POST')
    expect(response.headers.get('access-control-allow-headers')).toBe(
      'content-type,cf-aig-authorization,x-stainless-lang',
    )
    expect(Number(response.headers.get('access-control-max-age'))).toBeGreaterThan(0)
    expect(response.headers.get('access-control-allow-credentials')).toBeNull()
    expect(response.headers.get('vary')).toContain('origin')
    expect(provider.seen.length).toBe(before)
  })

  test('OPTIONS that is no preflight goes to the provider', async () => {
    await send('/v1/home/default/openai/files', { method: 'OPTIONS', headers: { ...AUTHORIZED, origin: ORIGIN } })
    expect(provider.last()).toMatchObject({ method: 'OPTIONS', path: '/files' })
  })

  test.each(['/docs', '/healthz', '/client/v4/accounts/home/ai-gateway/gateways'])(
    'is for models only: not %s',
    async path => {
      const response = await send(path, {
        method: 'OPTIONS',
        headers: { origin: ORIGIN, 'access-control-request-method': 'GET' },
      })
      expect(response.status).not.toBe(204)
      expect(response.headers.get('access-control-allow-origin')).toBeNull()
    },
  )
})

describe('an answer', () => {
  const post = (path: string, body: unknown, headers: Record<string, string>) =>
    send(path, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...headers },
      body: JSON.stringify(body),
    })

  test.each(DATA_PLANE)('may be read by the page that asked, whatever its status: %s', async path => {
    for (const headers of [AUTHORIZED, {}]) {
      const response = await post(path, ask('openai/m'), { ...headers, origin: ORIGIN })
      await response.text()
      expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
      const exposed = response.headers.get('access-control-expose-headers')!.split(', ')
      for (const name of ['cf-aig-log-id', 'cf-aig-step', 'postern-dropped', 'retry-after', 'x-request-id'])
        expect(exposed).toContain(name)
      expect(response.headers.get('vary')).toBe('origin')
    }
  })

  test('a stream arrives whole, and what the provider allows is not passed on', async () => {
    for (const path of [COMPAT, '/v1/home/default/openai/chat/completions']) {
      const response = await post(path, ask('openai/m', { stream: true }), { ...AUTHORIZED, origin: ORIGIN })
      expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
      expect(await streamOf(response)).toMatchObject({ text: 'Yes.', done: true })
    }
  })

  test('without an origin nothing is added', async () => {
    const response = await post(COMPAT, ask('openai/m'), AUTHORIZED)
    expect(response.status).toBe(200)
    expect([...response.headers.keys()].filter(name => name.startsWith('access-control') || name === 'vary')).toEqual(
      [],
    )
  })

  test('an address that is not there tells the page so', async () => {
    const response = await send('/v1/home/default/compat/nothing', { headers: { origin: ORIGIN } })
    expect(response.status).toBe(404)
    expect(response.headers.get('access-control-allow-origin')).toBe(ORIGIN)
  })
})
