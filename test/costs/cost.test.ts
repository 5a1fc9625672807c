import { describe, expect, test } from 'bun:test'
import type { Price as FilePrice } from '../../src/config/schema.ts'
import type { Usage } from '../../src/conversation/reply.ts'
import { costOf } from '../../src/costs/cost.ts'
import { customCost } from '../../src/costs/custom-cost.ts'
import { estimateUsage } from '../../src/costs/estimate.ts'
import { dollarText } from '../../src/costs/money.ts'
import type { Price } from '../../src/costs/price.ts'
import { priceFor } from '../../src/costs/prices.ts'
import { anthropicMessages } from '../../src/dialects/anthropic-messages/index.ts'
import { inputIncludesCache } from '../../src/dialects/anthropic-messages/quirks.ts'
import { bedrockConverse } from '../../src/dialects/bedrock-converse/index.ts'
import type { Quirk, UpstreamDialect } from '../../src/dialects/dialect.ts'
import { gemini } from '../../src/dialects/gemini/index.ts'
import { openaiChat } from '../../src/dialects/openai-chat/index.ts'
import { grok } from '../../src/providers/grok.ts'
import { find, read } from '../dialects/replay.ts'

/** The last usage that a provider's own messages of a stream tell. */
function told(dialect: UpstreamDialect, messages: readonly object[], quirks: readonly Quirk[] = []): Usage {
  const frames = messages.map(message => ({ data: JSON.stringify(message) }))
  return find(read(dialect, frames, { quirks }), 'usage').at(-1)!.usage
}

/** The usage of a stream of Anthropic's: counts at its start, and those of its end. */
const claude = (start: object, end: object, quirks: readonly Quirk[] = []) =>
  told(
    anthropicMessages,
    [
      { type: 'message_start', message: { id: 'msg_heron', usage: start } },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: end },
      { type: 'message_stop' },
    ],
    quirks,
  )

const chunk = (usage: object, quirks: readonly Quirk[] = []) =>
  told(openaiChat, [{ id: 'c', object: 'chat.completion.chunk', choices: [], usage }], quirks)

const own = async (figures: FilePrice): Promise<Price> =>
  (await priceFor({ 'x/y': { input: 0, output: 0, ...figures } }, 'x/y', 'x', 'y'))!
const list = async (provider: string, model: string, at?: string): Promise<Price> =>
  (await priceFor({}, '', provider, model, at ? new Date(at) : undefined))!
const dollars = (usage: Usage, price: Price) => dollarText(costOf(usage, price).pico)
const used = (usage: Partial<Usage>): Usage => ({ input: 0, output: 0, source: 'reported', ...usage })
const lines = (usage: Usage, price: Price) =>
  Object.fromEntries(costOf(usage, price).parts.map(({ what, units }) => [what, units]))

