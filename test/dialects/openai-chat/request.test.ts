import { describe, expect, test } from 'bun:test'
import type { Conversation, JsonObject } from '../../../src/conversation/conversation.ts'
import { Unsupported } from '../../../src/conversation/errors.ts'
import type { Part } from '../../../src/conversation/parts.ts'
import { readRequest } from '../../../src/dialects/openai-chat/request.ts'
import { thrown, weather } from '../conversations.ts'

const read = (given: JsonObject): Conversation =>
  readRequest({ model: 'm', messages: [{ role: 'user', content: 'Hi' }], ...given })
const turns = (...messages: JsonObject[]) => read({ messages }).turns
const parts = (...content: JsonObject[]): Part[] => turns({ role: 'user', content })[0]!.parts
const refused = (run: () => unknown): string => {
  const fault = thrown(run)
  expect(fault).toBeInstanceOf(Unsupported)
  return (fault as Unsupported).field
}
const tool = (name: string, more: JsonObject = {}) => ({ type: 'function', function: { name }, ...more })

test('a request with nothing in it asks for nothing', () => {
  expect(read({})).toEqual({
    turns: [{ role: 'user', parts: [{ type: 'text', text: 'Hi' }] }],
    tools: [],
    output: { type: 'text' },
    sampling: {},
    stream: false,
    includeUsage: false,
    unknown: {},
  })
})

describe('each field', () => {
  test.each<[JsonObject, Partial<Conversation>]>([
    [{ temperature: 0.5 }, { sampling: { temperature: 0.5 } }],
    [{ top_p: 0.9 }, { sampling: { topP: 0.9 } }],
    [{ top_k: 40 }, { sampling: { topK: 40 } }],
    [{ min_p: 0.1 }, { sampling: { minP: 0.1 } }],
    [{ seed: 7 }, { sampling: { seed: 7 } }],
    [{ presence_penalty: -1 }, { sampling: { presencePenalty: -1 } }],
    [{ frequency_penalty: 2 }, { sampling: { frequencyPenalty: 2 } }],
    [{ logit_bias: { 50256: -100 } }, { sampling: { logitBias: { 50256: -100 } } }],
    [{ logit_bias: {} }, { sampling: {} }],
    [{ logprobs: true, top_logprobs: 3 }, { sampling: { logprobs: true, topLogprobs: 3 } }],
    [{ logprobs: false }, { sampling: {} }],
    [{ n: 2 }, { count: 2 }],
    [{ stop: 'END' }, { stop: ['END'] }],
    [{ stop: ['a', 'b'] }, { stop: ['a', 'b'] }],
    [{ stop: [] }, {}],
    [{ max_tokens: 9 }, { maxTokens: 9 }],
    [{ max_tokens: 9, max_completion_tokens: 12 }, { maxTokens: 12 }],
    [{ stream: true }, { stream: true }],
    [
      { stream: true, stream_options: { include_usage: true } },
      { stream: true, includeUsage: true },
    ],
    [{ user: 'u1' }, { user: 'u1' }],
    [{ user: 'u1', safety_identifier: 's1' }, { user: 's1' }],
    [{ metadata: { a: 'b' } }, { metadata: { a: 'b' } }],
    [{ service_tier: 'flex' }, { serviceTier: 'flex' }],
    [{ prompt_cache_key: 'k' }, { promptCacheKey: 'k' }],
    [{ verbosity: 'low' }, { verbosity: 'low' }],
    [{ modalities: ['text'] }, {}],
    [{ reasoning_effort: 'high' }, { reasoning: { effort: 'high' } }],
    [{ reasoning: { effort: 'low', exclude: true } }, { reasoning: { effort: 'low', visible: false } }],
    [{ reasoning: { max_tokens: 2_048 } }, { reasoning: { budget: 2_048 } }],
    [{ reasoning: { enabled: false } }, { reasoning: { effort: 'none' } }],
    [{ reasoning: { enabled: true } }, { reasoning: { effort: 'medium' } }],
    [{ reasoning: {} }, {}],
    [{ reasoning_effort: 'default' }, { unknown: { reasoning_effort: 'default' } }],
    [{ reasoning: { effort: 'default' } }, { unknown: { reasoning: { effort: 'default' } } }],
    [{ response_format: { type: 'text' } }, {}],
    [{ response_format: { type: 'json_object' } }, { output: { type: 'json' } }],
    [
      {
        response_format: { type: 'json_schema', json_schema: { name: 'a', schema: { type: 'object' }, strict: true } },
      },
      { output: { type: 'schema', name: 'a', schema: { type: 'object' }, strict: true } },
    ],
    [{ parallel_tool_calls: false }, { parallelToolCalls: false }],
    [{ store: true, prediction: { type: 'content' } }, { unknown: { store: true, prediction: { type: 'content' } } }],
  ])('%j', (given, expected) => {
    expect(read(given)).toEqual({ ...read({}), ...expected })
  })

  test('T97 zero is a value', () => {
    const { sampling, maxTokens } = read({
      temperature: 0,
      top_p: 0,
      top_k: 0,
      seed: 0,
      logprobs: true,
      top_logprobs: 0,
      max_tokens: 0,
    })
    expect(sampling).toEqual({ temperature: 0, topP: 0, topK: 0, seed: 0, logprobs: true, topLogprobs: 0 })
    expect(maxTokens).toBe(0)
  })

  test('null means left out', () => {
    const fields = ['temperature', 'n', 'stop', 'tools', 'tool_choice', 'response_format', 'reasoning', 'store', 'user']
    expect(read(Object.fromEntries(fields.map(name => [name, null])))).toEqual(read({}))
  })
})

