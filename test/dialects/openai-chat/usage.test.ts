import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { costOf } from '../../../src/costs/cost.ts'
import { priceFor } from '../../../src/costs/prices.ts'
import type { Quirk } from '../../../src/dialects/dialect.ts'
import {
  cachedTokensElsewhere,
  countsBesideCompletion,
  usageThatAddsUp,
} from '../../../src/dialects/openai-chat/quirks.ts'
import type { WireUsage } from '../../../src/dialects/openai-chat/types.ts'
import { readUsage, writeUsage } from '../../../src/dialects/openai-chat/usage.ts'

/** Usage after the corrections of a provider. */
function corrected(usage: WireUsage, ...quirks: Quirk[]): WireUsage {
  const body = { choices: [], usage: structuredClone(usage) }
  for (const quirk of quirks) quirk.reply?.(body)
  return body.usage
}

const full = {
  prompt_tokens: 100,
  completion_tokens: 40,
  total_tokens: 140,
  prompt_tokens_details: {
    cached_tokens: 60,
    cache_write_tokens: 10,
    audio_tokens: 5,
    image_tokens: 3,
    video_tokens: 4,
    text_tokens: 35,
  },
  completion_tokens_details: {
    reasoning_tokens: 30,
    audio_tokens: 1,
    image_tokens: 2,
    accepted_prediction_tokens: 2,
  },
  cost: 0.5,
}

test('what is read is written again, what nobody knows included', () => {
  expect(readUsage(full)).toEqual({
    input: 100,
    output: 40,
    cacheRead: 60,
    cacheWrite: 10,
    audioInput: 5,
    imageInput: 3,
    videoInput: 4,
    reasoning: 30,
    audioOutput: 1,
    imageOutput: 2,
    source: 'reported',
    native: {
      cost: 0.5,
      prompt_tokens_details: { text_tokens: 35 },
      completion_tokens_details: { accepted_prediction_tokens: 2 },
    },
  })
  expect(writeUsage(readUsage(full)!)).toEqual(full)
})

test('T77 what was not told is left out rather than null', () => {
  expect(writeUsage({ input: 1, output: 2, source: 'reported' })).toEqual({
    prompt_tokens: 1,
    completion_tokens: 2,
    total_tokens: 3,
  })
  expect(writeUsage({ input: 1, output: 2, cacheRead: 0, source: 'reported' })).toMatchObject({
    prompt_tokens_details: { cached_tokens: 0 },
  })
})

test('T87 the shape: cached and written tokens are parts of the input, and charged once', () => {
  const usage = { input: 1_000, output: 0, cacheRead: 300, cacheWrite: 200, source: 'reported' as const }
  expect(writeUsage(usage)).toEqual({
    prompt_tokens: 1_000,
    completion_tokens: 0,
    total_tokens: 1_000,
    prompt_tokens_details: { cached_tokens: 300, cache_write_tokens: 200 },
  })
  const read = readUsage(writeUsage(usage))!
  expect(read.input - read.cacheRead! - read.cacheWrite!).toBe(500)
})

test('numbers that are not there yet are no usage (trap 45)', () => {
  for (const wire of [undefined, null, {}, { prompt_tokens: 5, completion_tokens: null }, { prompt_tokens: null }])
    expect(readUsage(wire)).toBeUndefined()
  expect(readUsage({ prompt_tokens: 5 })).toMatchObject({ input: 5, output: 0 })
})

describe('T94 prompt and completion make the total', () => {
  test('where a provider leaves the reasoning out of the completion (xAI)', () => {
    const wire = { prompt_tokens: 468, completion_tokens: 82, total_tokens: 870 }
    const usage = readUsage(corrected(wire, usageThatAddsUp))!
    expect(usage).toMatchObject({ input: 468, output: 402 })
  })

  test('where it does not, nothing changes', () => {
    expect(corrected(full, usageThatAddsUp)).toEqual(full)
    const partial = { prompt_tokens: 3 }
    expect(corrected(partial, usageThatAddsUp)).toEqual(partial)
  })

  test('in whatever is written', () => {
    fc.assert(
      fc.property(fc.nat(1_000), fc.nat(1_000), fc.option(fc.nat(1_000)), (input, output, cacheRead) => {
        const wire = writeUsage({ input, output, source: 'reported', ...(cacheRead !== null && { cacheRead }) })
        expect(Number(wire.prompt_tokens) + Number(wire.completion_tokens)).toBe(Number(wire.total_tokens))
      }),
    )
  })
})

