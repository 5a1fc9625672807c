import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../src/conversation/conversation.ts'
import type { Corrected, Quirk } from '../../../src/dialects/dialect.ts'
import {
  EXTENSIONS,
  maxCompletionTokens,
  maxCompletionTokensForReasoning,
  maxTokens,
  nineCharacterIds,
  noDeveloperRole,
  noEmptyAssistant,
  noEmptyTools,
  plainCalls,
  plainMessages,
  renamed,
  without,
} from '../../../src/dialects/openai-chat/request-quirks.ts'

/** What a quirk makes of a body; the body given must stay as it was, for another attempt elsewhere (T84). */
function correct(quirk: Quirk, body: JsonObject, model = 'm'): Corrected | undefined {
  const before = JSON.stringify(body)
  const corrected = quirk.request!(body, model)
  expect(JSON.stringify(body)).toBe(before)
  return corrected
}
const messages = (...list: JsonObject[]) => ({ model: 'm', messages: list })
const call = (id: string, more: JsonObject = {}) => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: '{}' },
  ...more,
})

describe('the cap on tokens', () => {
  test('is max_tokens to many, max_completion_tokens to some', () => {
    expect(correct(maxTokens, { max_completion_tokens: 9 })).toEqual({ body: { max_tokens: 9 }, dropped: [] })
    expect(correct(maxCompletionTokens, { max_tokens: 9 })).toEqual({ body: { max_completion_tokens: 9 }, dropped: [] })
  })

  test('T97 zero is a value', () => {
    expect(correct(maxTokens, { max_completion_tokens: 0 })!.body).toEqual({ max_tokens: 0 })
  })

  test('keeps the target’s own name where both are given', () => {
    expect(correct(maxTokens, { max_completion_tokens: 9, max_tokens: 5 })!.body).toEqual({ max_tokens: 5 })
  })

  test('is left alone where the name is right', () => {
    expect(correct(maxTokens, { max_tokens: 9 })).toBeUndefined()
  })

  test.each([
    ['o1-mini', true],
    ['o4-mini', true],
    ['gpt-5', true],
    ['gpt-5.1-codex', true],
    ['codex-mini-latest', true],
    ['ft:gpt-5-nano:me', true],
    ['gpt-4o', false],
    ['gpt-4.1', false],
    ['gpt-3.5-turbo', false],
    ['omni-moderation', false],
  ])('of OpenAI’s model %s', (model, renames) => {
    expect(correct(maxCompletionTokensForReasoning, { max_tokens: 9 }, model) !== undefined).toBe(renames)
  })
})

test('a field under another name: Mistral’s seed', () => {
  expect(correct(renamed('seed', 'random_seed'), { seed: 7, n: 1 })!.body).toEqual({ random_seed: 7, n: 1 })
})

describe('fields that the target refuses', () => {
  const quirk = without('logit_bias', 'store')
  test('are left out and named', () => {
    expect(correct(quirk, { logit_bias: { 1: 2 }, store: true, n: 1 })).toEqual({
      body: { n: 1 },
      dropped: ['logit_bias', 'store'],
    })
  })
  test('are not named where they said nothing', () => {
    expect(correct(quirk, { store: null })).toEqual({ body: {}, dropped: [] })
    expect(correct(quirk, { n: 1 })).toBeUndefined()
  })
})

test('the developer is the system where nobody knows him (trap 18)', () => {
  const given = messages({ role: 'developer', content: 'a' }, { role: 'user', content: 'b' })
  expect(correct(noDeveloperRole, given)!.body.messages).toEqual([
    { role: 'system', content: 'a' },
    { role: 'user', content: 'b' },
  ])
  expect(correct(noDeveloperRole, messages({ role: 'system', content: 'a' }))).toBeUndefined()
})