describe('from a provider’s own words to dollars', () => {
  const openai = (input: number, read: number, written: number) =>
    chunk({
      prompt_tokens: input,
      completion_tokens: 0,
      prompt_tokens_details: { cached_tokens: read, cache_write_tokens: written },
    })

  test('T87 what was written to the cache is charged once', async () => {
    const price = await own({ input: 1, cache_read: 0.1, cache_write: 1.25 })
    expect(lines(openai(1_000, 300, 200), price)).toEqual({ input: 500, cacheRead: 300, cacheWrite: 200 })
    expect(dollars(openai(1_000_000, 300_000, 200_000), price)).toBe('0.78')
  })

  test('T87 without a price for writing, at the price of the prompt', async () => {
    const price = await own({ input: 1, cache_read: 0.1 })
    expect(dollars(openai(1_000_000, 300_000, 200_000), price)).toBe('0.73')
  })

  test('T88 Anthropic counts what was written to the cache apart', async () => {
    const usage = claude(
      { input_tokens: 3, cache_creation_input_tokens: 12_304, output_tokens: 1 },
      { output_tokens: 550 },
    )
    expect(dollars(usage, await list('anthropic', 'claude-sonnet-4-5'))).toBe('0.054399')
  })

  test('T89 Gemini counts what was cached inside the prompt', async () => {
    const usage = told(gemini, [
      {
        candidates: [{ content: { parts: [{ text: 'Ja.' }] }, finishReason: 'STOP' }],
        usageMetadata: {
          promptTokenCount: 262_960,
          cachedContentTokenCount: 257_955,
          candidatesTokenCount: 40,
          thoughtsTokenCount: 60,
          totalTokenCount: 263_060,
        },
      },
    ])
    // The prices of a long prompt, which it is only with its cached part.
    const price = await own({ long_context: [{ above: 200_000, input: 2.5, cache_read: 0.25, output: 15 }] })
    // 5,005 × 2.50 + 257,955 × 0.25 + 100 × 15
    expect(dollars(usage, price)).toBe('0.07850125')
  })

  test('T90 cached tokens of a stream', async () => {
    const usage = claude({ input_tokens: 4, cache_read_input_tokens: 2_455, output_tokens: 1 }, { output_tokens: 23 })
    const price = await own({ input: 0.8, output: 4, cache_read: 0.08, cache_write: 1 })
    expect(dollars(usage, price)).toBe('0.0002916')
  })

  test('T91 a server that counts the cache inside the input too is charged once', async () => {
    const start = { input_tokens: 346_362, cache_read_input_tokens: 173_056, output_tokens: 1 }
    const price = await own({ input: 1, cache_read: 0.1 })
    const usage = claude(start, { output_tokens: 1 }, [inputIncludesCache])
    expect(lines(usage, price)).toEqual({ input: 173_306, cacheRead: 173_056, output: 1 })
  })

  test('T92 xAI’s cached tokens of a stream, and reasoning that its output leaves out', async () => {
    const wire = {
      prompt_tokens: 10_000,
      completion_tokens: 100,
      total_tokens: 10_400,
      prompt_tokens_details: { text_tokens: 10_000, cached_tokens: 9_000 },
      completion_tokens_details: { reasoning_tokens: 300 },
    }
    const price = await list('x-ai', 'grok-4')
    // 1,000 × 3 + 9,000 × 0.75 + 400 × 15
    expect(dollars(chunk(wire, grok.quirks), price)).toBe('0.01575')
  })

  test('T93 an hour in the cache is dearer than five minutes', async () => {
    const usage = claude(
      {
        input_tokens: 10,
        cache_creation_input_tokens: 3_000,
        cache_creation: { ephemeral_5m_input_tokens: 1_000, ephemeral_1h_input_tokens: 2_000 },
        output_tokens: 1,
      },
      { output_tokens: 5 },
    )
    // 10 × 3 + 1,000 × 3.75 + 2,000 × 6 + 5 × 15
    expect(dollars(usage, await list('anthropic', 'claude-sonnet-4-5'))).toBe('0.015855')
  })

  test('T93 a long prompt is one with what was cached', async () => {
    const price = await list('anthropic', 'claude-sonnet-4-5')
    const at = (read: number) =>
      claude({ input_tokens: 1_000, cache_read_input_tokens: read, output_tokens: 1 }, { output_tokens: 10 })
    // 1,000 × 3 + 199,000 × 0.30 + 10 × 15, and one token more at the prices of long prompts.
    expect(dollars(at(199_000), price)).toBe('0.06285')
    expect(dollars(at(199_001), price)).toBe('0.1256256')
  })

  test('Bedrock counts the cache apart, and tells its hour', async () => {
    const usage = {
      inputTokens: 10,
      outputTokens: 5,
      cacheReadInputTokens: 100,
      cacheWriteInputTokens: 3_000,
      cacheDetails: [
        { ttl: '5m', inputTokens: 1_000 },
        { ttl: '1h', inputTokens: 2_000 },
      ],
    }
    const events = read(bedrockConverse, [{ event: 'metadata', data: JSON.stringify({ usage }) }])
    const price = await own({ input: 3, output: 15, cache_read: 0.3, cache_write: 3.75, cache_write_1h: 6 })
    // 10 × 3 + 100 × 0.30 + 1,000 × 3.75 + 2,000 × 6 + 5 × 15
    expect(dollars(find(events, 'usage').at(-1)!.usage, price)).toBe('0.015885')
  })
})

