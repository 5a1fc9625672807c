import { expect, setDefaultTimeout, test } from 'bun:test'
import Groq from 'groq-sdk'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { GATEWAY_AUTH, nativeGateway, OWN, STORED, TEXT, TOKEN } from './native-gateway.ts'

setDefaultTimeout(30_000)

/** `groq-sdk` at `/groq`: it writes `openai/v1/` in front of its paths, which the provider's base ends in already. */

const gateway = nativeGateway(
  'groq',
  upstream => ({ base_url: `${upstream}/openai/v1` }),
  ({ body }) => (body.stream ? streamedAnswer('openai-chat', TEXT) : wholeAnswer('openai-chat', TEXT)),
)
const client = (apiKey = TOKEN, defaultHeaders = {}) =>
  new Groq({ apiKey, baseURL: gateway.base(), maxRetries: 0, defaultHeaders })
const question = { model: 'llama-heron', messages: [{ role: 'user' as const, content: 'Where?' }] }
const key = () => gateway.arrived().headers.get('authorization')

test('chat.completions.create', async () => {
  const completion = await client().chat.completions.create(question)
  expect(completion.choices[0]?.message.content).toBe(TEXT)
  const { path, body } = gateway.arrived()
  expect(path).toBe('/openai/v1/chat/completions')
  expect(body).toEqual(question)
  expect(key()).toBe(`Bearer ${STORED}`)
})

test('chat.completions.create with stream', async () => {
  let text = ''
  for await (const chunk of await client().chat.completions.create({ ...question, stream: true }))
    text += chunk.choices[0]?.delta.content ?? ''
  expect(text).toBe(TEXT)
})

test('the caller’s own key, with the token in cf-aig-authorization', async () => {
  await client(OWN, GATEWAY_AUTH).chat.completions.create(question)
  expect(key()).toBe(`Bearer ${OWN}`)
})
