import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../src/conversation/conversation.ts'
import { ProviderFailure } from '../../../src/conversation/errors.ts'
import type { Part } from '../../../src/conversation/parts.ts'
import type { Reply } from '../../../src/conversation/reply.ts'
import type { ReadContext } from '../../../src/dialects/dialect.ts'
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts'
import { thrown } from '../conversations.ts'
import { context } from '../corpus.ts'

const read = (body: unknown, given: Partial<ReadContext> = {}): Reply =>
  openaiChat.readReply(body, { memory: {}, quirks: [], ...given })
const completion = (message: unknown, finish_reason: unknown = 'stop', more: JsonObject = {}) => ({
  id: 'c1',
  object: 'chat.completion',
  created: 1_790_000_000,
  model: 'm',
  choices: [{ index: 0, ...(message !== undefined && { message }), finish_reason, ...more }],
})
const parts = (message: unknown, finish?: unknown): Part[] => read(completion(message, finish)).choices[0]!.parts
const failure = (body: unknown) => {
  const fault = thrown(() => read(body))
  expect(fault).toBeInstanceOf(ProviderFailure)
  return (fault as ProviderFailure).error
}
const write = (reply: Partial<Reply>) =>
  openaiChat.writeReply({ id: 'c1', model: 'm', created: 1_790_000_000, choices: [], ...reply }, context()) as {
    created: number
    choices: { message: JsonObject; finish_reason: string }[]
    [name: string]: unknown
  }
const said = (...parts: Part[]) => write({ choices: [{ index: 0, parts, finish: 'stop' }] }).choices[0]!.message
const call = (id: unknown, args: unknown, more: JsonObject = {}) => ({
  id,
  type: 'function',
  function: { name: 'f', arguments: args },
  ...more,
})

describe('reading', () => {
  test('a message: reasoning, text, refusal, calls', () => {
    expect(
      parts({
        role: 'assistant',
        content: 'Yes',
        reasoning_content: 'Hm.',
        refusal: 'But no.',
        tool_calls: [call('a', '{"x": 1}')],
      }),
    ).toEqual([
      { type: 'reasoning', text: 'Hm.' },
      { type: 'text', text: 'Yes' },
      { type: 'refusal', text: 'But no.' },
      { type: 'tool-call', id: 'a', name: 'f', arguments: '{"x": 1}' },
    ])
  })

  test('T63 arguments that the limit cut off stay as they are', () => {
    expect(parts({ tool_calls: [call('a', '{"location": "Par'), call('b', '')] }, 'length')).toMatchObject([
      { arguments: '{"location": "Par' },
      { arguments: '' },
    ])
  })

  test('T03 arguments that are missing, null, empty or an object (traps 21, 26)', () => {
    const given = [call('a', ''), call('b', null), call('c', undefined), call('d', { x: 1 })]
    expect(parts({ tool_calls: given }, 'tool_calls').map(part => (part as { arguments: string }).arguments)).toEqual([
      '{}',
      '{}',
      '{}',
      '{"x":1}',
    ])
  })

  test('T49 ids that are missing or come twice become ids of their own (trap 24)', () => {
    const given = [call('', '{}'), call(null, '{}'), call('a', '{}'), call('a', '{}')]
    const ids = parts({ tool_calls: given }).map(part => (part as { id: string }).id)
    expect(ids[2]).toBe('a')
    expect(new Set(ids).size).toBe(4)
    expect(ids.every(Boolean)).toBeTrue()
  })

  test('T43 calls decide on the finish where there is no word; a word holds, for OpenAI means its own (trap 29)', () => {
    const finish = (word: unknown) => read(completion({ tool_calls: [call('a', '{}')] }, word)).choices[0]!.finish
    expect(['stop', null, 'length', 'content_filter'].map(finish)).toEqual([
      'stop',
      'tool-calls',
      'length',
      'content-filter',
    ])
  })

  test('T62 text in several parts', () => {
    expect(
      said(
        ...parts({
          content: [
            { type: 'text', text: 'a ' },
            { type: 'text', text: 'b' },
          ],
        }),
      ).content,
    ).toBe('a b')
  })

  test('T51 an answer that a filter held back has no message (trap 53)', () => {
    const { choices } = read(completion(undefined, 'content_filter', { content_filter_results: { hate: {} } }))
    expect(choices).toEqual([
      {
        index: 0,
        parts: [],
        finish: 'content-filter',
        nativeFinish: 'content_filter',
        unknown: { content_filter_results: { hate: {} } },
      },
    ])
  })

  test('T46 Google’s signatures', () => {
    const extra_content = { google: { thought_signature: 'QWJD' } }
    expect(parts({ content: null, tool_calls: [call('a', '{}', { extra_content })] })).toMatchObject([
      { type: 'tool-call', signature: 'QWJD' },
    ])
    expect(parts({ content: 'Yes', extra_content })).toEqual([{ type: 'text', text: 'Yes', signature: 'QWJD' }])
  })

  test('reasoning that stands in details too is taken once', () => {
    const reasoning_details = [{ type: 'reasoning.text', text: 'Hm.', signature: 's', index: 0 }]
    expect(parts({ content: 'a', reasoning_content: 'Hm.', reasoning_details })).toHaveLength(2)
    const sealed = [{ type: 'reasoning.encrypted', data: 'x', index: 0 }]
    expect(parts({ content: 'a', reasoning_content: 'Hm.', reasoning_details: sealed })).toHaveLength(3)
  })

  test('sources of an answer without text are not lost', () => {
    const annotations = [{ type: 'url_citation', url_citation: { url: 'https://a.example' } }]
    expect(parts({ content: null, annotations })).toMatchObject([
      { type: 'text', text: '', citations: [{ url: 'https://a.example' }] },
    ])
  })

  test('what it does not know is kept where it stood', () => {
    const body = { ...completion({ content: 'a', images: [1] }, 'stop', { seed: 7 }), provider: 'Harbour', x: null }
    expect(read(body)).toMatchObject({
      unknown: { provider: 'Harbour' },
      choices: [{ unknown: { seed: 7 }, unknownMessage: { images: [1] } }],
    })
  })

  test('T56 shortened names come back', () => {
    const memory = { toolNames: new Map([['f', 'mcp.harbour.f']]) }
    const body = completion({ tool_calls: [call('a', '{}')] })
    expect(read(body, { memory }).choices[0]!.parts).toMatchObject([{ name: 'mcp.harbour.f' }])
  })
})

