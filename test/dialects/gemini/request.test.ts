import { expect, test } from 'bun:test'
import type { Conversation, JsonObject, Turn } from '../../../src/conversation/conversation.ts'
import { Unsupported } from '../../../src/conversation/errors.ts'
import type { Part } from '../../../src/conversation/parts.ts'
import { gemini } from '../../../src/dialects/gemini/index.ts'
import type { WirePart } from '../../../src/dialects/gemini/types.ts'
import { at, conversation, write } from './setup.ts'

const user = (...parts: Part[]): Turn => ({ role: 'user', parts })
const says = (text: string): Part => ({ type: 'text', text })
const call = (id: string, name = 'lock', more: object = {}): Part => ({
  type: 'tool-call',
  id,
  name,
  arguments: '{"door":1}',
  ...more,
})
const result = (id: string, text: string, more: object = {}): Turn => ({
  role: 'tool',
  parts: [{ type: 'tool-result', id, content: [says(text)], ...more }],
})
const contents = (turns: Turn[], model?: string) => write({ turns }, model).body.contents
const lock = {
  name: 'lock',
  parameters: { type: 'object', properties: { door: { type: 'integer' } }, required: ['door'] },
}
const refused = (given: Partial<Conversation>) => {
  try {
    write(given)
  } catch (error) {
    if (error instanceof Unsupported) return error.field
  }
  return undefined
}

test('system messages are the system instruction, wherever they stand; roles are user and model', () => {
  const { body } = write({
    turns: [
      { role: 'system', parts: [says('Be short.')] },
      user(says('Hi')),
      { role: 'assistant', parts: [says('Hello')] },
      { role: 'system', parts: [says('Be kind.')] },
      user(says('And')),
      user(says('now?')),
    ],
  })
  expect(body).toEqual({
    systemInstruction: { parts: [{ text: 'Be short.' }, { text: 'Be kind.' }] },
    contents: [
      { role: 'user', parts: [{ text: 'Hi' }] },
      { role: 'model', parts: [{ text: 'Hello' }] },
      { role: 'user', parts: [{ text: 'And' }, { text: 'now?' }] },
    ],
  })
})

test('the first Gemma models get the system message from the user, and a lone system message is the content', () => {
  const turns: Turn[] = [{ role: 'system', parts: [says('Be short.')] }, user(says('Hi'))]
  expect(write({ turns }, 'gemma-3-27b-it').body).toEqual({
    contents: [{ role: 'user', parts: [{ text: 'Be short.' }, { text: 'Hi' }] }],
  })
  expect(contents(turns.slice(0, 1))).toEqual([{ role: 'user', parts: [{ text: 'Be short.' }] }])
})

test('T47 functionResponse has no sibling parts: results alone, in call order, the user’s text after them', () => {
  expect(
    contents([
      user(says('Lock both.')),
      { role: 'assistant', parts: [call('a'), call('b', 'bolt')] },
      result('b', 'bolted'),
      result('a', '{"locked":true,"door":1}'),
      user(says('Well?')),
    ]),
  ).toEqual([
    { role: 'user', parts: [{ text: 'Lock both.' }] },
    {
      role: 'model',
      parts: [
        { functionCall: { name: 'lock', args: { door: 1 } } },
        { functionCall: { name: 'bolt', args: { door: 1 } } },
      ],
    },
    {
      role: 'user',
      parts: [
        { functionResponse: { name: 'lock', response: { locked: true, door: 1 } } },
        { functionResponse: { name: 'bolt', response: { result: 'bolted' } } },
      ],
    },
    { role: 'user', parts: [{ text: 'Well?' }] },
  ])
})

test('T49 two calls of one name are told apart by id, from Gemini 3 on', () => {
  const turns = [
    user(says('Go')),
    { role: 'assistant' as const, parts: [call('x'), call('y')] },
    result('y', 'two'),
    result('x', 'one'),
  ]
  const [, model, responses] = contents(turns, 'gemini-3-pro-preview')
  expect(model?.parts?.map(part => part.functionCall?.id)).toEqual(['x', 'y'])
  expect(responses?.parts?.map(part => [part.functionResponse?.id, part.functionResponse?.response?.result])).toEqual([
    ['x', 'one'],
    ['y', 'two'],
  ])
})

