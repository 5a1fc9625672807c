import { describe, expect, test } from 'bun:test'
import type { Conversation } from '../../../src/conversation/conversation.ts'
import { Unsupported } from '../../../src/conversation/errors.ts'
import { anthropicMessages } from '../../../src/dialects/anthropic-messages/index.ts'
import type { Answer } from '../../../src/dialects/anthropic-messages/types.ts'
import { assistant, calling, conversation, result, system, thrown, user, weather } from '../conversations.ts'

const write = (given: Partial<Conversation>, model = 'claude-sonnet-4-5') =>
  anthropicMessages.writeRequest(conversation(given), { model })
const messages = (turns: Conversation['turns']) => write({ turns }).body.messages

describe('messages', () => {
  test('T65 system texts in order, apart from the turns, and nothing is mutated', () => {
    const given = conversation({ turns: [system('First.'), user('Hi'), system('Second.'), user('there')] })
    const before = structuredClone(given)
    const { body } = anthropicMessages.writeRequest(given, { model: 'claude-sonnet-4-5' })
    expect(body.system).toEqual([
      { type: 'text', text: 'First.' },
      { type: 'text', text: 'Second.' },
    ])
    expect(body.messages).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'text', text: 'there' },
        ],
      },
    ])
    expect(given).toEqual(before)
  })

  test('T85 the same conversation gives the same bytes', () => {
    const given = {
      tools: [weather],
      turns: [system('S'), user('Hi'), calling(['c.1', 'get_weather']), result('c.1', 'x')],
    }
    expect(JSON.stringify(write(given))).toBe(JSON.stringify(write(given)))
  })

  test('T53 T70 results of one turn stand together, in the order of the calls and before the text', () => {
    const turns = [
      user('Both'),
      calling(['a', 'get_weather'], ['b', 'get_weather']),
      result('b', 'no such place', true),
      result('a', 'sunny'),
      user('Well?'),
    ]
    expect(messages(turns)).toEqual([
      { role: 'user', content: [{ type: 'text', text: 'Both' }] },
      {
        role: 'assistant',
        content: [
          { type: 'tool_use', id: 'a', name: 'get_weather', input: {} },
          { type: 'tool_use', id: 'b', name: 'get_weather', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'sunny' },
          { type: 'tool_result', tool_use_id: 'b', content: 'no such place', is_error: true },
          { type: 'text', text: 'Well?' },
        ],
      },
    ])
  })

  test.each([
    ['T57 a text', '"abc"'],
    ['T57 a list', '[1]'],
    ['T57 null', 'null'],
    ['T64 nothing', ''],
    ['T63 half an object', '{"place": "Par'],
  ])('%s as arguments becomes an empty object', (_, args) => {
    const written = messages([user('Hi'), calling(['c', 'f', args]), result('c', 'x')]) as { content: unknown[] }[]
    expect(written[1]!.content).toEqual([{ type: 'tool_use', id: 'c', name: 'f', input: {} }])
  })

  test('T52 T74 blank texts and empty turns are skipped, a prefill is kept without its last blanks', () => {
    const empty = { role: 'assistant' as const, parts: [] }
    expect(messages([user('One'), empty, user(' \n'), assistant(''), user('Two'), assistant('{"a": ')])).toEqual([
      {
        role: 'user',
        content: [
          { type: 'text', text: 'One' },
          { type: 'text', text: 'Two' },
        ],
      },
      { role: 'assistant', content: [{ type: 'text', text: '{"a":' }] },
    ])
  })

  test('a conversation that the assistant begins gets a turn of the user before', () => {
    expect(messages([assistant('Welcome.'), user('Hi')])).toMatchObject([
      { role: 'user', content: [{ text: '.' }] },
      { role: 'assistant' },
      { role: 'user' },
    ])
  })

  test('T67 a breakpoint inside a result belongs on the result', () => {
    const turn = {
      role: 'tool' as const,
      parts: [
        {
          type: 'tool-result' as const,
          id: 'c',
          content: [{ type: 'text' as const, text: 'x', cache: { ttl: '1h' as const } }],
        },
      ],
    }
    const written = messages([user('Hi'), calling(['c', 'f']), turn]) as { content: unknown[] }[]
    expect(written[2]!.content).toEqual([
      { type: 'tool_result', tool_use_id: 'c', content: 'x', cache_control: { type: 'ephemeral', ttl: '1h' } },
    ])
  })

  test('images and files by bytes, address and id', () => {
    const { body, headers } = write({
      turns: [
        {
          role: 'user',
          parts: [
            { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'aGk=' }, cache: {} },
            { type: 'image', source: { kind: 'url', url: 'https://pictures.example/1.png' } },
            {
              type: 'file',
              source: { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERg==' },
              filename: 'log.pdf',
            },
            { type: 'file', source: { kind: 'base64', mediaType: 'text/plain', data: 'w6k=' } },
            { type: 'file', source: { kind: 'file-id', id: 'file_011C' } },
          ],
        },
      ],
    })
    expect((body.messages as { content: unknown }[])[0]!.content).toEqual([
      {
        type: 'image',
        source: { type: 'base64', media_type: 'image/png', data: 'aGk=' },
        cache_control: { type: 'ephemeral' },
      },
      { type: 'image', source: { type: 'url', url: 'https://pictures.example/1.png' } },
      {
        type: 'document',
        source: { type: 'base64', media_type: 'application/pdf', data: 'JVBERg==' },
        title: 'log.pdf',
      },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'é' } },
      { type: 'document', source: { type: 'file', file_id: 'file_011C' } },
    ])
    expect(headers).toEqual({ 'anthropic-beta': 'files-api-2025-04-14' })
  })

  test('T17 signed and encrypted reasoning goes back before the calls, other reasoning is named', () => {
    const { body, dropped } = write({
      turns: [
        user('Hi'),
        {
          role: 'assistant',
          parts: [
            { type: 'reasoning', text: 'Hm.', signature: 'c2ln', format: 'anthropic' },
            { type: 'reasoning', text: '', redacted: 'RU5D', format: 'anthropic' },
            { type: 'reasoning', text: '', redacted: 'UlU1RA==', format: 'bedrock' },
            { type: 'reasoning', text: 'unsigned' },
            { type: 'tool-call', id: 'c', name: 'f', arguments: '{}' },
          ],
        },
        result('c', 'x'),
      ],
    })
    expect((body.messages as { content: unknown }[])[1]!.content).toEqual([
      { type: 'thinking', thinking: 'Hm.', signature: 'c2ln' },
      { type: 'redacted_thinking', data: 'RU5D' },
      { type: 'redacted_thinking', data: 'RU5D' },
      { type: 'tool_use', id: 'c', name: 'f', input: {} },
    ])
    expect(dropped).toEqual(['messages[].reasoning_content'])
  })
})

