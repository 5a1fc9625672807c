import { expect, setDefaultTimeout, test } from 'bun:test'
import OpenAI, { AzureOpenAI } from 'openai'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { GATEWAY_AUTH, nativeGateway, OWN, STORED, TEXT, TOKEN } from './native-gateway.ts'

setDefaultTimeout(30_000)

/** The client for Azure of the package `openai`, and the plain one, at `/azure-openai`. */

const gateway = nativeGateway(
  'azure-openai',
  upstream => ({ base_url: `${upstream}/{resource}/openai/deployments/{deployment}` }),
  ({ body, path }) => {
    if (path.includes('/embeddings'))
      return Response.json({ data: [{ index: 0, embedding: [0.5] }], usage: { prompt_tokens: 1, total_tokens: 1 } })
    return body.stream ? streamedAnswer('openai-chat', TEXT) : wholeAnswer('openai-chat', TEXT)
  },
)

const messages = [{ role: 'user' as const, content: 'Where?' }]
const model = 'gpt-reed'
const apiVersion = '2024-10-21'
const azure = (apiKey = TOKEN, defaultHeaders = {}) =>
  new AzureOpenAI({ apiKey, apiVersion, baseURL: `${gateway.base()}/pond/`, maxRetries: 0, defaultHeaders })

/** Azure's key header, and no other that could hold one. */
const keys = () => {
  const { headers } = gateway.arrived()
  return [headers.get('api-key'), headers.get('authorization')]
}
const DEPLOYMENT = `/pond/openai/deployments/gpt-reed`

test('AzureOpenAI: create', async () => {
  const completion = await azure().chat.completions.create({ model, messages })
  expect(completion.choices[0]?.message.content).toBe(TEXT)
  const { path, body } = gateway.arrived()
  expect(path).toBe(`${DEPLOYMENT}/chat/completions?api-version=${apiVersion}`)
  expect(body).toEqual({ model, messages })
  expect(keys()).toEqual([STORED, null])
})

test('AzureOpenAI: create with stream', async () => {
  let text = ''
  for await (const chunk of await azure().chat.completions.create({ model, messages, stream: true }))
    text += chunk.choices[0]?.delta.content ?? ''
  expect(text).toBe(TEXT)
})

test('AzureOpenAI: an endpoint and a deployment instead of a base', async () => {
  const client = new AzureOpenAI({
    apiKey: TOKEN,
    apiVersion,
    endpoint: `${gateway.base()}/pond`,
    deployment: model,
    baseURL: '',
    maxRetries: 0,
  })
  await client.chat.completions.create({ model: 'left-to-the-deployment', messages })
  expect(gateway.arrived().path).toBe(`${DEPLOYMENT}/chat/completions?api-version=${apiVersion}`)
  expect(keys()).toEqual([STORED, null])
})

test('AzureOpenAI: embeddings', async () => {
  const { data } = await azure().embeddings.create({ model, input: 'heron', encoding_format: 'float' })
  expect(data[0]?.embedding).toEqual([0.5])
  expect(gateway.arrived().path).toBe(`${DEPLOYMENT}/embeddings?api-version=${apiVersion}`)
})

test('AzureOpenAI: responses stand beside the deployments', async () => {
  await azure().responses.create({ model, input: 'Where?' })
  expect(gateway.arrived().path).toBe(`/pond/openai/responses?api-version=${apiVersion}`)
})

test('AzureOpenAI: the caller’s own key, with the token in cf-aig-authorization', async () => {
  await azure(OWN, GATEWAY_AUTH).chat.completions.create({ model, messages })
  expect(keys()).toEqual([OWN, null])
})

test('AzureOpenAI: a token of Entra’s, with the token in cf-aig-authorization', async () => {
  const client = new AzureOpenAI({
    // Not the one of the developer's environment.
    apiKey: '',
    azureADTokenProvider: async () => OWN,
    apiVersion,
    baseURL: `${gateway.base()}/pond/`,
    maxRetries: 0,
    defaultHeaders: GATEWAY_AUTH,
  })
  await client.chat.completions.create({ model, messages })
  expect(keys()).toEqual([null, `Bearer ${OWN}`])
})

test('OpenAI with the address of a deployment', async () => {
  const client = new OpenAI({
    apiKey: TOKEN,
    baseURL: `${gateway.base()}/pond/gpt-reed`,
    defaultQuery: { 'api-version': apiVersion },
    maxRetries: 0,
  })
  const completion = await client.chat.completions.create({ model, messages })
  expect(completion.choices[0]?.message.content).toBe(TEXT)
  expect(gateway.arrived().path).toBe(`${DEPLOYMENT}/chat/completions?api-version=${apiVersion}`)
  expect(keys()).toEqual([STORED, null])
})

test('OpenAI with Azure’s address without versions', async () => {
  const client = new OpenAI({ apiKey: TOKEN, baseURL: `${gateway.base()}/pond/openai/v1`, maxRetries: 0 })
  await client.chat.completions.create({ model, messages })
  expect(gateway.arrived().path).toBe('/pond/openai/v1/chat/completions')
  expect(keys()).toEqual([STORED, null])
})
