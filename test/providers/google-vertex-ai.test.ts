import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { decodeProtectedHeader, exportPKCS8, generateKeyPair, jwtVerify } from 'jose'
import { addressOf, placeOf } from '../../src/gateway/place.ts'
import { Registry } from '../../src/providers/registry.ts'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { configOf, startApp } from '../support/app.ts'
import { answerOf, ask, post, streamOf } from '../support/chat.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'

let tokens: StandIn
let vertex: StandIn
let keys: Awaited<ReturnType<typeof generateKeyPair>>
let pem: string
let refuse = false
let accounts = 0

beforeAll(async () => {
  keys = await generateKeyPair('RS256', { extractable: true })
  pem = await exportPKCS8(keys.privateKey)
  tokens = standIn(async () => {
    await Bun.sleep(30)
    if (refuse) return Response.json({ error: 'invalid_grant', error_description: pem }, { status: 400 })
    return Response.json({ access_token: `ya29.token-${tokens.seen.length}`, expires_in: 3_599, token_type: 'Bearer' })
  })
  vertex = standIn(({ path, body }) => {
    const dialect = path.includes('publishers/anthropic')
      ? 'anthropic-messages'
      : path.includes('publishers/google')
        ? 'gemini'
        : 'openai-chat'
    const stream = body.stream === true || path.includes('stream')
    return stream ? streamedAnswer(dialect, 'In the reeds.') : wholeAnswer(dialect, 'In the reeds.')
  })
})
afterAll(() => {
  tokens.stop()
  vertex.stop()
})

/** A service account of its own, so that no token of another test is found in the cache. */
const account = (more: object = {}) =>
  JSON.stringify({
    type: 'service_account',
    project_id: 'herons-in-reeds',
    private_key_id: `key-${++accounts}`,
    private_key: pem,
    client_email: `gateway-${accounts}@herons.example`,
    token_uri: `${tokens.address}/token`,
    ...more,
  })

const start = (key: string, more: object = {}) =>
  startApp({ providers: { 'google-vertex-ai': { base_url: vertex.address, keys: { default: key }, ...more } } })

async function asked(key: string, model: string, body: object = {}, more: object = {}): Promise<Seen> {
  const app = await start(key, more)
  const response = await post(app.address, ask(`vertex/${model}`, { ...body }))
  const text = await response.text()
  await app.stop()
  expect({ status: response.status, text }).toMatchObject({ status: 200 })
  return vertex.last()
}