test.each([
  ['text', 'fine', false, { result: 'fine' }],
  ['an object', '{"a":1}', false, { a: 1 }],
  ['an object that reads like a wrapping', '{"note":"x"}', false, { result: { note: 'x' } }],
  ['an object with a word of Gemini’s', '{"error":0,"b":2}', false, { result: { error: 0, b: 2 } }],
  ['a list', '[1,2]', false, { result: '[1,2]' }],
  ['numbers that JSON.parse would change', '{"id":90071992547409931}', false, { result: '{"id":90071992547409931}' }],
  ['a failure', 'no door', true, { error: 'no door' }],
])('the result of a tool: %s', (_, text, failed, wanted) => {
  const turns = [user(says('Go')), { role: 'assistant' as const, parts: [call('x')] }, result('x', text, { failed })]
  expect(contents(turns)[2]?.parts?.[0]?.functionResponse?.response).toEqual(wanted)
})

test('pictures of a tool stand in the response on Gemini 3, and behind it before', () => {
  const image: Part = { type: 'image', source: { kind: 'base64', mediaType: 'image/png', data: 'AAAA' } }
  const turns: Turn[] = [
    user(says('Go')),
    { role: 'assistant', parts: [call('x')] },
    { role: 'tool', parts: [{ type: 'tool-result', id: 'x', content: [says('seen'), image] }] },
  ]
  const inline = { inlineData: { mimeType: 'image/png', data: 'AAAA' } }
  expect(contents(turns, 'gemini-3-flash')[2]?.parts?.[0]?.functionResponse?.parts).toEqual([inline])
  expect(contents(turns, 'gemini-2.5-pro').slice(3)).toEqual([{ role: 'user', parts: [inline] }])
})

test('T46 signatures go back on their parts, on an empty text too; foreign reasoning does not', () => {
  const parts: Part[] = [
    { type: 'reasoning', text: 'Hm', format: 'google', signature: 'sig-r' },
    { type: 'reasoning', text: 'Hm', format: 'anthropic', signature: 'other' },
    { type: 'text', text: '', signature: 'sig-t' },
    call('x', 'lock', { signature: 'sig-c' }),
    call('y'),
  ]
  const { body, dropped } = write({ turns: [user(says('Go')), { role: 'assistant', parts }] }, 'gemini-3-pro')
  expect(body.contents[1]?.parts?.map(part => part.thoughtSignature)).toEqual(['sig-r', 'sig-t', 'sig-c', undefined])
  expect(dropped).toEqual(['messages[].reasoning_content'])
})

test('a step without any signature gets Gemini’s word for that on its first call, on Gemini 3 only', () => {
  const turns: Turn[] = [
    user(says('Go')),
    { role: 'assistant', parts: [call('x'), call('y')] },
    result('x', '1'),
    result('y', '2'),
  ]
  const marks = (model: string) => contents(turns, model)[1]?.parts?.map(part => part.thoughtSignature)
  expect(marks('gemini-3.1-pro-preview')).toEqual(['skip_thought_signature_validator', undefined])
  expect(marks('gemini-2.5-pro')).toEqual([undefined, undefined])
})

