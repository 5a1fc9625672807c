import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { createAI } from '../../src/binding/index.ts'
import { type ClientGateway, clientGateway, OWN, STORED, TEXT, TOKEN } from './client-gateway.ts'
import { CALL, callAnswer, refusal, textAnswer } from './provider-answers.ts'

/** What every version of `ai-gateway-provider` has to show against the executable (contract 14): each brings its own kit. */

/** What stands for options of the provider in every version. */
export interface Options {
  cacheKey?: string
  cacheTtl?: number
  skipCache?: boolean
  metadata?: Record<string, string | number | boolean | null | bigint>
  collectLog?: boolean
  eventId?: string
  requestTimeoutMs?: number
  retries?: { maxAttempts?: number; retryDelayMs?: number; backoff?: 'constant' | 'linear' | 'exponential' }
  byokAlias?: string
  zdr?: boolean
}

type Binding = { run(data: unknown, options?: { signal?: AbortSignal }): Promise<Response> }
export type Settings = ({ binding: Binding } | { accountId: string; gateway: string; apiKey?: string }) & {
  options?: Options
}

/** A model of that version's AI SDK: only the kit looks into it. */
type Model = unknown

export interface Said {
  text: string
  tokens: [number | undefined, number | undefined]
  /** Of the last answer. */
  headers?: Record<string, string>
  calls: { toolName: string; input: unknown }[]
}

/** A model by its factory in the package, with a placeholder for a key unless one is given. */
export interface ModelCase {
  make(apiKey?: string): Model
  path: string
  streamPath?: string
  /** The header in which this provider takes its key. */
  key: string
}

export interface Kit {
  wrap(settings: Settings, models: Model | Model[]): Model
  generate(model: Model): Promise<Said>
  stream(model: Model): Promise<Said>
  /** The same in two steps, with a tool that looks at a place. */
  look(model: Model): Promise<Said>
  lookInStream(model: Model): Promise<Said>
  models: Record<string, ModelCase>
  unified(id: string): Model
  doesNotExist: new () => Error
  unauthorized: new () => Error
  /** What the version's options look like as headers; its tests give it the same options. */
  optionHeaders: Record<string, string>
}

export const OPTIONS: Options = {
  cacheKey: 'herons',
  cacheTtl: 60,
  skipCache: true,
  metadata: { team: 'herons', count: 2 },
  collectLog: false,
  eventId: 'event-1',
  requestTimeoutMs: 30_000,
  retries: { maxAttempts: 2, retryDelayMs: 100, backoff: 'linear' },
}

/** The operator's other key for each provider, by the alias `research`. */
export const RESEARCH = 'another-key-of-the-operator'

const HOST = 'https://gateway.ai.cloudflare.com'

export interface Sent {
  url: string
  headers: Headers
  /** The list of steps. */
  steps: { provider: string; endpoint: string; headers: Record<string, string>; query: unknown }[]
}

/** Starts the executable for a version's tests, with every provider of the cases. */
export function startGateway(): ClientGateway {
  const keys = { default: STORED, research: RESEARCH }
  return clientGateway(
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
      },
      gateways: { open: { authentication: false } },
    }),
    seen => textAnswer(TEXT, seen),
    [RESEARCH],
  )
}

