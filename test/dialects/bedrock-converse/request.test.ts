import { describe, expect, test } from 'bun:test'
import type { Conversation, Turn } from '../../../src/conversation/conversation.ts'
import { Unsupported } from '../../../src/conversation/errors.ts'
import { bedrockConverse } from '../../../src/dialects/bedrock-converse/index.ts'
import { assistant, calling, conversation, result, system, thrown, user, weather } from '../conversations.ts'

const CLAUDE = 'us.anthropic.claude-sonnet-4-5-20250929-v1:0'
const write = (given: Partial<Conversation>, model = CLAUDE) =>
  bedrockConverse.writeRequest(conversation(given), { model })
const contents = (turns: Conversation['turns'], model?: string) =>
  (write({ turns }, model).body.messages as { role: string; content: object[] }[]).map(message => message.content)

test('the body names neither the model nor the stream, and is the same twice', () => {
  const given = { stream: true, turns: [system('S'), user('Hi')], maxTokens: 0, sampling: { temperature: 0, topP: 0 } }
  const { body } = write(given, 'amazon.nova-lite-v1:0')
  expect(body).toEqual({
    messages: [{ role: 'user', content: [{ text: 'Hi' }] }],
    system: [{ text: 'S' }],
    inferenceConfig: { maxTokens: 0, temperature: 0, topP: 0 },
  })
  expect(JSON.stringify(write(given, 'amazon.nova-lite-v1:0').body)).toBe(JSON.stringify(body))
})

