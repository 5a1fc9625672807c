import { describe, expect, test } from 'bun:test'
import { calcPrice } from '@pydantic/genai-prices'
import fc from 'fast-check'
import type { Price as FilePrice } from '../../src/config/schema.ts'
import { costOf } from '../../src/costs/cost.ts'
import { dollarsOf } from '../../src/costs/money.ts'
import { priceFor } from '../../src/costs/prices.ts'
import { builtIn } from '../../src/providers/index.ts'

const file = (prices: FilePrice) => ({ 'openai/gpt-4.1': prices })
const ask = async (prices: Record<string, FilePrice>, provider = 'openai', model = 'gpt-4.1', at?: string) =>
  priceFor(prices, `${provider}/${model}`, provider, model, at ? new Date(at) : undefined)

describe('the file’s prices', () => {
  test('both figures stand alone', async () => {
    expect(await ask(file({ input: 3, output: 0 }))).toEqual({
      source: 'file',
      rates: { input: 3_000_000, output: 0 },
    })
  })

  test('fewer are laid over the list’s', async () => {
    const [price, list] = [await ask(file({ input: 3, flex: 0.25 })), await ask({})]
    expect(price).toMatchObject({ source: 'file and list', rates: { input: 3_000_000, output: 8_000_000 } })
    expect(price!.rates.cacheRead).toBe(list!.rates.cacheRead!)
    expect(price!.factors).toEqual({ ...list!.factors, flex: [250, 1_000] })
  })

  test('also at the prices of long prompts', async () => {
    const price = await priceFor({ a: { output: 1 } }, 'a', 'anthropic', 'claude-sonnet-4-5')
    expect(price!.longContext).toMatchObject([{ above: 200_000, rates: { input: 6_000_000, output: 1_000_000 } }])
  })

  test('where the list knows nothing they are all there is', async () => {
    expect(await priceFor({ a: { image: 0.04, minute: 0.006 } }, 'a', 'custom-mine', 'm')).toEqual({
      source: 'file',
      rates: { image: 40_000_000_000, second: 100_000_000 },
    })
  })

  test('a long prompt’s own figures, in whatever order they were written', async () => {
    const price = await ask(
      file({
        input: 1,
        output: 2,
        cache_read: 0.1,
        long_context: [
          { above: 500, input: 4 },
          { above: 200, input: 3, output: 5 },
        ],
      }),
    )
    expect(price!.longContext).toEqual([
      { above: 200, rates: { input: 3_000_000, output: 5_000_000, cacheRead: 100_000 } },
      { above: 500, rates: { input: 4_000_000, output: 2_000_000, cacheRead: 100_000 } },
    ])
  })

  test('a name that every object has is no price', async () => {
    expect(await priceFor({}, 'constructor', 'x', 'y')).toBeUndefined()
  })
})

describe('the list', () => {
  test('is asked once: afterwards the answer is there at once, and the same', async () => {
    const first = await ask({})
    expect(priceFor({}, 'openai/gpt-4.1', 'openai', 'gpt-4.1')).toBe(first!)
    const prices = file({ input: 3, output: 1 })
    expect(await ask(prices)).toBe((await ask(prices))!)
    const over = file({ input: 3 })
    expect(await ask(over)).toBe((await ask(over))!)
  })

  test('undefined where nobody knows the model or the provider', async () => {
    expect(await ask({}, 'openai', 'no-such-model-anywhere')).toBeUndefined()
    expect(await ask({}, 'custom-mine', 'm')).toBeUndefined()
    expect(await ask({}, 'openai', 'x'.repeat(10_000))).toBeUndefined()
  })

  test('a provider of the operator’s own is not priced by its name', async () => {
    expect(await ask({}, 'custom-mistral', 'mistral-large-latest')).toBeUndefined()
    expect(await ask({}, 'custom-openai', 'gpt-4.1')).toBeUndefined()
  })

  test('Claude at other providers', async () => {
    expect((await ask({}, 'azure', 'claude-sonnet-4-5'))!.rates.input).toBe(3_000_000)
    expect((await ask({}, 'aws', 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'))!.rates.input).toBe(3_300_000)
  })

  test('prices that change on a day', async () => {
    const at = async (day: string) => (await ask({}, 'anthropic', 'claude-opus-4-6', day))!
    expect((await at('2026-03-12T23:59:59Z')).longContext?.[0]?.rates.output).toBe(37_500_000)
    expect((await at('2026-03-13T00:00:00Z')).longContext).toBeUndefined()
  })

  test('prices that change with the hour', async () => {
    const at = async (time: string) => (await ask({}, 'deepseek', 'deepseek-chat', `2025-06-01T${time}Z`))!.rates.output
    expect([await at('00:29:59'), await at('00:30:00'), await at('16:29:59'), await at('16:30:00')]).toEqual([
      550_000, 1_100_000, 1_100_000, 550_000,
    ])
  })

  test('knows every built-in provider under the name that its record gives', async () => {
    const unknown = new Set([
      'huggingface',
      'replicate',
      'parallel',
      'cartesia',
      'deepgram',
      'elevenlabs',
      'fal',
      'ideogram',
    ])
    const { findProvider } = await import('@pydantic/genai-prices')
    const missing = builtIn
      .filter(({ keyless, slug }) => !keyless && !unknown.has(slug))
      .filter(({ slug, priced = slug }) => findProvider({ providerId: priced })?.id !== priced)
    expect(missing.map(({ slug }) => slug)).toEqual([])
  })
})

/** The package's own arithmetic, in floating point, is the judge of how its list is read. */
test('costs what the list’s own package says', async () => {
  const models: [string, string][] = [
    ['openai', 'gpt-5.6-sol'],
    ['openai', 'gpt-realtime'],
    ['openai', 'gpt-image-1'],
    ['anthropic', 'claude-sonnet-4-5'],
    ['google', 'gemini-2.5-flash'],
    ['google', 'gemini-1.5-pro'],
    ['x-ai', 'grok-4.3'],
    ['perplexity', 'sonar-deep-research'],
    ['mistral', 'mistral-large-latest'],
    ['openrouter', 'google/gemini-3-flash-preview'],
  ]
  const tokens = fc.nat(100_000)
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...models),
      tokens,
      tokens,
      tokens,
      tokens,
      tokens,
      tokens,
      async (name, ...counts) => {
        const [plain, read, written, hour, audio, output] = counts as [number, number, number, number, number, number]
        const [provider, model] = name
        const timestamp = new Date('2026-11-01T12:00:00Z')
        const audioRead = Math.floor(Math.min(read, audio) / 2)
        const input = plain + read + written + hour + audio - audioRead
        const theirs = calcPrice(
          {
            input_tokens: input,
            cache_read_tokens: read,
            cache_write_tokens: written + hour,
            cache_write_1h_tokens: hour,
            input_audio_tokens: audio,
            cache_audio_read_tokens: audioRead,
            output_tokens: output,
            output_reasoning_tokens: Math.floor(output / 3),
          },
          model,
          { providerId: provider, timestamp },
        )!
        const ours = costOf(
          {
            input,
            output,
            cacheRead: read,
            cacheWrite: written + hour,
            cacheWrite1h: hour,
            audioInput: audio,
            audioCacheRead: audioRead,
            reasoning: Math.floor(output / 3),
            source: 'reported',
          },
          (await priceFor({}, '', provider, model, timestamp))!,
        )
        expect(dollarsOf(ours.pico)).toBeCloseTo(theirs.total_price, 9)
      },
    ),
  )
})