test.each<[string, Part, WirePart]>([
  [
    'picture bytes',
    { type: 'image', source: { kind: 'base64', mediaType: 'image/webp', data: 'UA' } },
    { inlineData: { mimeType: 'image/webp', data: 'UA' } },
  ],
  [
    'a picture’s address',
    { type: 'image', source: { kind: 'url', url: 'https://example.org/a.png?x=1' } },
    { fileData: { mimeType: 'image/png', fileUri: 'https://example.org/a.png?x=1' } },
  ],
  [
    'an address that says nothing',
    { type: 'image', source: { kind: 'url', url: 'https://example.org/a' } },
    { fileData: { mimeType: 'image/jpeg', fileUri: 'https://example.org/a' } },
  ],
  [
    'sound',
    { type: 'audio', source: { kind: 'base64', mediaType: 'audio/mpeg', data: 'UA' }, format: 'mp3' },
    { inlineData: { mimeType: 'audio/mp3', data: 'UA' } },
  ],
  [
    'a document',
    { type: 'file', source: { kind: 'base64', mediaType: 'application/pdf', data: 'UA' } },
    { inlineData: { mimeType: 'application/pdf', data: 'UA' } },
  ],
  ['a document as text', { type: 'file', source: { kind: 'text', text: 'a,b' } }, { text: 'a,b' }],
  [
    'a file of Google’s',
    { type: 'file', source: { kind: 'file-id', id: 'files/abc-1' } },
    { fileData: { fileUri: 'https://generativelanguage.googleapis.com/v1beta/files/abc-1' } },
  ],
])('media: %s', (_, part, wanted) => {
  expect(contents([user(part)])[0]?.parts).toEqual([wanted])
})

test('what Gemini cannot take is refused by the name of its field', () => {
  const file: Part = { type: 'file', source: { kind: 'file-id', id: 'file-of-another' } }
  expect(refused({ turns: [user(says('Hi')), user(says('See'), file)] })).toBe('messages[1].content[1]')
  expect(refused({ turns: [user(says('Hi')), result('nobody', 'x')] })).toBe('messages[1].tool_call_id')
  expect(refused({ sampling: { logitBias: { 5: 1 } } })).toBe('logit_bias')
})

test('T97 zero is a value', () => {
  const sampling = { temperature: 0, topP: 0, topK: 0, seed: 0, logprobs: true, topLogprobs: 0 }
  expect(write({ sampling, maxTokens: 0 }).body.generationConfig).toEqual({
    maxOutputTokens: 0,
    temperature: 0,
    topP: 0,
    topK: 0,
    seed: 0,
    responseLogprobs: true,
    logprobs: 0,
  })
})

test('sampling: n, stop and penalties, which newer models refuse', () => {
  const given = { count: 2, stop: ['END'], sampling: { presencePenalty: 0.5, frequencyPenalty: 0 } }
  expect(write(given, 'gemini-2.0-flash').body.generationConfig).toEqual({
    presencePenalty: 0.5,
    frequencyPenalty: 0,
    stopSequences: ['END'],
    candidateCount: 2,
  })
  const newer = write(given, 'gemini-2.5-pro')
  expect(newer.body.generationConfig).toEqual({ stopSequences: ['END'], candidateCount: 2 })
  expect(newer.dropped).toEqual(['presence_penalty', 'frequency_penalty'])
})

test('what has no counterpart is named', () => {
  const { dropped, body } = write({
    user: 'u',
    metadata: { a: 'b' },
    verbosity: 'low',
    promptCacheKey: 'k',
    serviceTier: 'scale',
    parallelToolCalls: false,
    tools: [lock],
    sampling: { minP: 0.1 },
    unknown: { store: true, google: { odd: 1 } },
  })
  expect(dropped.sort()).toEqual(
    ['google.odd', 'metadata', 'min_p', 'parallel_tool_calls', 'prompt_cache_key', 'service_tier', 'store', 'user', 'verbosity'],
  ) // biome-ignore format: a list
  expect(Object.keys(body)).toEqual(['contents', 'tools'])
})

test('tools are declared with what they require; one without arguments has no parameters', () => {
  const { body } = write({
    tools: [lock, { name: 'ring', description: 'Rings.', parameters: { type: 'object', properties: {} } }],
  })
  expect(body.tools).toEqual([
    {
      functionDeclarations: [
        { name: 'lock', parameters: lock.parameters },
        { name: 'ring', description: 'Rings.' },
      ],
    },
  ])
  expect(body.toolConfig).toBeUndefined()
})

