import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../src/conversation/conversation.ts'
import { Unsupported } from '../../src/conversation/errors.ts'
import { cohereChat } from '../../src/dialects/cohere-chat/index.ts'
import type { UpstreamDialect } from '../../src/dialects/dialect.ts'
import { ollamaChat } from '../../src/dialects/ollama-chat/index.ts'
import { readRequest } from '../../src/dialects/openai-chat/request.ts'
import { workersAi } from '../../src/dialects/workers-ai/index.ts'

/** What becomes of a field: members of the body, the name under which it is dropped, or the field of a refusal. */
type Fate = { body?: JsonObject; dropped?: string; refused?: string }
const body = (fields: JsonObject): Fate => ({ body: fields })
const option = (fields: JsonObject): Fate => ({ body: { options: fields } })
const dropped = (name: string): Fate => ({ dropped: name })
const refused = (name: string): Fate => ({ refused: name })

const user = (...content: JsonObject[]) => ({ messages: [{ role: 'user', content }] })
const image = (url: string) => user({ type: 'text', text: 'Look' }, { type: 'image_url', image_url: { url } })
const parameters = { type: 'object', properties: { port: { type: 'string' } }, required: ['port'] }
const tool = (name: string, more: JsonObject = {}) => ({
  type: 'function',
  function: { name, description: 'd', parameters, ...more },
})
const tools = [tool('tide'), tool('wind')]
const written = (...names: string[]) => names.map(name => tool(name))
const named = { tools, tool_choice: { type: 'function', function: { name: 'wind' } } }
const schema = { type: 'object', properties: { a: { type: 'number' } } }
const wrapped = { response_format: { type: 'json_schema', json_schema: { name: 'n', schema } } }

