import { expect, setDefaultTimeout, test } from 'bun:test'
import { generateText, isStepCount, jsonSchema, type LanguageModel, streamText, tool } from 'ai'
import { AiGatewayDoesNotExist, AiGatewayUnauthorizedError, createAiGateway } from 'ai-gateway-provider'
import { createAnthropic } from 'ai-gateway-provider/providers/anthropic'
import { createAzure } from 'ai-gateway-provider/providers/azure'
import { createDeepSeek } from 'ai-gateway-provider/providers/deepseek'
import { createGoogleGenerativeAI } from 'ai-gateway-provider/providers/google'
import { createGroq } from 'ai-gateway-provider/providers/groq'
import { createMistral } from 'ai-gateway-provider/providers/mistral'
import { createOpenAI } from 'ai-gateway-provider/providers/openai'
import { createUnified, unified } from 'ai-gateway-provider/providers/unified'
import { createXai } from 'ai-gateway-provider/providers/xai'
import { createAI } from '../../src/binding/index.ts'
import { openaiChunk, sse } from '../support/answers.ts'
import {
  gatewayProviderCases,
  type Kit,
  OPTIONS,
  RESEARCH,
  type Said,
  startGateway,
} from './ai-gateway-provider-cases.ts'
import { OWN, TEXT, TOKEN } from './client-gateway.ts'

setDefaultTimeout(30_000)
// Models of that name are not in its lists, and it says so each time.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

/** `ai-gateway-provider` 4 with `ai` 7. */

const look = tool({
  description: 'Looks at a place.',
  inputSchema: jsonSchema<{ place: string }>({ type: 'object', properties: { place: { type: 'string' } } }),
  execute: ({ place }) => `${place}: one heron`,
})
const call = (model: unknown) => ({ model: model as LanguageModel, prompt: 'Where?', maxRetries: 0 }) as const
const looking = (model: unknown) => ({ ...call(model), tools: { look }, stopWhen: isStepCount(2) }) as const

async function generated(result: ReturnType<typeof generateText>): Promise<Said> {
  const { text, usage, response, steps } = await result
  return {
    text,
    tokens: [usage.inputTokens, usage.outputTokens],
    headers: response.headers,
    calls: steps.flatMap(({ toolCalls }) => toolCalls),
  }
}

async function streamed(result: ReturnType<typeof streamText>): Promise<Said> {
  const text = (await Array.fromAsync(result.textStream)).join('')
  const { inputTokens, outputTokens } = await result.usage
  const { headers } = await result.response
  const calls = (await result.steps).flatMap(({ toolCalls }) => toolCalls)
  return { text, tokens: [inputTokens, outputTokens], headers, calls }
}