describe('messages', () => {
  test('T52 T74 an empty answer in the history is skipped, an answer of calls alone is kept', () => {
    expect(contents([user('One'), assistant(''), user('Two'), calling(['tu_1', 'f']), result('tu_1', 'x')])).toEqual([
      [{ text: 'One' }, { text: 'Two' }],
      [{ toolUse: { toolUseId: 'tu_1', name: 'f', input: {} } }],
      [{ toolResult: { toolUseId: 'tu_1', content: [{ text: 'x' }] } }],
    ])
  })

  test('T53 results of one turn stand in one message, a failed one says so', () => {
    const turns = [
      system('S'),
      user('Both'),
      calling(['tu_a', 'f'], ['tu_b', 'f']),
      result('tu_a', '9 °C and rain'),
      result('tu_b', 'unknown place', true),
    ]
    expect(contents(turns)).toHaveLength(3)
    expect(contents(turns)[2]).toEqual([
      { toolResult: { toolUseId: 'tu_a', content: [{ text: '9 °C and rain' }] } },
      { toolResult: { toolUseId: 'tu_b', content: [{ text: 'unknown place' }], status: 'error' } },
    ])
  })

  test.each(['"abc"', '[1]', 'null', ''])('T57 T64 arguments that are no object become an empty one: %s', args => {
    expect(contents([user('Hi'), calling(['t', 'f', args]), result('t', 'x')])[1]).toEqual([
      { toolUse: { toolUseId: 't', name: 'f', input: {} } },
    ])
  })

  test('T76 Mistral’s models get nine letters and digits', () => {
    const model = 'mistral.mistral-large-2407-v1:0'
    const [, call, answer] = contents([user('Hi'), calling(['call_abc', 'f']), result('call_abc', 'x')], model)
    const { toolUseId } = (call![0] as { toolUse: { toolUseId: string } }).toolUse
    expect(toolUseId).toMatch(/^[a-zA-Z0-9]{9}$/)
    expect(answer).toMatchObject([{ toolResult: { toolUseId } }])
  })

  test('images by their bytes or from S3, documents with names of their own and a text beside them', () => {
    const pdf = { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'JVBERg==' } } as const
    const parts: Conversation['turns'][number]['parts'] = [
      { type: 'image', source: { kind: 'base64', mediaType: 'image/jpeg', data: 'aGk=' } },
      { type: 'image', source: { kind: 'url', url: 's3://bucket/one.png' } },
      { ...pdf, filename: 'tide_table (2026).pdf' },
      { ...pdf, filename: 'tide_table (2026).pdf' },
      { type: 'file', source: { kind: 'text', text: 'é' } },
    ]
    expect(contents([{ role: 'user', parts }])[0]).toEqual([
      { image: { format: 'jpeg', source: { bytes: 'aGk=' } } },
      { image: { format: 'png', source: { s3Location: { uri: 's3://bucket/one.png' } } } },
      { document: { format: 'pdf', name: 'tide-table (2026)', source: { bytes: 'JVBERg==' } } },
      { document: { format: 'pdf', name: 'tide-table (2026) (2)', source: { bytes: 'JVBERg==' } } },
      { document: { format: 'txt', name: 'document', source: { bytes: 'w6k=' } } },
      { text: '.' },
    ])
  })

  test('T55 a breakpoint is an element of its own, in system, messages and tools', () => {
    const cache = { ttl: '1h' as const }
    const marked = (text: string) => [{ type: 'text' as const, text, cache }]
    const given = {
      turns: [
        { role: 'system' as const, parts: marked('S') },
        { role: 'user' as const, parts: marked('Hi') },
      ],
      tools: [{ ...weather, cache }],
    }
    const point = { cachePoint: { type: 'default', ttl: '1h' } }
    const { body, dropped } = write(given)
    expect(body.system).toEqual([{ text: 'S' }, point])
    expect(body.messages).toMatchObject([{ content: [{ text: 'Hi' }, point] }])
    expect((body.toolConfig as { tools: object[] }).tools[1]).toEqual(point)
    expect(dropped).toEqual([])
    expect(write(given, 'meta.llama3-1-70b-instruct-v1:0').dropped).toEqual(['cache_control'])
  })

  test('T17 reasoning goes back with its signature; the blob is base64 of what Anthropic gives', () => {
    const parts: Conversation['turns'][number]['parts'] = [
      { type: 'reasoning', text: 'Hm.', signature: 'c2ln', format: 'bedrock' },
      { type: 'reasoning', text: '', redacted: 'RU5D', format: 'anthropic' },
      { type: 'reasoning', text: '', redacted: 'UlU1RA==', format: 'bedrock' },
      { type: 'text', text: 'Yes.' },
    ]
    expect(contents([user('Hi'), { role: 'assistant', parts }, user('So?')])[1]).toEqual([
      { reasoningContent: { reasoningText: { text: 'Hm.', signature: 'c2ln' } } },
      { reasoningContent: { redactedContent: 'UlU1RA==' } },
      { reasoningContent: { redactedContent: 'UlU1RA==' } },
      { text: 'Yes.' },
    ])
  })
})

