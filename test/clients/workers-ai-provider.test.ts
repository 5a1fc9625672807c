import { afterAll, beforeAll, describe, expect, setDefaultTimeout, spyOn, test } from 'bun:test'
import { createOpenAI } from '@ai-sdk/openai'
import {
  APICallError,
  embedMany,
  generateImage,
  generateSpeech,
  generateText,
  isStepCount,
  jsonSchema,
  type LanguageModel,
  rerank,
  streamText,
  tool,
  transcribe,
} from 'ai'
import { createWorkersAI, type DispatchInfo, WorkersAIFallbackError } from 'workers-ai-provider'
import { anthropic } from 'workers-ai-provider/anthropic'
import { createGatewayFetch, createGatewayProvider } from 'workers-ai-provider/gateway'
import { google } from 'workers-ai-provider/google'
import { openai } from 'workers-ai-provider/openai'
import { createAI } from '../../src/binding/index.ts'
import { streamedAnswer, wholeAnswer } from '../support/answers.ts'
import type { Seen } from '../support/stand-in.ts'
import { clientGateway, OWN, STORED, TEXT, TOKEN } from './client-gateway.ts'
import { asksForStream, CALL, refusal, textAnswer } from './provider-answers.ts'

setDefaultTimeout(30_000)
// Models of that name are not in its lists, and it says so each time.
Object.assign(globalThis, { AI_SDK_LOG_WARNINGS: false })

/** `workers-ai-provider` 4 by its own hosts and by `postern/binding` (contract 14.5). */

const HOSTS = { gateway: 'https://gateway.ai.cloudflare.com', api: 'https://api.cloudflare.com' }
const SOUND = Uint8Array.from({ length: 256 }, (_, at) => at)
const LLAMA = '@cf/meta/llama-heron'
const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }
const result = (result: unknown) => Response.json({ result, success: true, errors: [], messages: [] })

/** What Workers AI says to each kind of model. */
function hosted(seen: Seen): Response {
  const model = seen.path.split('?')[0]!.slice('/workers/ai/run/'.length)
  switch (model) {
    case '@cf/baai/bge-heron':
      return result({
        shape: [2, 2],
        data: [
          [0.5, -0.25],
          [0.125, 1],
        ],
      })
    case '@cf/paint/heron':
      return result({ image: Buffer.from(SOUND).toString('base64') })
    case '@cf/paint/heron-bytes':
      return new Response(SOUND, { headers: { 'content-type': 'image/png' } })
    case '@cf/voice/heron':
      return new Response(SOUND, { headers: { 'content-type': 'audio/mpeg' } })
    case '@cf/openai/whisper-heron':
      return result({ text: 'Kraak.', words: [{ word: 'Kraak.', start: 0, end: 1 }] })
    case '@cf/deepgram/nova-3':
      return result({ results: { channels: [{ alternatives: [{ transcript: 'Kraak.' }] }] } })
    case '@cf/baai/rerank-heron':
      return result({
        response: [
          { id: 0, score: 0.1 },
          { id: 1, score: 0.9 },
        ],
      })
    default:
      return asksForStream(seen) ? streamedAnswer('workers-ai', TEXT) : wholeAnswer('workers-ai', TEXT)
  }
}

const keys = { default: STORED }
const gateway = clientGateway(
  upstream => ({
    providers: {
      'workers-ai': { keys, base_url: `${upstream}/workers/ai/run` },
      openai: { keys, base_url: `${upstream}/openai/v1` },
      anthropic: { keys, base_url: `${upstream}/anthropic` },
      'google-ai-studio': { keys, base_url: `${upstream}/google` },
      grok: { keys, base_url: `${upstream}/grok` },
      deepseek: { keys, base_url: `${upstream}/deepseek` },
      mistral: { keys, base_url: `${upstream}/mistral` },
    },
    gateways: { team: {} },
  }),
  seen => (seen.path.startsWith('/workers/') ? hosted(seen) : textAnswer(TEXT, seen)),
)

