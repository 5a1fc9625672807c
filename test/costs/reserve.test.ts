import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { costOf } from '../../src/costs/cost.ts'
import { countTokens } from '../../src/costs/count-tokens.ts'
import type { Price } from '../../src/costs/price.ts'
import { promptBound, tokensAtMost } from '../../src/costs/prompt-bound.ts'
import { estimateUpperBound } from '../../src/costs/reserve.ts'

const price: Price = {
  source: 'list',
  rates: { input: 3_000_000, output: 15_000_000, cacheRead: 300_000, cacheWrite: 3_750_000, cacheWrite1h: 6_000_000 },
  longContext: [{ above: 200_000, rates: { input: 6_000_000, output: 22_500_000 } }],
  contextWindow: 1_000_000,
}
const bound = (body: unknown) => promptBound(body, JSON.stringify(body).length)
const text = (tokens: number) => ({ text: tokens, media: 0, hour: false })

describe('what a request may cost at most', () => {
  test('the prompt at the price of writing it to the cache, and the whole answer', () => {
    expect(estimateUpperBound(text(1_000), { maxTokens: 100 }, price)).toBe(1_000 * 3_750_000 + 100 * 15_000_000)
    expect(estimateUpperBound({ ...text(1_000), hour: true }, { maxTokens: 100 }, price)).toBe(
      1_000 * 6_000_000 + 100 * 15_000_000,
    )
  })

  test('every answer that is asked for, of 4,096 tokens where nobody limits it', () => {
    expect(estimateUpperBound(text(0), { answers: 3 }, price)).toBe(3 * 4_096 * 15_000_000)
    expect(estimateUpperBound(text(0), { maxTokens: 0, answers: 2 }, { ...price, rates: { image: 7 } })).toBe(14)
  })

  test('a long prompt at its own prices, and never more than the model takes', () => {
    const long = estimateUpperBound(text(300_000), { maxTokens: 0 }, price)
    expect(long).toBe(300_000 * 6_000_000)
    expect(estimateUpperBound(text(9_000_000), { maxTokens: 0 }, price)).toBe(1_000_000 * 6_000_000)
  })

  test('images and sound at the dearest of their prices', () => {
    const rates = { ...price.rates, audioInput: 32_000_000 }
    const prompt = { text: 10, media: 100, hour: false }
    expect(estimateUpperBound(prompt, { maxTokens: 0 }, { source: 'list', rates })).toBe(
      10 * 3_750_000 + 100 * 32_000_000,
    )
  })

  test('a flat price is itself', () => {
    expect(estimateUpperBound(text(1_000), {}, { source: 'header', rates: { request: 5 }, flat: true })).toBe(5)
  })

  test('no request within the bound costs more', () => {
    fc.assert(
      fc.property(fc.nat(400_000), fc.nat(10_000), fc.nat(400_000), fc.nat(400_000), (input, output, read, written) => {
        const usage = { input, output, cacheRead: read, cacheWrite: written, source: 'reported' as const }
        expect(costOf(usage, price).pico).toBeLessThanOrEqual(
          estimateUpperBound(text(input), { maxTokens: output }, price),
        )
      }),
    )
  })
})

describe('how many tokens a prompt may have', () => {
  const random = (length: number, letters: string) => {
    let state = 7
    let made = ''
    while (made.length < length) {
      state = (state * 48_271) % 2_147_483_647
      made += letters[state % letters.length]
    }
    return made
  }

  test.each([
    ['English', 'The heron stands in the shallow water and waits, patiently, for a fish. '.repeat(20)],
    ['German', 'Die Donaudampfschifffahrtsgesellschaft beschäftigt übermäßig viele Kapitäne. '.repeat(20)],
    ['Russian', 'Цапля стоит на мелководье и терпеливо ждёт рыбу. '.repeat(20)],
    ['Arabic', 'يقف البلشون في الماء الضحل وينتظر بصبر. '.repeat(20)],
    ['Hindi', 'बगुला उथले पानी में खड़ा है और मछली की प्रतीक्षा करता है। '.repeat(20)],
    ['Chinese', '苍鹭站在浅水中，耐心地等待一条鱼。'.repeat(20)],
    ['Japanese', 'サギは浅瀬に立って、辛抱強く魚を待っている。'.repeat(20)],
    ['emoji', '🐟🎣👩‍👩‍👧‍👦🇨🇭'.repeat(30)],
    ['JSON', JSON.stringify(Array.from({ length: 40 }, (_, id) => ({ id, heronName: `h-${id}`, seen: id % 2 === 0 })))],
    ['code', 'for (let at = 0; at < birds.length; at++) {\n  if (birds[at] !== null) count += 1\n}\n'.repeat(20)],
    ['digits', random(2_000, '0123456789')],
    ['hexadecimal', random(2_000, '0123456789abcdef')],
    ['random words', random(2_000, 'abcdefghijklmnopqrstuvwxyz    ')],
    ['random capitals', random(2_000, 'ABCDEFGHIJKLMNOPQRSTUVWXYZ  ')],
    ['random signs', random(2_000, '!@#$%^&*()_+-=[]{};:,.<>/?|~')],
    ['white space', '\n\n  \t \n'.repeat(200)],
  ])('%s', async (_, sample) => {
    expect(tokensAtMost(sample)).toBeGreaterThanOrEqual(await countTokens(sample, 'gpt-5'))
    // By samples, too.
    const long = sample.repeat(Math.ceil(20_000 / sample.length))
    expect(tokensAtMost(long)).toBeGreaterThanOrEqual(await countTokens(long, 'gpt-5'))
  })

  test('is not far from the truth for prose', () => {
    const prose = 'The heron stands in the shallow water and waits, patiently, for a fish. '.repeat(20)
    expect(tokensAtMost(prose)).toBeLessThan(prose.length / 1.5)
  })

  test('counts messages, tools and names of members, and keeps room for what the provider adds', () => {
    const plain = bound({ messages: [{ role: 'user', content: 'Hi' }] })
    expect(plain.text).toBeGreaterThan(512)
    expect(plain).toMatchObject({ media: 0, hour: false })
    const tool = {
      name: 'measure_water_depth',
      parameters: { properties: { metres_below_surface: { type: 'number' } } },
    }
    expect(bound({ messages: [{ role: 'user', content: 'Hi' }], tools: [tool] }).text).toBeGreaterThan(plain.text + 30)
  })

  test('a file in the request is not text', () => {
    const data = random(400_000, 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/')
    for (const source of [data, `data:image/png;base64,${data}`]) {
      const { text, media } = bound({ image: source })
      expect(text).toBeLessThan(600)
      expect(media).toBe(32_768)
    }
  })

  test('sees that an hour in the cache is asked for', () => {
    const system = [{ type: 'text', text: 'Hi', cache_control: { type: 'ephemeral', ttl: '1h' } }]
    expect(bound({ system }).hour).toBeTrue()
    expect(bound({ system: [{ ...system[0], cache_control: { type: 'ephemeral', ttl: '5m' } }] }).hour).toBeFalse()
  })

  test('of a request with very many values the rest counts by its length', () => {
    const body = { input: Array.from({ length: 100_000 }, (_, at) => at) }
    const { text } = bound(body)
    expect(text).toBeGreaterThan(100_000)
    expect(text).toBeLessThan(1_000_000)
  })

  test('a deep request does not end the process', () => {
    let deep: unknown = 'end'
    for (let level = 0; level < 50_000; level++) deep = [deep]
    expect(promptBound(deep, 100_000).text).toBeGreaterThan(0)
  })
})
