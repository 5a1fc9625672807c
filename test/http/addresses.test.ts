import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { answerOf, ask, post } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

let provider: StandIn
let app: RunningApp

beforeAll(async () => {
  provider = standIn(() => wholeAnswer('openai-chat', 'Yes.'))
  app = await startApp({
    account: ['home', '0123456789abcdef0123456789abcdef'],
    custom_providers: { mine: { base_url: provider.address } },
    gateways: { team: {} },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

describe('addresses of chat', () => {
  test.each([
    '/v1/home/default/compat/chat/completions',
    '/v1/home/team/compat/chat/completions',
    '/v1/0123456789abcdef0123456789abcdef/default/compat/chat/completions',
    '/v1/home/default/compat/v1/chat/completions',
    '/v1/home/default/compat/chat/completion',
    '/v1/home/default/compat/chat/completions/chat/completions',
    '/v1/chat/completions',
    '/v1/home/default/compat/chat/completions?api-version=1',
    '/v1/home/default/compat/chat/completions/',
  ])('%s', async path => {
    expect((await post(app.address, ask('mine/m'), { path })).status).toBe(200)
  })

  test('the record has the path without its query', async () => {
    const before = app.requests().length
    await post(app.address, ask('mine/m'), { path: '/v1/chat/completions?key=a-secret-in-the-query' })
    expect(await app.record(before + 1)).toMatchObject({ path: '/v1/chat/completions', gateway: 'default' })
    expect(app.logged()).not.toContain('a-secret-in-the-query')
  })
})

describe('other addresses', () => {
  test.each([
    ['POST', '/v1/home/default/compat/nothing'],
    ['GET', '/v1/home/default/compat/chat/completions'],
    ['HEAD', '/api/hello'],
    ['POST', '/'],
    ['DELETE', '/v1/models'],
  ])('%s %s is a 404 in the shape of OpenAI’s errors', async (method, path) => {
    const response = await fetch(app.address + path, {
      method,
      headers: { authorization: `Bearer ${TOKEN}` },
      ...(method === 'POST' && { body: '{}' }),
    })
    expect(response.status).toBe(404)
    if (method === 'HEAD') return
    const { error } = await answerOf(response)
    expect(error).toMatchObject({ type: 'not_found_error', code: 'not_found' })
    expect(error?.message).toContain('/docs')
  })

  test('health and readiness need no token', async () => {
    expect(await (await fetch(`${app.address}/healthz`)).json()).toEqual({ status: 'ok' })
    expect(await (await fetch(`${app.address}/readyz`)).json()).toEqual({ status: 'ready' })
  })

  test('a name that every object has is no gateway and no provider', async () => {
    for (const name of ['constructor', '__proto__', 'toString']) {
      const path = `/v1/home/${name}/compat/chat/completions`
      expect((await post(app.address, ask('mine/m'), { path })).status).toBe(400)
      expect((await post(app.address, ask(`${name}/m`))).status).toBe(400)
    }
  })
})
