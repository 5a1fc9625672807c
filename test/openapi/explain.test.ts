import { describe, expect, test } from 'bun:test'
import { type TSchema, Type } from '@sinclair/typebox'
import { explain, explainBody, isChatRequest } from '../../src/schemas/explain.ts'

const request = (more: Record<string, unknown> = {}) => ({
  model: 'openai/gpt-5-mini',
  messages: [{ role: 'user', content: 'hello' }],
  ...more,
})
const message = (...messages: unknown[]) => request({ messages })

describe('what any schema may say', () => {
  const closed = { additionalProperties: false }
  const either = Type.Union([
    Type.Object({ action: Type.String(), profiles: Type.Array(Type.String()) }, closed),
    Type.Object({ policies: Type.Array(Type.Number()) }, closed),
  ])
  const names = Type.Record(Type.String({ pattern: '^[a-z]+$' }), Type.Object({ mode: Type.String() }, closed), {
    ...closed,
    expected: 'a lower-case name',
  })
  const wrong: [TSchema, unknown, string][] = [
    [Type.String({ maxLength: 3 }), 'abcd', 'expected at most 3 characters'],
    [Type.String({ minLength: 2, maxLength: 3 }), 'a', 'expected 2 to 3 characters'],
    [Type.String({ minLength: 2 }), 'a', 'expected at least 2 characters'],
    [Type.String({ pattern: '^a', expected: 'a word with a' }), 'b', 'expected a word with a'],
    [Type.String({ pattern: '^a' }), 'b', 'expected a string of another form'],
    [Type.Number({ exclusiveMinimum: 0 }), 0, 'expected more than 0'],
    [Type.Array(Type.String(), { maxItems: 1 }), ['a', 'b'], 'expected at most 1 entries'],
    [Type.Object({ a: Type.String() }, closed), { a: '', b: 1 }, 'has a member that is not known here; there are a'],
    [either, { policies: ['a'] }, 'expected a number'],
    [names, { A: { mode: 'x' } }, 'expected a lower-case name for every key'],
    [names, { a: 1 }, 'expected an object for every key'],
    [names, { a: { mode: 1 } }, 'for every key: mode: expected a string'],
  ]
  test.each(wrong)('%j %j', (schema, value, message) => {
    expect(explain(schema, value)?.message).toEndWith(`: ${message}`)
  })
})

describe('a chat request that is right', () => {
  const right: [string, unknown][] = [
    ['the least', request()],
    ['unknown members everywhere', request({ plugins: [{}], messages: [{ role: 'user', content: 'x', _id: 4 }] })],
    [
      'null for optional members',
      request({ stream: null, tools: null, tool_choice: null, stop: null, max_tokens: null, response_format: null }),
    ],
    ['zero as a value (T97)', request({ temperature: 0, top_p: 0, max_tokens: 0, seed: 0, top_logprobs: 0 })],
    ['-1 tokens, as local servers take it', request({ max_tokens: -1 })],
    ['one stop or several', request({ stop: ['a', 'b'] })],
    [
      'an image address alone',
      message({ role: 'user', content: [{ type: 'image_url', image_url: 'data:image/png;base64,AA' }] }),
    ],
    [
      'a kind of part that only some providers know',
      message({ role: 'user', content: [{ type: 'video_url', video_url: {} }] }),
    ],
    [
      'a mark for the cache',
      message({ role: 'system', content: [{ type: 'text', text: 'x', cache_control: { type: 'ephemeral' } }] }),
    ],
    [
      'calls without content, and their result',
      message(
        { role: 'user', content: 'x' },
        {
          role: 'assistant',
          content: null,
          tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: '{"a' } }],
        },
        { role: 'tool', tool_call_id: 'c', content: [{ type: 'text', text: 'y' }] },
      ),
    ],
    [
      'reasoning sent back',
      message({
        role: 'assistant',
        content: '',
        reasoning_content: 'z',
        reasoning_details: [{ type: 'reasoning.encrypted', data: 'AA' }],
        tool_calls: [
          {
            id: 'c',
            type: 'function',
            function: { name: 'f', arguments: '' },
            extra_content: { google: { thought_signature: 's' } },
          },
        ],
      }),
    ],
    ['the forerunners of tools', request({ functions: [{ name: 'f' }], function_call: { name: 'f' } })],
    ['a provider’s own tool', request({ tools: [{ type: 'web_search_preview' }] })],
    ['a level of effort of tomorrow', request({ reasoning_effort: 'utmost' })],
  ]
  test.each(right)('%s', (_, body) => {
    expect(explainBody(body)).toBeUndefined()
    expect(isChatRequest(body)).toBe(true)
  })

  test.each(['auto', 'none', 'required', 'any', { type: 'function', function: { name: 'f' } }])(
    'tool choice %j',
    choice => {
      expect(explainBody(request({ tool_choice: choice }))).toBeUndefined()
    },
  )
})

