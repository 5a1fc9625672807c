import { describe, expect, setDefaultTimeout, test } from 'bun:test'
import { createAmazonBedrock } from '@ai-sdk/amazon-bedrock'
import { createAnthropic } from '@ai-sdk/anthropic'
import { createAzure } from '@ai-sdk/azure'
import { createDeepSeek } from '@ai-sdk/deepseek'
import { createGoogle } from '@ai-sdk/google'
import { createGroq } from '@ai-sdk/groq'
import { createMistral } from '@ai-sdk/mistral'
import { createOpenAI } from '@ai-sdk/openai'
import { createOpenAICompatible } from '@ai-sdk/openai-compatible'
import { createXai } from '@ai-sdk/xai'
import { APICallError, generateText, isStepCount, jsonSchema, type LanguageModel, streamText, tool } from 'ai'
import { clientGateway, GATEWAY_AUTH, OWN, STORED, TEXT, TOKEN } from './client-gateway.ts'
import { CALL, callAnswer, refusal, textAnswer } from './provider-answers.ts'

setDefaultTimeout(30_000)
// Models of that name are not in its lists, and it says so each time.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

/** The package `ai` with the providers' own packages, each at its provider-native address with the gateway's token as key. */

const keys = { default: STORED }
const gateway = clientGateway(
  upstream => ({
    providers: {
      openai: { keys, base_url: `${upstream}/openai/v1` },
      anthropic: { keys, base_url: `${upstream}/anthropic` },
      'google-ai-studio': { keys, base_url: `${upstream}/google` },
      groq: { keys, base_url: `${upstream}/groq/openai/v1` },
      mistral: { keys, base_url: `${upstream}/mistral` },
      deepseek: { keys, base_url: `${upstream}/deepseek` },
      grok: { keys, base_url: `${upstream}/grok` },
      'azure-openai': { keys, base_url: `${upstream}/azure/{resource}/openai/deployments/{deployment}` },
      'aws-bedrock': { keys, base_url: `${upstream}/bedrock/{region}` },
    },
  }),
  seen => textAnswer(TEXT, seen),
)

const at = (place: string) => `${gateway.address()}/v1/home/default/${place}`

interface Client {
  model(apiKey?: string, headers?: Record<string, string>): LanguageModel
  /** Where its requests arrive, whole ones and streams. */
  path: string
  streamPath?: string
  /** The header in which this provider takes its key. */
  key: 'authorization' | 'x-api-key' | 'x-goog-api-key' | 'api-key'
}

const BEDROCK = '/bedrock/us-east-1/model/anthropic.claude-heron-v1%3A0'