describe('members of messages that are somebody else’s', () => {
  const quirk = plainMessages(...EXTENSIONS)
  test('are left out and named once', () => {
    const given = messages(
      { role: 'assistant', content: 'a', reasoning_content: 'Hm.' },
      { role: 'assistant', content: 'b', reasoning_content: 'Hm.', reasoning_details: null },
      { role: 'user', content: 'c' },
    )
    expect(correct(quirk, given)).toEqual({
      body: messages(
        { role: 'assistant', content: 'a' },
        { role: 'assistant', content: 'b' },
        { role: 'user', content: 'c' },
      ),
      dropped: ['messages[].reasoning_content'],
    })
  })
  test('in calls too', () => {
    const given = messages({
      role: 'assistant',
      content: null,
      tool_calls: [call('a', { extra_content: { google: {} } }), call('b')],
    })
    expect(correct(plainCalls, given)!.body).toEqual(
      messages({ role: 'assistant', content: null, tool_calls: [call('a'), call('b')] }),
    )
    expect(correct(plainCalls, messages({ role: 'assistant', tool_calls: [call('a')] }))).toBeUndefined()
  })
})

describe('T76 Mistral’s ids', () => {
  test('are nine letters and digits, alike in call and answer, the same every time', () => {
    const given = messages(
      { role: 'assistant', tool_calls: [call('toolu_01ABC'), call('aB3dE6gH9')] },
      { role: 'tool', tool_call_id: 'toolu_01ABC', content: '1' },
      { role: 'tool', tool_call_id: 'aB3dE6gH9', content: '2' },
    )
    const { body } = correct(nineCharacterIds, given)!
    const [assistant, first, second] = body.messages as [
      { tool_calls: { id: string }[] },
      { tool_call_id: string },
      { tool_call_id: string },
    ]
    expect(assistant.tool_calls[0]!.id).toMatch(/^[a-zA-Z0-9]{9}$/)
    expect(first.tool_call_id).toBe(assistant.tool_calls[0]!.id)
    expect(assistant.tool_calls[1]!.id).toBe('aB3dE6gH9')
    expect(second.tool_call_id).toBe('aB3dE6gH9')
    expect(correct(nineCharacterIds, given)!.body).toEqual(body)
  })
  test('that fit are left alone', () => {
    expect(correct(nineCharacterIds, messages({ role: 'assistant', tool_calls: [call('aB3dE6gH9')] }))).toBeUndefined()
  })
})

test('T74 an assistant who says and calls nothing is left out', () => {
  const kept = [
    { role: 'user', content: '' },
    { role: 'assistant', content: '', tool_calls: [call('a')] },
    { role: 'assistant', content: '', prefix: true },
    { role: 'assistant', content: 'a' },
  ]
  const empty = ['', null, []].map(content => ({ role: 'assistant', content }))
  expect(correct(noEmptyAssistant, messages(...kept, ...empty, { role: 'assistant' }))!.body).toEqual(messages(...kept))
  expect(correct(noEmptyAssistant, messages(...kept))).toBeUndefined()
})

test('T100 an empty list of tools takes the choice of them with it', () => {
  expect(correct(noEmptyTools, { tools: [], tool_choice: 'auto', parallel_tool_calls: true, n: 1 })!.body).toEqual({
    n: 1,
  })
  expect(correct(noEmptyTools, { tools: [{}], tool_choice: 'auto' })).toBeUndefined()
  expect(correct(noEmptyTools, { n: 1 })).toBeUndefined()
})

test('T85 corrections keep the order of the other fields', () => {
  const given = { z: 1, max_completion_tokens: 5, a: 2, messages: [{ role: 'developer', content: 'x', name: 'y' }] }
  expect(JSON.stringify(correct(without('a'), given)!.body)).toBe(
    '{"z":1,"max_completion_tokens":5,"messages":[{"role":"developer","content":"x","name":"y"}]}',
  )
  expect(JSON.stringify(correct(noDeveloperRole, given)!.body)).toBe(
    '{"z":1,"max_completion_tokens":5,"a":2,"messages":[{"role":"system","content":"x","name":"y"}]}',
  )
})

test('a body without messages goes through all of them', () => {
  for (const quirk of [
    noDeveloperRole,
    plainMessages('x'),
    plainCalls,
    nineCharacterIds,
    noEmptyAssistant,
    noEmptyTools,
  ])
    expect(correct(quirk, { messages: 'none' })).toBeUndefined()
})