describe('each part', () => {
  test('text, and pictures by address and by data', () => {
    expect(
      parts(
        { type: 'text', text: 'What is it?' },
        { type: 'image_url', image_url: { url: 'https://a.example/x.png', detail: 'low' } },
        { type: 'image_url', image_url: 'https://a.example/y.png' },
        { type: 'image_url', image_url: { url: 'data:image/png;base64,aGk\n=' } },
      ),
    ).toEqual([
      { type: 'text', text: 'What is it?' },
      { type: 'image', source: { kind: 'url', url: 'https://a.example/x.png' }, detail: 'low' },
      { type: 'image', source: { kind: 'url', url: 'https://a.example/y.png' } },
      { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aGk=' } },
    ])
  })

  test('sound', () => {
    expect(parts({ type: 'input_audio', input_audio: { data: 'aGk=', format: 'mp3' } })).toEqual([
      { type: 'audio', source: { kind: 'base64', mediaType: 'audio/mpeg', data: 'aGk=' }, format: 'mp3' },
    ])
  })

  test.each<[JsonObject, JsonObject]>([
    [{ file_id: 'file-1' }, { source: { kind: 'file-id', id: 'file-1' } }],
    [
      { file_data: 'data:application/pdf;base64,aGk=' },
      { source: { kind: 'base64', mediaType: 'application/pdf', data: 'aGk=' } },
    ],
    [
      { file_data: 'aGk=', filename: 'a.csv' },
      { source: { kind: 'base64', mediaType: 'text/csv', data: 'aGk=' }, filename: 'a.csv' },
    ],
    [{ file_data: 'https://a.example/x.pdf' }, { source: { kind: 'url', url: 'https://a.example/x.pdf' } }],
    [
      { file_data: 'data:text/plain;charset=utf-8,h%C3%A9' },
      { source: { kind: 'text', text: 'hé', mediaType: 'text/plain' } },
    ],
    [{ file_data: 'data:,100%' }, { source: { kind: 'text', text: '100%', mediaType: 'text/plain' } }],
  ])('the file %j', (file, expected) => {
    const read: unknown[] = parts({ type: 'file', file })
    expect(read).toEqual([{ type: 'file', ...expected }])
  })

  test('what has no counterpart is refused by its place', () => {
    expect(refused(() => parts({ type: 'text', text: 'a' }, { type: 'video_url' }))).toBe('messages[0].content[1].type')
    expect(refused(() => parts({ type: 'image_url', image_url: {} }))).toBe('messages[0].content[0].image_url.url')
    expect(refused(() => parts({ type: 'file', file: {} }))).toBe('messages[0].content[0].file')
    expect(refused(() => turns({ role: 'wizard', content: 'x' }))).toBe('messages[0].role')
    expect(refused(() => turns({ role: 'assistant', audio: { id: 'a1' } }))).toBe('messages[0].audio')
    expect(refused(() => read({ modalities: ['text', 'audio'] }))).toBe('modalities')
    expect(refused(() => read({ web_search_options: {} }))).toBe('web_search_options')
    expect(refused(() => read({ response_format: { type: 'grammar' } }))).toBe('response_format.type')
  })
})

describe('messages', () => {
  test('T65 system and developer are both the system’s, where they stand', () => {
    const roles = ['developer', 'system', 'user', 'system'].map(role => ({ role, content: role }))
    expect(turns(...roles).map(turn => [turn.role, turn.parts])).toEqual([
      ['system', [{ type: 'text', text: 'developer' }]],
      ['system', [{ type: 'text', text: 'system' }]],
      ['user', [{ type: 'text', text: 'user' }]],
      ['system', [{ type: 'text', text: 'system' }]],
    ])
  })

  test('a name is kept', () => {
    expect(turns({ role: 'user', name: 'Ada', content: 'Hi' })[0]).toMatchObject({ name: 'Ada' })
  })

  test('T74 content may be null or missing', () => {
    expect(turns({ role: 'assistant', content: null }, { role: 'user' })).toEqual([
      { role: 'assistant', parts: [] },
      { role: 'user', parts: [] },
    ])
  })

  test('T63 T64 calls keep their arguments as they stand, and answers their ids', () => {
    const call = (id: string, args: unknown) => ({ id, type: 'function', function: { name: 'f', arguments: args } })
    expect(
      turns(
        {
          role: 'assistant',
          content: null,
          tool_calls: [call('a', '{"x": 1 }'), call('b', ''), call('c', '{"cut'), call('d', { x: 1 })],
        },
        { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: 'one' }] },
        { role: 'tool', tool_call_id: 'b', name: 'f', content: 'two' },
      ),
    ).toEqual([
      {
        role: 'assistant',
        parts: ['{"x": 1 }', '', '{"cut', '{"x":1}'].map((text, at) => ({
          type: 'tool-call',
          id: 'abcd'[at]!,
          name: 'f',
          arguments: text,
        })),
      },
      { role: 'tool', parts: [{ type: 'tool-result', id: 'a', content: [{ type: 'text', text: 'one' }] }] },
      { role: 'tool', parts: [{ type: 'tool-result', id: 'b', name: 'f', content: [{ type: 'text', text: 'two' }] }] },
    ])
  })

  test('calls of a kind that exists only at OpenAI are refused', () => {
    const custom = { id: 'x', type: 'custom', custom: { name: 'c', input: '' } }
    expect(refused(() => turns({ role: 'assistant', tool_calls: [custom] }))).toBe('messages[0].tool_calls[0].type')
  })

  test('legacy function calls and their answers belong together', () => {
    const called = (name: string) => ({ role: 'assistant', content: null, function_call: { name, arguments: '{}' } })
    const read = turns(called('f'), { role: 'function', name: 'f', content: '1' }, called('g'), {
      role: 'function',
      name: 'g',
      content: '2',
    })
    const ids = read.map(turn => (turn.parts[0] as { id: string }).id)
    expect(ids[0]).toBe(ids[1]!)
    expect(ids[2]).toBe(ids[3]!)
    expect(ids[0]).not.toBe(ids[2]!)
    expect(read[1]!.parts[0]).toMatchObject({ type: 'tool-result', name: 'f' })
  })

  test('a refusal of the model is kept, as a member and as a part', () => {
    expect(turns({ role: 'assistant', content: null, refusal: 'No.' })[0]!.parts).toEqual([
      { type: 'refusal', text: 'No.' },
    ])
    expect(turns({ role: 'assistant', content: [{ type: 'refusal', refusal: 'No.' }] })[0]!.parts).toEqual([
      { type: 'refusal', text: 'No.' },
    ])
  })
})

