import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../src/conversation/conversation.ts'
import type { Quirk } from '../../../src/dialects/dialect.ts'
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts'
import {
  callsDecideFinish,
  contentObject,
  contentParts,
  cumulativeMessage,
  duplicateText,
  everyHarmlessRepair,
  reasoningField,
  usageInXGroq,
} from '../../../src/dialects/openai-chat/quirks.ts'
import { corpus, replyOf } from '../corpus.ts'
import { find, read, textOf } from '../replay.ts'

/** Each fault as its provider sends it; what a usage needs stands in usage.test.ts. */
const chunk = (delta: object, more: JsonObject = {}, top: JsonObject = {}) => ({
  id: 'c1',
  created: 1_790_000_000,
  model: 'm',
  choices: [{ index: 0, delta, ...more }],
  ...top,
})
const stream = (quirk: Quirk, ...chunks: object[]) =>
  read(
    openaiChat,
    chunks.map(each => ({ data: JSON.stringify(each) })),
    { quirks: [quirk] },
  )
const whole = (quirk: Quirk, message: object, more: JsonObject = {}) =>
  openaiChat.readReply(
    { id: 'c1', created: 1_790_000_000, model: 'm', choices: [{ index: 0, message, finish_reason: 'stop', ...more }] },
    { memory: {}, quirks: [quirk] },
  )

describe('reasoning under the name of reasoning (Groq, Cerebras, OpenRouter; trap 36)', () => {
  test('in a stream', () => {
    const events = stream(reasoningField, chunk({ reasoning: 'Hm', channel: 'analysis' }), chunk({ content: 'Hi' }))
    expect(find(events, 'reasoning').map(event => event.text)).toEqual(['Hm'])
    expect(find(events, 'unknown').map(event => event.fields)).toEqual([{ channel: 'analysis' }])
  })

  test('in a whole answer', () => {
    expect(whole(reasoningField, { content: '42', reasoning: 'Hm' }).choices[0]!.parts).toEqual([
      { type: 'reasoning', text: 'Hm' },
      { type: 'text', text: '42' },
    ])
  })

  test('both names with one text are one', () => {
    const events = stream(reasoningField, chunk({ reasoning: 'Hm', reasoning_content: 'Hm' }))
    expect(find(events, 'reasoning')).toHaveLength(1)
  })

  test('null is none', () => {
    expect(find(stream(reasoningField, chunk({ reasoning: null, content: 'a' })), 'reasoning')).toEqual([])
  })
})

describe('usage in x_groq', () => {
  const usage = { prompt_tokens: 5, completion_tokens: 1, total_tokens: 6 }

  test('is the usage, asked for or not', () => {
    const events = stream(usageInXGroq, chunk({}, { finish_reason: 'stop' }, { x_groq: { id: 'r', usage } }))
    expect(find(events, 'usage').map(event => event.usage)).toMatchObject([{ input: 5, output: 1 }])
    expect(find(events, 'unknown').map(event => event.fields)).toEqual([{ x_groq: { id: 'r' } }])
  })

  test('does not take the place of one beside it', () => {
    const beside = { ...usage, prompt_tokens: 7, total_tokens: 8 }
    const events = stream(usageInXGroq, chunk({}, {}, { x_groq: { usage }, usage: beside }))
    expect(find(events, 'usage')[0]!.usage.input).toBe(7)
  })
})

test('Perplexity’s whole text so far is no part of the answer (trap 59)', () => {
  const say = (all: string, delta: string) =>
    chunk({ content: delta }, { message: { role: 'assistant', content: all } })
  const events = stream(cumulativeMessage, say('High', 'High'), say('High water', ' water'))
  expect(textOf(events)).toBe('High water')
  expect(find(events, 'unknown')).toEqual([])
})