/** Runs the cases of every version. What the package sent to its host, which goes to the executable instead, is in the list. */
export function gatewayProviderCases(kit: Kit, gateway: ClientGateway): Sent[] {
  const sent: Sent[] = []
  const real = globalThis.fetch

  beforeAll(() => {
    const redirected = (input: string | URL | Request, init: RequestInit = {}) => {
      const url = String(input)
      if (url.startsWith(HOST) && typeof init.body === 'string')
        sent.push({ url, headers: new Headers(init.headers), steps: JSON.parse(init.body) as Sent['steps'] })
      return real(url.startsWith(HOST) ? gateway.address() + url.slice(HOST.length) : input, init)
    }
    globalThis.fetch = Object.assign(redirected, { preconnect: real.preconnect })
  })
  afterAll(() => {
    globalThis.fetch = real
  })

  /** The ways in which the package reaches a gateway that is not Cloudflare's (contract 14.1). */
  const ways: Record<string, (id?: string, token?: string) => Settings> = {
    'a binding that posts': (id = 'default', token = TOKEN) => ({
      binding: {
        run: (data, { signal } = {}) =>
          fetch(`${gateway.address()}/v1/home/${id}`, {
            method: 'POST',
            headers: { 'content-type': 'application/json', 'cf-aig-authorization': `Bearer ${token}` },
            body: JSON.stringify(data),
            signal,
          }),
      },
    }),
    'postern/binding': (id = 'default', token = TOKEN) => ({
      binding: createAI({ url: gateway.address(), token }).gateway(id),
    }),
    'its own host': (id = 'default', token = TOKEN) => ({ accountId: 'home', gateway: id, apiKey: token }),
  }

  const models = Object.entries(kit.models)
  const chat = (apiKey?: string) => kit.models['openai, Chat']!.make(apiKey)
  const claude = (apiKey?: string) => kit.models.anthropic!.make(apiKey)
  const faultOf = (said: Promise<unknown>) => said.catch((fault: unknown) => fault)
  const busy = () => Response.json({ error: { message: 'overloaded' } }, { status: 503 })

  describe.each(Object.entries(ways))('by %s', (_, way) => {
    describe.each(models)('%s', (_, { make, path, streamPath = path, key }) => {
      const scheme = key === 'authorization' ? 'Bearer ' : ''

      test('text, with the operator’s key in place of the placeholder', async () => {
        const { text, tokens } = await kit.generate(kit.wrap(way(), make()))
        expect({ text, tokens }).toEqual({ text: TEXT, tokens: [11, 7] })
        const { headers, path: arrived } = gateway.arrived()
        expect(arrived).toBe(path)
        expect(headers.get(key)).toBe(scheme + STORED)
        expect(JSON.stringify(headers.toJSON())).not.toContain('CF_TEMP_TOKEN')
      })

      test('a stream', async () => {
        expect((await kit.stream(kit.wrap(way(), make()))).text).toBe(TEXT)
        expect(gateway.arrived().path).toBe(streamPath)
      })

      test('the caller’s own key', async () => {
        await kit.generate(kit.wrap(way(), make(OWN)))
        expect(gateway.arrived().headers.get(key)).toBe(scheme + OWN)
      })
    })

    test('a tool is called, and its result goes up', async () => {
      for (const [run, model] of [
        [kit.look, chat],
        [kit.lookInStream, claude],
      ] as const) {
        gateway.next(callAnswer)
        const { text, calls } = await run(kit.wrap(way(), model()))
        expect(text).toBe(TEXT)
        expect(calls).toMatchObject([{ toolName: CALL.name, input: CALL.input }])
        expect(gateway.arrived().text).toContain('pond: one heron')
      }
    })

    test('the second of two models answers in its own format', async () => {
      const before = gateway.count()
      gateway.next(busy)
      const { text, headers } = await kit.generate(kit.wrap(way(), [chat(), claude()]))
      expect(text).toBe(TEXT)
      expect(headers?.['cf-aig-step']).toBe('1')
      const paths = gateway.seen().slice(before)
      expect(paths.map(({ path }) => path)).toEqual(['/openai/v1/chat/completions', '/anthropic/v1/messages'])
    })

    test('the second of two models streams', async () => {
      gateway.next(busy)
      expect((await kit.stream(kit.wrap(way(), [chat(), claude()]))).text).toBe(TEXT)
      expect(gateway.arrived().path).toBe('/anthropic/v1/messages')
    })

    test('when both fail, the error is that of the second', async () => {
      gateway.next(busy, refusal)
      const fault = await faultOf(kit.generate(kit.wrap(way(), [chat(), claude()])))
      expect(fault).toMatchObject({ statusCode: 429, isRetryable: true, message: 'Too many herons.' })
    })

    test('a provider that is asked again answers', async () => {
      const before = gateway.count()
      gateway.next(busy)
      const options: Options = { retries: { maxAttempts: 2, retryDelayMs: 100, backoff: 'constant' } }
      const { text, headers } = await kit.generate(kit.wrap({ ...way(), options }, [chat(), claude()]))
      expect([text, headers?.['cf-aig-step']]).toEqual([TEXT, '0'])
      const paths = gateway.seen().slice(before)
      expect(paths.map(({ path }) => path)).toEqual(['/openai/v1/chat/completions', '/openai/v1/chat/completions'])
    })

    test('one that takes too long makes way for the second', async () => {
      gateway.next(() => new Promise(() => {}))
      const settings = { ...way(), options: { requestTimeoutMs: 300 } }
      // Only the first is late: the second answers at once.
      const { text, headers } = await kit.generate(kit.wrap(settings, [chat(), claude()]))
      expect([text, headers?.['cf-aig-step']]).toEqual([TEXT, '1'])
    })

    test('a gateway that is not there: AiGatewayDoesNotExist', async () => {
      const before = gateway.count()
      expect(await faultOf(kit.generate(kit.wrap(way('nowhere'), chat())))).toBeInstanceOf(kit.doesNotExist)
      expect(await faultOf(kit.generate(kit.wrap(way('nowhere'), [chat(), claude()])))).toBeInstanceOf(kit.doesNotExist)
      expect(gateway.count()).toBe(before)
    })

    test('a wrong token: AiGatewayUnauthorizedError', async () => {
      const before = gateway.count()
      expect(await faultOf(kit.generate(kit.wrap(way('default', 'wrong'), chat())))).toBeInstanceOf(kit.unauthorized)
      expect(gateway.count()).toBe(before)
    })

    test('a gateway that is open needs no token, but a key of the caller’s own', async () => {
      const { text } = await kit.generate(kit.wrap(way('open', 'undefined'), chat(OWN)))
      expect(text).toBe(TEXT)
      expect(gateway.arrived().headers.get('authorization')).toBe(`Bearer ${OWN}`)
      const before = gateway.count()
      const fault = await faultOf(kit.generate(kit.wrap(way('open', 'undefined'), chat())))
      expect(fault).toMatchObject({ statusCode: 400 })
      expect(gateway.count()).toBe(before)
    })

    test('options are for the gateway alone', async () => {
      expect((await kit.generate(kit.wrap({ ...way(), options: OPTIONS }, chat()))).text).toBe(TEXT)
      const names = Object.keys(gateway.arrived().headers.toJSON())
      expect(names.filter(name => name.startsWith('cf-') || name.includes('cache'))).toEqual([])
    })

    test.each([
      ['openai/gpt-heron', '/openai/v1/chat/completions'],
      ['anthropic/claude-heron', '/anthropic/v1/messages'],
      ['google-ai-studio/gemini-heron', '/google/v1beta/models/gemini-heron:generateContent'],
    ])('unified: %s', async (id, path) => {
      const { text, tokens } = await kit.generate(kit.wrap(way(), kit.unified(id)))
      expect({ text, tokens }).toEqual({ text: TEXT, tokens: [11, 7] })
      expect(gateway.arrived().path).toBe(path)
      expect((await kit.stream(kit.wrap(way(), kit.unified(id)))).text).toBe(TEXT)
      gateway.next(callAnswer)
      expect(await kit.lookInStream(kit.wrap(way(), kit.unified(id)))).toMatchObject({
        text: TEXT,
        calls: [{ toolName: CALL.name, input: CALL.input }],
      })
    })

    test('unified stands beside a provider’s own', async () => {
      gateway.next(busy)
      const { text, headers } = await kit.generate(kit.wrap(way(), [claude(), kit.unified('openai/gpt-heron')]))
      expect([text, headers?.['cf-aig-step']]).toEqual([TEXT, '1'])
    })
  })

  describe('what it sends', () => {
    const byHost = ways['its own host']!

    test('options become headers of the request', async () => {
      await kit.generate(kit.wrap({ ...byHost(), options: OPTIONS }, chat()))
      const { headers } = sent.at(-1)!
      const named = Object.entries(headers.toJSON()).filter(([name]) => name.startsWith('cf-'))
      expect(Object.fromEntries(named)).toEqual({
        ...kit.optionHeaders,
        'cf-aig-authorization': `Bearer ${TOKEN}`,
      })
    })

    test('a list, and no key where the placeholder was', async () => {
      await kit.generate(kit.wrap(byHost(), [chat(), claude()]))
      const { url, steps } = sent.at(-1)!
      expect(url).toBe(`${HOST}/v1/home/default`)
      expect(steps.map(({ provider, endpoint }) => [provider, endpoint])).toEqual([
        ['openai', 'v1/chat/completions'],
        ['anthropic', 'v1/messages'],
      ])
      expect(JSON.stringify(steps)).not.toContain('CF_TEMP_TOKEN')
    })

    test('without a key "Bearer undefined": it opens what is open, and nothing else', async () => {
      const { text } = await kit.generate(kit.wrap({ accountId: 'home', gateway: 'open' }, chat(OWN)))
      expect(text).toBe(TEXT)
      expect(sent.at(-1)!.headers.get('cf-aig-authorization')).toBe('Bearer undefined')
      const closed = kit.generate(kit.wrap({ accountId: 'home', gateway: 'default' }, chat(OWN)))
      expect(await faultOf(closed)).toBeInstanceOf(kit.unauthorized)
    })

    test('another account: AiGatewayUnauthorizedError', async () => {
      const elsewhere = { ...byHost(), accountId: 'elsewhere' }
      expect(await faultOf(kit.generate(kit.wrap(elsewhere, chat())))).toBeInstanceOf(kit.unauthorized)
    })
  })
  return sent
}