describe('tools', () => {
  const spec = {
    toolSpec: { name: 'get_weather', description: 'Weather of a place', inputSchema: { json: weather.parameters } },
  }
  const history = [user('Hi'), calling(['t', 'get_weather']), result('t', 'x')]

  test.each([
    [undefined, undefined],
    [{ type: 'auto' }, undefined],
    [{ type: 'required' }, { any: {} }],
    [{ type: 'named', name: 'get_weather' }, { tool: { name: 'get_weather' } }],
  ] as const)('T69 choice %p', (toolChoice, wire) => {
    expect(write({ tools: [weather], toolChoice }).body.toolConfig).toEqual({
      tools: [spec],
      ...(wire && { toolChoice: wire }),
    })
  })

  test('T54 a history with calls gets the tools that it names', () => {
    expect(write({ turns: history }).body.toolConfig).toEqual({
      tools: [{ toolSpec: { name: 'get_weather', inputSchema: { json: { type: 'object', properties: {} } } } }],
    })
  })

  test('T100 no tools, no toolConfig', () => {
    expect(write({ tools: [], toolChoice: { type: 'required' } }).body).not.toHaveProperty('toolConfig')
  })

  test('T101 a choice of none takes the tools away, unless the history needs them', () => {
    const none = { tools: [weather], toolChoice: { type: 'none' as const } }
    expect(write(none).body).not.toHaveProperty('toolConfig')
    const needed = write({ ...none, turns: history })
    expect(needed.body.toolConfig).toEqual({ tools: [spec] })
    expect(needed.dropped).toEqual(['tool_choice'])
  })

  test('T56 a name beyond 64 characters is shortened in tools, choice and history, and restored', () => {
    const long = 'mcp__plugin_weather_station__readTheBarometerOfTheThirdHarbourTower'
    const { body, memory } = write({
      tools: [{ name: long }],
      toolChoice: { type: 'named', name: long },
      turns: [user('Hi'), calling(['t', long]), result('t', 'x')],
    })
    const [name] = [...memory.toolNames!.keys()]
    expect(name!.length).toBeLessThanOrEqual(64)
    expect(body.toolConfig).toMatchObject({ tools: [{ toolSpec: { name } }], toolChoice: { tool: { name } } })
    expect(body.messages).toMatchObject([{}, { content: [{ toolUse: { name } }] }, {}])
    const answer = {
      output: { message: { content: [{ toolUse: { toolUseId: 't', name, input: {} } }] } },
      stopReason: 'tool_use',
    }
    expect(bedrockConverse.readReply(answer, { memory, quirks: [] }).choices[0]!.parts).toMatchObject([{ name: long }])
  })

  test('single calls and strictness have no word', () => {
    const { dropped } = write({ tools: [{ ...weather, strict: true }], parallelToolCalls: false })
    expect(dropped.sort()).toEqual(['parallel_tool_calls', 'tools[].function.strict'])
  })
})

describe('the form of the answer', () => {
  const schema = { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] }
  const output = { type: 'schema' as const, name: 'the place', schema }

  test('a schema goes as text where the model has it', () => {
    expect(write({ output }).body.outputConfig).toEqual({
      textFormat: {
        type: 'json_schema',
        structure: {
          jsonSchema: { name: 'the_place', schema: JSON.stringify({ ...schema, additionalProperties: false }) },
        },
      },
    })
  })

  test('T73 elsewhere a forced tool stands in, and its input is the answer', () => {
    const { body, memory } = write({ output }, 'anthropic.claude-3-haiku-20240307-v1:0')
    expect(body.toolConfig).toMatchObject({ tools: [{}], toolChoice: { tool: { name: 'json_answer' } } })
    const content = [{ toolUse: { toolUseId: 't', name: 'json_answer', input: { city: 'Brest' } } }]
    const [choice] = bedrockConverse.readReply(
      { output: { message: { content } }, stopReason: 'tool_use' },
      { memory, quirks: [] },
    ).choices
    expect(choice).toMatchObject({ parts: [{ type: 'text', text: '{"city":"Brest"}' }], finish: 'stop' })
  })
})