const kit: Kit = {
  wrap: (settings, models) => createAiGateway(settings as never)(models as never),
  generate: model => generated(generateText(call(model))),
  stream: model => streamed(streamText(call(model))),
  look: model => generated(generateText(looking(model)) as never),
  lookInStream: model => streamed(streamText(looking(model)) as never),
  models: {
    'openai, Responses': {
      make: apiKey => createOpenAI({ apiKey })('gpt-heron'),
      path: '/openai/v1/responses',
      key: 'authorization',
    },
    'openai, Chat': {
      make: apiKey => createOpenAI({ apiKey }).chat('gpt-heron'),
      path: '/openai/v1/chat/completions',
      key: 'authorization',
    },
    anthropic: {
      make: apiKey => createAnthropic({ apiKey })('claude-heron'),
      path: '/anthropic/v1/messages',
      key: 'x-api-key',
    },
    google: {
      make: apiKey => createGoogleGenerativeAI({ apiKey })('gemini-heron'),
      path: '/google/v1beta/models/gemini-heron:generateContent',
      streamPath: '/google/v1beta/models/gemini-heron:streamGenerateContent?alt=sse',
      key: 'x-goog-api-key',
    },
    xai: { make: apiKey => createXai({ apiKey })('grok-heron'), path: '/grok/v1/responses', key: 'authorization' },
    groq: {
      make: apiKey => createGroq({ apiKey })('llama-heron'),
      path: '/groq/openai/v1/chat/completions',
      key: 'authorization',
    },
    mistral: {
      make: apiKey => createMistral({ apiKey })('mistral-heron'),
      path: '/mistral/v1/chat/completions',
      key: 'authorization',
    },
    deepseek: {
      make: apiKey => createDeepSeek({ apiKey })('deepseek-heron'),
      path: '/deepseek/chat/completions',
      key: 'authorization',
    },
    azure: {
      make: apiKey =>
        createAzure({ apiKey, resourceName: 'pond', useDeploymentBasedUrls: true, apiVersion: '2024-10-21' }).chat(
          'gpt-heron',
        ),
      path: '/azure/pond/openai/deployments/gpt-heron/chat/completions?api-version=2024-10-21',
      key: 'api-key',
    },
  },
  unified: id => unified(id),
  doesNotExist: AiGatewayDoesNotExist,
  unauthorized: AiGatewayUnauthorizedError,
  optionHeaders: {
    'cf-aig-cache-key': 'herons',
    'cf-aig-cache-ttl': '60',
    'cf-aig-skip-cache': 'true',
    'cf-aig-metadata': JSON.stringify(OPTIONS.metadata),
    'cf-aig-collect-log': 'false',
    'cf-aig-event-id': 'event-1',
    'cf-aig-request-timeout': '30000',
    'cf-aig-max-attempts': '2',
    'cf-aig-retry-delay': '100',
    'cf-aig-backoff': 'linear',
  },
}

const gateway = startGateway()
const sent = gatewayProviderCases(kit, gateway)

const settings = { accountId: 'home', gateway: 'default', apiKey: TOKEN }
const chat = () => createOpenAI().chat('gpt-heron')

test('byokAlias and zdr: the alias chooses the key', async () => {
  const { text } = await kit.generate(kit.wrap({ ...settings, options: { byokAlias: 'research', zdr: true } }, chat()))
  expect(text).toBe(TEXT)
  expect(sent.at(-1)!.headers.toJSON()).toMatchObject({ 'cf-aig-byok-alias': 'research', 'cf-aig-zdr': 'true' })
  expect(gateway.arrived().headers.get('authorization')).toBe(`Bearer ${RESEARCH}`)
})

test('an alias that is not there: the error’s body says so', async () => {
  const fault = await kit
    .generate(kit.wrap({ ...settings, options: { byokAlias: 'nobody' } }, chat()))
    .catch((fault: unknown) => fault)
  expect(fault).toMatchObject({ statusCode: 400, isRetryable: false, responseBody: expect.stringContaining('nobody') })
})

test('unified with a key of the caller’s own', async () => {
  const { text } = await kit.generate(kit.wrap(settings, createUnified({ apiKey: OWN })('openai/gpt-heron')))
  expect(text).toBe(TEXT)
  expect(gateway.arrived().headers.get('authorization')).toBe(`Bearer ${OWN}`)
})

test('a caller who leaves ends the call of the provider', async () => {
  const control = new AbortController()
  const { promise: left, resolve } = Promise.withResolvers<void>()
  gateway.next(seen => {
    seen.signal.addEventListener('abort', () => resolve())
    const body = new ReadableStream({
      start: stream => stream.enqueue(Buffer.from(sse(openaiChunk({ content: 'In' })))),
    })
    return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
  })
  // As it stands in an application: the types of both fit.
  const provider = createAiGateway({ binding: createAI({ url: gateway.address(), token: TOKEN }).gateway('default') })
  const { textStream } = streamText({ ...call(provider(chat() as never)), abortSignal: control.signal })
  for await (const text of textStream) {
    expect(text).toBe('In')
    control.abort()
  }
  await left
})
