import { generateText, jsonSchema, type LanguageModel, stepCountIs, streamText, tool } from 'ai'
import { AiGatewayDoesNotExist, AiGatewayUnauthorizedError, createAiGateway } from 'ai-gateway-provider'
import { createAnthropic } from 'ai-gateway-provider/providers/anthropic'
import { createAzure } from 'ai-gateway-provider/providers/azure'
import { createGoogleGenerativeAI } from 'ai-gateway-provider/providers/google'
import { createGroq } from 'ai-gateway-provider/providers/groq'
import { createOpenAI } from 'ai-gateway-provider/providers/openai'
import { unified } from 'ai-gateway-provider/providers/unified'
import { createXai } from 'ai-gateway-provider/providers/xai'
import { type Kit, OPTIONS, type Said } from '../ai-gateway-provider-cases.ts'

/**
 * `ai-gateway-provider` 3.1.3 with `ai` 6: a package of its own, for its dependencies are another generation of those of
 * all other tests.
 */

const look = tool({
  description: 'Looks at a place.',
  inputSchema: jsonSchema<{ place: string }>({ type: 'object', properties: { place: { type: 'string' } } }),
  execute: ({ place }) => `${place}: one heron`,
})
const call = (model: unknown) => ({ model: model as LanguageModel, prompt: 'Where?', maxRetries: 0 }) as const
const looking = (model: unknown) => ({ ...call(model), tools: { look }, stopWhen: stepCountIs(2) }) as const

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

export const kit: Kit = {
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
    xai: {
      make: apiKey => createXai({ apiKey })('grok-heron'),
      path: '/grok/v1/chat/completions',
      key: 'authorization',
    },
    groq: {
      make: apiKey => createGroq({ apiKey })('llama-heron'),
      path: '/groq/openai/v1/chat/completions',
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
    'cf-cache-ttl': '60',
    'cf-skip-cache': 'true',
    'cf-aig-metadata': JSON.stringify(OPTIONS.metadata),
    'cf-aig-collect-log': 'false',
    'cf-aig-event-id': 'event-1',
    'cf-aig-request-timeout': '30000',
    'cf-aig-max-attempts': '2',
    'cf-aig-retry-delay': '100',
    'cf-aig-backoff': 'linear',
  },
}
