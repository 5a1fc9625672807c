import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createHash, createHmac } from 'node:crypto'
import {
  BedrockRuntimeClient,
  type BedrockRuntimeClientConfig,
  ConverseCommand,
  ConverseStreamCommand,
  InvokeModelCommand,
  InvokeModelWithResponseStreamCommand,
  ThrottlingException,
} from '@aws-sdk/client-bedrock-runtime'
import { NodeHttpHandler } from '@smithy/node-http-handler'
import { awsFrame, streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { nativeGateway, OWN, TEXT, TOKEN } from './native-gateway.ts'
import { CALL, callAnswer } from './provider-answers.ts'

setDefaultTimeout(30_000)

/** `@aws-sdk/client-bedrock-runtime` at `/aws-bedrock/bedrock-runtime/{region}`. */

const stored = { accessKeyId: 'AKIDOFTHEOPERATOR', secretAccessKey: 'a-secret-of-the-operator', region: 'eu-central-1' }
const MODEL = 'anthropic.claude-heron-v1:0'
const RAW = JSON.stringify({ content: [{ type: 'text', text: TEXT }] })

const gateway = nativeGateway(
  'aws-bedrock',
  upstream => ({ base_url: `${upstream}/{region}`, keys: { default: JSON.stringify(stored) } }),
  ({ path }) => {
    if (path.endsWith('/converse-stream')) return streamedAnswer('bedrock-converse', TEXT)
    if (path.endsWith('/converse')) return wholeAnswer('bedrock-converse', TEXT)
    if (path.endsWith('/invoke')) return new Response(RAW, { headers: { 'content-type': 'application/json' } })
    const frame = awsFrame('chunk', { bytes: Buffer.from(RAW).toString('base64') })
    return new Response(frame.slice(), { headers: { 'content-type': 'application/vnd.amazon.eventstream' } })
  },
  [stored.secretAccessKey],
)

// The client's own handler speaks HTTP/2 only, which needs TLS.
const config = (): BedrockRuntimeClientConfig => ({
  region: 'us-east-1',
  endpoint: `${gateway.base()}/bedrock-runtime/us-east-1`,
  requestHandler: new NodeHttpHandler(),
  maxAttempts: 1,
})

/** A client that signs, whatever the developer's environment prefers. */
const signing = (credentials: { accessKeyId: string; secretAccessKey: string; sessionToken?: string }) =>
  new BedrockRuntimeClient({ ...config(), credentials, authSchemePreference: ['sigv4'] })

/** Signed by the client with keys that mean nothing; the token goes in a header of its own, and the signature is left out. */
function unsigned(): BedrockRuntimeClient {
  const client = signing({ accessKeyId: 'x', secretAccessKey: 'x' })
  client.middlewareStack.add(
    next => args => {
      const { headers } = args.request as { headers: Record<string, string> }
      delete headers.authorization
      headers['cf-aig-authorization'] = `Bearer ${TOKEN}`
      return next(args)
    },
    // After the signature.
    { step: 'finalizeRequest', priority: 'low' },
  )
  return client
}

/** The token as an API key. */
const bearing = (token = TOKEN, headers: Record<string, string> = {}) => {
  const client = new BedrockRuntimeClient({
    ...config(),
    token: { token },
    authSchemePreference: ['httpBearerAuth'],
  })
  client.middlewareStack.add(
    next => args => {
      Object.assign((args.request as { headers: Record<string, string> }).headers, headers)
      return next(args)
    },
    { step: 'build' },
  )
  return client
}

const converse = {
  modelId: MODEL,
  messages: [{ role: 'user' as const, content: [{ text: 'Where?' }] }],
  inferenceConfig: { maxTokens: 64 },
}
const SIGNED = /^AWS4-HMAC-SHA256 Credential=([^,]+), SignedHeaders=([a-z0-9;-]+), Signature=([0-9a-f]{64})$/

const hash = (text: string) => createHash('sha256').update(text).digest('hex')
const hmac = (key: string | Buffer, text: string) => createHmac('sha256', key).update(text).digest()

/** Signed with the operator's keys for the region of the path, as AWS itself checks it: the path is escaped once more. */
function expectSigned(): void {
  const { method, path, headers, text } = gateway.arrived()
  expect(headers.get('x-amz-security-token')).toBeNull()
  const date = headers.get('x-amz-date') ?? ''
  const [, credential, names = '', signature] = SIGNED.exec(headers.get('authorization') ?? '') ?? []
  const scope = `${date.slice(0, 8)}/us-east-1/bedrock/aws4_request`
  expect(credential).toBe(`${stored.accessKeyId}/${scope}`)
  expect(names.split(';')).toContain('host')
  const canonical = [
    method,
    path.split('/').map(encodeURIComponent).join('/'),
    '',
    ...names.split(';').map(name => `${name}:${headers.get(name)?.trim()}`),
    '',
    names,
    headers.get('x-amz-content-sha256') ?? hash(text),
  ].join('\n')
  const key = scope.split('/').reduce<string | Buffer>(hmac, `AWS4${stored.secretAccessKey}`)
  const expected = hmac(key, ['AWS4-HMAC-SHA256', date, scope, hash(canonical)].join('\n')).toString('hex')
  expect(signature).toBe(expected)
}

describe.each([
  ['the token in cf-aig-authorization', unsigned],
  ['the token as an API key', bearing],
] as const)('%s', (_, client) => {
  test('Converse', async () => {
    const { output, usage } = await client().send(new ConverseCommand(converse))
    expect(output?.message?.content).toEqual([{ text: TEXT }])
    expect(usage).toMatchObject({ totalTokens: 18 })
    const { path, body } = gateway.arrived()
    expect(path).toBe(`/us-east-1/model/${encodeURIComponent(MODEL)}/converse`)
    expect(body).toMatchObject({ messages: converse.messages, inferenceConfig: { maxTokens: 64 } })
    expectSigned()
  })

  test('ConverseStream', async () => {
    const { stream } = await client().send(new ConverseStreamCommand(converse))
    let text = ''
    let total: number | undefined
    for await (const event of stream ?? []) {
      text += event.contentBlockDelta?.delta?.text ?? ''
      total ??= event.metadata?.usage?.totalTokens
    }
    expect({ text, total }).toEqual({ text: TEXT, total: 18 })
    expectSigned()
  })

  test('InvokeModel: the bytes of the model’s own format', async () => {
    const body = '{ "max_tokens": 64,  "messages": [] }'
    const answer = await client().send(new InvokeModelCommand({ modelId: MODEL, body }))
    expect(answer.body.transformToString()).toBe(RAW)
    expect(gateway.arrived().text).toBe(body)
    expectSigned()
  })

  test('InvokeModelWithResponseStream', async () => {
    const answer = await client().send(new InvokeModelWithResponseStreamCommand({ modelId: MODEL, body: '{}' }))
    let text = ''
    for await (const { chunk } of answer.body ?? []) text += new TextDecoder().decode(chunk?.bytes)
    expect(text).toBe(RAW)
  })
})

test('the caller’s own API key, with the token in cf-aig-authorization', async () => {
  const client = bearing(OWN, { 'cf-aig-authorization': `Bearer ${TOKEN}` })
  await client.send(new ConverseCommand(converse))
  expect(gateway.arrived().headers.get('authorization')).toBe(`Bearer ${OWN}`)
})

test('a signature of the caller’s own stays as it is', async () => {
  const credentials = { accessKeyId: 'AKIDOFTHECALLER', secretAccessKey: 'x', sessionToken: 'a-session' }
  const client = signing(credentials)
  let signature = ''
  client.middlewareStack.add(
    next => args => {
      const { headers } = args.request as { headers: Record<string, string> }
      signature = headers.authorization ?? ''
      headers['cf-aig-authorization'] = `Bearer ${TOKEN}`
      return next(args)
    },
    { step: 'finalizeRequest', priority: 'low' },
  )
  await client.send(new ConverseCommand(converse))
  const { headers } = gateway.arrived()
  expect(signature).toContain('Credential=AKIDOFTHECALLER/')
  expect(headers.get('authorization')).toBe(signature)
  expect(headers.get('x-amz-security-token')).toBe('a-session')
})

test('a tool is called in a stream, and its result goes up', async () => {
  gateway.next(callAnswer)
  const { stream } = await bearing().send(new ConverseStreamCommand(converse))
  let name: string | undefined
  let input = ''
  for await (const { contentBlockStart, contentBlockDelta } of stream ?? []) {
    name ??= contentBlockStart?.start?.toolUse?.name
    input += contentBlockDelta?.delta?.toolUse?.input ?? ''
  }
  expect([name, input]).toEqual([CALL.name, JSON.stringify(CALL.input)])
  const toolUse = { toolUseId: 'tooluse_1', ...CALL }
  const toolResult = { toolUseId: 'tooluse_1', content: [{ text: 'pond: one heron' }] }
  const messages = [
    ...converse.messages,
    { role: 'assistant' as const, content: [{ toolUse }] },
    { role: 'user' as const, content: [{ toolResult }] },
  ]
  await bearing().send(new ConverseCommand({ ...converse, messages }))
  expect(gateway.arrived().body.messages).toEqual(messages)
})

test('an error of the provider is the one that the client knows', async () => {
  gateway.next(() =>
    Response.json(
      { message: 'Too many herons.' },
      { status: 429, headers: { 'x-amzn-errortype': 'ThrottlingException', 'x-amzn-requestid': 'req-heron' } },
    ),
  )
  const fault = await bearing()
    .send(new ConverseCommand(converse))
    .catch((fault: unknown) => fault)
  expect(fault).toBeInstanceOf(ThrottlingException)
  expect(fault).toMatchObject({ message: 'Too many herons.', $metadata: { requestId: 'req-heron' } })
})

test('an exception in the middle of a stream is the one that the client knows', async () => {
  gateway.next(() => {
    const frames = [
      awsFrame('messageStart', { role: 'assistant' }),
      awsFrame('throttlingException', { message: 'Too many herons.' }, 'exception'),
    ]
    return new Response(Buffer.concat(frames), { headers: { 'content-type': 'application/vnd.amazon.eventstream' } })
  })
  const { stream } = await bearing().send(new ConverseStreamCommand(converse))
  const fault = await Array.fromAsync(stream ?? []).catch((fault: unknown) => fault)
  expect(fault).toBeInstanceOf(ThrottlingException)
})
