import { expect, setDefaultTimeout, test } from 'bun:test'
import { ApiError, GoogleGenAI } from '@google/genai'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { GATEWAY_AUTH, nativeGateway, OWN, STORED, TEXT, TOKEN } from './native-gateway.ts'
import { CALL, callAnswer } from './provider-answers.ts'

setDefaultTimeout(30_000)

/** `@google/genai` at `/google-ai-studio`. */

const gateway = nativeGateway(
  'google-ai-studio',
  upstream => ({ base_url: upstream }),
  ({ path }) => {
    if (path.includes(':batchEmbedContents')) return Response.json({ embeddings: [{ values: [0.5, -0.25] }] })
    if (path.includes(':countTokens')) return Response.json({ totalTokens: 11 })
    return path.includes(':stream') ? streamedAnswer('gemini', TEXT) : wholeAnswer('gemini', TEXT)
  },
)
const client = (apiKey = TOKEN, headers = {}) =>
  new GoogleGenAI({ apiKey, vertexai: false, httpOptions: { baseUrl: gateway.base(), headers } })
const question = { model: 'gemini-heron', contents: 'Where?' }
const key = () => gateway.arrived().headers.get('x-goog-api-key')

test('generateContent', async () => {
  const answer = await client().models.generateContent({ ...question, config: { seed: 7 } })
  expect(answer.text).toBe(TEXT)
  expect(answer.usageMetadata).toMatchObject({ totalTokenCount: 18 })
  const { path, body } = gateway.arrived()
  expect(path).toBe('/v1/models/gemini-heron:generateContent')
  expect(body).toEqual({
    contents: [{ role: 'user', parts: [{ text: 'Where?' }] }],
    generationConfig: { seed: 7 },
  })
  expect(key()).toBe(STORED)
})

test('generateContentStream', async () => {
  let text = ''
  for await (const chunk of await client().models.generateContentStream(question)) text += chunk.text ?? ''
  expect(text).toBe(TEXT)
  expect(gateway.arrived().path).toBe('/v1/models/gemini-heron:streamGenerateContent?alt=sse')
  expect(key()).toBe(STORED)
})

test('a version that the caller chose', async () => {
  const httpOptions = { apiVersion: 'v1beta' }
  await client().models.generateContent({ ...question, config: { httpOptions } })
  expect(gateway.arrived().path).toBe('/v1beta/models/gemini-heron:generateContent')
})

test('countTokens', async () => {
  expect((await client().models.countTokens(question)).totalTokens).toBe(11)
})

test('embedContent', async () => {
  const { embeddings } = await client().models.embedContent({ model: 'embedding-heron', contents: 'heron' })
  expect(embeddings?.[0]?.values).toEqual([0.5, -0.25])
  expect(key()).toBe(STORED)
})

test.each(['whole', 'streamed'])('a function is called in a %s answer', async how => {
  const functionDeclarations = [{ name: CALL.name, parametersJsonSchema: { type: 'object' } }]
  const asked = { ...question, config: { tools: [{ functionDeclarations }] } }
  gateway.next(callAnswer)
  const { models } = client()
  const answers =
    how === 'whole'
      ? [await models.generateContent(asked)]
      : await Array.fromAsync(await models.generateContentStream(asked))
  expect(answers.flatMap(({ functionCalls }) => functionCalls ?? [])).toMatchObject([
    { name: CALL.name, args: CALL.input },
  ])
  expect(gateway.arrived().body.tools).toEqual([{ functionDeclarations }])
})

test('a chat gives the signature of a thought back as it came', async () => {
  const thought = { text: 'At the pond?', thoughtSignature: 'dGhvdWdodA==' }
  const candidates = [{ content: { role: 'model', parts: [thought] }, finishReason: 'STOP', index: 0 }]
  gateway.next(() => Response.json({ candidates }))
  const chat = client().chats.create({ model: 'gemini-heron' })
  await chat.sendMessage({ message: 'Where?' })
  await chat.sendMessage({ message: 'No.' })
  expect((gateway.arrived().body.contents as unknown[])[1]).toEqual({ role: 'model', parts: [thought] })
})

test('the caller’s own key, with the token in cf-aig-authorization', async () => {
  await client(OWN, GATEWAY_AUTH).models.generateContent(question)
  expect(key()).toBe(OWN)
})

test('an error of the provider is the one that the client knows', async () => {
  const error = { code: 400, message: 'No such heron.', status: 'INVALID_ARGUMENT' }
  gateway.next(() => Response.json({ error }, { status: 400 }))
  const fault = await client()
    .models.generateContent(question)
    .catch((fault: unknown) => fault)
  expect(fault).toBeInstanceOf(ApiError)
  expect(fault).toMatchObject({ status: 400, message: expect.stringContaining('No such heron.') })
})
