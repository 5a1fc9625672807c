import { expect, setDefaultTimeout, test } from 'bun:test'
import { CohereClientV2 } from 'cohere-ai'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { GATEWAY_AUTH, nativeGateway, OWN, STORED, TEXT, TOKEN } from './native-gateway.ts'

setDefaultTimeout(30_000)

/** `cohere-ai` at `/cohere`. */

const gateway = nativeGateway(
  'cohere',
  upstream => ({ base_url: upstream }),
  ({ path, body }) => {
    if (path === '/v2/rerank') return Response.json({ results: [{ index: 1, relevance_score: 0.5 }] })
    return body.stream ? streamedAnswer('cohere-chat', TEXT) : wholeAnswer('cohere-chat', TEXT)
  },
)
const client = (token = TOKEN, headers = {}) =>
  new CohereClientV2({ token, baseUrl: gateway.base(), maxRetries: 0, headers })
const question = { model: 'command-heron', messages: [{ role: 'user' as const, content: 'Where?' }] }
const key = () => gateway.arrived().headers.get('authorization')

test('chat', async () => {
  const answer = await client().chat(question)
  expect(answer.message.content).toEqual([{ type: 'text', text: TEXT }])
  expect(answer.usage?.tokens).toEqual({ inputTokens: 11, outputTokens: 7 })
  const { path, body } = gateway.arrived()
  expect(path).toBe('/v2/chat')
  expect(body).toEqual({ ...question, stream: false })
  expect(key()).toBe(`Bearer ${STORED}`)
})

test('chatStream', async () => {
  let text = ''
  for await (const event of await client().chatStream(question))
    if (event.type === 'content-delta') text += event.delta?.message?.content?.text ?? ''
  expect(text).toBe(TEXT)
  expect(key()).toBe(`Bearer ${STORED}`)
})

test('rerank', async () => {
  const { results } = await client().rerank({ model: 'rerank-heron', query: 'heron', documents: ['duck', 'heron'] })
  expect(results).toMatchObject([{ index: 1 }])
  expect(gateway.arrived().path).toBe('/v2/rerank')
})

test('the caller’s own key, with the token in cf-aig-authorization', async () => {
  await client(OWN, GATEWAY_AUTH).chat(question)
  expect(key()).toBe(`Bearer ${OWN}`)
})