test.each<[string, Partial<Conversation>, JsonObject | undefined]>([
  ['auto', { toolChoice: { type: 'auto' } }, { mode: 'AUTO' }],
  ['none', { toolChoice: { type: 'none' } }, { mode: 'NONE' }],
  ['required', { toolChoice: { type: 'required' } }, { mode: 'ANY' }],
  ['named', { toolChoice: { type: 'named', name: 'lock' } }, { mode: 'ANY', allowedFunctionNames: ['lock'] }],
  [
    'required of some',
    { toolChoice: { type: 'required' }, allowedTools: ['lock'] },
    { mode: 'ANY', allowedFunctionNames: ['lock'] },
  ],
  [
    'auto of some',
    { toolChoice: { type: 'auto' }, allowedTools: ['lock'] },
    { mode: 'VALIDATED', allowedFunctionNames: ['lock'] },
  ],
  ['T100 tools: [] and a choice', { tools: [], toolChoice: { type: 'required' } }, undefined],
])('tool choice: %s', (_, given, wanted) => {
  const { body } = write({ tools: [lock], ...given })
  expect(at<JsonObject | undefined>(body, 'toolConfig.functionCallingConfig')).toEqual(wanted)
  if (!wanted) expect(body).not.toHaveProperty('tools')
})

test('T56 names that Gemini refuses are shortened everywhere and remembered', () => {
  const name = `9 ${'very_'.repeat(20)}long`
  const { body, memory } = write({
    tools: [{ name }],
    toolChoice: { type: 'named', name },
    turns: [user(says('Go')), { role: 'assistant', parts: [call('x', name)] }, result('x', 'ok')],
  })
  const short = at<string>(body, 'tools.0.functionDeclarations.0.name')
  expect(short).toMatch(/^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/)
  expect(at<string>(body, 'toolConfig.functionCallingConfig.allowedFunctionNames.0')).toBe(short)
  expect(at<string>(body, 'contents.1.parts.0.functionCall.name')).toBe(short)
  expect(at<string>(body, 'contents.2.parts.0.functionResponse.name')).toBe(short)
  expect(memory.toolNames?.get(short)).toBe(name)
})

const schema = {
  type: 'object',
  properties: { gate: { type: 'string' } },
  required: ['gate'],
  additionalProperties: false,
}
const output = { type: 'schema' as const, name: 'answer', schema }

test('a JSON schema is the response schema, or a tool where functions exclude it', () => {
  expect(write({ output }).body.generationConfig).toEqual({
    responseMimeType: 'application/json',
    responseJsonSchema: schema,
  })
  expect(write({ output: { type: 'json' } }).body.generationConfig).toEqual({ responseMimeType: 'application/json' })
  expect(at(write({ output }, 'gemini-1.5-pro').body, 'generationConfig.responseSchema')).toEqual({
    type: 'object',
    properties: { gate: { type: 'string' } },
    required: ['gate'],
  })
  const older = write({ output, tools: [lock] }, 'gemini-2.5-pro')
  expect(older.body.generationConfig).toBeUndefined()
  expect(older.memory.jsonTool).toBe('json_answer')
  expect(at<JsonObject[]>(older.body, 'tools.0.functionDeclarations').map(tool => tool.name)).toEqual([
    'lock',
    'json_answer',
  ])
  expect(at(older.body, 'toolConfig.functionCallingConfig')).toEqual({ mode: 'ANY' })
  const newer = write({ output, tools: [lock] }, 'gemini-3-pro')
  expect(at(newer.body, 'generationConfig.responseJsonSchema')).toEqual(schema)
  const forced = write({ output, tools: [lock], toolChoice: { type: 'required' } }, 'gemini-3-pro')
  expect(forced.dropped).toEqual(['response_format'])
})