describe('reasoning of earlier turns', () => {
  test('T75 plain reasoning comes before the text and the calls', () => {
    const [turn] = turns({
      role: 'assistant',
      reasoning_content: 'Hm.',
      content: 'Yes',
      tool_calls: [{ id: 'a', type: 'function', function: { name: 'f', arguments: '{}' } }],
    })
    expect(turn!.parts.map(part => part.type)).toEqual(['reasoning', 'text', 'tool-call'])
  })

  test('T17 details keep their order, signatures and sealed pieces', () => {
    const details = [
      { type: 'reasoning.text', text: 'Plan.', signature: 'c2ln', format: 'anthropic-claude-v1', index: 0 },
      { type: 'reasoning.encrypted', data: 'c2VhbA==', format: 'anthropic-claude-v1', index: 1 },
    ]
    const [turn] = turns({
      role: 'assistant',
      reasoning_content: 'Plan.',
      reasoning_details: details,
      content: 'Go',
    })
    expect(turn!.parts).toEqual([
      { type: 'reasoning', text: 'Plan.', signature: 'c2ln', format: 'anthropic', native: details[0] },
      { type: 'reasoning', text: '', redacted: 'c2VhbA==', format: 'anthropic', native: details[1] },
      { type: 'text', text: 'Go' },
    ])
  })

  test('fragments that a client gathered from a stream are joined again', () => {
    const text = (text: string, more: JsonObject = {}) => ({ type: 'reasoning.text', text, index: 0, ...more })
    const summary = (summary: string) => ({ type: 'reasoning.summary', summary, index: 1 })
    const [turn] = turns({
      role: 'assistant',
      content: '',
      reasoning_details: [
        text('One '),
        text('two.'),
        text('', { signature: 'c2ln' }),
        text('Another.'),
        summary('In '),
        summary('short.'),
        { type: 'reasoning.encrypted', data: 'A', index: 1 },
        { type: 'reasoning.encrypted', data: 'B', index: 1 },
      ],
    })
    const reasoning = turn!.parts.filter(part => part.type === 'reasoning')
    expect(reasoning.map(({ text, signature, redacted }) => [text, signature, redacted])).toEqual([
      ['One two.', 'c2ln', undefined],
      ['Another.', undefined, undefined],
      ['In short.', undefined, undefined],
      ['', undefined, 'A'],
      ['', undefined, 'B'],
    ])
  })

  test('T46 Google’s signatures come back on the text and on the call', () => {
    const extra_content = { google: { thought_signature: 'QWJD' } }
    const call = { id: 'a', type: 'function', function: { name: 'f', arguments: '{}' }, extra_content }
    expect(turns({ role: 'assistant', content: 'Yes', extra_content })[0]!.parts).toEqual([
      { type: 'text', text: 'Yes', signature: 'QWJD' },
    ])
    expect(turns({ role: 'assistant', content: null, extra_content })[0]!.parts).toEqual([
      { type: 'text', text: '', signature: 'QWJD' },
    ])
    expect(turns({ role: 'assistant', content: null, tool_calls: [call] })[0]!.parts).toMatchObject([
      { type: 'tool-call', signature: 'QWJD' },
    ])
  })
})

