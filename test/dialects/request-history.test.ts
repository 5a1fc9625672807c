import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../src/conversation/conversation.ts'
import { cohereChat } from '../../src/dialects/cohere-chat/index.ts'
import type { UpstreamDialect } from '../../src/dialects/dialect.ts'
import { ollamaChat } from '../../src/dialects/ollama-chat/index.ts'
import { readRequest } from '../../src/dialects/openai-chat/request.ts'
import { workersAi } from '../../src/dialects/workers-ai/index.ts'

const write = (dialect: UpstreamDialect, messages: JsonObject[]) =>
  dialect.writeRequest(readRequest({ messages }), { model: 'm' })
const call = (id: string, name: string, text: string) => ({ id, type: 'function', function: { name, arguments: text } })
const result = (id: string, content: string) => ({ role: 'tool', tool_call_id: id, content })

describe('a conversation with tools', () => {
  const messages = [
    { role: 'developer', content: 'Be brief.' },
    {
      role: 'user',
      content: [
        { type: 'text', text: 'Tide ' },
        { type: 'text', text: 'and time?' },
      ],
    },
    {
      role: 'assistant',
      content: null,
      reasoning_content: 'Ask both.',
      tool_calls: [call('c1', 'tide', '{"port":"Brest"}'), call('c2', 'clock', '')],
    },
    result('c1', '6 m'),
    result('c2', 'noon'),
    { role: 'assistant', content: '6 m at noon.' },
  ]
  const opening = [
    { role: 'system', content: 'Be brief.' },
    { role: 'user', content: 'Tide and time?' },
  ]

  test('for Cohere: text of objects, the thought as plan, no content beside calls (T64)', () => {
    const calls = [call('c1', 'tide', '{"port":"Brest"}'), call('c2', 'clock', '{}')]
    expect(write(cohereChat, messages).body.messages).toEqual([
      ...opening,
      { role: 'assistant', tool_plan: 'Ask both.', tool_calls: calls },
      { role: 'tool', tool_call_id: 'c1', content: '6 m' },
      { role: 'tool', tool_call_id: 'c2', content: 'noon' },
      { role: 'assistant', content: '6 m at noon.' },
    ])
  })

  test('for Ollama: objects, strings of content, results by name', () => {
    const calls = [
      { id: 'c1', function: { name: 'tide', arguments: { port: 'Brest' } } },
      { id: 'c2', function: { name: 'clock', arguments: {} } },
    ]
    expect(write(ollamaChat, messages).body.messages).toEqual([
      ...opening,
      { role: 'assistant', content: '', thinking: 'Ask both.', tool_calls: calls },
      { role: 'tool', content: '6 m', tool_name: 'tide', tool_call_id: 'c1' },
      { role: 'tool', content: 'noon', tool_name: 'clock', tool_call_id: 'c2' },
      { role: 'assistant', content: '6 m at noon.' },
    ])
  })

  test('for Workers AI: content is a string and never null; reasoning is told as dropped', () => {
    const calls = [call('c1', 'tide', '{"port":"Brest"}'), call('c2', 'clock', '{}')]
    const { body, dropped } = write(workersAi, messages)
    expect(body.messages).toEqual([
      ...opening,
      { role: 'assistant', content: '', tool_calls: calls },
      { role: 'tool', content: '6 m', tool_call_id: 'c1', name: 'tide' },
      { role: 'tool', content: 'noon', tool_call_id: 'c2', name: 'clock' },
      { role: 'assistant', content: '6 m at noon.' },
    ])
    expect(dropped).toEqual(['messages[].reasoning_content'])
  })
})

test('T57 arguments that are no object become one', () => {
  for (const text of ['"abc"', '[1]', 'null', '{"cut": "o']) {
    const messages = [
      { role: 'user', content: 'x' },
      { role: 'assistant', tool_calls: [call('c', 'f', text)] },
      result('c', 'y'),
    ]
    const sent = (dialect: UpstreamDialect) => JSON.stringify(write(dialect, messages).body)
    expect(sent(cohereChat)).toContain('"arguments":"{}"')
    expect(sent(workersAi)).toContain('"arguments":"{}"')
    expect(sent(ollamaChat)).toContain('"arguments":{}')
  }
})

test('T52 an assistant without content and calls is left out', () => {
  for (const dialect of [cohereChat, ollamaChat, workersAi]) {
    const { body } = write(dialect, [
      { role: 'user', content: 'x' },
      { role: 'assistant', content: '' },
    ])
    expect(body.messages).toHaveLength(1)
  }
})

test('ids that Kimi gave twice are told apart, call and result alike', () => {
  const turn = (text: string) => [
    { role: 'assistant', tool_calls: [call('functions.f:0', 'f', text)] },
    result('functions.f:0', text),
  ]
  const { body } = write(workersAi, [{ role: 'user', content: 'x' }, ...turn('{"a":1}'), ...turn('{"a":2}')])
  const [, first, , second, answer] = body.messages as { tool_calls?: { id: string }[]; tool_call_id?: string }[]
  expect(first!.tool_calls![0]!.id).toBe('functions.f:0')
  expect(second!.tool_calls![0]!.id).not.toBe('functions.f:0')
  expect(answer!.tool_call_id).toBe(second!.tool_calls![0]!.id)
})