/** The request's own field, then its fate at Cohere, Ollama and Workers AI. */
const fates: [JsonObject, Fate, Fate, Fate][] = [
  [{ max_tokens: 0 }, body({ max_tokens: 0 }), option({ num_predict: 0 }), body({ max_tokens: 0 })],
  [{ max_completion_tokens: 9 }, body({ max_tokens: 9 }), option({ num_predict: 9 }), body({ max_tokens: 9 })],
  [{}, body({ stream: false }), body({ stream: false }), body({ stream: false, max_tokens: 4_096 })],
  [{ stream: true }, body({ stream: true }), body({ stream: true }), body({ stream: true })],
  [{ temperature: 0 }, body({ temperature: 0 }), option({ temperature: 0 }), body({ temperature: 0 })],
  [{ top_p: 0.5 }, body({ p: 0.5 }), option({ top_p: 0.5 }), body({ top_p: 0.5 })],
  [{ top_p: 1 }, body({ p: 0.99 }), option({ top_p: 1 }), body({ top_p: 1 })],
  [{ top_k: 0 }, body({ k: 0 }), option({ top_k: 0 }), body({ top_k: 0 })],
  [{ min_p: 0.1 }, dropped('min_p'), option({ min_p: 0.1 }), dropped('min_p')],
  [{ seed: 0 }, body({ seed: 0 }), option({ seed: 0 }), body({ seed: 0 })],
  [
    { presence_penalty: 0.5 },
    body({ presence_penalty: 0.5 }),
    option({ presence_penalty: 0.5 }),
    body({ presence_penalty: 0.5 }),
  ],
  [
    { frequency_penalty: -1 },
    dropped('frequency_penalty'),
    option({ frequency_penalty: -1 }),
    body({ frequency_penalty: -1 }),
  ],
  [{ logit_bias: { 5: 1 } }, refused('logit_bias'), refused('logit_bias'), refused('logit_bias')],
  [{ logprobs: true }, body({ logprobs: true }), body({ logprobs: true }), refused('logprobs')],
  [
    { logprobs: true, top_logprobs: 2 },
    refused('top_logprobs'),
    body({ logprobs: true, top_logprobs: 2 }),
    refused('logprobs'),
  ],
  [{ n: 2 }, refused('n'), refused('n'), refused('n')],
  [{ stop: 'x' }, body({ stop_sequences: ['x'] }), option({ stop: ['x'] }), body({ stop: ['x'] })],
  [{ user: 'u' }, dropped('user'), dropped('user'), dropped('user')],
  [{ metadata: { a: 'b' } }, dropped('metadata'), dropped('metadata'), dropped('metadata')],
  [{ service_tier: 'flex' }, dropped('service_tier'), dropped('service_tier'), dropped('service_tier')],
  [{ prompt_cache_key: 'k' }, dropped('prompt_cache_key'), dropped('prompt_cache_key'), dropped('prompt_cache_key')],
  [{ verbosity: 'low' }, dropped('verbosity'), dropped('verbosity'), dropped('verbosity')],
  [{ store: true }, dropped('store'), dropped('store'), dropped('store')],
  [
    { reasoning_effort: 'none' },
    body({ thinking: { type: 'disabled' } }),
    body({ think: false }),
    body({ reasoning_effort: null }),
  ],
  [
    { reasoning_effort: 'high', max_tokens: 100 },
    body({ thinking: { type: 'enabled', token_budget: 80 } }),
    body({ think: true }),
    body({ reasoning_effort: 'high' }),
  ],
  [
    { reasoning: { max_tokens: 500 } },
    body({ thinking: { type: 'enabled', token_budget: 500 } }),
    body({ think: true }),
    body({ reasoning_effort: 'low' }),
  ],
  [
    { response_format: { type: 'json_object' } },
    body({ response_format: { type: 'json_object' } }),
    body({ format: 'json' }),
    body({ response_format: { type: 'json_object' } }),
  ],
  [
    wrapped,
    body({ response_format: { type: 'json_object', json_schema: schema } }),
    body({ format: schema }),
    body({ response_format: { type: 'json_schema', json_schema: schema } }),
  ],
  [
    { tools },
    body({ tools: written('tide', 'wind') }),
    body({ tools: written('tide', 'wind') }),
    body({ tools: written('tide', 'wind') }),
  ],
  [{ tools, tool_choice: 'none' }, body({ tool_choice: 'NONE' }), body({}), body({ tool_choice: 'none' })],
  [
    { tools, tool_choice: 'required' },
    body({ tool_choice: 'REQUIRED' }),
    dropped('tool_choice'),
    body({ tool_choice: 'required' }),
  ],
  [
    named,
    body({ tools: written('wind'), tool_choice: 'REQUIRED' }),
    { ...body({ tools: written('wind') }), ...dropped('tool_choice') },
    body({ tools: written('wind'), tool_choice: 'required' }),
  ],
  [
    { tools, parallel_tool_calls: false },
    dropped('parallel_tool_calls'),
    dropped('parallel_tool_calls'),
    dropped('parallel_tool_calls'),
  ],
  [
    { tools: [tool('tide', { strict: true })] },
    body({ strict_tools: true }),
    dropped('tools[].function.strict'),
    dropped('tools[].function.strict'),
  ],
  [
    image('data:image/png;base64,QUJD'),
    body({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } },
          ],
        },
      ],
    }),
    body({ messages: [{ role: 'user', content: 'Look', images: ['QUJD'] }] }),
    body({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } },
          ],
        },
      ],
    }),
  ],
  [
    image('https://example.com/a.png'),
    body({
      messages: [
        {
          role: 'user',
          content: [
            { type: 'text', text: 'Look' },
            { type: 'image_url', image_url: { url: 'https://example.com/a.png' } },
          ],
        },
      ],
    }),
    refused('messages[0].content[1]'),
    refused('messages[0].content[1]'),
  ],
  [
    user({ type: 'input_audio', input_audio: { data: 'QUJD', format: 'wav' } }),
    refused('messages[0].content[0]'),
    refused('messages[0].content[0]'),
    refused('messages[0].content[0]'),
  ],
  [
    user({ type: 'file', file: { file_id: 'file-1' } }),
    refused('messages[0].content[0]'),
    refused('messages[0].content[0]'),
    refused('messages[0].content[0]'),
  ],
  [{ documents: [{ id: 'd' }] }, body({ documents: [{ id: 'd' }] }), dropped('documents'), dropped('documents')],
  [{ safety_mode: 'OFF' }, body({ safety_mode: 'OFF' }), dropped('safety_mode'), dropped('safety_mode')],
  [{ keep_alive: '1h' }, dropped('keep_alive'), body({ keep_alive: '1h' }), dropped('keep_alive')],
  [{ num_ctx: 8_192 }, dropped('num_ctx'), option({ num_ctx: 8_192 }), dropped('num_ctx')],
  [{ options: { num_ctx: 1 } }, dropped('options'), option({ num_ctx: 1 }), dropped('options')],
  [{ lora: 'l' }, dropped('lora'), dropped('lora'), body({ lora: 'l' })],
]

