import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../src/conversation/conversation.ts'
import type { Usage } from '../../../src/conversation/reply.ts'
import { readAlong, readValue, type WatchedFormat, watchOf } from '../../../src/dialects/watched/index.ts'
import { keptOf } from '../../../src/stream/tap.ts'

/** What can be charged is read from each format that is not translated. */

const LONG = 'x'.repeat(100_000)
const tokens = { input_tokens: 11, output_tokens: 7, total_tokens: 18 }
const COUNTS = { input: 11, output: 7, source: 'reported' }
const NOTHING = { input: 0, output: 0, source: 'reported' }

const usageOf = (format: WatchedFormat, answer: JsonObject) => readValue(watchOf(format), answer).usage
/** Of an answer of which the middle was not kept. */
const usageOfCut = (format: WatchedFormat, answer: JsonObject) =>
  readAlong(watchOf(format), keptOf(Buffer.from(JSON.stringify(answer))), 'json').usage
const usageOfStream = (format: WatchedFormat, ...messages: JsonObject[]) => {
  const text = messages.map(message => `data: ${JSON.stringify(message)}\n\n`).join('')
  return readAlong(watchOf(format), keptOf(Buffer.from(text)), 'sse').usage
}

describe('openai-responses', () => {
  const output = [
    { type: 'web_search_call', action: { type: 'search', query: 'herons' } },
    { type: 'web_search_call', action: { type: 'open_page', url: 'https://herons.example' } },
    { type: 'web_search_call', status: 'completed' },
    { type: 'file_search_call', queries: ['a', 'b'] },
    { type: 'message', content: [] },
  ]
  const response = { id: 'r', model: 'm', output, usage: tokens, service_tier: 'priority' }
  const expected = { ...COUNTS, tier: 'priority', webSearches: 2, fileSearches: 1 } as Usage

  test('searches and the tier', () => expect(usageOf('openai-responses', response)).toEqual(expected))

  test('in the last message of a stream', () => {
    const created = { type: 'response.created', response: { ...response, service_tier: 'auto', usage: null } }
    const completed = { type: 'response.completed', response }
    expect(usageOfStream('openai-responses', created, completed)).toEqual(expected)
  })

  test('what a tool counted itself is known of a long answer too', () => {
    const tool_usage = { image_gen: { input_tokens: 1 }, web_search: { num_requests: 4 } }
    const long = { model: 'm', output: [{ text: LONG }], service_tier: 'flex', tool_usage, usage: tokens }
    expect(usageOfCut('openai-responses', long)).toEqual({ ...COUNTS, tier: 'flex', webSearches: 4 } as Usage)
  })

  test('the usage of xAI has the last word', () => {
    const server_side_tool_usage_details = { web_search_calls: 1, x_search_calls: 0, file_search_calls: 3 }
    const usage = { ...tokens, server_side_tool_usage_details }
    expect(usageOf('openai-responses', { ...response, usage })).toMatchObject({ webSearches: 1, fileSearches: 3 })
  })
})

describe('openai-images', () => {
  const data = [{ b64_json: 'aGVyb24=' }, { b64_json: 'aGVyb24=' }]

  test('tokens of pictures and of words', () => {
    const input_tokens_details = { image_tokens: 6, text_tokens: 5 }
    const counted = usageOf('openai-images', { data, usage: { ...tokens, input_tokens_details } })
    expect(counted).toMatchObject({ ...COUNTS, imageInput: 6, imageOutput: 7, images: 2 } as Usage)
    const output_tokens_details = { image_tokens: 4, text_tokens: 3 }
    expect(usageOf('openai-images', { data, usage: { ...tokens, output_tokens_details } })?.imageOutput).toBe(4)
  })

  test('models without tokens are counted by the piece', () => {
    expect(usageOf('openai-images', { created: 1, data })).toEqual({ ...NOTHING, images: 2 } as Usage)
    expect(usageOf('openai-images', { created: 1, data: [] })).toBeUndefined()
    expect(usageOf('openai-images', { error: { message: 'no' } })).toBeUndefined()
  })

  test('a stream makes one, and its drafts are none', () => {
    const draft = { type: 'image_generation.partial_image', b64_json: 'aGVy' }
    const last = { type: 'image_generation.completed', b64_json: 'aGVyb24=', usage: tokens }
    expect(usageOfStream('openai-images', draft, last)).toMatchObject({ output: 7, images: 1 })
    expect(usageOfStream('openai-images', draft, draft)).toBeUndefined()
  })
})

describe('openai-transcriptions', () => {
  const seconds = (n: number) => ({ ...NOTHING, seconds: n }) as Usage
  test.each<[string, JsonObject, Usage | undefined]>([
    ['by the second', { usage: { type: 'duration', seconds: 7.5 } }, seconds(7.5)],
    ['at length, by the second', { duration: 8.25, usage: { type: 'duration', seconds: 9 } }, seconds(9)],
    ['at length, without usage', { duration: 8.25, segments: [{ duration: 1 }] }, seconds(8.25)],
    ['at length, in words', { duration: '8.25' }, seconds(8.25)],
    ['with nothing to count', { text: 'Heron.' }, undefined],
    ['with a duration that is none', { duration: 'long' }, undefined],
  ])('%s', (_, answer, expected) => {
    expect(usageOf('openai-transcriptions', { text: 'Heron.', ...answer })).toEqual(expected!)
  })

  test('Mistral’s, by the second and by the token', () => {
    const usage = { prompt_audio_seconds: 203, prompt_tokens: 4, completion_tokens: 635, total_tokens: 3_264 }
    const expected = { input: 4, output: 635, seconds: 203 }
    expect(usageOf('openai-transcriptions', { text: 'Heron.', usage })).toMatchObject(expected)
    expect(usageOfStream('openai-transcriptions', { type: 'transcription.done', usage })).toMatchObject(expected)
  })
})

