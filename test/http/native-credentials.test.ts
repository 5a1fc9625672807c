import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { newToken } from '../../src/storage/token-secret.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { said, type WireProvider, type WireRequest, wire, wireProvider } from '../support/wire.ts'

/** Whose key goes upstream from a provider-native address, and that our token never does (contract section 2). */

const KEY = 'key-of-the-operator-4711'
const OWN = 'key-of-the-caller-0815'
const STALE = newToken()

let provider: WireProvider
let app: RunningApp

beforeAll(async () => {
  provider = wireProvider(() => [said('200 OK', { 'content-type': 'application/json' }, '{}')])
  const reach = { base_url: provider.address, keys: { default: KEY } }
  app = await startApp({
    providers: Object.fromEntries(
      'openai anthropic google-ai-studio azure-openai elevenlabs deepgram replicate fal cartesia parallel cohere baseten huggingface mistral'
        .split(' ')
        .map(slug => [slug, reach])
        .concat([
          ['groq', { base_url: provider.address }],
          ['google-vertex-ai', { base_url: provider.address }],
          ['aws-bedrock', { base_url: provider.address }],
        ] as never),
    ),
    custom_providers: { mine: { base_url: provider.address } },
    gateways: { open: { authentication: false } },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

/** Asks, and gives what arrived of keys. */
async function asked(
  slug: string,
  request: Partial<WireRequest> & { query?: string; path?: string; gateway?: string },
) {
  const { query = '', path = 'v1/x', gateway = 'default', ...rest } = request
  const before = provider.seen.length
  const answer = await wire(app.port, { target: `/v1/home/${gateway}/${slug}/${path}${query}`, body: '{}', ...rest })
  const seen = provider.seen.slice(before)
  return {
    status: answer.status,
    text: answer.body.toString(),
    line: seen[0]?.line,
    headers: seen[0]?.headers ?? {},
    keys: Object.fromEntries(
      Object.entries(seen[0]?.headers ?? {}).filter(([name]) => /auth|key|token/.test(name) && name !== 'author'),
    ),
  }
}

/** The places of contract table 1.5, with what is put there for the operator's key. */
const places: [
  slug: string,
  header: string,
  value: (key: string) => string,
  put: Record<string, string>,
  path?: string,
][] = [
  ['openai', 'Authorization', key => `Bearer ${key}`, { authorization: `Bearer ${KEY}` }],
  ['openai', 'authorization', key => key, { authorization: `Bearer ${KEY}` }],
  ['openai', 'authorization', key => `bearer  ${key}`, { authorization: `Bearer ${KEY}` }],
  ['anthropic', 'X-Api-Key', key => key, { 'x-api-key': KEY }],
  ['anthropic', 'authorization', key => `Bearer ${key}`, { 'x-api-key': KEY }],
  ['google-ai-studio', 'x-goog-api-key', key => key, { 'x-goog-api-key': KEY }],
  ['google-ai-studio', 'authorization', key => `Bearer ${key}`, { 'x-goog-api-key': KEY }],
  ['azure-openai', 'api-key', key => key, { 'api-key': KEY }, 'res/dep/chat/completions'],
  ['azure-openai', 'authorization', key => `Bearer ${key}`, { 'api-key': KEY }, 'res/dep/chat/completions'],
  ['elevenlabs', 'xi-api-key', key => key, { 'xi-api-key': KEY }],
  ['deepgram', 'authorization', key => `Token ${key}`, { authorization: `Token ${KEY}` }],
  ['replicate', 'authorization', key => `Token ${key}`, { authorization: `Bearer ${KEY}` }],
  ['fal', 'authorization', key => `Key ${key}`, { authorization: `Key ${KEY}` }],
  ['parallel', 'x-api-key', key => key, { 'x-api-key': KEY }],
  ['cohere', 'authorization', key => `Bearer ${key}`, { authorization: `Bearer ${KEY}` }],
]

describe.each(places)('%s, %s', (slug, header, value, put, path) => {
  test('our token there opens the gateway, and the stored key goes upstream in its place', async () => {
    expect(await asked(slug, { path, headers: { [header]: value(TOKEN) } })).toMatchObject({ status: 200, keys: put })
  })

  test('a key of the caller’s own goes upstream unchanged, beside our token', async () => {
    const headers = { [header]: value(OWN), 'cf-aig-authorization': TOKEN }
    const { status, keys } = await asked(slug, { path, headers })
    expect(status).toBe(200)
    expect(keys).toEqual({ [header.toLowerCase()]: value(OWN) })
  })

  test('a placeholder is no key, and is not sent', async () => {
    for (const word of ['unused', 'CF_TEMP_TOKEN', 'undefined', 'dummy']) {
      const headers = { [header]: value(word), 'cf-aig-authorization': `Bearer ${TOKEN}` }
      expect((await asked(slug, { path, headers })).keys).toEqual(put)
    }
  })
})

test('a bearer of the caller’s own is a key as Anthropic has it where Mantle speaks as Anthropic does', async () => {
  const headers = { authorization: `Bearer ${OWN}`, 'cf-aig-authorization': TOKEN }
  const path = 'bedrock-mantle/eu-west-1/anthropic/v1/messages'
  expect((await asked('aws-bedrock', { path, headers })).keys).toEqual({ 'x-api-key': OWN })
  const chat = 'bedrock-mantle/eu-west-1/v1/chat/completions'
  expect((await asked('aws-bedrock', { path: chat, headers })).keys).toEqual({ authorization: `Bearer ${OWN}` })
})

describe('a key in the query', () => {
  const google = (query: string, headers: Record<string, string> = {}) =>
    asked('google-ai-studio', { path: 'v1beta/models/m:x', query, headers })

  test.each([
    [`?key=${TOKEN}`, ''],
    [`?alt=sse&key=${TOKEN}`, '?alt=sse'],
    [`?key=${TOKEN}&a=%20b&c[]=1`, '?a=%20b&c[]=1'],
    [`?%6Bey=${TOKEN}&a=1`, '?a=1'],
    [`?%zz=1&key=${TOKEN}`, '?%zz=1'],
    [`?key=${TOKEN}&key=${TOKEN}&a=1`, '?a=1'],
  ])('our token is taken out, and nothing else is touched: %s', async (query, left) => {
    const { status, line, keys } = await google(query)
    expect(status).toBe(200)
    expect(line).toBe(`POST /v1beta/models/m:x${left} HTTP/1.1`)
    expect(keys).toEqual({ 'x-goog-api-key': KEY })
  })

  test('a key of the caller’s own stays there', async () => {
    const { line, keys } = await google(`?key=${OWN}&alt=sse`, { 'cf-aig-authorization': TOKEN })
    expect(line).toContain(`?key=${OWN}&alt=sse `)
    expect(keys).toEqual({})
  })

  test('a placeholder there is not sent', async () => {
    const { line, keys } = await google('?key=unused&alt=sse', { 'cf-aig-authorization': TOKEN })
    expect(line).toContain('?alt=sse ')
    expect(keys).toEqual({ 'x-goog-api-key': KEY })
  })
})

describe('our token where this provider does not look', () => {
  const everywhere = ['authorization', 'x-api-key', 'api-key', 'x-goog-api-key', 'xi-api-key', 'token']
  test.each(['openai', 'anthropic', 'google-ai-studio', 'elevenlabs', 'deepgram', 'mine'])('%s', async slug => {
    for (const token of [TOKEN, STALE])
      for (const name of everywhere)
        for (const word of ['', 'Bearer ', 'Key ', 'Token ']) {
          const headers = { 'cf-aig-authorization': TOKEN, [name]: word + token }
          const { status, headers: arrived } = await asked(slug, {
            headers,
            query: `?api_key=${token}&key=${token}&n=1`,
          })
          expect(status).toBe(200)
          expect(JSON.stringify(arrived)).not.toContain(token)
        }
  })
})

describe('two keys at once', () => {
  test('our token in one place and a key of the caller’s own in the other', async () => {
    const { status, keys } = await asked('anthropic', {
      headers: { 'x-api-key': OWN, authorization: `Bearer ${TOKEN}` },
    })
    expect(status).toBe(200)
    expect(keys).toEqual({ 'x-api-key': OWN })
  })

  test('a placeholder in one place and our token in the other', async () => {
    const headers = { 'x-api-key': 'unused', authorization: `Bearer ${TOKEN}` }
    expect((await asked('anthropic', { headers })).keys).toEqual({ 'x-api-key': KEY })
  })
})

describe('an open gateway', () => {
  const gateway = 'open'

  test('a stranger with a key of their own passes, and whatever is in our header stays here', async () => {
    for (const ours of ['Bearer undefined', 'Bearer wrong', '']) {
      const headers = { authorization: `Bearer ${OWN}`, 'cf-aig-authorization': ours }
      const { status, keys } = await asked('openai', { gateway, headers })
      expect(status).toBe(200)
      expect(keys).toEqual({ authorization: `Bearer ${OWN}` })
    }
  })

  test('the operator’s keys are not for strangers', async () => {
    for (const headers of [
      {},
      { authorization: 'Bearer undefined' },
      { 'cf-aig-authorization': 'Bearer wrong' },
    ] as Record<string, string>[]) {
      const { status, text, line } = await asked('openai', { gateway, headers })
      expect(status).toBe(400)
      expect(JSON.parse(text).error[0].message).toContain('kept for callers with a token')
      expect(line).toBeUndefined()
    }
    expect((await asked('openai', { gateway, headers: { authorization: `Bearer ${TOKEN}` } })).keys).toEqual({
      authorization: `Bearer ${KEY}`,
    })
  })

  test('a server without a key is open to all', async () => {
    expect(await asked('custom-mine', { gateway })).toMatchObject({ status: 200, keys: {} })
  })

  test('a token that opens nothing any more is no key of a provider’s', async () => {
    const { line, status } = await asked('openai', { gateway, headers: { authorization: `Bearer ${STALE}` } })
    expect([status, line]).toEqual([400, undefined])
  })
})

test('Bearer undefined is no token on a closed gateway', async () => {
  const { status, text } = await asked('openai', { headers: { 'cf-aig-authorization': 'Bearer undefined' } })
  expect(status).toBe(401)
  expect(JSON.parse(text)).toMatchObject({ success: false, error: [{ code: 2009 }] })
})

test('a service account that cannot be read is not sent anywhere', async () => {
  const account = { client_email: 'a@b.test', private_key: 'private-heron', project_id: 'p', region: 'europe-west4' }
  const before = provider.seen.length
  const { status, text } = await asked('google-vertex-ai', {
    path: 'v1/publishers/google/models/m:generateContent',
    headers: { 'cf-aig-authorization': TOKEN, authorization: `Bearer ${btoa(JSON.stringify(account))}` },
  })
  expect(status).toBe(502)
  expect(text).toContain('private key')
  expect(text).not.toContain('private-heron')
  expect(provider.seen).toHaveLength(before)
})

test('nothing upstream held our token or a header of ours; no line of the log a key', () => {
  const everything = provider.everything()
  expect(everything).toContain(KEY)
  for (const secret of [TOKEN, STALE]) expect(everything).not.toContain(secret)
  expect(everything).not.toMatch(/^cf-/im)
  for (const secret of [TOKEN, STALE, KEY, OWN]) expect(app.logged()).not.toContain(secret)
})