describe('a chat request that is wrong', () => {
  const part = (part: unknown) => message({ role: 'user', content: 'x' }, { role: 'user', content: [part] })
  const wrong: [unknown, string, string][] = [
    [undefined, '', 'the body: expected an object'],
    [[], '', 'the body: expected an object'],
    [{ messages: [] }, 'model', 'model: required, as "<provider>/<model>"'],
    [{ ...request(), model: '' }, 'model', 'model: expected "<provider>/<model>"'],
    [{ ...request(), model: 7 }, 'model', 'model: expected a string'],
    [{ model: 'a/b' }, 'messages', 'messages: required'],
    [message(), 'messages', 'messages: expected a list that is not empty'],
    [request({ messages: 'hello' }), 'messages', 'messages: expected a list'],
    [message({ content: 'x' }), 'messages[0].role', 'messages[0].role: required'],
    [
      message({ role: 'robot', content: 'x' }),
      'messages[0].role',
      'messages[0].role: expected one of "system", "developer", "user", "assistant", "tool" or "function"',
    ],
    [message({ role: 'user' }), 'messages[0].content', 'messages[0].content: required'],
    [message({ role: 'user', content: 4 }), 'messages[0].content', 'messages[0].content: expected a string or a list'],
    [message({ role: 'tool', content: 'x' }), 'messages[0].tool_call_id', 'messages[0].tool_call_id: required'],
    [part({ text: 'x' }), 'messages[1].content[0].type', 'messages[1].content[0].type: required'],
    [part({ type: 3 }), 'messages[1].content[0].type', 'messages[1].content[0].type: expected a string'],
    [
      part({ type: 'image_url', image_url: { url: 5 } }),
      'messages[1].content[0].image_url.url',
      'messages[1].content[0].image_url.url: expected a string',
    ],
    [
      part({ type: 'image_url', image_url: 5 }),
      'messages[1].content[0].image_url',
      'messages[1].content[0].image_url: expected an object or a string',
    ],
    [
      message({
        role: 'assistant',
        tool_calls: [{ id: 'c', type: 'function', function: { name: 'f', arguments: {} } }],
      }),
      'messages[0].tool_calls[0].function.arguments',
      'messages[0].tool_calls[0].function.arguments: expected a string',
    ],
    [request({ tools: [{ type: 'function' }] }), 'tools[0].function', 'tools[0].function: required'],
    [
      request({ tools: [{ type: 'function', function: { name: '' } }] }),
      'tools[0].function.name',
      'tools[0].function.name: expected a string that is not empty',
    ],
    [
      request({ tool_choice: 'always' }),
      'tool_choice',
      'tool_choice: expected one of "none", "auto", "required" or "any" or an object',
    ],
    [request({ max_tokens: 1.5 }), 'max_tokens', 'max_tokens: expected an integer'],
    [request({ temperature: '1' }), 'temperature', 'temperature: expected a number'],
    [request({ stream: 'yes' }), 'stream', 'stream: expected true or false'],
    [request({ stop: [1] }), 'stop[0]', 'stop[0]: expected a string'],
    [request({ logit_bias: { secret: 'x' } }), 'logit_bias', 'logit_bias: expected a number for every key'],
    [
      request({ response_format: { type: 'json_schema' } }),
      'response_format.json_schema',
      'response_format.json_schema: required',
    ],
  ]
  test.each(wrong)('%j', (body, path, text) => {
    expect(explainBody(body)).toEqual({ path, message: text })
    expect(isChatRequest(body)).toBe(false)
  })

  test('no text of the input is in the explanation, wherever the fault is', () => {
    const secret = 'swordfish'
    const bodies = [
      secret,
      request({ model: [secret] }),
      request({ stream: secret }),
      request({ logit_bias: { [secret]: secret } }),
      request({ tool_choice: secret }),
      request({ stop: { [secret]: secret } }),
      message(secret),
      message({ role: secret, content: secret }),
      message({ role: 'user', content: { [secret]: secret } }),
      message({ role: 'user', content: [{ type: [secret] }] }),
      message({ role: 'user', content: [{ type: 'text', text: { [secret]: secret } }] }),
    ]
    for (const body of bodies) {
      const explanation = explainBody(body)
      expect(explanation).toBeDefined()
      expect(JSON.stringify(explanation)).not.toContain(secret)
    }
  })
})