test('openai-speech: what is written is sound', () => {
  expect(usageOfStream('openai-speech', { type: 'speech.audio.done', usage: tokens })).toEqual({
    ...COUNTS,
    audioOutput: 7,
  } as Usage)
})

test.each<[string, JsonObject]>([
  ['Voyage', { total_tokens: 23 }],
  ['OpenAI', { prompt_tokens: 23, total_tokens: 23 }],
  ['servers that say null', { prompt_tokens: 23, completion_tokens: null, total_tokens: 23 }],
])('openai-embeddings of %s', (_, usage) => {
  expect(usageOf('openai-embeddings', { data: [], usage })).toEqual({ input: 23, output: 0, source: 'reported' })
})

describe('cohere-meta', () => {
  test('a ranking is charged by the search', () => {
    const meta = { api_version: { version: '2' }, billed_units: { search_units: 2 } }
    expect(usageOf('cohere-meta', { results: [], meta })).toMatchObject({ input: 0, rerankSearches: 2 })
  })

  test('others who rank count tokens', () => {
    const answer = { data: [], model: 'rerank-2.5', usage: { total_tokens: 26 } }
    expect(readValue(watchOf('cohere-meta'), answer)).toMatchObject({
      model: 'rerank-2.5',
      usage: { input: 26, output: 0 },
    })
  })

  test('what is charged stands beside what was read', () => {
    const meta = { billed_units: { input_tokens: 9, output_tokens: 3 }, tokens: { input_tokens: 75, output_tokens: 4 } }
    expect(usageOf('cohere-meta', { text: '', meta })).toMatchObject({
      input: 75,
      output: 4,
      billedInput: 9,
      billedOutput: 3,
    })
  })
})

describe('vertex-predict', () => {
  const embedded = (token_count: number, values: number[] = [0.5]) => ({
    embeddings: { values, statistics: { token_count, truncated: false } },
  })
  const metadata = { billableCharacterCount: 60 }

  test('texts are counted one by one', () => {
    const answer = { predictions: [embedded(4), embedded(8)], metadata }
    expect(usageOf('vertex-predict', answer)).toEqual({ input: 12, output: 0, characters: 60, source: 'reported' })
  })

  test('of a long answer the characters tell how much it was, roughly', () => {
    const many = Array.from({ length: 3_000 }, () => 0.123_456)
    const predictions = [embedded(4, many), embedded(5, many), embedded(6, many)]
    const expected = { input: 15, output: 0, characters: 60, source: 'estimated' } as Usage
    expect(usageOfCut('vertex-predict', { predictions, metadata })).toEqual(expected)
    expect(usageOfCut('vertex-predict', { predictions: [embedded(6, [...many, ...many])] })).toEqual({
      input: 6,
      output: 0,
      source: 'estimated',
    })
  })

  test('pictures are counted by the piece, and other predictions not at all', () => {
    const picture = { mimeType: 'image/png', bytesBase64Encoded: 'aGVyb24=' }
    expect(usageOf('vertex-predict', { predictions: [picture, picture] })).toEqual({ ...NOTHING, images: 2 } as Usage)
    expect(usageOf('vertex-predict', { predictions: [[0.5], null, 'x'] })).toBeUndefined()
  })
})

describe('mistral-ocr', () => {
  const usage_info = { pages_processed: 3, doc_size_bytes: 900 }

  test('pages', () => {
    const answer = { pages: [], usage_info, document_annotation: null }
    expect(usageOf('mistral-ocr', answer)).toEqual({ ...NOTHING, pages: 3 } as Usage)
  })

  test('with annotations, of a long answer', () => {
    const answer = { pages: [{ markdown: LONG }], model: 'm', document_annotation: '{"title":"Herons"}', usage_info }
    expect(usageOfCut('mistral-ocr', answer)).toEqual({ ...NOTHING, pages: 3, annotatedPages: 3 } as Usage)
  })
})

test('bedrock-invoke: the header tells the tier, whoever counted', () => {
  const { headers } = watchOf('bedrock-invoke')
  const counts = { 'x-amzn-bedrock-input-token-count': '11', 'x-amzn-bedrock-output-token-count': '7' }
  const tier = { 'x-amzn-bedrock-service-tier': 'flex' }
  expect(headers!(new Headers({ ...counts, ...tier }))).toEqual({ ...COUNTS, tier: 'flex' } as Usage)
  expect(headers!(new Headers(counts))).toEqual(COUNTS as Usage)
  const usage: Usage = { input: 5, output: 6, source: 'reported' }
  expect(headers!(new Headers({ ...counts, ...tier }), usage)).toEqual({ ...usage, tier: 'flex' })
  expect(headers!(new Headers(tier))).toBeUndefined()
})

test('the tier of a stream may be told before its counts only', () => {
  const head = { model: 'm', service_tier: 'flex', choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }
  const usage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }
  expect(usageOfStream('openai-chat', head, { choices: [], usage })).toEqual({ ...COUNTS, tier: 'flex' } as Usage)
  expect(usageOfStream('openai-chat', head, { choices: [], usage, service_tier: 'default' })?.tier).toBe('default')
})

test('counts that nobody can reckon with are none', () => {
  expect(usageOf('openai-transcriptions', { usage: { type: 'duration', seconds: -1 } })).toBeUndefined()
  expect(usageOf('mistral-ocr', { usage_info: { pages_processed: '3' } })).toBeUndefined()
})