describe('tools', () => {
  test.each([
    [{ type: 'required' }, undefined, { type: 'any' }],
    [{ type: 'named', name: 'get_weather' }, undefined, { type: 'tool', name: 'get_weather' }],
    [{ type: 'required' }, false, { type: 'any', disable_parallel_tool_use: true }],
    [undefined, false, { type: 'auto', disable_parallel_tool_use: true }],
    [undefined, true, undefined],
  ] as const)('T69 choice %p, parallel calls %p', (toolChoice, parallelToolCalls, wire) => {
    expect(write({ tools: [weather], toolChoice, parallelToolCalls }).body.tool_choice).toEqual(wire)
  })

  test('T100 no tools, no choice', () => {
    const { body } = write({ tools: [], toolChoice: { type: 'auto' }, parallelToolCalls: false })
    expect(body).not.toHaveProperty('tools')
    expect(body).not.toHaveProperty('tool_choice')
  })

  test('T101 a choice of none keeps the tools declared', () => {
    const { body } = write({ tools: [weather], toolChoice: { type: 'none' } })
    expect(body.tool_choice).toEqual({ type: 'none' })
    expect(body.tools).toHaveLength(1)
  })

  test('only allowed tools are declared', () => {
    const { body } = write({
      tools: [weather, { name: 'other' }],
      allowedTools: ['other'],
      toolChoice: { type: 'required' },
    })
    expect(body.tools).toEqual([{ name: 'other', input_schema: { type: 'object', properties: {} } }])
  })

  test('a strict tool stays strict where its schema can be, and is named where not', () => {
    const closed = { ...weather.parameters, additionalProperties: false }
    const strict = write({ tools: [{ ...weather, parameters: closed, strict: true }] })
    expect(strict.body.tools).toMatchObject([{ strict: true, input_schema: closed }])
    expect(strict.dropped).toEqual([])
    const open = write({ tools: [{ ...weather, strict: true }] })
    expect(open.body.tools).not.toMatchObject([{ strict: true }])
    expect(open.dropped).toEqual(['tools[].function.strict'])
  })

  test('a model that cannot be made to call a tool: the choice is refused', () => {
    const run = () => write({ tools: [weather], toolChoice: { type: 'required' } }, 'claude-opus-5-5')
    expect(thrown(run)).toMatchObject({ field: 'tool_choice' })
  })

  test('T56 a long name is shortened and remembered', () => {
    const long = `read_${'very_'.repeat(30)}long_name`
    const { body, memory } = write({ tools: [{ name: long }], toolChoice: { type: 'named', name: long } })
    const { name } = (body.tools as { name: string }[])[0]!
    expect(name.length).toBeLessThanOrEqual(128)
    expect(body.tool_choice).toEqual({ type: 'tool', name })
    const body2: Answer = { content: [{ type: 'tool_use', id: 't', name, input: {} }], stop_reason: 'tool_use' }
    const reply = anthropicMessages.readReply(body2, { memory, quirks: [] })
    expect(reply.choices[0]!.parts).toMatchObject([{ name: long }])
  })
})