const clients: Record<string, Client> = {
  'openai, Responses': {
    model: (apiKey = TOKEN, headers) => createOpenAI({ apiKey, headers, baseURL: at('openai') })('gpt-heron'),
    path: '/openai/v1/responses',
    key: 'authorization',
  },
  'openai, Chat': {
    model: (apiKey = TOKEN, headers) => createOpenAI({ apiKey, headers, baseURL: at('openai/v1') }).chat('gpt-heron'),
    path: '/openai/v1/chat/completions',
    key: 'authorization',
  },
  anthropic: {
    model: (apiKey = TOKEN, headers) =>
      createAnthropic({ apiKey, headers, baseURL: at('anthropic/v1') })('claude-heron'),
    path: '/anthropic/v1/messages',
    key: 'x-api-key',
  },
  google: {
    model: (apiKey = TOKEN, headers) =>
      createGoogle({ apiKey, headers, baseURL: at('google-ai-studio/v1beta') })('gemini-heron'),
    path: '/google/v1beta/models/gemini-heron:generateContent',
    streamPath: '/google/v1beta/models/gemini-heron:streamGenerateContent?alt=sse',
    key: 'x-goog-api-key',
  },
  groq: {
    model: (apiKey = TOKEN, headers) => createGroq({ apiKey, headers, baseURL: at('groq') })('llama-heron'),
    path: '/groq/openai/v1/chat/completions',
    key: 'authorization',
  },
  mistral: {
    model: (apiKey = TOKEN, headers) => createMistral({ apiKey, headers, baseURL: at('mistral/v1') })('mistral-heron'),
    path: '/mistral/v1/chat/completions',
    key: 'authorization',
  },
  deepseek: {
    model: (apiKey = TOKEN, headers) => createDeepSeek({ apiKey, headers, baseURL: at('deepseek') })('deepseek-heron'),
    path: '/deepseek/chat/completions',
    key: 'authorization',
  },
  'xai, Responses': {
    model: (apiKey = TOKEN, headers) => createXai({ apiKey, headers, baseURL: at('grok/v1') })('grok-heron'),
    path: '/grok/v1/responses',
    key: 'authorization',
  },
  'azure, Chat at its deployments': {
    model: (apiKey = TOKEN, headers) =>
      createAzure({
        apiKey,
        headers,
        baseURL: at('azure-openai/pond/openai'),
        useDeploymentBasedUrls: true,
        apiVersion: '2024-10-21',
      }).chat('gpt-heron'),
    path: '/azure/pond/openai/deployments/gpt-heron/chat/completions?api-version=2024-10-21',
    key: 'api-key',
  },
  'azure, Responses': {
    model: (apiKey = TOKEN, headers) =>
      createAzure({ apiKey, headers, baseURL: at('azure-openai/pond/openai/v1') })('gpt-heron'),
    path: '/azure/pond/openai/v1/responses',
    key: 'api-key',
  },
  'amazon-bedrock': {
    model: (apiKey = TOKEN, headers) =>
      createAmazonBedrock({
        apiKey,
        headers,
        region: 'us-east-1',
        baseURL: at('aws-bedrock/bedrock-runtime/us-east-1'),
      })('anthropic.claude-heron-v1:0'),
    path: `${BEDROCK}/converse`,
    streamPath: `${BEDROCK}/converse-stream`,
    key: 'authorization',
  },
}

const look = tool({
  description: 'Looks at a place.',
  inputSchema: jsonSchema<{ place: string }>({
    type: 'object',
    properties: { place: { type: 'string' } },
    required: ['place'],
    additionalProperties: false,
  }),
  execute: ({ place }) => `${place}: one heron`,
})

/** The model calls the tool once, is told what it gave, and answers in words. */
const looking = (model: LanguageModel) =>
  ({ model, prompt: 'Where?', tools: { look }, stopWhen: isStepCount(2), maxRetries: 0 }) as const

