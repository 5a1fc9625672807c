import { describe, expect, test } from 'bun:test'
import type { Conversation } from '../../src/conversation/conversation.ts'
import { Unsupported } from '../../src/conversation/errors.ts'
import { leftOut, type Word } from '../../src/dialects/left-out.ts'
import { conversation, thrown, weather } from './conversations.ts'

const image = (detail?: string): Partial<Conversation> => ({
  turns: [
    {
      role: 'user',
      parts: [{ type: 'image', source: { kind: 'url', url: 'https://a.example' }, ...(detail && { detail }) }],
    },
  ],
})
const left = (given: Partial<Conversation>, ...words: Word[]) => leftOut(conversation(given), 'Harbour', words)

describe('a field that the target has no word for is named, and only then', () => {
  test.each<[Word, Partial<Conversation>]>([
    ['min_p', { sampling: { minP: 0 } }],
    ['seed', { sampling: { seed: 0 } }],
    ['presence_penalty', { sampling: { presencePenalty: 0 } }],
    ['frequency_penalty', { sampling: { frequencyPenalty: 0 } }],
    ['user', { user: '' }],
    ['metadata', { metadata: {} }],
    ['prompt_cache_key', { promptCacheKey: 'k' }],
    ['verbosity', { verbosity: 'low' }],
    ['service_tier', { serviceTier: 'flex' }],
    ['parallel_tool_calls', { parallelToolCalls: false, tools: [weather] }],
    ['reasoning.exclude', { reasoning: { visible: false } }],
    ['messages[].name', { turns: [{ role: 'user', parts: [], name: 'Ada' }] }],
    ['cache_control', { tools: [{ ...weather, cache: {} }] }],
    ['cache_control', { turns: [{ role: 'user', parts: [{ type: 'text', text: 'a', cache: {} }] }] }],
    ['messages[].content[].image_url.detail', image('high')],
    [
      'messages[].content[].file.filename',
      { turns: [{ role: 'user', parts: [{ type: 'file', source: { kind: 'text', text: 'a' }, filename: 'a.txt' }] }] },
    ],
  ])('%s %j', (word, given) => {
    expect(left(given)).toEqual([word])
    expect(left(given, word)).toEqual([])
  })
})

test('what asks for nothing is not named', () => {
  const given: Partial<Conversation>[] = [
    {},
    { serviceTier: 'auto' },
    { serviceTier: 'default' },
    { parallelToolCalls: false },
    { parallelToolCalls: true, tools: [weather] },
    { reasoning: { visible: true } },
    { count: 1 },
    { sampling: { logprobs: false, logitBias: {} } },
    image(),
    image('auto'),
  ]
  for (const each of given) expect(left(each)).toEqual([])
})

describe('whose loss would change the answer is refused', () => {
  test.each<[string, Partial<Conversation>, Word | undefined]>([
    ['n', { count: 2 }, 'n'],
    ['logprobs', { sampling: { logprobs: true } }, 'logprobs'],
    ['top_logprobs', { sampling: { topLogprobs: 2 } }, 'logprobs'],
    ['logit_bias', { sampling: { logitBias: { 7: 1 } } }, undefined],
  ])('%s', (field, given, word) => {
    const fault = thrown(() => left(given)) as Unsupported
    expect(fault).toBeInstanceOf(Unsupported)
    expect(fault.field).toBe(field)
    expect(fault.message).toContain('Harbour')
    if (word) expect(left(given, word)).toEqual([])
  })
})