describe('the form of the answer', () => {
  const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const output = { type: 'schema' as const, name: 'place', schema, strict: true }

  test('a schema goes to output_config where the model has it', () => {
    const { body, memory } = write({ output })
    expect(body.output_config).toEqual({
      format: { type: 'json_schema', schema: { ...schema, additionalProperties: false } },
    })
    expect(body).not.toHaveProperty('tools')
    expect(memory).toEqual({})
  })

  test('T73 on older models a forced tool stands in, and its input is the answer', () => {
    const { body, memory } = write({ output }, 'claude-3-5-sonnet-20241022')
    expect(body.tools).toMatchObject([{ name: 'json_answer', input_schema: schema }])
    expect(body.tool_choice).toEqual({ type: 'tool', name: 'json_answer', disable_parallel_tool_use: true })
    const answer: Answer = {
      content: [{ type: 'tool_use', id: 't', name: 'json_answer', input: { city: 'Brest' } }],
      stop_reason: 'tool_use',
    }
    const [choice] = anthropicMessages.readReply(answer, { memory, quirks: [] }).choices
    expect(choice).toMatchObject({ parts: [{ type: 'text', text: '{"city":"Brest"}' }], finish: 'stop' })
  })

  test('T73 beside other tools any of them may be called first', () => {
    const { body } = write({ output, tools: [weather] }, 'claude-3-5-sonnet-20241022')
    expect(body.tool_choice).toEqual({ type: 'any', disable_parallel_tool_use: true })
    expect(body.tools).toHaveLength(2)
  })

  test('a schema with names of the model’s own choice needs the tool everywhere', () => {
    const map = { type: 'object', additionalProperties: { type: 'number' } }
    expect(write({ output: { ...output, schema: map } }).memory).toEqual({ jsonTool: 'json_answer' })
  })

  test('JSON without a schema is left to the prompt, and named', () => {
    expect(write({ output: { type: 'json' } }).dropped).toEqual(['response_format'])
  })
})