describe('a failure that came under 200 (trap 10)', () => {
  test.each<[unknown, number, string]>([
    [{ error: { code: 429, message: 'Slow down', metadata: {} } }, 429, 'rate_limit_error'],
    [{ error: { message: 'Busy', type: 'overloaded_error' } }, 503, 'overloaded_error'],
    [{ error: 'It broke' }, 502, 'server_error'],
    [{ success: false, errors: [{ code: 7, message: 'It broke' }] }, 502, 'server_error'],
    [{}, 502, 'server_error'],
    [{ choices: null }, 502, 'server_error'],
    [null, 502, 'server_error'],
    ['text', 502, 'server_error'],
    [completion({ content: 'Half' }, 'error'), 502, 'server_error'],
  ])('%j', (body, status, type) => {
    expect(failure(body)).toMatchObject({ status, type })
  })
})

describe('writing', () => {
  test('T77 an empty answer still has a message, and details that nobody told are left out', () => {
    const wire = write({
      choices: [{ index: 0, parts: [], finish: 'stop' }],
      usage: { input: 1, output: 0, source: 'reported' },
    })
    expect(wire.choices[0]).toEqual({
      index: 0,
      message: { role: 'assistant', content: '', refusal: null },
      logprobs: null,
      finish_reason: 'stop',
    } as never)
    expect(wire.usage).toEqual({ prompt_tokens: 1, completion_tokens: 0, total_tokens: 1 })
  })

  test('T62 all text, verbatim, in its order', () => {
    expect(
      said({ type: 'text', text: 'a ' }, { type: 'reasoning', text: 'Hm.' }, { type: 'text', text: '\n b' }),
    ).toEqual({
      role: 'assistant',
      content: 'a \n b',
      refusal: null,
      reasoning_content: 'Hm.',
    })
  })

  test('T63 arguments exactly as they came', () => {
    const part: Part = { type: 'tool-call', id: 'a', name: 'f', arguments: '{"location": "Par' }
    expect(said(part)).toEqual({
      role: 'assistant',
      content: null,
      refusal: null,
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{"location": "Par' } }],
    })
  })

  test('T17 reasoning with what must come back', () => {
    const message = said(
      { type: 'reasoning', text: 'Hm.', signature: 'c2ln', format: 'anthropic' },
      { type: 'reasoning', text: '', redacted: 'c2VhbA==', format: 'anthropic' },
      { type: 'text', text: 'Yes' },
    )
    expect(message.reasoning_details).toEqual([
      { type: 'reasoning.text', text: 'Hm.', signature: 'c2ln', format: 'anthropic-claude-v1', index: 0 },
      { type: 'reasoning.encrypted', data: 'c2VhbA==', format: 'anthropic-claude-v1', index: 1 },
    ])
  })

  test('T98 times are in seconds, and never nothing', () => {
    expect(write({ created: 1_790_000_000_123 }).created).toBe(1_790_000_000)
    expect(Math.abs(write({ created: undefined }).created - Date.now() / 1_000)).toBeLessThan(5)
  })

  test('an answer without a name gets one, and the model that was asked for', () => {
    const wire = write({ id: undefined, model: undefined })
    expect(wire.id).toMatch(/^chatcmpl-[0-9a-f]{32}$/)
    expect(wire.model).toBe('asked/for')
  })

  test('T96 usage that nobody told is a guess that says so', () => {
    const reply: Reply = { choices: [{ index: 0, parts: [{ type: 'text', text: 'four' }], finish: 'stop' }] }
    const estimate = (answered: number) => ({ input: 8, output: answered, source: 'estimated' as const })
    expect(openaiChat.writeReply(reply, context({ estimate })).usage).toEqual({
      prompt_tokens: 8,
      completion_tokens: 4,
      total_tokens: 12,
      estimated: true,
    })
  })

  test('what nobody knows stands where it stood', () => {
    const choice = {
      index: 0,
      parts: [],
      finish: 'stop' as const,
      unknown: { seed: 7 },
      unknownMessage: { images: [1] },
    }
    expect(write({ choices: [choice], unknown: { provider: 'Harbour' } })).toMatchObject({
      provider: 'Harbour',
      choices: [{ seed: 7, message: { images: [1] } }],
    })
  })
})