describe('Together says things twice, and with numbers that JSON cannot hold (trap 15)', () => {
  test('in a stream', () => {
    const events = stream(duplicateText, chunk({ content: 'a', token_id: 12 }, { text: 'a', seed: 2 ** 60 }))
    expect(textOf(events)).toBe('a')
    expect(find(events, 'unknown')).toEqual([])
  })

  test('in a whole answer', () => {
    const { choices, unknown } = whole(duplicateText, { content: 'a' }, { text: 'a', seed: 2 ** 60 })
    expect(choices[0]).toEqual({ index: 0, parts: [{ type: 'text', text: 'a' }], finish: 'stop', nativeFinish: 'stop' })
    expect(unknown).toBeUndefined()
  })
})

describe('Mistral’s lists of parts', () => {
  const think = (text: string) => ({ type: 'thinking', thinking: [{ type: 'text', text }] })

  test('change between list and text in one stream', () => {
    const events = stream(
      contentParts,
      chunk({ content: '' }),
      chunk({ content: [think('Seven '), think('times six.')] }),
      chunk({ content: [{ type: 'text', text: '4' }] }),
      chunk({ content: '2' }),
    )
    expect(find(events, 'reasoning').map(event => event.text)).toEqual(['Seven times six.'])
    expect(textOf(events)).toBe('42')
  })

  test('in a whole answer, with what is neither kept beside', () => {
    const reference = { type: 'reference', reference_ids: [3] }
    const { choices } = whole(contentParts, { content: [think('Hm.'), { type: 'text', text: 'a' }, reference] })
    expect(choices[0]).toMatchObject({
      parts: [
        { type: 'reasoning', text: 'Hm.' },
        { type: 'text', text: 'a' },
      ],
      unknownMessage: { content_parts: [reference] },
    })
  })

  test('thinking may be a plain text', () => {
    const { choices } = whole(contentParts, { content: [{ type: 'thinking', thinking: 'Hm.' }] })
    expect(choices[0]!.parts).toEqual([{ type: 'reasoning', text: 'Hm.' }])
  })
})

test('Workers AI’s object in place of its text (trap 59)', () => {
  const { choices } = whole(contentObject, { content: { port: 'Brest', metres: 6.2 } })
  expect(choices[0]!.parts).toEqual([{ type: 'text', text: '{"port":"Brest","metres":6.2}' }])
  expect(textOf(stream(contentObject, chunk({ content: { a: 1 } })))).toBe('{"a":1}')
})

test('calls decide the finish at servers that end every answer in stop (trap 29)', () => {
  const call = { index: 0, id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }
  const correct = callsDecideFinish.chunks!()
  correct({
    choices: [
      { index: 0, delta: { tool_calls: [call] } },
      { index: 1, delta: { content: 'x' } },
    ],
  })
  const last = { choices: [0, 1].map(index => ({ index, delta: {}, finish_reason: 'stop' })) }
  correct(last)
  expect(last.choices.map(choice => choice.finish_reason)).toEqual(['tool_calls', 'stop'])

  const whole = { choices: [{ message: { tool_calls: [call] }, finish_reason: 'stop' }] }
  callsDecideFinish.reply!(whole)
  expect(whole.choices[0]!.finish_reason).toBe('tool_calls')
})

describe('the repairs for any server change nothing of what a well-behaved one says', () => {
  test.each(
    corpus
      .filter(
        ({ name, stream }) => stream && name.startsWith('openai-') && !/error|truncated|named-tool-stops/.test(name),
      )
      .map(each => [each.name, each] as const),
  )('%s', (_, recorded) => {
    expect(replyOf({ ...recorded, quirks: everyHarmlessRepair })).toEqual(replyOf(recorded))
  })

  test('chunks without choices, delta or usage go through them', () => {
    for (const given of [
      {},
      { choices: null },
      { choices: [{}] },
      { choices: [{ delta: null }] },
      { usage: null },
      { x_groq: null },
    ])
      for (const quirk of [...everyHarmlessRepair, duplicateText]) {
        expect(() => quirk.chunks?.()(structuredClone(given))).not.toThrow()
        expect(() => quirk.reply?.(structuredClone(given))).not.toThrow()
      }
  })
})