describe('Vertex AI: a service account', () => {
  test('its assertion is signed and asks for what Google wants; the token goes as bearer', async () => {
    const seen = await asked(account({ region: 'europe-west4' }), 'google/gemini-2.5-pro')
    const form = new URLSearchParams(tokens.last().text)
    expect(form.get('grant_type')).toBe('urn:ietf:params:oauth:grant-type:jwt-bearer')
    const assertion = form.get('assertion') ?? ''
    const { payload } = await jwtVerify(assertion, keys.publicKey, { audience: `${tokens.address}/token` })
    expect(payload).toMatchObject({
      iss: `gateway-${accounts}@herons.example`,
      scope: 'https://www.googleapis.com/auth/cloud-platform',
    })
    expect(payload.exp! - payload.iat!).toBe(3_600)
    expect(decodeProtectedHeader(assertion)).toMatchObject({ alg: 'RS256', kid: `key-${accounts}` })
    expect(seen.headers.get('authorization')).toBe(`Bearer ya29.token-${tokens.seen.length}`)
    expect(seen.path).toBe(
      '/v1/projects/herons-in-reeds/locations/europe-west4/publishers/google/models/gemini-2.5-pro:generateContent',
    )
  })

  test('parallel requests share one exchange, and later ones its token', async () => {
    const app = await start(account())
    const before = tokens.seen.length
    const statuses = await Promise.all(
      Array.from({ length: 20 }, async () => (await post(app.address, ask('vertex/gemini-2.5-flash'))).status),
    )
    expect(new Set(statuses)).toEqual(new Set([200]))
    await post(app.address, ask('vertex/gemini-2.5-flash'))
    expect(tokens.seen).toHaveLength(before + 1)
    await app.stop()
  })

  test('base64 of its JSON is read too', async () => {
    const seen = await asked(btoa(account({ region: 'us-east5' })), 'gemini-2.5-flash')
    expect(seen.path).toContain('/projects/herons-in-reeds/locations/us-east5/')
  })

  test('a token that Vertex refuses is forgotten: the next request asks for a new one', async () => {
    const fresh = `Bearer ya29.token-${tokens.seen.length + 2}`
    const picky = standIn(({ headers }) =>
      headers.get('authorization') === fresh
        ? wholeAnswer('gemini', 'In the reeds.')
        : Response.json({ error: { code: 401, message: 'Request had invalid credentials.' } }, { status: 401 }),
    )
    const app = await start(account(), { base_url: picky.address })
    expect((await post(app.address, ask('vertex/gemini-2.5-flash'))).status).toBe(401)
    expect((await post(app.address, ask('vertex/gemini-2.5-flash'))).status).toBe(200)
    await app.stop()
    picky.stop()
  })

  test('refused by Google: 502 that names Google’s word and nothing of the key', async () => {
    refuse = true
    const app = await start(account())
    const response = await post(app.address, ask('vertex/gemini-2.5-flash'))
    const text = await response.text()
    refuse = false
    expect(response.status).toBe(502)
    expect(text).toContain('invalid_grant')
    expect(text).not.toContain('PRIVATE KEY')
    expect(app.logged()).not.toContain('PRIVATE KEY')
    // A refusal is not kept.
    expect((await post(app.address, ask('vertex/gemini-2.5-flash'))).status).toBe(200)
    await app.stop()
  })

  test('a token service out of reach: 502', async () => {
    const app = await start(account({ token_uri: 'http://127.0.0.1:1/token' }))
    const response = await post(app.address, ask('vertex/gemini-2.5-flash'))
    expect(response.status).toBe(502)
    expect((await answerOf(response)).error?.message).toContain('token service could not be reached')
    await app.stop()
  })

  test.each([
    ['broken JSON', '{"client_email": "me@x'],
    ['no private key', '{"client_email":"me@herons.example"}'],
    [
      'a key that is none',
      JSON.stringify({ client_email: 'me@herons.example', project_id: 'p', private_key: 'nothing' }),
    ],
  ])('%s: 502 without its text', async (_, key) => {
    const app = await start(key)
    const response = await post(app.address, ask('vertex/gemini-2.5-flash'))
    const text = await response.text()
    expect(response.status).toBe(502)
    expect(JSON.parse(text).error.code).toBe('provider_credential')
    expect(text).not.toContain('me@')
    await app.stop()
  })
})

describe('Vertex AI: other credentials', () => {
  test('an access token goes as it is', async () => {
    const seen = await asked('ya29.from-gcloud', 'gemini-2.5-flash', {}, { project: 'p' })
    expect(seen.headers.get('authorization')).toBe('Bearer ya29.from-gcloud')
  })

  test('an express-mode key goes in its own header', async () => {
    const seen = await asked('AIzaSyForTests', 'gemini-2.5-flash', {}, { project: 'p' })
    expect(seen.headers.get('x-goog-api-key')).toBe('AIzaSyForTests')
    expect(seen.headers.get('authorization')).toBeNull()
  })

  test('without a project the answer says so', async () => {
    const app = await start('ya29.from-gcloud')
    const response = await post(app.address, ask('vertex/gemini-2.5-flash'))
    expect(response.status).toBe(400)
    expect((await answerOf(response)).error?.message).toContain('providers.google-vertex-ai.project')
    await app.stop()
  })
})