test.each<[string, Conversation['reasoning'], JsonObject | undefined]>([
  ['gemini-2.5-flash', { effort: 'low' }, { thinkingBudget: 2048, includeThoughts: true }],
  ['gemini-2.5-flash', { effort: 'none' }, { thinkingBudget: 0, includeThoughts: false }],
  ['gemini-2.5-flash', { effort: 'max' }, { thinkingBudget: 24576, includeThoughts: true }],
  ['models/gemini-2.5-pro', { effort: 'none' }, { thinkingBudget: 128, includeThoughts: false }],
  ['gemini-2.5-pro', { budget: 90_000 }, { thinkingBudget: 32768, includeThoughts: true }],
  ['gemini-2.5-flash-lite', { budget: 100, visible: false }, { thinkingBudget: 512, includeThoughts: false }],
  ['gemini-2.5-flash', { budget: -1 }, { thinkingBudget: -1, includeThoughts: true }],
  ['gemini-2.5-flash', { visible: true }, { includeThoughts: true }],
  ['gemini-3-pro-preview', { effort: 'low' }, { thinkingLevel: 'LOW', includeThoughts: true }],
  ['gemini-3-pro-preview', { effort: 'medium' }, { thinkingLevel: 'HIGH', includeThoughts: true }],
  ['gemini-3.1-pro-preview', { effort: 'medium' }, { thinkingLevel: 'MEDIUM', includeThoughts: true }],
  ['gemini-3-flash-preview', { effort: 'none' }, { thinkingLevel: 'MINIMAL', includeThoughts: false }],
  ['gemini-3.7-flash', { effort: 'minimal' }, { thinkingLevel: 'LOW', includeThoughts: true }],
  ['gemini-3-flash-preview', { budget: 30_000 }, { thinkingLevel: 'HIGH', includeThoughts: true }],
  ['gemini-flash-latest', { effort: 'medium' }, { thinkingBudget: 8192, includeThoughts: true }],
  ['gemini-2.0-flash', { effort: 'high' }, undefined],
  ['gemini-2.5-flash-image', { effort: 'high' }, undefined],
])('thinking: %s with %j', (model, reasoning, wanted) => {
  const { body, dropped } = write({ reasoning }, model)
  expect(at<JsonObject | undefined>(body, 'generationConfig.thinkingConfig')).toEqual(wanted)
  expect(dropped).toEqual(wanted ? [] : ['reasoning_effort'])
})

test('members for Google are passed on, wherever callers put them', () => {
  const { body, dropped } = write({
    reasoning: { effort: 'low' },
    serviceTier: 'flex',
    unknown: {
      safety_settings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }],
      extra_body: { google: { cached_content: 'cachedContents/7', thinking_config: { thinking_budget: 99 } } },
      google: { generation_config: { media_resolution: 'MEDIA_RESOLUTION_LOW' }, tools: [{ google_search: {} }] },
      modalities: ['text', 'image'],
    },
  })
  expect(body).toMatchObject({
    safetySettings: [{ category: 'HARM_CATEGORY_HARASSMENT', threshold: 'OFF' }],
    cachedContent: 'cachedContents/7',
    tools: [{ googleSearch: {} }],
    serviceTier: 'flex',
  })
  expect(body.generationConfig).toEqual({
    thinkingConfig: { thinkingBudget: 99, includeThoughts: true },
    mediaResolution: 'MEDIA_RESOLUTION_LOW',
    responseModalities: ['TEXT', 'IMAGE'],
  })
  expect(dropped).toEqual([])
})

test('T84 T85 the conversation is left as it is, and gives the same bytes again', () => {
  const freeze = <T>(value: T): T => {
    if (value && typeof value === 'object') for (const inner of Object.values(Object.freeze(value))) freeze(inner)
    return value
  }
  const given = freeze(
    conversation({
      tools: [lock, { name: 'a name with spaces', parameters: schema }],
      output,
      reasoning: { effort: 'low' },
      turns: [user(says('Go')), { role: 'assistant', parts: [call('x')] }, result('x', '{"a":1}')],
      unknown: { google: { thinking_config: { include_thoughts: false } } },
    }),
  )
  const [first, again] = [1, 2].map(() => JSON.stringify(gemini.writeRequest(given, { model: 'gemini-2.5-pro' }).body))
  expect(first).toBe(again!)
})