const real = globalThis.fetch
/** What the package sent to its own hosts. */
const sent: { url: string; headers: Headers }[] = []
beforeAll(() => {
  const redirected = (input: string | URL | Request, init: RequestInit = {}) => {
    const url = String(input)
    const host = Object.values(HOSTS).find(host => url.startsWith(host))
    if (host === undefined) return real(input, init)
    sent.push({ url, headers: new Headers(init.headers) })
    return real(gateway.address() + url.slice(host.length), init)
  }
  globalThis.fetch = Object.assign(redirected, { preconnect: real.preconnect })
})
afterAll(() => {
  globalThis.fetch = real
})

type Settings = Parameters<typeof createWorkersAI>[0]
const env = (token = TOKEN) => createAI({ url: gateway.address(), token }) as never
const ways: Record<string, (token?: string) => Settings> = {
  'its host for gateways': (token = TOKEN) => ({ accountId: 'home', apiKey: token, gateway: { id: 'default' } }),
  'its host for the API': (token = TOKEN) => ({ accountId: 'home', apiKey: token }),
  'postern/binding': (token = TOKEN) => ({ binding: env(token) }),
  'postern/binding with a gateway': (token = TOKEN) => ({ binding: env(token), gateway: { id: 'team' } }),
}
const ask = (model: unknown) => ({ model: model as LanguageModel, prompt: 'Where?', maxRetries: 0 }) as const
const faultOf = (said: PromiseLike<unknown>) => Promise.resolve(said).catch((fault: unknown) => fault)
const key = () => gateway.arrived().headers.get('authorization')

describe.each(Object.entries(ways))('models that Cloudflare hosts, by %s', (name, way) => {
  test('text', async () => {
    const { text, usage } = await generateText(ask(createWorkersAI(way())(LLAMA)))
    expect(text).toBe(TEXT)
    expect([usage.inputTokens, usage.outputTokens]).toEqual([11, 7])
    const { path, body } = gateway.arrived()
    expect(path).toBe(`/workers/ai/run/${LLAMA}`)
    expect(body).toMatchObject({ messages: [{ role: 'user' }] })
    expect(key()).toBe(`Bearer ${STORED}`)
  })

  test('a stream', async () => {
    const { textStream, usage } = streamText(ask(createWorkersAI(way())(LLAMA)))
    expect((await Array.fromAsync(textStream)).join('')).toBe(TEXT)
    expect((await usage).inputTokens).toBe(11)
    expect(gateway.arrived().body).toMatchObject({ stream: true })
  })

  test('a tool', async () => {
    gateway.next(() => result({ response: null, tool_calls: [{ name: CALL.name, arguments: CALL.input }], usage }))
    const look = tool({
      inputSchema: jsonSchema<{ place: string }>({ type: 'object', properties: { place: { type: 'string' } } }),
      execute: ({ place }) => `${place}: one heron`,
    })
    const model = createWorkersAI(way())(LLAMA)
    const { text, steps } = await generateText({ ...ask(model), tools: { look }, stopWhen: isStepCount(2) })
    expect(steps[0]?.toolCalls).toMatchObject([{ toolName: CALL.name, input: CALL.input }])
    expect(text).toBe(TEXT)
    expect(gateway.arrived().text).toContain('pond: one heron')
  })

  test('embeddings', async () => {
    const model = createWorkersAI(way()).embedding('@cf/baai/bge-heron' as never)
    const { embeddings } = await embedMany({ model: model as never, values: ['heron', 'reed'], maxRetries: 0 })
    expect(embeddings).toEqual([
      [0.5, -0.25],
      [0.125, 1],
    ])
    expect(gateway.arrived().body).toEqual({ text: ['heron', 'reed'] })
  })

  test('an image', async () => {
    // By its hosts the package reads JSON alone.
    const models = name.startsWith('postern') ? ['@cf/paint/heron', '@cf/paint/heron-bytes'] : ['@cf/paint/heron']
    for (const id of models) {
      const model = createWorkersAI(way()).image(id as never)
      const { image } = await generateImage({ model: model as never, prompt: 'a heron', maxRetries: 0 })
      expect(image.uint8Array).toEqual(SOUND)
    }
  })

  test('speech', async () => {
    const model = createWorkersAI(way()).speech('@cf/voice/heron' as never)
    const { audio } = await generateSpeech({ model: model as never, text: 'Kraak.', maxRetries: 0 })
    expect(audio.uint8Array).toEqual(SOUND)
  })

  test('a transcription', async () => {
    for (const id of ['@cf/openai/whisper-heron', '@cf/deepgram/nova-3']) {
      const model = createWorkersAI(way()).transcription(id as never)
      const { text } = await transcribe({ model: model as never, audio: SOUND, maxRetries: 0 })
      expect(text).toBe('Kraak.')
      expect(gateway.arrived().path).toBe(`/workers/ai/run/${id}`)
      expect(key()).toBe(`Bearer ${STORED}`)
    }
  })

  test('a ranking', async () => {
    const model = createWorkersAI(way()).reranking('@cf/baai/rerank-heron' as never)
    const { ranking } = await rerank({
      model: model as never,
      query: 'heron',
      documents: ['duck', 'heron'],
      maxRetries: 0,
    })
    expect(ranking.map(({ originalIndex }) => originalIndex)).toEqual([1, 0])
  })

  test('out of capacity: an error that may be tried again', async () => {
    const errors = [{ code: 3040, message: 'Capacity temporarily exceeded, please try again.' }]
    gateway.next(() => Response.json({ result: null, success: false, errors, messages: [] }, { status: 429 }))
    const fault = await faultOf(generateText(ask(createWorkersAI(way())(LLAMA))))
    expect(APICallError.isInstance(fault)).toBe(true)
    expect(fault).toMatchObject({
      statusCode: 429,
      isRetryable: true,
      message: expect.stringContaining('Capacity temporarily exceeded'),
    })
  })

  test('a wrong token is an error, and nothing goes up', async () => {
    const before = gateway.count()
    const fault = await faultOf(generateText(ask(createWorkersAI(way('wrong'))(LLAMA))))
    expect(APICallError.isInstance(fault)).toBe(true)
    expect(fault).toMatchObject({ isRetryable: false })
    expect(gateway.count()).toBe(before)
  })
})