describe('classes of tokens', () => {
  test('sound, pictures and reasoning at prices of their own, those from the cache too', async () => {
    const price = await own({
      input: 4,
      output: 16,
      cache_read: 0.4,
      audio_input: 32,
      audio_cache_read: 0.5,
      audio_output: 64,
      image_input: 5,
      reasoning: 3,
    })
    const usage = used({
      input: 1_000,
      cacheRead: 300,
      audioInput: 400,
      audioCacheRead: 100,
      imageInput: 50,
      output: 200,
      audioOutput: 120,
      reasoning: 30,
    })
    expect(lines(usage, price)).toEqual({
      // 1,000 − 300 cached − 300 of sound − 50 of pictures
      input: 350,
      cacheRead: 200,
      audioCacheRead: 100,
      audioInput: 300,
      imageInput: 50,
      output: 50,
      audioOutput: 120,
      reasoning: 30,
    })
  })

  test('reasoning is plain output where it has no price', async () => {
    expect(lines(used({ output: 200, reasoning: 150 }), await own({ output: 1 }))).toEqual({ output: 200 })
  })

  test('what a provider says it charges goes before what was read and written', async () => {
    const usage = used({ input: 500, output: 60, billedInput: 12, billedOutput: 40 })
    expect(lines(usage, await own({ input: 1, output: 1 }))).toEqual({ input: 12, output: 40 })
  })

  test('parts that are said to be more than the whole are cut down to it, and nothing is negative', async () => {
    const price = await own({ input: 1, output: 1, audio_input: 9, audio_output: 9 })
    expect(lines(used({ input: 100, cacheRead: 80, cacheWrite: 50, audioInput: 90 }), price)).toEqual({
      cacheRead: 80,
      cacheWrite: 20,
    })
    expect(costOf(used({ input: -5, output: Number.NaN, cacheRead: -1 }), price)).toMatchObject({ pico: 0, parts: [] })
  })
})

describe('what is not counted in tokens', () => {
  test('each request, and searches', async () => {
    // Perplexity: 100 × 1 + 10 × 1, and 12 USD for a thousand requests.
    const sonar = await list('perplexity', 'sonar')
    expect(dollars(used({ input: 100, output: 10 }), sonar)).toBe('0.01211')
    const usage = used({ input: 1_000, output: 10, webSearches: 3 })
    // 1,000 × 3 + 10 × 15, and 10 USD for a thousand searches.
    expect(dollars(usage, await list('anthropic', 'claude-sonnet-4-5'))).toBe('0.03315')
  })

  test('seconds of sound, at least the seconds that are always charged', async () => {
    expect(dollars(used({ seconds: 90.5 }), await list('openai', 'whisper-1'))).toBe('0.00905')
    const groq = await list('groq', 'whisper-large-v3')
    expect(dollars(used({ seconds: 3 }), groq)).toBe('0.000308333333')
    expect(dollars(used({ seconds: 3600 }), groq)).toBe('0.111')
  })

  test('images, characters and pages of the file’s prices', async () => {
    expect(dollars(used({ images: 3 }), await own({ image: 0.04 }))).toBe('0.12')
    expect(dollars(used({ characters: 1_234 }), await own({ characters: 15 }))).toBe('0.01851')
    expect(dollars(used({ pages: 7, annotatedPages: 2 }), await own({ page: 0.001 }))).toBe('0.007')
    expect(dollars(used({ pages: 7, annotatedPages: 2 }), await list('mistral', 'mistral-ocr-2505'))).toBe('0.011')
  })

  test('what was used and has no price is named', async () => {
    const embedding = await list('openai', 'text-embedding-3-small')
    expect(costOf(used({ input: 10 }), embedding).unpriced).toBeUndefined()
    expect(costOf(used({ input: 10, output: 5, webSearches: 1 }), embedding).unpriced).toEqual(['output', 'webSearch'])
    // A count beside tokens that are charged is told, and costs nothing.
    expect(costOf(used({ input: 10, seconds: 4 }), embedding).unpriced).toBeUndefined()
    expect(costOf(used({ seconds: 4 }), embedding).unpriced).toEqual(['second'])
  })
})

