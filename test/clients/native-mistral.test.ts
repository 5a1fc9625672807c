import { expect, setDefaultTimeout, test } from 'bun:test'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { nativeGateway, OWN, STORED, TEXT, TOKEN } from './native-gateway.ts'

setDefaultTimeout(30_000)

/** Loaded by a name that the type check does not follow: the package's types change web streams for the whole program. */
const name: string = '@mistralai/mistralai'
const { HTTPClient, Mistral } = await import(name)

/** `@mistralai/mistralai` at `/mistral`. */

const gateway = nativeGateway(
  'mistral',
  upstream => ({ base_url: upstream }),
  ({ body }) => (body.stream ? streamedAnswer('openai-chat', TEXT) : wholeAnswer('openai-chat', TEXT)),
)
const client = (httpClient?: unknown, apiKey = TOKEN) =>
  new Mistral({ apiKey, serverURL: gateway.base(), retryConfig: { strategy: 'none' }, httpClient })
const question = { model: 'mistral-heron', messages: [{ role: 'user' as const, content: 'Where?' }] }
const key = () => gateway.arrived().headers.get('authorization')

test('chat.complete', async () => {
  const answer = await client().chat.complete({ ...question, randomSeed: 7 })
  expect(answer.choices[0]?.message?.content).toBe(TEXT)
  expect(answer.usage).toMatchObject({ totalTokens: 18 })
  const { path, body } = gateway.arrived()
  expect(path).toBe('/v1/chat/completions')
  expect(body).toMatchObject({ ...question, random_seed: 7 })
  expect(key()).toBe(`Bearer ${STORED}`)
})

test('chat.stream', async () => {
  let text = ''
  for await (const { data } of await client().chat.stream(question)) text += data.choices[0]?.delta.content ?? ''
  expect(text).toBe(TEXT)
  expect(key()).toBe(`Bearer ${STORED}`)
})

test('the caller’s own key, with the token in cf-aig-authorization', async () => {
  const httpClient = new HTTPClient()
  httpClient.addHook('beforeRequest', (request: Request) =>
    request.headers.set('cf-aig-authorization', `Bearer ${TOKEN}`),
  )
  await client(httpClient, OWN).chat.complete(question)
  expect(key()).toBe(`Bearer ${OWN}`)
})
