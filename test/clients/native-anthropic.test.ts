import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import Anthropic, { AuthenticationError, InternalServerError } from '@anthropic-ai/sdk'
import { betaTool } from '@anthropic-ai/sdk/helpers/beta/json-schema'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { GATEWAY_AUTH, nativeGateway, OWN, STORED, TEXT, TOKEN } from './native-gateway.ts'

setDefaultTimeout(30_000)

/** `@anthropic-ai/sdk` at `/anthropic`. */

const gateway = nativeGateway(
  'anthropic',
  upstream => ({ base_url: upstream }),
  ({ path, body }) => {
    if (path.startsWith('/v1/messages/count_tokens')) return Response.json({ input_tokens: 11 })
    return body.stream ? streamedAnswer('anthropic-messages', TEXT) : wholeAnswer('anthropic-messages', TEXT)
  },
)
/** Nothing of the developer's own environment. */
const client = (options: ConstructorParameters<typeof Anthropic>[0]) =>
  new Anthropic({ apiKey: null, authToken: null, baseURL: gateway.base(), maxRetries: 0, ...options })

const question = { model: 'claude-heron', max_tokens: 64, messages: [{ role: 'user' as const, content: 'Where?' }] }
const keys = () => {
  const { headers } = gateway.arrived()
  return [headers.get('x-api-key'), headers.get('authorization')]
}

describe('messages', () => {
  test('create', async () => {
    const message = await client({ apiKey: TOKEN }).messages.create(question)
    expect(message.content).toEqual([{ type: 'text', text: TEXT }] as never)
    expect(message.usage).toMatchObject({ input_tokens: 11, output_tokens: 7 })
    const { path, body, headers } = gateway.arrived()
    expect(path).toBe('/v1/messages')
    expect(body).toEqual(question)
    expect(headers.get('anthropic-version')).toMatch(/^\d{4}-\d\d-\d\d$/)
    expect(keys()).toEqual([STORED, null])
  })

  test('create with stream', async () => {
    let text = ''
    for await (const event of await client({ apiKey: TOKEN }).messages.create({ ...question, stream: true }))
      if (event.type === 'content_block_delta' && event.delta.type === 'text_delta') text += event.delta.text
    expect(text).toBe(TEXT)
  })

  test('stream: the helper gathers the same', async () => {
    const stream = client({ apiKey: TOKEN }).messages.stream(question)
    expect(await stream.finalText()).toBe(TEXT)
    expect((await stream.finalMessage()).usage.output_tokens).toBe(7)
  })

  test('countTokens', async () => {
    const { model, messages } = question
    expect(await client({ apiKey: TOKEN }).messages.countTokens({ model, messages })).toMatchObject({
      input_tokens: 11,
    })
    expect(gateway.arrived().path).toBe('/v1/messages/count_tokens')
  })

  test('a beta goes along', async () => {
    await client({ apiKey: TOKEN }).beta.messages.create({ ...question, betas: ['herons-2026-01-01'] })
    const { path, headers } = gateway.arrived()
    expect([path, headers.get('anthropic-beta')]).toEqual(['/v1/messages', 'herons-2026-01-01'])
  })
})

describe('whose key', () => {
  // Since its 1.0.0 the client sends either kind of key as bearer.
  test('the token as authToken: the operator’s key goes into its usual place', async () => {
    await client({ authToken: TOKEN }).messages.create(question)
    expect(keys()).toEqual([STORED, null])
  })

  test('the token in x-api-key, as earlier clients send it', async () => {
    const defaultHeaders = { 'x-api-key': TOKEN, authorization: null }
    await client({ apiKey: 'unused', defaultHeaders }).messages.create(question)
    expect(keys()).toEqual([STORED, null])
  })

  test('the caller’s own key, with the token in cf-aig-authorization', async () => {
    await client({ apiKey: OWN, defaultHeaders: GATEWAY_AUTH }).messages.create(question)
    expect(keys()).toEqual([null, `Bearer ${OWN}`])
  })

  test('the caller’s own key in x-api-key, with the token in cf-aig-authorization', async () => {
    const defaultHeaders = { ...GATEWAY_AUTH, 'x-api-key': OWN, authorization: null }
    await client({ defaultHeaders }).messages.create(question)
    expect(keys()).toEqual([OWN, null])
  })

  test('the caller’s own key in x-api-key, with the token as bearer', async () => {
    await client({ authToken: TOKEN, defaultHeaders: { 'x-api-key': OWN } }).messages.create(question)
    expect(keys()).toEqual([OWN, null])
  })

  test('without a token: AuthenticationError', async () => {
    const fault = await client({ apiKey: OWN })
      .messages.create(question)
      .catch((fault: unknown) => fault)
    expect(fault).toBeInstanceOf(AuthenticationError)
  })
})

describe('toolRunner', () => {
  const thinking = { type: 'thinking', thinking: 'I look.', signature: 'c2lnbmF0dXJl' }
  const call = { type: 'tool_use', id: 'toolu_1', name: 'look', input: { place: 'pond' } }
  const step = () =>
    Response.json({
      id: 'msg_1',
      type: 'message',
      role: 'assistant',
      model: 'claude-heron',
      content: [thinking, call],
      stop_reason: 'tool_use',
      usage: { input_tokens: 11, output_tokens: 7 },
    })
  const look = betaTool({
    name: 'look',
    description: 'Looks at a place.',
    inputSchema: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
    run: ({ place }) => `${place}: one heron`,
  })
  const result = { type: 'tool_result', tool_use_id: 'toolu_1', content: 'pond: one heron' }

  /** Runs two steps, and gives the second request. */
  async function twoSteps(options: { thread?: false }) {
    gateway.next(step)
    const before = gateway.count()
    const message = await client({ apiKey: TOKEN }).beta.messages.toolRunner({ ...question, ...options, tools: [look] })
    expect(message.content).toMatchObject([{ type: 'text', text: TEXT }])
    expect(gateway.count()).toBe(before + 2)
    expect(keys()).toEqual([STORED, null])
    return gateway.arrived()
  }

  test('on a thread that the provider keeps', async () => {
    const { body, headers } = await twoSteps({})
    expect(body.thread).toEqual({ type: 'continue', previous_message_id: 'msg_1' })
    expect(body.messages).toEqual([{ role: 'user', content: [result] }])
    expect(headers.get('anthropic-beta')).toContain('message-threads')
  })

  test('with the whole history: thinking and its signature come back', async () => {
    const { body } = await twoSteps({ thread: false })
    expect(body.messages).toMatchObject([
      question.messages[0],
      { role: 'assistant', content: [thinking, call] },
      { role: 'user', content: [result] },
    ])
  })
})

test('an error in the middle of a stream, and one in its place, are those that the client knows', async () => {
  const error = { type: 'error', error: { type: 'overloaded_error', message: 'Too many herons.' } }
  gateway.next(() => Response.json(error, { status: 529, headers: { 'request-id': 'req_heron' } }))
  const fault = await client({ apiKey: TOKEN })
    .messages.create(question)
    .catch((fault: unknown) => fault)
  expect(fault).toBeInstanceOf(InternalServerError)
  expect(fault).toMatchObject({ status: 529, requestID: 'req_heron', error })
  gateway.next(
    () =>
      new Response(`event: error\ndata: ${JSON.stringify(error)}\n\n`, {
        headers: { 'content-type': 'text/event-stream' },
      }),
  )
  const broken = await client({ apiKey: TOKEN })
    .messages.stream(question)
    .finalText()
    .catch((fault: unknown) => fault)
  expect(String(broken)).toContain('Too many herons.')
})