describe('what each maker’s models take beside', () => {
  test.each([
    ['T58 Claude', CLAUDE, { top_k: 5 }],
    ['Nova', 'us.amazon.nova-pro-v1:0', { inferenceConfig: { topK: 5 } }],
    ['Cohere', 'cohere.command-r-plus-v1:0', { k: 5 }],
  ])('top_k of %s', (_, model, additional) => {
    expect(write({ sampling: { topK: 5 } }, model).body.additionalModelRequestFields).toEqual(additional)
  })

  test('top_k of Llama is named', () => {
    expect(write({ sampling: { topK: 5 } }, 'meta.llama3-1-70b-instruct-v1:0').dropped).toEqual(['top_k'])
  })

  test.each([
    [CLAUDE, { thinking: { type: 'enabled', budget_tokens: 8_000 } }],
    ['anthropic.claude-opus-4-6-v1', { thinking: { type: 'adaptive' }, output_config: { effort: 'high' } }],
    ['amazon.nova-2-lite-v1:0', { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } }],
    ['openai.gpt-oss-120b-1:0', { reasoning_effort: 'high' }],
  ])('reasoning of %s', (model, additional) => {
    const { body, dropped } = write({ reasoning: { effort: 'high' }, maxTokens: 10_000 }, model)
    expect(body.additionalModelRequestFields).toEqual(additional)
    expect(body.inferenceConfig).toEqual({ maxTokens: 10_000 })
    expect(dropped).toEqual([])
  })

  test('reasoning of a model that has none is named', () => {
    expect(write({ reasoning: { effort: 'high' } }, 'us.amazon.nova-pro-v1:0').dropped).toEqual(['reasoning_effort'])
  })

  test('T102 betas go into the body for Claude', () => {
    const unknown = {
      anthropic_beta: 'a, b',
      additionalModelRequestFields: { anthropic_beta: ['z'] },
      guardrailConfig: { guardrailIdentifier: 'g' },
    }
    const { body } = write({ unknown })
    expect(new Set((body.additionalModelRequestFields as { anthropic_beta: string[] }).anthropic_beta)).toEqual(
      new Set(['z', 'a', 'b']),
    )
    expect(body.guardrailConfig).toEqual({ guardrailIdentifier: 'g' })
    expect(write({ unknown: { anthropic_beta: 'a' } }, 'amazon.nova-lite-v1:0').dropped).toEqual(['anthropic_beta'])
  })

  test('tiers, metadata and the user', () => {
    const { body, dropped } = write({ serviceTier: 'flex', metadata: { team: 'harbour', bad: 'é' }, user: 'u-1' })
    expect(body).toMatchObject({ serviceTier: { type: 'flex' }, requestMetadata: { team: 'harbour', user: 'u-1' } })
    expect(dropped).toEqual(['metadata'])
    expect(write({ serviceTier: 'scale' }).dropped).toEqual(['service_tier'])
  })
})

const file = (part: Conversation['turns'][number]['parts'][number]) => ({
  turns: [{ role: 'user' as const, parts: [part] }],
})

test.each([
  ['n', { count: 3 }],
  ['logprobs', { sampling: { logprobs: true } }],
  ['messages[0].content[0]', file({ type: 'image', source: { kind: 'url', url: 'https://pictures.example/1.png' } })],
  ['messages[0].content[0]', file({ type: 'file', source: { kind: 'file-id', id: 'file_1' } })],
  ['messages[0].content[0]', file({ type: 'image', source: { kind: 'base64', mediaType: 'image/tiff', data: '' } })],
  ['messages[0].content[0]', file({ type: 'audio', source: { kind: 'base64', mediaType: 'audio/wav', data: '' } })],
])('refuses what it cannot say, naming %s', (field, given) => {
  const error = thrown(() => write(given))
  expect(error).toBeInstanceOf(Unsupported)
  expect(error).toMatchObject({ field })
})

test('reasoning that Anthropic’s own API gave goes back to Claude only', () => {
  const turn: Turn = {
    role: 'assistant',
    parts: [
      { type: 'reasoning', text: 'Hm.', signature: 'c2ln', format: 'anthropic' },
      { type: 'text', text: 'Yes' },
    ],
  }
  const given = { turns: [user('Hi'), turn, user('And?')] }
  expect(JSON.stringify(write(given).body)).toContain('reasoningContent')
  const foreign = write(given, 'amazon.nova-pro-v1:0')
  expect(JSON.stringify(foreign.body)).not.toContain('reasoningContent')
  expect(foreign.dropped).toEqual(['messages[].reasoning_content'])
})

test('Nova has cache points in messages, but none in its tools', () => {
  const given = { turns: [user('Hi')], tools: [{ ...weather, cache: {} }] }
  const { body, dropped } = write(given, 'amazon.nova-lite-v1:0')
  expect((body.toolConfig as { tools: object[] }).tools.map(tool => Object.keys(tool))).toEqual([['toolSpec']])
  expect(dropped).toEqual(['cache_control'])
  expect((write(given).body.toolConfig as { tools: object[] }).tools).toHaveLength(2)
})