describe('T92 cached tokens in places of their own', () => {
  test.each<[string, object, object]>([
    ['DeepSeek', { prompt_cache_hit_tokens: 12, prompt_cache_miss_tokens: 8 }, { cacheRead: 12 }],
    ['Together', { cached_tokens: 3 }, { cacheRead: 3 }],
    ['Mistral', { num_cached_tokens: 4 }, { cacheRead: 4 }],
    ['gateways', { cache_creation_input_tokens: 5 }, { cacheWrite: 5 }],
    ['gateways, in the details', { prompt_tokens_details: { cache_creation_tokens: 5 } }, { cacheWrite: 5 }],
    ['their own place goes first', { cached_tokens: 3, prompt_tokens_details: { cached_tokens: 9 } }, { cacheRead: 9 }],
  ])('%s', (_, given, expected) => {
    const wire = { prompt_tokens: 20, completion_tokens: 1, total_tokens: 21, ...given }
    expect(readUsage(corrected(wire, cachedTokensElsewhere))).toMatchObject({ input: 20, ...expected })
  })
})

test('parts of what was cached, where OpenAI tells them', () => {
  const details = { cached_tokens: 9, cached_tokens_details: { audio_tokens: 4, image_tokens: 2, text_tokens: 3 } }
  expect(readUsage({ prompt_tokens: 20, prompt_tokens_details: details })).toMatchObject({
    cacheRead: 9,
    audioCacheRead: 4,
    imageCacheRead: 2,
  })
})

test('the service tier stands beside the usage, and is a word', () => {
  expect(readUsage({ prompt_tokens: 1 }, 'flex')?.tier).toBe('flex')
  for (const tier of [undefined, null, 7]) expect('tier' in readUsage({ prompt_tokens: 1 }, tier)!).toBeFalse()
})

describe('searches of the provider’s own', () => {
  test.each<[string, object, object]>([
    ['Perplexity', { num_search_queries: 18 }, { webSearches: 18 }],
    ['xAI, by the source', { num_sources_used: 4 }, { webSearches: 4 }],
    [
      'xAI, by the tool',
      {
        num_sources_used: 0,
        server_side_tool_usage_details: {
          web_search_calls: 2,
          x_search_calls: 3,
          file_search_calls: 1,
          document_search_calls: 1,
        },
      },
      { webSearches: 5, fileSearches: 2 },
    ],
    ['OpenRouter', { server_tool_use: { web_search_requests: 1 } }, { webSearches: 1 }],
    ['Mistral, seconds of sound', { prompt_audio_seconds: 12 }, { seconds: 12 }],
    ['none', { num_sources_used: 0, server_side_tool_usage_details: null, prompt_audio_seconds: {} }, {}],
  ])('%s', (_, given, expected) => {
    const usage = readUsage({ prompt_tokens: 20, completion_tokens: 1, ...given })!
    const { input: __, output: ___, source: ____, native, ...others } = usage
    expect(others).toEqual(expected as typeof others)
    // The client is told in the provider's own words.
    expect(writeUsage(usage)).toMatchObject(native!)
  })
})

describe('Perplexity counts beside the completion', () => {
  const wire = { prompt_tokens: 33, completion_tokens: 7_163, total_tokens: 7_196 }
  const deep = { ...wire, citation_tokens: 20_016, num_search_queries: 18, reasoning_tokens: 73_997 }

  test('what it reasoned and quoted is part of the answer, once', () => {
    const once = corrected(deep, countsBesideCompletion)
    const usage = readUsage(corrected(once, countsBesideCompletion))!
    expect(usage).toMatchObject({ input: 33, output: 101_176, reasoning: 73_997, citation: 20_016, webSearches: 18 })
    expect(writeUsage(usage)).toMatchObject({
      completion_tokens: 101_176,
      total_tokens: 101_209,
      citation_tokens: 20_016,
    })
  })

  test('and each is charged at its own price', async () => {
    const price = (await priceFor({}, 'x', 'perplexity', 'sonar-deep-research'))!
    const { parts, unpriced } = costOf(readUsage(corrected(deep, countsBesideCompletion))!, price)
    expect(Object.fromEntries(parts.map(({ what, units }) => [what, units]))).toEqual({
      input: 33,
      output: 7_163,
      reasoning: 73_997,
      citation: 20_016,
      webSearch: 18,
    })
    expect(unpriced).toBeUndefined()
  })

  test('where there is none nothing changes', () => {
    expect(corrected(wire, countsBesideCompletion)).toEqual(wire)
  })
})

test('T96 a guess says that it is one', () => {
  expect(writeUsage({ input: 1, output: 2, source: 'estimated' }).estimated).toBeTrue()
  expect('estimated' in writeUsage({ input: 1, output: 2, source: 'reported' })).toBeFalse()
})
