import { describe, expect, test } from 'bun:test'
import { type Outgoing, withScheme } from '../../src/providers/auth/auth.ts'
import { credentialIn, isSignature } from '../../src/providers/auth/credential.ts'
import { builtIn } from '../../src/providers/index.ts'
import { Registry } from '../../src/providers/registry.ts'
import { configOf } from '../support/app.ts'
import { placed } from './native-place.ts'
import { authorizationOf } from './sigv4.ts'

const keyPlaces: Record<string, [headers: string[], query?: string]> = {
  anthropic: [['x-api-key', 'authorization']],
  'google-ai-studio': [['x-goog-api-key', 'authorization'], 'key'],
  'google-vertex-ai': [['authorization', 'x-goog-api-key'], 'key'],
  'azure-openai': [['api-key', 'authorization']],
  'aws-bedrock': [['authorization', 'x-api-key']],
  elevenlabs: [['xi-api-key', 'authorization']],
  cartesia: [['x-api-key', 'authorization'], 'api_key'],
  deepgram: [['authorization', 'token']],
  ideogram: [['api-key', 'authorization']],
  parallel: [['x-api-key', 'authorization']],
}

test('where a key travels, for every provider', () => {
  for (const { slug, keyIn, keyQuery } of builtIn) {
    const [headers, query] = keyPlaces[slug] ?? [['authorization']]
    expect({ slug, keyIn, keyQuery }).toEqual({ slug, keyIn: headers, keyQuery: query })
  }
})

test('a provider of the operator’s own takes a key where its dialect does', () => {
  const keyIn = (dialect?: 'gemini' | 'anthropic-messages') =>
    new Registry(configOf({ custom_providers: { acme: { base_url: 'http://box', dialect } } })).find('custom-acme')!
      .provider.keyIn
  expect(keyIn()).toEqual(['authorization', 'x-api-key', 'api-key'])
  expect(keyIn('anthropic-messages')).toEqual(['x-api-key', 'authorization'])
  expect(keyIn('gemini')).toEqual(['x-goog-api-key', 'authorization'])
})

describe('the credential in a header', () => {
  test.each([
    ['Bearer a-key', 'a-key'],
    ['bearer  a-key ', 'a-key'],
    ['Token a-key', 'a-key'],
    ['Key id:secret', 'id:secret'],
    ['Api-Key a-key', 'a-key'],
    ['a-key', 'a-key'],
    ['key-of-mine', 'key-of-mine'],
    ['tokens', 'tokens'],
    ['Bearer', ''],
    ['Bearer ', ''],
    ['', ''],
    ['Basic dXNlcjp3b3Jk', 'Basic dXNlcjp3b3Jk'],
    ['AWS4-HMAC-SHA256 Credential=a/b', 'AWS4-HMAC-SHA256 Credential=a/b'],
  ])('"%s"', (value, credential) => {
    expect(credentialIn(value)).toBe(credential)
  })

  test('a signature of the client’s own', () => {
    expect(isSignature('AWS4-HMAC-SHA256 Credential=a/b, SignedHeaders=host, Signature=c')).toBe(true)
    expect(isSignature('Bearer AWS4')).toBe(false)
  })
})

/** The headers with which the operator's key goes along. */
async function keyed(slug: string, path: string, key: string, headers: Record<string, string> = {}) {
  const address = placed(slug, path, { settings: { account: 'a' }, credential: key })
  const { auth } = builtIn.find(provider => provider.slug === slug)!
  const outgoing: Outgoing = { url: address.url, method: 'POST', headers, body: '{}', region: address.region }
  await (address.auth ?? auth)(outgoing, key, { fetch })
  return outgoing
}

