import { expect, test } from 'bun:test'
import { assemble, readerOfAssembled } from '../../src/gateway/assemble.ts'

const bytes = (text: string) => new TextEncoder().encode(text)

const sse = (...messages: (object | string)[]) =>
  messages.map(one => `data: ${typeof one === 'string' ? one : JSON.stringify(one)}\n\n`).join('')

test.each([
  [
    'openai-chat',
    sse(
      { id: 'c1', model: 'm', created: 1, choices: [{ index: 0, delta: { role: 'assistant', content: 'Hel' } }] },
      { id: 'c1', model: 'm', created: 1, choices: [{ index: 0, delta: { content: 'lo' } }] },
      { id: 'c1', model: 'm', created: 1, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
      '[DONE]',
    ),
    {
      object: 'chat.completion',
      choices: [{ message: { role: 'assistant', content: 'Hello' }, finish_reason: 'stop' }],
    },
  ],
  [
    'anthropic-messages',
    sse(
      { type: 'message_start', message: { id: 'msg', role: 'assistant', content: [], usage: { input_tokens: 9 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'Hel' } },
      { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: 'lo' } },
      { type: 'content_block_start', index: 1, content_block: { type: 'tool_use', id: 't', name: 'f', input: {} } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '{"a":' } },
      { type: 'content_block_delta', index: 1, delta: { type: 'input_json_delta', partial_json: '1}' } },
      { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 5 } },
      { type: 'message_stop' },
    ),
    {
      id: 'msg',
      stop_reason: 'tool_use',
      usage: { input_tokens: 9, output_tokens: 5 },
      content: [
        { type: 'text', text: 'Hello' },
        { type: 'tool_use', id: 't', name: 'f', input: { a: 1 } },
      ],
    },
  ],
  [
    'gemini',
    sse(
      { candidates: [{ content: { role: 'model', parts: [{ text: 'thinking', thought: true }] }, index: 0 }] },
      { candidates: [{ content: { role: 'model', parts: [{ text: 'Hel' }] }, index: 0 }], usageMetadata: { a: 1 } },
      {
        candidates: [{ content: { parts: [{ text: 'lo' }] }, finishReason: 'STOP', index: 0 }],
        usageMetadata: { a: 2 },
      },
    ),
    {
      candidates: [
        {
          content: { role: 'model', parts: [{ text: 'thinking', thought: true }, { text: 'Hello' }] },
          finishReason: 'STOP',
          index: 0,
        },
      ],
      usageMetadata: { a: 2 },
    },
  ],
  [
    'openai-responses',
    sse(
      { type: 'response.created', response: { id: 'r', status: 'in_progress' } },
      { type: 'response.completed', response: { id: 'r', status: 'completed', output: [1] } },
    ),
    { id: 'r', status: 'completed', output: [1] },
  ],
  [
    'ollama-chat',
    '{"message":{"role":"assistant","content":"Hel"},"done":false}\n{"message":{"content":"lo"},"done":true,"eval_count":2}\n',
    { message: { role: 'assistant', content: 'Hello' }, done: true, eval_count: 2 },
  ],
  [
    'cohere-chat',
    sse(
      { type: 'message-start', id: 'c2', delta: { message: { role: 'assistant' } } },
      { type: 'content-delta', index: 0, delta: { message: { content: { text: 'Hel' } } } },
      { type: 'content-delta', index: 0, delta: { message: { content: { text: 'lo' } } } },
      {
        type: 'message-end',
        delta: { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 3, output_tokens: 2 } } },
      },
    ),
    { model: 'said by the record', choices: [{ message: { content: 'Hello' }, finish_reason: 'stop' }] },
  ],
])('a stream of %s is put together', (format, text, whole) => {
  const told = assemble(format, bytes(text), { model: 'said by the record' })!
  expect(JSON.parse(told)).toMatchObject(whole)
})

test.each([
  ['openai-chat', 'openai-chat'],
  ['anthropic-messages', 'anthropic-messages'],
  ['gemini', 'gemini'],
  ['ollama-chat', 'ollama-chat'],
  ['cohere-chat', 'openai-chat'],
  ['openai-responses', undefined],
])('what was made of a stream of %s is read as %s', (format, dialect) => {
  expect(readerOfAssembled(format)?.name).toBe(dialect as never)
})

test.each([
  ['of no known format', 'cohere-meta', 'data: {"a":1}\n\n'],
  ['that failed in the middle', 'anthropic-messages', 'data: {"type":"error","error":{"type":"overloaded_error"}}\n\n'],
  ['that is none', 'openai-chat', 'data: {"choices":\n\ndata: half of it\n\n'],
])('a stream %s is not put together', (_, format, text) => {
  expect(assemble(format, bytes(text))).toBeUndefined()
})