describe('service tiers', () => {
  const usage = used({ input: 1_000_000, output: 100_000, webSearches: 1 })

  test.each([
    ['openai', 'gpt-5', 'flex', '1.135'],
    ['openai', 'gpt-5', 'batch', '1.135'],
    ['openai', 'gpt-5', 'priority', '4.51'],
    ['openai', 'gpt-5-mini', 'priority', '0.82'],
    ['openai', 'gpt-5', undefined, '2.26'],
    // Committed capacity has no price by the token.
    ['anthropic', 'claude-sonnet-4', 'priority', '4.51'],
  ] as const)('%s/%s %s', async (provider, model, tier, expected) => {
    const price = await list(provider, model)
    expect(dollarText(costOf(usage, price, { tier }).pico)).toBe(expected)
  })

  test('as the answer tells it', async () => {
    const price = await own({ input: 1, flex: 0.5, priority: 1.75 })
    const cost = (given: Partial<Usage>) => costOf(used({ input: 1_000_000, ...given }), price)
    expect(cost({ native: { service_tier: 'flex' } })).toMatchObject({ pico: 5e11, tier: 'flex' })
    expect(cost({ native: { trafficType: 'ON_DEMAND_PRIORITY' } })).toMatchObject({ pico: 1.75e12, tier: 'priority' })
    expect(cost({ tier: 'default' })).not.toHaveProperty('tier')
    expect(cost({ tier: 'flex', native: { service_tier: 'priority' } }).tier).toBe('flex')
  })
})

test('T96 a guess says that it is one', async () => {
  expect(costOf(estimateUsage(400, 40), await own({ input: 1 })).estimated).toBeTrue()
  expect(costOf(used({ input: 1 }), await own({ input: 1 }))).not.toHaveProperty('estimated')
})

test('the lines of a bill add up to it', async () => {
  const price = await own({ input: 3, output: 15, cache_read: 0.3 })
  const cost = costOf(used({ input: 70, cacheRead: 20, output: 9 }), price)
  expect(cost).toEqual({
    pico: 291_000_000,
    source: 'file',
    parts: [
      { what: 'input', units: 50, each: 3_000_000, pico: 150_000_000 },
      { what: 'cacheRead', units: 20, each: 300_000, pico: 6_000_000 },
      { what: 'output', units: 9, each: 15_000_000, pico: 135_000_000 },
    ],
  })
})

test('a million rows add up exactly', async () => {
  const price = await own({ input: 0.1, output: 0.2, cache_read: 0.07 })
  let all = 0n
  let expected = 0n
  for (let row = 0; row < 1_000_000; row++) {
    const input = row % 977
    const cacheRead = row % 13
    const output = row % 101
    all += BigInt(costOf({ input, output, cacheRead, source: 'reported' }, price).pico)
    expected += BigInt(
      (input - Math.min(cacheRead, input)) * 100_000 + Math.min(cacheRead, input) * 70_000 + output * 200_000,
    )
  }
  expect(all).toBe(expected)
  expect(dollarText(all)).toBe(dollarText(expected))
})

test('what the caller says it costs goes for everything', async () => {
  const usage = used({ input: 1_000, cacheRead: 400, output: 10, webSearches: 2 })
  const cost = costOf(usage, customCost('{"total_cost":0.25}'))
  expect(cost).toEqual({
    pico: 250_000_000_000,
    source: 'header',
    parts: [{ what: 'request', units: 1, each: 250_000_000_000, pico: 250_000_000_000 }],
  })
})