describe.each(Object.entries(clients))('%s', (_, { model, path, streamPath = path, key }) => {
  const scheme = key === 'authorization' ? 'Bearer ' : ''
  const expectKey = (credential: string) => expect(gateway.arrived().headers.get(key)).toBe(scheme + credential)

  test('generateText: the operator’s key in place of the token', async () => {
    const { text, usage, finishReason } = await generateText({ model: model(), prompt: 'Where?', maxRetries: 0 })
    expect(text).toBe(TEXT)
    expect([usage.inputTokens, usage.outputTokens, finishReason]).toEqual([11, 7, 'stop'])
    expect(gateway.arrived()).toMatchObject({ method: 'POST', path })
    expectKey(STORED)
  })

  test('streamText', async () => {
    const { textStream, usage } = streamText({ model: model(), prompt: 'Where?', maxRetries: 0 })
    expect((await Array.fromAsync(textStream)).join('')).toBe(TEXT)
    const { inputTokens, outputTokens } = await usage
    expect([inputTokens, outputTokens]).toEqual([11, 7])
    expect(gateway.arrived().path).toBe(streamPath)
    expectKey(STORED)
  })

  test('a tool is called, and its result goes up', async () => {
    gateway.next(callAnswer)
    const { text, steps } = await generateText(looking(model()))
    expect(steps[0]?.toolCalls).toMatchObject([{ toolName: CALL.name, input: CALL.input }])
    expect(text).toBe(TEXT)
    expect(gateway.arrived().text).toContain('pond: one heron')
  })

  test('a tool is called in a stream', async () => {
    gateway.next(callAnswer)
    const result = streamText(looking(model()))
    expect((await Array.fromAsync(result.textStream)).join('')).toBe(TEXT)
    const steps = await result.steps
    expect(steps[0]?.toolCalls).toMatchObject([{ toolName: CALL.name, input: CALL.input }])
    expect(gateway.arrived().text).toContain('pond: one heron')
  })

  test('an error of the provider is the one that the client knows', async () => {
    gateway.next(refusal)
    const fault = await generateText({ model: model(), prompt: 'Where?', maxRetries: 0 }).catch(
      (fault: unknown) => fault,
    )
    expect(APICallError.isInstance(fault)).toBe(true)
    expect(fault).toMatchObject({
      statusCode: 429,
      isRetryable: true,
      message: expect.stringContaining('Too many herons.'),
      responseHeaders: { 'retry-after': '3', 'x-request-id': 'req_heron' },
    })
  })

  test('the caller’s own key, with the token in cf-aig-authorization', async () => {
    await generateText({ model: model(OWN, GATEWAY_AUTH), prompt: 'Where?', maxRetries: 0 })
    expectKey(OWN)
  })

  test('without a token: 401, and nothing goes up', async () => {
    const before = gateway.count()
    const fault = await generateText({ model: model(OWN), prompt: 'Where?', maxRetries: 0 }).catch(
      (fault: unknown) => fault,
    )
    expect(fault).toMatchObject({ statusCode: 401, isRetryable: false })
    expect(gateway.count()).toBe(before)
  })
})

describe('openai-compatible at /compat', () => {
  const model = (id: string, baseURL = at('compat')) =>
    createOpenAICompatible({ name: 'postern', apiKey: TOKEN, baseURL, includeUsage: true })(id)
  const models = [
    ['openai/gpt-heron', '/openai/v1/chat/completions'],
    ['anthropic/claude-heron', '/anthropic/v1/messages'],
    ['google-ai-studio/gemini-heron', '/google/v1beta/models/gemini-heron:generateContent'],
    ['groq/llama-heron', '/groq/openai/v1/chat/completions'],
    ['deepseek/deepseek-heron', '/deepseek/chat/completions'],
    ['aws-bedrock/anthropic.claude-heron-v1:0', `${BEDROCK}/converse`],
  ] as const

  test.each(models)('%s: text', async (id, path) => {
    const { text, usage } = await generateText({ model: model(id), prompt: 'Where?', maxRetries: 0 })
    expect(text).toBe(TEXT)
    expect([usage.inputTokens, usage.outputTokens]).toEqual([11, 7])
    expect(gateway.arrived().path).toBe(path)
  })

  test.each(models)('%s: a tool in a stream', async id => {
    gateway.next(callAnswer)
    const result = streamText(looking(model(id)))
    expect((await Array.fromAsync(result.textStream)).join('')).toBe(TEXT)
    const { inputTokens, outputTokens } = await result.usage
    expect([inputTokens, outputTokens]).toEqual([22, 14])
    expect((await result.steps)[0]?.toolCalls).toMatchObject([{ toolName: CALL.name, input: CALL.input }])
    expect(gateway.arrived().text).toContain('pond: one heron')
  })

  test.each(models)('%s: an error', async id => {
    gateway.next(refusal)
    const fault = await generateText({ model: model(id), prompt: 'Where?', maxRetries: 0 }).catch(
      (fault: unknown) => fault,
    )
    expect(fault).toMatchObject({
      statusCode: 429,
      isRetryable: true,
      message: expect.stringContaining('Too many herons.'),
    })
  })

  test('the short address of the default gateway', async () => {
    const { text } = await generateText({
      model: model('openai/gpt-heron', `${gateway.address()}/v1`),
      prompt: 'Where?',
      maxRetries: 0,
    })
    expect(text).toBe(TEXT)
  })
})
