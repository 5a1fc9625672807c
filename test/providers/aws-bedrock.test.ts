import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Outgoing } from '../../src/providers/auth/auth.ts'
import { aws } from '../../src/providers/auth/aws.ts'
import { wholeAnswer } from '../support/answers.ts'
import { startApp } from '../support/app.ts'
import { answerOf, ask, post } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'
import { authorizationOf } from './sigv4.ts'

const SECRET = 'secret/that+is=only/for+tests'
const keys = { accessKeyId: 'AKIDTESTS', secretAccessKey: SECRET }

let bedrock: StandIn
beforeAll(() => {
  bedrock = standIn(() => wholeAnswer('bedrock-converse', 'In the reeds.'))
})
afterAll(() => bedrock.stop())

/** Asks through an app whose Bedrock has this key, and gives what arrived. */
async function arrived(key: string, model: string, more: object = {}) {
  const app = await startApp({
    providers: { 'aws-bedrock': { base_url: bedrock.address, keys: { default: key }, ...more } },
  })
  const response = await post(app.address, ask(`aws-bedrock/${model}`))
  const answer = await answerOf(response)
  await app.stop()
  expect(answer.error).toBeUndefined()
  const { method, path, text, headers } = bedrock.last()
  return { method, path, body: text, headers: Object.fromEntries(headers) as Record<string, string> }
}

describe('Bedrock', () => {
  test.each([
    ['a model id with a colon', 'anthropic.claude-3-haiku-20240307-v1:0'],
    ['T60 an ARN', 'arn:aws:bedrock:eu-central-1:123456789012:inference-profile/eu.amazon.nova-pro-v1:0'],
  ])('the signature of the request on the wire is right: %s', async (_, model) => {
    const seen = await arrived(JSON.stringify({ ...keys, region: 'eu-central-1' }), model)
    expect(seen.path).toBe(`/model/${encodeURIComponent(model)}/converse`)
    expect(seen.headers.authorization).toContain('/eu-central-1/bedrock/aws4_request')
    expect(seen.headers.authorization).toContain('host')
    expect(seen.headers.authorization).toBe(authorizationOf(seen, keys.accessKeyId, SECRET))
    expect(JSON.stringify(seen)).not.toContain(SECRET)
  })

  test('a session token is sent and signed', async () => {
    const seen = await arrived(JSON.stringify({ ...keys, sessionToken: 'a session/token+==' }), 'amazon.nova-lite-v1:0')
    expect(seen.headers['x-amz-security-token']).toBe('a session/token+==')
    expect(seen.headers.authorization).toMatch(/SignedHeaders=[^,]*x-amz-security-token/)
    expect(seen.headers.authorization).toBe(authorizationOf(seen, keys.accessKeyId, SECRET))
  })

  test('headers of the operator are signed as they are sent', async () => {
    const seen = await arrived(JSON.stringify(keys), 'amazon.nova-lite-v1:0', { headers: { 'X-Team': 'herons' } })
    expect(seen.headers['x-team']).toBe('herons')
    expect(seen.headers.authorization).toBe(authorizationOf(seen, keys.accessKeyId, SECRET))
  })

  test('an API key goes as bearer', async () => {
    const seen = await arrived('bedrock-api-key-for-tests', 'amazon.nova-lite-v1:0')
    expect(seen.headers.authorization).toBe('Bearer bedrock-api-key-for-tests')
    expect(seen.headers['x-amz-date']).toBeUndefined()
  })

  test('JSON in base64 is read too', async () => {
    const seen = await arrived(btoa(JSON.stringify({ ...keys, region: 'us-west-2' })), 'amazon.nova-lite-v1:0')
    expect(seen.headers.authorization).toContain('/us-west-2/bedrock/aws4_request')
  })

  test('the region: of the settings before that of the key, for address and signature alike', async () => {
    const key = JSON.stringify({ ...keys, region: 'us-west-2' })
    const seen = await arrived(key, 'amazon.nova-lite-v1:0', { region: 'ap-northeast-1' })
    expect(seen.headers.authorization).toContain('/ap-northeast-1/bedrock/')
    const unsaid = await arrived(JSON.stringify(keys), 'amazon.nova-lite-v1:0')
    expect(unsaid.headers.authorization).toContain('/us-east-1/bedrock/')
    // An address that names a region can only be signed for that one.
    const outgoing: Outgoing = {
      url: 'https://bedrock-runtime.ca-central-1.amazonaws.com/model/x/converse',
      method: 'POST',
      headers: {},
      body: '{}',
    }
    await aws(outgoing, key, { fetch })
    expect(outgoing.headers.authorization).toContain('/ca-central-1/bedrock/')
  })

  test.each([
    ['broken JSON', '{"accessKeyId": "AKID'],
    ['JSON without the secret', '{"accessKeyId":"AKIDTESTS"}'],
  ])('%s as a key: 502 that says so and shows none of it', async (_, key) => {
    const app = await startApp({ providers: { 'aws-bedrock': { base_url: bedrock.address, keys: { default: key } } } })
    const response = await post(app.address, ask('aws-bedrock/amazon.nova-lite-v1:0'))
    const text = await response.text()
    expect(response.status).toBe(502)
    expect(JSON.parse(text).error.code).toBe('provider_credential')
    expect(text).not.toContain('AKID')
    await app.stop()
  })
})