describe('numbers and names', () => {
  test('T97 zero is a value', () => {
    const { body } = write({ sampling: { temperature: 0, topK: 0 }, maxTokens: 0 })
    expect(body).toMatchObject({ temperature: 0, top_k: 0, max_tokens: 0 })
    expect(write({ sampling: { topP: 0 } }).body.top_p).toBe(0)
  })

  test.each([
    ['claude-3-haiku-20240307', 4_096],
    ['claude-sonnet-4-5', 32_000],
    ['some-other-model', 8_192],
  ])('max_tokens is always there: %s', (model, bound) => {
    expect(write({}, model).body.max_tokens).toBe(bound)
  })

  test('a bound above the model’s is cut and named', () => {
    const { body, dropped } = write({ maxTokens: 100_000 }, 'claude-haiku-4-5')
    expect(body.max_tokens).toBe(64_000)
    expect(dropped).toEqual(['max_completion_tokens'])
  })

  test('T72 temperature and top_p exclude each other, and 1 is the most', () => {
    const { body, dropped } = write({ sampling: { temperature: 1.4, topP: 0.5 } })
    expect(body).toMatchObject({ temperature: 1 })
    expect(body).not.toHaveProperty('top_p')
    expect(dropped.sort()).toEqual(['temperature', 'top_p'])
    expect(write({ sampling: { temperature: 0.3, topP: 0.5 } }, 'claude-sonnet-4').body).toMatchObject({
      temperature: 0.3,
      top_p: 0.5,
    })
    expect(write({ sampling: { temperature: 0.3 } }, 'claude-sonnet-5').body).not.toHaveProperty('temperature')
  })

  test('thinking takes no temperature and no forced tool', () => {
    const hot = write({ reasoning: { effort: 'high' }, maxTokens: 4_000, sampling: { temperature: 0.2 } })
    expect(hot.body).not.toHaveProperty('temperature')
    expect(hot.body.thinking).toEqual({ type: 'enabled', budget_tokens: 3_200 })
    expect(hot.dropped).toEqual(['temperature'])
    const forced = write({ reasoning: { effort: 'high' }, tools: [weather], toolChoice: { type: 'required' } })
    expect(forced.body).not.toHaveProperty('thinking')
    expect(forced.dropped).toEqual(['reasoning_effort'])
  })

  test('effort and schema share output_config', () => {
    const output = { type: 'schema' as const, name: 'x', schema: { type: 'object', properties: {} } }
    const { body } = write({ output, reasoning: { effort: 'low' } }, 'claude-opus-4-6')
    expect(body.output_config).toMatchObject({ effort: 'low', format: { type: 'json_schema' } })
    expect(body.thinking).toEqual({ type: 'adaptive' })
  })

  test.each([
    ['auto', 'auto', []],
    ['default', 'standard_only', []],
    ['flex', undefined, ['service_tier']],
  ])('service tier %s', (serviceTier, wire, named) => {
    const { body, dropped } = write({ serviceTier })
    expect(body.service_tier).toBe(wire)
    expect(dropped).toEqual(named)
  })

  test('what has no counterpart and does no harm is named; the user, the stops and the stream go on', () => {
    const { body, dropped } = write({
      user: 'u1',
      stop: ['END', '\n'],
      stream: true,
      metadata: { a: 'b' },
      verbosity: 'low',
      promptCacheKey: 'k',
      sampling: { seed: 1, presencePenalty: 0, frequencyPenalty: 0.5 },
      unknown: { speed: 'fast', safety_settings: [] },
    })
    expect(body).toMatchObject({ metadata: { user_id: 'u1' }, stop_sequences: ['END'], stream: true, speed: 'fast' })
    expect(dropped.sort()).toEqual(
      [
        'frequency_penalty',
        'metadata',
        'presence_penalty',
        'prompt_cache_key',
        'safety_settings',
        'seed',
        'stop',
        'verbosity',
      ].sort(),
    )
  })

  test('T102 betas from the body become the header', () => {
    const { headers, body, dropped } = write({ unknown: { anthropic_beta: ['a', 'b'], betas: 'b, c' } })
    expect(headers).toEqual({ 'anthropic-beta': 'a,b,c' })
    expect(body).not.toHaveProperty('anthropic_beta')
    expect(dropped).toEqual([])
  })
})

const inUser = (part: Conversation['turns'][number]['parts'][number]) => ({
  turns: [system('S'), { role: 'user' as const, parts: [{ type: 'text' as const, text: 'x' }, part] }],
})

test.each([
  ['n', { count: 2 }],
  ['logprobs', { sampling: { logprobs: true } }],
  ['logit_bias', { sampling: { logitBias: { '1': 5 } } }],
  ['messages[1].content[1]', inUser({ type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: '' } })],
  ['messages[1].content[1]', inUser({ type: 'file', source: { kind: 'file-id', id: 'file-abc' } })],
  [
    'messages[1].content[1]',
    inUser({ type: 'file', source: { kind: 'base64', mediaType: 'application/zip', data: '' } }),
  ],
])('refuses what it cannot say, naming %s', (field, given) => {
  const error = thrown(() => write(given))
  expect(error).toBeInstanceOf(Unsupported)
  expect(error).toMatchObject({ field })
})