describe('cache marks', () => {
  const mark = { cache_control: { type: 'ephemeral' } }
  const long = { cache_control: { type: 'ephemeral', ttl: '1h' } }

  test('on parts, on messages and on tools', () => {
    expect(parts({ type: 'text', text: 'a', ...mark }, { type: 'text', text: 'b' })).toEqual([
      { type: 'text', text: 'a', cache: {} },
      { type: 'text', text: 'b' },
    ])
    expect(turns({ role: 'system', content: 'a', ...long })[0]!.parts).toEqual([
      { type: 'text', text: 'a', cache: { ttl: '1h' } },
    ])
    expect(read({ tools: [tool('f', long)] }).tools).toEqual([{ name: 'f', cache: { ttl: '1h' } }])
    expect(
      parts({ type: 'file', file: { file_id: 'f' }, prompt_cache_breakpoint: { mode: 'explicit' } }),
    ).toMatchObject([{ cache: {} }])
  })

  test('T67 on a result, however it was written, they stand on the result', () => {
    const onPart = { role: 'tool', tool_call_id: 'a', content: [{ type: 'text', text: '1', ...long }] }
    const onMessage = { role: 'tool', tool_call_id: 'a', content: '1', ...long }
    for (const message of [onPart, onMessage])
      expect(turns(message)[0]!.parts[0]).toMatchObject({ type: 'tool-result', cache: { ttl: '1h' } })
  })

  test('a length of time that nobody offers is an ordinary mark', () => {
    const [part] = parts({ type: 'text', text: 'a', cache_control: { type: 'ephemeral', ttl: '2d' } })
    expect(part).toMatchObject({ cache: {} })
  })
})

