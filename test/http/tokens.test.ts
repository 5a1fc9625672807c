import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { hashToken, newToken } from '../../src/storage/token-secret.ts'
import { wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { ask, type ChatOptions, post } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

let provider: StandIn
let app: RunningApp

const RUN = 'a-token-that-runs'
const READ = 'a-token-that-only-reads'
const TEAM = 'a-token-of-the-team'

beforeAll(async () => {
  provider = standIn(() => wholeAnswer('openai-chat', 'Yes.'))
  app = await startApp({
    tokens: [
      { name: 'runner', token: RUN },
      { name: 'reader', token: READ, permissions: ['read', 'edit'] },
      { name: 'team', token: TEAM, gateways: ['team'] },
    ],
    providers: { openai: { base_url: provider.address, keys: { default: 'key-of-the-operator' } } },
    custom_providers: {
      local: { base_url: provider.address },
      guarded: { base_url: provider.address, keys: { default: 'key-of-the-server' } },
    },
    gateways: { open: { authentication: false }, team: {} },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

const at = (gateway: string, account = 'home') => `/v1/${account}/${gateway}/compat/chat/completions`

/** Asks with these headers alone and gives the status and what went upstream as the key. */
async function asked(headers: Record<string, string>, options: ChatOptions = {}, model = 'openai/m') {
  const before = provider.seen.length
  const response = await post(app.address, ask(model), { token: null, headers, ...options })
  const body = (await response.json()) as Record<string, unknown>
  const reached = provider.seen.length > before
  return {
    status: response.status,
    body,
    headers: response.headers,
    key: reached ? provider.last().headers.get('authorization') : undefined,
  }
}

const OPERATOR = 'Bearer key-of-the-operator'

describe('where the token may stand', () => {
  test.each([
    [{ 'cf-aig-authorization': `Bearer ${RUN}` }],
    [{ 'cf-aig-authorization': RUN }],
    [{ 'cf-aig-authorization': `bearer  ${RUN} ` }],
    [{ authorization: `Bearer ${RUN}` }],
    [{ authorization: RUN }],
    [{ 'cf-aig-authorization': `Bearer ${RUN}`, authorization: `Bearer ${RUN}` }],
    [{ 'cf-aig-authorization': `Bearer ${RUN}`, authorization: `Bearer ${TEAM}` }],
  ] as Record<string, string>[][])('%o', async headers => {
    expect(await asked(headers)).toMatchObject({ status: 200, key: OPERATOR })
  })

  test('a key of the caller’s own beside it goes upstream unchanged', async () => {
    const headers = { 'cf-aig-authorization': `Bearer ${RUN}`, authorization: 'Bearer sk-of-the-caller' }
    expect(await asked(headers)).toMatchObject({ status: 200, key: 'Bearer sk-of-the-caller' })
  })

  test.each(['unused', 'dummy', 'CF_TEMP_TOKEN', 'none', 'null', 'undefined', ''])(
    'a placeholder of an SDK is no key: "%s"',
    async placeholder => {
      const headers = { 'cf-aig-authorization': `Bearer ${RUN}`, authorization: `Bearer ${placeholder}` }
      expect(await asked(headers)).toMatchObject({ status: 200, key: OPERATOR })
    },
  )

  test('a wrong token beside a right one is not overlooked', async () => {
    expect((await asked({ 'cf-aig-authorization': 'Bearer wrong', authorization: `Bearer ${RUN}` })).status).toBe(401)
  })
})

describe('refusals', () => {
  test.each([
    ['no token', {}, at('default')],
    ['a wrong token', { authorization: 'Bearer sk-of-somebody' }, at('default')],
    ['a wrong token in our header', { 'cf-aig-authorization': 'Bearer wrong' }, at('default')],
    ['another account', { authorization: `Bearer ${RUN}` }, at('default', 'elsewhere')],
    ['another account at an open gateway', {}, at('open', 'elsewhere')],
    ['an unknown gateway without a token', {}, at('nothing')],
    ['a scheme that is not ours', { authorization: `Basic ${btoa(`me:${RUN}`)}` }, at('default')],
  ] as [string, Record<string, string>, string][])('2.5 %s: 401 in Cloudflare’s envelope', async (_, headers, path) => {
    const { status, body, key } = await asked(headers, { path })
    const message = body.message as string
    expect(status).toBe(401)
    expect(body).toEqual({
      success: false,
      result: [],
      messages: [],
      error: [{ code: 2009, message }],
      errors: [{ code: 2009, message }],
      name: 'AiGatewayError',
      httpCode: 401,
      internalCode: 2009,
      message,
      description: message,
    })
    expect(message).toStartWith('Unauthorized')
    expect(key).toBeUndefined()
  })

  test('every 401 is the same, so that nothing can be learnt from it', async () => {
    const [first, ...others] = await Promise.all([
      asked({}),
      asked({ authorization: 'Bearer x' }),
      asked({ authorization: `Bearer ${RUN}` }, { path: at('default', 'elsewhere') }),
      asked({ authorization: 'Bearer x' }, { path: at('nothing') }),
    ])
    for (const other of others) expect(other.body).toEqual(first!.body)
    expect(first!.headers.get('www-authenticate')).toBe('Bearer')
  })

  test('1.2 an unknown gateway with a token: 400 with code 2001', async () => {
    const { status, body } = await asked({ authorization: `Bearer ${RUN}` }, { path: at('nothing') })
    expect(status).toBe(400)
    expect(body).toMatchObject({ success: false, error: [{ code: 2001 }], internalCode: 2001, httpCode: 400 })
    expect(body.message).toContain('nothing')
  })

  test('a token without the permission: 403 that names it', async () => {
    const { status, body } = await asked({ authorization: `Bearer ${READ}` })
    expect(status).toBe(403)
    expect(body.message).toBe('the token "reader" lacks the permission "run"')
  })

  test('a token of another gateway: 403 that names both', async () => {
    const headers = { authorization: `Bearer ${TEAM}` }
    expect((await asked(headers)).body.message).toBe('the token "team" does not open the gateway "default"')
    expect((await asked(headers)).status).toBe(403)
    expect((await asked(headers, { path: at('team') })).status).toBe(200)
    expect((await asked(headers, { path: '/v1/chat/completions' })).status).toBe(403)
  })

  test('who calls is settled before the body is read', async () => {
    const response = await post(app.address, 'no JSON at all', { token: 'wrong' })
    expect(response.status).toBe(401)
  })
})

describe('an open gateway', () => {
  test.each([READ, TEAM])('a token that does not fit opens no key of the operator (%s)', async token => {
    expect(await asked({ 'cf-aig-authorization': `Bearer ${token}` }, { path: at('open') })).toMatchObject({
      status: 400,
      body: { error: { code: 'no_provider_key' } },
      key: undefined,
    })
  })

  const open = { path: at('open') }

  test('the operator’s keys are only for callers with a token', async () => {
    const { status, body, key } = await asked({}, open)
    expect(status).toBe(400)
    expect(body).toMatchObject({
      error: { code: 'no_provider_key', message: expect.stringContaining('cf-aig-authorization') },
    })
    expect(key).toBeUndefined()
    expect((await asked({ 'cf-aig-authorization': 'Bearer wrong' }, open)).status).toBe(400)
    expect(await asked({ 'cf-aig-authorization': `Bearer ${RUN}` }, open)).toMatchObject({ status: 200, key: OPERATOR })
    expect(await asked({ authorization: `Bearer ${RUN}` }, open)).toMatchObject({ status: 200, key: OPERATOR })
  })

  test('a key of the caller’s own passes', async () => {
    expect(await asked({ authorization: 'Bearer sk-of-the-caller' }, open)).toMatchObject({
      status: 200,
      key: 'Bearer sk-of-the-caller',
    })
  })

  test('a server that needs no key is open too', async () => {
    expect(await asked({}, open, 'local/m')).toMatchObject({ status: 200, key: null })
    // Where the operator gave it one all the same, that one is no different from other keys.
    expect((await asked({}, open, 'guarded/m')).key).toBeUndefined()
    const headers = { 'cf-aig-authorization': RUN }
    expect((await asked(headers, open, 'guarded/m')).key).toBe('Bearer key-of-the-server')
  })

  test('a token of ours never goes upstream, also when it opens nothing any more', async () => {
    const stale = newToken()
    expect((await asked({ authorization: `Bearer ${stale}` }, open)).key).toBeUndefined()
    const both = { 'cf-aig-authorization': `Bearer ${RUN}`, authorization: `Bearer ${stale}` }
    expect(await asked(both)).toMatchObject({ status: 200, key: OPERATOR })
  })
})

describe('tokens of the store', () => {
  test('one that is added while it runs opens it, one that is removed stops within seconds', async () => {
    const secret = newToken()
    const headers = { authorization: `Bearer ${secret}` }
    expect((await asked(headers)).status).toBe(401)
    await app.store.tokens.add({ name: 'late', hash: hashToken(secret), permissions: ['run'], created: Date.now() })
    const until = async (status: number) => {
      for (let tries = 0; tries < 60; tries++) {
        if ((await asked(headers)).status === status) return true
        await Bun.sleep(100)
      }
      return false
    }
    expect(await until(200)).toBe(true)
    await app.store.tokens.remove('late')
    expect(await until(401)).toBe(true)
  })

  test('permissions and gateways hold for them as well', async () => {
    const secret = newToken()
    const hash = hashToken(secret)
    await app.store.tokens.add({ name: 'scoped', hash, permissions: ['run'], gateways: ['team'], created: 1 })
    const headers = { authorization: `Bearer ${secret}` }
    expect((await asked(headers)).status).toBe(403)
    expect((await asked(headers, { path: at('team') })).status).toBe(200)
  })
})
