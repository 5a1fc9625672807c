import { describe, expect, test } from 'bun:test'
import { gemini } from '../../../src/dialects/gemini/index.ts'
import type { GenerateContentResponse } from '../../../src/dialects/gemini/types.ts'
import { readUsage, searchesIn } from '../../../src/dialects/gemini/usage.ts'
import { readValue } from '../../../src/dialects/watched/index.ts'
import { find } from '../replay.ts'

const parts = (audio: number, image: number, video: number) => [
  { modality: 'TEXT', tokenCount: 5 },
  { modality: 'AUDIO', tokenCount: audio },
  { modality: 'IMAGE', tokenCount: image },
  { modality: 'VIDEO', tokenCount: video },
]

test('sound, pictures and film are counted apart, those from a cache too', () => {
  const usage = readUsage({
    promptTokenCount: 1_000,
    toolUsePromptTokenCount: 90,
    cachedContentTokenCount: 300,
    candidatesTokenCount: 100,
    promptTokensDetails: [...parts(200, 300, 400), { modality: 'DOCUMENT', tokenCount: 25 }],
    toolUsePromptTokensDetails: [{ modality: 'IMAGE', tokenCount: 75 }],
    cacheTokensDetails: parts(60, 70, 80),
    candidatesTokensDetails: parts(20, 30, 40),
  })
  expect(usage).toEqual({
    input: 1_090,
    output: 100,
    cacheRead: 300,
    audioInput: 200,
    imageInput: 400,
    videoInput: 400,
    audioOutput: 20,
    imageOutput: 30,
    videoOutput: 40,
    audioCacheRead: 60,
    imageCacheRead: 70,
    source: 'reported',
  })
})

test('embeddings spell their details in another way', () => {
  const promptTokenDetails = [{ modality: 'IMAGE', tokenCount: 258 }]
  expect(readUsage({ promptTokenCount: 258, promptTokenDetails })).toMatchObject({ input: 258, imageInput: 258 })
})

test('a modality that every object has a member for is no count', () => {
  const promptTokensDetails = [{ modality: 'constructor', tokenCount: 3 }]
  expect(readUsage({ promptTokenCount: 3, promptTokensDetails })).toEqual({ input: 3, output: 0, source: 'reported' })
})

describe('what an answer rests on', () => {
  const grounded = (modelVersion: string | undefined, webSearchQueries: string[]): GenerateContentResponse => ({
    ...(modelVersion && { modelVersion }),
    candidates: [{ groundingMetadata: { webSearchQueries } }],
  })

  test.each<[string | undefined, string[], number]>([
    ['gemini-2.5-flash', ['herons', 'tides'], 1],
    ['gemini-2.5-flash', [], 0],
    ['gemini-3-pro-preview', ['herons', 'tides', ''], 2],
    [undefined, ['herons', 'tides'], 2],
  ])('%p with %p is charged %p times', (model, queries, expected) => {
    expect(searchesIn(grounded(model, queries))).toBe(expected)
  })

  test('in a stream, whichever message tells it', () => {
    const reader = gemini.reader({ memory: {}, quirks: [] })
    const last = { candidates: [{ content: {}, finishReason: 'STOP' }], usageMetadata: { promptTokenCount: 3 } }
    const messages = [{ ...grounded('gemini-3-pro', ['herons']), usageMetadata: { promptTokenCount: 2 } }, last]
    const events = messages.flatMap(message => reader.read({ data: JSON.stringify(message) }))
    expect(find(events, 'usage').at(-1)?.usage).toMatchObject({ input: 3, webSearches: 1 })
  })

  test('read along with', () => {
    const answer = { ...grounded('gemini-3-pro', ['herons']), usageMetadata: { promptTokenCount: 2 } }
    expect(readValue(gemini.watch, answer).usage).toMatchObject({ input: 2, webSearches: 1 })
  })
})