describe('Vertex AI: addresses', () => {
  const project = { project: 'p' }

  test.each([
    ['anthropic/claude-sonnet-4-5@20250929', 'claude-sonnet-4-5@20250929'],
    ['claude-haiku-4-5', 'claude-haiku-4-5'],
  ])('Claude as %s: the model in the address, the version in the body', async (model, id) => {
    const seen = await asked('t', model, {}, { ...project, region: 'us-east5' })
    expect(seen.path).toBe(`/v1/projects/p/locations/us-east5/publishers/anthropic/models/${id}:rawPredict`)
    expect(seen.body).toMatchObject({ anthropic_version: 'vertex-2023-10-16', max_tokens: expect.any(Number) })
    expect(seen.body).not.toHaveProperty('model')
    expect(seen.headers.get('anthropic-version')).toBeNull()
  })

  test('Claude as a stream', async () => {
    const app = await start('t', project)
    const answer = await post(app.address, ask('vertex/claude-haiku-4-5', { stream: true }))
    expect((await streamOf(answer)).text).toBe('In the reeds.')
    expect(vertex.last().path).toEndWith('/publishers/anthropic/models/claude-haiku-4-5:streamRawPredict')
    expect(vertex.last().body.stream).toBe(true)
    await app.stop()
  })

  test('models of other publishers go to the endpoint in OpenAI’s format', async () => {
    const seen = await asked('t', 'meta/llama-4-maverick', {}, { ...project, region: 'us-central1' })
    expect(seen.path).toBe('/v1/projects/p/locations/us-central1/endpoints/openapi/chat/completions')
    expect(seen.body.model).toBe('meta/llama-4-maverick')
  })

  test.each([
    [{ ...project, region: 'europe-west4' }, '/europe-west4-aip/v1/projects/p/locations/europe-west4/'],
    [{ ...project, region: 'global' }, '/aip/v1/projects/p/locations/global/'],
    [project, '/aip/v1/projects/p/locations/global/'],
  ])('the host has the region in front, except for global: %o', async (settings, beginning) => {
    const base_url = `${vertex.address}/{region-}aip`
    const seen = await asked('t', 'gemini-2.5-flash', {}, { ...settings, base_url })
    expect(seen.path).toStartWith(beginning)
  })
})

test.each([
  [undefined, 'https://aiplatform.googleapis.com/x'],
  ['global', 'https://aiplatform.googleapis.com/x'],
  ['europe-west4', 'https://europe-west4-aiplatform.googleapis.com/x'],
  ['us', 'https://aiplatform.us.rep.googleapis.com/x'],
  ['eu', 'https://aiplatform.eu.rep.googleapis.com/x'],
])('Vertex AI: the host of the region %s', (region, url) => {
  const config = configOf({ providers: { 'google-vertex-ai': { region } } })
  const reach = new Registry(config).find('vertex')!
  expect(addressOf(reach, 'x', placeOf(reach, 'gemini-2.5-flash', false))).toBe(url)
})

describe('Vertex AI: a service account that a caller brings', () => {
  const bring = (address: string, key: string) =>
    post(address, ask('vertex/gemini-2.5-flash'), { headers: { authorization: `Bearer ${btoa(key)}` } })

  test('it cannot send the gateway to another token service', async () => {
    const app = await start('ya29.of-the-operator')
    const before = tokens.seen.length
    const response = await bring(app.address, account())
    expect(response.status).toBe(502)
    expect((await answerOf(response)).error?.message).toContain('token_uri')
    expect(tokens.seen).toHaveLength(before)
    await app.stop()
  })

  test('with the public words of the operator’s account it does not get the operator’s token', async () => {
    const own = account()
    const app = await start(own)
    expect((await post(app.address, ask('vertex/gemini-2.5-flash'))).status).toBe(200)
    const before = vertex.seen.length
    const forged = JSON.stringify({ ...JSON.parse(own), token_uri: undefined, private_key: 'forged' })
    expect((await bring(app.address, forged)).status).toBe(502)
    expect(vertex.seen).toHaveLength(before)
    await app.stop()
  })

  test('its region cannot lead to another host', async () => {
    const elsewhere = standIn(() => wholeAnswer('gemini', 'caught'))
    const base_url = 'http://{region-}aiplatform.googleapis.com'
    const app = await start('ya29.of-the-operator', { base_url })
    const key = account({ token_uri: undefined, region: `${elsewhere.address.slice(7)}/` })
    expect((await bring(app.address, key)).status).toBe(502)
    expect(elsewhere.seen).toHaveLength(0)
    await app.stop()
    elsewhere.stop()
  })
})