describe('tools and the choice of them', () => {
  const declared = { tools: [{ type: 'function', function: weather }] }

  test('functions, in their own form and in the legacy one', () => {
    expect(read(declared).tools).toEqual([weather])
    expect(read({ functions: [weather] }).tools).toEqual([weather])
    expect(read({ tools: [{ type: 'function', function: { ...weather, strict: true } }] }).tools[0]!.strict).toBeTrue()
  })

  test('T68 tools that are no functions are refused by name', () => {
    expect(refused(() => read({ tools: [tool('f'), { type: 'web_search_20250305', name: 'web_search' }] }))).toBe(
      'tools[1]',
    )
    expect(refused(() => read({ tools: [{ type: 'custom', custom: { name: 'c' } }] }))).toBe('tools[0]')
  })

  test.each<[unknown, Partial<Conversation>]>([
    ['auto', { toolChoice: { type: 'auto' } }],
    ['none', { toolChoice: { type: 'none' } }],
    ['required', { toolChoice: { type: 'required' } }],
    ['any', { toolChoice: { type: 'required' } }],
    [{ type: 'auto' }, { toolChoice: { type: 'auto' } }],
    [{ type: 'function', function: { name: 'f' } }, { toolChoice: { type: 'named', name: 'f' } }],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'required', tools: [tool('f'), tool('g')] } },
      { toolChoice: { type: 'required' }, allowedTools: ['f', 'g'] },
    ],
    [
      { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [tool('f')] } },
      { toolChoice: { type: 'auto' }, allowedTools: ['f'] },
    ],
  ])('T69 the choice %j', (tool_choice, expected) => {
    expect(read({ ...declared, tool_choice })).toEqual({ ...read(declared), ...expected })
  })

  test('the legacy choice', () => {
    expect(read({ functions: [weather], function_call: { name: 'get_weather' } }).toolChoice).toEqual({
      type: 'named',
      name: 'get_weather',
    })
    expect(read({ functions: [weather], function_call: 'none' }).toolChoice).toEqual({ type: 'none' })
  })

  test('a choice of what is no function is refused', () => {
    for (const tool_choice of ['sometimes', { type: 'custom', custom: { name: 'c' } }, { type: 'custom', name: 'c' }])
      expect(refused(() => read({ ...declared, tool_choice }))).toBe('tool_choice')
  })
})

test('T65 T84 reading leaves the request as it was', () => {
  const body = {
    model: 'm',
    messages: [
      { role: 'system', content: 'a', cache_control: { type: 'ephemeral' } },
      { role: 'assistant', content: 'b', reasoning_details: [{ type: 'reasoning.text', text: 'x', index: 0 }] },
      { role: 'user', content: [{ type: 'text', text: 'c', cache_control: { type: 'ephemeral' } }] },
    ],
    tools: [{ type: 'function', function: weather }],
  }
  const before = JSON.stringify(body)
  read(body)
  expect(JSON.stringify(body)).toBe(before)
})