function check(dialect: UpstreamDialect, fields: JsonObject, fate: Fate, model: string): void {
  const conversation = readRequest({ model, messages: [{ role: 'user', content: 'Hi' }], ...fields })
  const before = structuredClone(conversation)
  let refusal: string | undefined
  try {
    const request = dialect.writeRequest(conversation, { model })
    expect(request.body).toMatchObject(fate.body ?? {})
    expect(request.dropped).toEqual(fate.dropped ? [fate.dropped] : [])
    // T85: the same conversation gives the same bytes.
    expect(JSON.stringify(dialect.writeRequest(conversation, { model }))).toBe(JSON.stringify(request))
  } catch (error) {
    if (!(error instanceof Unsupported)) throw error
    refusal = error.field
  }
  expect(refusal).toBe(fate.refused)
  // T65, T84: a second attempt finds the conversation as it was.
  expect(conversation).toEqual(before)
}

describe('T97 every field of a request has its place, is named as dropped, or is refused', () => {
  test.each(fates)('%j', (fields, cohere, ollama, workers) => {
    check(cohereChat, fields, cohere, 'command-a-03-2025')
    check(ollamaChat, fields, ollama, 'qwen3:8b')
    check(workersAi, fields, workers, '@cf/meta/llama-3.3-70b-instruct-fp8-fast')
  })
})

test('T100 an empty list of tools is none, and then there is no choice', () => {
  for (const dialect of [cohereChat, ollamaChat, workersAi]) {
    const conversation = readRequest({
      messages: [{ role: 'user', content: 'Hi' }],
      tools: [],
      tool_choice: 'required',
    })
    const { body: sent, dropped: names } = dialect.writeRequest(conversation, { model: 'm' })
    expect(sent).not.toHaveProperty('tools')
    expect(sent).not.toHaveProperty('tool_choice')
    expect(names).toEqual([])
  }
})

test('T101 without a choice of tools, `none` leaves them out', () => {
  const conversation = readRequest({ messages: [{ role: 'user', content: 'Hi' }], tools, tool_choice: 'none' })
  expect(ollamaChat.writeRequest(conversation, { model: 'm' }).body).not.toHaveProperty('tools')
})

test('gpt-oss on Ollama gets a level of thinking', () => {
  for (const [effort, think] of Object.entries({ none: 'low', low: 'low', medium: 'medium', xhigh: 'high' })) {
    const conversation = readRequest({ messages: [{ role: 'user', content: 'Hi' }], reasoning_effort: effort })
    expect(ollamaChat.writeRequest(conversation, { model: 'gpt-oss:20b' }).body).toMatchObject({ think })
  }
})

test('a chosen tool that is not declared is refused', () => {
  const conversation = readRequest({ messages: [{ role: 'user', content: 'Hi' }], ...named, tools: [tool('tide')] })
  for (const dialect of [cohereChat, ollamaChat, workersAi])
    expect(() => dialect.writeRequest(conversation, { model: 'm' })).toThrow(Unsupported)
})