test('what is set for the gateway is a header, what it does not know a parameter', async () => {
  const settings = { id: 'default', skipCache: true, cacheTtl: 60, cacheKey: 'herons', metadata: { team: 'herons' } }
  const model = createWorkersAI({ accountId: 'home', apiKey: TOKEN, gateway: settings })(LLAMA, {
    sessionAffinity: 'one-pond',
    feather: 'grey',
  } as never)
  expect((await generateText(ask(model))).text).toBe(TEXT)
  const { url, headers } = sent.at(-1)!
  expect(url).toBe(`${HOSTS.gateway}/v1/home/default/workers-ai/run/${LLAMA}?feather=grey`)
  expect(headers.toJSON()).toMatchObject({
    'cf-aig-skip-cache': 'true',
    'cf-aig-cache-ttl': '60',
    'cf-aig-cache-key': 'herons',
    'cf-aig-metadata': '{"team":"herons"}',
  })
  expect(gateway.arrived().path).toBe(`/workers/ai/run/${LLAMA}?feather=grey`)
  expect(gateway.arrived().headers.get('x-session-affinity')).toBe('one-pond')
})

describe('models of others, by postern/binding', () => {
  const workersai = createWorkersAI
  const providers = [openai, anthropic, google]
  const all = () => workersai({ binding: env(), providers })

  test.each([
    ['openai/gpt-heron', '/openai/v1/chat/completions'],
    ['anthropic/claude-heron', '/anthropic/v1/messages'],
    ['google/gemini-heron', '/google/v1beta/models/gemini-heron:generateContent'],
    ['xai/grok-heron', '/grok/v1/chat/completions'],
    ['deepseek/deepseek-heron', '/deepseek/chat/completions'],
  ])('%s runs: text and a stream', async (id, path) => {
    const { text, usage } = await generateText(ask(all()(id as never)))
    expect(text).toBe(TEXT)
    expect([usage.inputTokens, usage.outputTokens]).toEqual([11, 7])
    expect(gateway.arrived().path).toBe(path)
    expect((await Array.fromAsync(streamText(ask(all()(id as never))).textStream)).join('')).toBe(TEXT)
  })

  test('without any provider’s package: OpenAI’s chat', async () => {
    const { text } = await generateText(ask(workersai({ binding: env() })('openai/gpt-heron' as never)))
    expect(text).toBe(TEXT)
  })

  test.each([
    ['openai/gpt-heron', '/openai/v1/chat/completions'],
    ['anthropic/claude-heron', '/anthropic/v1/messages'],
    ['google/gemini-heron', '/google/v1beta/models/gemini-heron:generateContent'],
    ['mistral/mistral-heron', '/mistral/v1/chat/completions'],
  ])('%s through the gateway, with settings', async (id, path) => {
    const dispatched: DispatchInfo[] = []
    const settings = {
      transport: 'gateway',
      skipCache: true,
      onDispatch: (info: DispatchInfo) => dispatched.push(info),
    }
    // It says that such a call cannot be taken up again.
    const warned = spyOn(console, 'warn').mockImplementation(() => {})
    const { text } = await generateText(ask(all()(id as never, settings as never)))
    warned.mockRestore()
    expect(text).toBe(TEXT)
    expect(gateway.arrived().path).toBe(path)
    expect(JSON.stringify(gateway.arrived().headers.toJSON())).not.toContain('unused')
    expect(dispatched).toMatchObject([{ transport: 'gateway', status: 200, cfStep: '0' }])
  })

  const busy = () => Response.json({ error: { message: 'overloaded' } }, { status: 503 })

  test.each([
    ['of the same provider', 'openai/gpt-reed', '/openai/v1/chat/completions'],
    ['of another', 'anthropic/claude-heron', '/anthropic/v1/messages'],
  ])('the gateway falls back to a model %s', async (_, second, path) => {
    gateway.next(busy)
    let step: string | null = null
    const settings = {
      fallback: { mode: 'server', models: [second] },
      onDispatch: ({ cfStep }: DispatchInfo) => {
        step = cfStep
      },
    }
    const warned = spyOn(console, 'warn').mockImplementation(() => {})
    const { text } = await generateText(ask(all()('openai/gpt-heron' as never, settings as never)))
    warned.mockRestore()
    expect({ text, step: step as string | null }).toEqual({ text: TEXT, step: '1' })
    const { path: arrived, body } = gateway.arrived()
    expect([arrived, body.model]).toEqual([path, second.split('/')[1]])
  })

  test('the client falls back, and tells both failures when there is nobody left', async () => {
    const settings = { fallback: { mode: 'client', models: ['anthropic/claude-heron'] } }
    gateway.next(busy)
    expect((await generateText(ask(all()('openai/gpt-heron' as never, settings as never)))).text).toBe(TEXT)
    gateway.next(busy, refusal)
    const fault = await faultOf(generateText(ask(all()('openai/gpt-heron' as never, settings as never))))
    expect(fault).toBeInstanceOf(WorkersAIFallbackError)
    expect((fault as WorkersAIFallbackError).attempts).toMatchObject([{ status: 503 }, { status: 429 }])
  })

  test('a provider’s own package over the gateway, with its placeholder and with a key', async () => {
    const config = { binding: env(), gateway: 'default' }
    const { text } = await generateText(ask(createGatewayProvider(createOpenAI, config)('gpt-heron')))
    expect(text).toBe(TEXT)
    expect([gateway.arrived().path, key()]).toEqual(['/openai/v1/responses', `Bearer ${STORED}`])
    const own = createOpenAI({ apiKey: OWN, fetch: createGatewayFetch({ ...config, byok: true }) })
    expect((await generateText(ask(own.chat('gpt-heron')))).text).toBe(TEXT)
    expect(key()).toBe(`Bearer ${OWN}`)
  })

  test.each(['openai/gpt-heron', 'anthropic/claude-heron'])('%s: the status of an error arrives', async id => {
    gateway.next(refusal)
    const fault = await faultOf(generateText(ask(all()(id as never))))
    expect(fault).toMatchObject({ statusCode: 429, isRetryable: true })
  })
})