describe('how the operator’s key travels', () => {
  test.each([
    ['openai', 'responses', { authorization: 'Bearer a-key' }],
    ['anthropic', 'v1/messages', { 'x-api-key': 'a-key' }],
    ['google-ai-studio', 'v1beta/models/m:generateContent', { 'x-goog-api-key': 'a-key' }],
    ['google-ai-studio', 'v1beta/openai/chat/completions', { authorization: 'Bearer a-key' }],
    ['azure-openai', 'herons/openai/v1/responses', { 'api-key': 'a-key' }],
    ['replicate', 'predictions', { authorization: 'Bearer a-key' }],
    ['fal', 'fal-ai/flux', { authorization: 'Key a-key' }],
    ['ideogram', 'v1/ideogram-v3/generate', { 'api-key': 'a-key' }],
    ['cartesia', 'tts/bytes', { 'x-api-key': 'a-key' }],
    ['deepgram', 'v1/listen', { authorization: 'Token a-key' }],
    ['elevenlabs', 'v1/voices', { 'xi-api-key': 'a-key' }],
    ['parallel', 'v1/tasks/runs', { 'x-api-key': 'a-key' }],
    ['parallel', 'chat/completions', { authorization: 'Bearer a-key' }],
    ['baseten', 'v1/chat/completions', { authorization: 'Bearer a-key' }],
    ['baseten', 'model/abc123', { authorization: 'Api-Key a-key' }],
    ['aws-bedrock', 'bedrock-runtime/us-east-1/model/m/converse', { authorization: 'Bearer a-key' }],
    ['aws-bedrock', 'bedrock-mantle/us-east-1/v1/chat/completions', { authorization: 'Bearer a-key' }],
    ['aws-bedrock', 'bedrock-mantle/us-east-1/anthropic/v1/messages', { 'x-api-key': 'a-key' }],
  ])('%s/%s', async (slug, path, headers) => {
    expect((await keyed(slug, path, 'a-key')).headers).toEqual(headers as Record<string, string>)
  })

  test('a short-lived token of Deepgram’s goes as bearer', async () => {
    const jwt = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJ4In0.c2ln'
    expect((await keyed('deepgram', 'v1/listen', jwt)).headers).toEqual({ authorization: `Bearer ${jwt}` })
  })

  test('a scheme is put in front', () => {
    const outgoing: Outgoing = { url: 'https://a.example', method: 'GET', headers: {} }
    withScheme('Own')(outgoing, 'word', { fetch })
    expect(outgoing.headers).toEqual({ authorization: 'Own word' })
  })
})

describe('Bedrock signs for the service that is called', () => {
  const keys = { accessKeyId: 'AKIDTESTS', secretAccessKey: 'only+for/tests' }

  test.each([
    ['bedrock-runtime/eu-west-1/model/a%3Ab/converse', 'bedrock'],
    ['bedrock-mantle/eu-west-1/anthropic/v1/messages', 'bedrock-mantle'],
    ['bedrock-mantle/eu-west-1/v1/chat/completions', 'bedrock-mantle'],
  ])('%s: %s', async (path, service) => {
    const left = { 'x-amz-security-token': 'of the client', 'x-amz-date': '20200101T000000Z', accept: 'a/b' }
    const { url, headers, method } = await keyed('aws-bedrock', path, JSON.stringify(keys), left)
    expect(headers.authorization).toContain(`/eu-west-1/${service}/aws4_request`)
    // What is left of another signature would be wrong beside this one.
    expect(headers['x-amz-security-token']).toBeUndefined()
    expect(headers['x-amz-date']).not.toStartWith('2020')
    const { host, pathname } = new URL(url)
    const seen = { method, path: pathname, headers: { ...headers, host }, body: '{}' }
    expect(headers.authorization).toBe(authorizationOf(seen, keys.accessKeyId, keys.secretAccessKey))
  })

  test('bytes are signed as the text that they are', async () => {
    const address = placed('aws-bedrock', 'model/m/converse')
    const outgoing: Outgoing = {
      url: address.url,
      method: 'POST',
      headers: {},
      body: new TextEncoder().encode('{"é":1}'),
      region: address.region,
    }
    await address.auth!(outgoing, JSON.stringify(keys), { fetch })
    const { host, pathname } = new URL(address.url)
    const seen = { method: 'POST', path: pathname, headers: { ...outgoing.headers, host }, body: '{"é":1}' }
    expect(outgoing.headers.authorization).toBe(authorizationOf(seen, keys.accessKeyId, keys.secretAccessKey))
  })
})
