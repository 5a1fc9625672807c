import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { DialectName } from '../../src/dialects/dialect.ts'
import { awsFrame, sse, streamPieces, streamType, wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { chunked, type Pieces, said, type WireProvider, wire, wireProvider } from '../support/wire.ts'

/** What is on record of an answer that passes in a provider's own format: what it used and which model gave it. */

const TEXT = 'Im Röhricht. 🪶'
/** The same in both directions, so that a number in the wrong place is seen: eleven in, seven out. */
const COUNTS = { tokens_in: 11, tokens_out: 7 }
const JSON_TYPE = 'application/json'
const SSE = 'text/event-stream'
const AWS = 'application/vnd.amazon.eventstream'

let provider: WireProvider
let app: RunningApp
let say: Pieces = []

beforeAll(async () => {
  provider = wireProvider(() => say)
  app = await startApp({
    providers: {
      groq: { base_url: provider.address, keys: { default: 'key-of-the-operator' } },
      'workers-ai': { base_url: `${provider.address}/ai/run`, keys: { default: 'key-of-the-operator' } },
    },
    custom_providers: { own: { base_url: provider.address } },
  })
})
afterAll(async () => {
  await app.stop()
  provider.stop()
})

interface Case {
  name: string
  path: string
  slug?: string
  type?: string
  body: string | Uint8Array
  headers?: Record<string, string>
  /** What else is on record. */
  line: Record<string, unknown>
}

const MODEL = { model: 'the-model-itself' }
const json = (value: unknown) => JSON.stringify(value)
const tokens = { input_tokens: 11, output_tokens: 7, total_tokens: 18 }
const picture = 'iVBORw0KGgo'.repeat(10_000)

const PATHS: Record<DialectName, { path: string; slug?: string; model?: string }> = {
  'openai-chat': { path: 'v1/chat/completions', ...MODEL },
  'anthropic-messages': { path: 'v1/messages', ...MODEL },
  gemini: { path: 'v1beta/models/gemini-heron:streamGenerateContent', model: 'gemini-heron' },
  'bedrock-converse': { path: 'model/eu.heron-v1%3A0/converse-stream', model: 'eu.heron-v1:0' },
  'cohere-chat': { path: 'v2/chat' },
  'ollama-chat': { path: 'api/chat', ...MODEL },
  'workers-ai': { path: '@cf/heron/one', slug: 'workers-ai', model: '@cf/heron/one' },
}

const dialects = Object.entries(PATHS) as [DialectName, (typeof PATHS)[DialectName]][]
const lineOf = (model: string | undefined) => ({ ...COUNTS, ...(model && { model }) })
const bytesOf = (dialect: DialectName) => Buffer.concat(streamPieces(dialect, TEXT).map(piece => Buffer.from(piece)))

const invoke = (...messages: unknown[]) =>
  Buffer.concat(
    messages.map(message => awsFrame('chunk', { bytes: Buffer.from(json(message)).toString('base64'), p: 'abcd' })),
  )
const CLAUDE = 'model/eu.anthropic.claude-heron-4-5/invoke-with-response-stream'
const claude = [
  {
    type: 'message_start',
    message: {
      id: 'msg',
      model: 'claude-heron',
      usage: { input_tokens: 5, cache_read_input_tokens: 6, output_tokens: 1 },
    },
  },
  { type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: TEXT } },
  { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } },
  { type: 'message_stop', 'amazon-bedrock-invocationMetrics': { inputTokenCount: 5, outputTokenCount: 7 } },
]
const response = {
  id: 'resp',
  object: 'response',
  ...MODEL,
  output: [{ type: 'message', content: [{ type: 'output_text', text: TEXT }] }],
  tools: [{ type: 'image_generation', model: 'another-model' }],
  usage: { ...tokens, input_tokens_details: { cached_tokens: 4 }, output_tokens_details: { reasoning_tokens: 2 } },
  metadata: {},
}
const openai = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }

const streamed: Case[] = [
  ...dialects.map(([dialect, { path, slug, model }]) => ({
    name: dialect,
    path,
    slug,
    type: streamType(dialect),
    body: bytesOf(dialect),
    line: lineOf(model),
  })),
  {
    name: 'a chat whose provider counts in a place of its own',
    path: 'openai/v1/chat/completions',
    slug: 'groq',
    type: SSE,
    body:
      sse({ ...MODEL, choices: [{ index: 0, delta: { content: TEXT }, finish_reason: null }] }) +
      sse({ ...MODEL, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }], x_groq: { usage: openai } }) +
      sse('[DONE]'),
    line: { ...MODEL, ...COUNTS },
  },
  {
    name: 'a chat that reports no usage',
    path: 'v1/chat/completions',
    type: SSE,
    body: sse({ ...MODEL, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] }) + sse('[DONE]'),
    line: { ...MODEL, tokens_in: undefined },
  },
  {
    name: 'openai-completions',
    path: 'v1/completions',
    type: SSE,
    body: sse({ ...MODEL, choices: [{ text: TEXT, finish_reason: 'stop' }], usage: openai }) + sse('[DONE]'),
    line: { ...MODEL, ...COUNTS },
  },
  {
    name: 'openai-responses',
    path: 'v1/responses',
    type: SSE,
    body:
      sse({ type: 'response.created', response: { ...response, usage: null } }, 'response.created') +
      sse({ type: 'response.output_text.delta', delta: '"usage":{"input_tokens":1}' }, 'response.output_text.delta') +
      sse({ type: 'response.completed', response, sequence_number: 9 }, 'response.completed'),
    line: { ...MODEL, ...COUNTS, tokens_cached: 4 },
  },
  {
    name: 'openai-responses whose last message is larger than what is kept',
    path: 'v1/responses',
    type: SSE,
    body:
      sse({ type: 'response.created', response: { ...response, usage: null } }) +
      sse({ type: 'response.incomplete', response: { ...response, output: [{ text: TEXT.repeat(9_000) }] } }),
    line: { ...MODEL, ...COUNTS, tokens_cached: 4 },
  },
  {
    name: 'openai-images',
    path: 'v1/images/generations',
    type: SSE,
    body:
      sse({ type: 'image_generation.partial_image', b64_json: picture, partial_image_index: 0 }) +
      sse({ type: 'image_generation.completed', b64_json: picture, usage: tokens }),
    line: COUNTS,
  },
  {
    name: 'openai-transcriptions, in lines that end with CRLF',
    path: 'v1/audio/transcriptions',
    type: SSE,
    body: [
      { type: 'transcript.text.delta', delta: TEXT },
      { type: 'transcript.text.done', text: TEXT, usage: { type: 'tokens', ...tokens } },
    ]
      .map(data => `data: ${json(data)}\r\n\r\n`)
      .join(''),
    line: COUNTS,
  },
  {
    name: 'openai-speech',
    path: 'v1/audio/speech',
    type: SSE,
    body: sse({ type: 'speech.audio.delta', audio: picture }) + sse({ type: 'speech.audio.done', usage: tokens }),
    line: COUNTS,
  },
  {
    name: 'ollama-generate',
    path: 'api/generate',
    type: 'application/x-ndjson',
    body: `${json({ ...MODEL, response: TEXT, done: false })}\n${json({ ...MODEL, done: true, context: Array(9_000).fill(1_234), prompt_eval_count: 11, eval_count: 7 })}\n`,
    line: { ...MODEL, ...COUNTS },
  },
  {
    name: 'gemini in one array, without alt=sse',
    path: 'v1beta/models/gemini-heron:streamGenerateContent',
    type: JSON_TYPE,
    body: `[${[1, 2, 3]
      .map(at =>
        json({
          candidates: [{ content: {}, ...(at === 3 && { finishReason: 'STOP' }) }],
          usageMetadata: { promptTokenCount: 11, candidatesTokenCount: at + 2, thoughtsTokenCount: 2 },
        }),
      )
      .join(',\r\n')}\r\n]`,
    line: { model: 'gemini-heron', ...COUNTS },
  },
  {
    name: 'gemini in one large array',
    path: 'v1beta/models/gemini-heron:streamGenerateContent',
    type: JSON_TYPE,
    body: json([
      { candidates: [{ content: { parts: [{ inlineData: { data: picture } }] }, finishReason: 'STOP' }] },
      { candidates: [], usageMetadata: { promptTokenCount: 11, candidatesTokenCount: 7 } },
    ]),
    line: { model: 'gemini-heron', ...COUNTS },
  },
  {
    name: 'bedrock-invoke of Claude',
    path: CLAUDE,
    type: AWS,
    body: invoke(...claude),
    line: { model: 'eu.anthropic.claude-heron-4-5', ...COUNTS, tokens_cached: 6 },
  },
  {
    name: 'bedrock-invoke of Claude at length',
    path: CLAUDE,
    type: AWS,
    body: invoke(claude[0], ...Array(300).fill(claude[1]), ...claude.slice(2)),
    line: { model: 'eu.anthropic.claude-heron-4-5', ...COUNTS, tokens_cached: 6 },
  },
  {
    name: 'bedrock-invoke of another model',
    path: 'model/meta.heron-v1/invoke-with-response-stream',
    type: AWS,
    body: invoke(
      { generation: 'Im', prompt_token_count: 11, generation_token_count: 1 },
      {
        generation: '',
        generation_token_count: 7,
        'amazon-bedrock-invocationMetrics': { inputTokenCount: 11, outputTokenCount: 7 },
      },
    ),
    line: { model: 'meta.heron-v1', ...COUNTS },
  },
]

const whole: Case[] = [
  {
    name: 'openai-completions',
    path: 'v1/completions',
    body: json({ ...MODEL, choices: [{ text: TEXT }], usage: openai }),
    line: { ...MODEL, ...COUNTS },
  },
  {
    name: 'openai-responses',
    path: 'v1/responses',
    body: json(response),
    line: { ...MODEL, ...COUNTS, tokens_cached: 4 },
  },
  {
    name: 'openai-responses larger than what is kept',
    path: 'v1/responses',
    body: json({ ...response, output: [{ text: TEXT.repeat(9_000), model: 'another' }] }),
    line: { ...MODEL, ...COUNTS, tokens_cached: 4 },
  },
  {
    name: 'openai-embeddings, whose model stands behind the numbers',
    path: 'v1/embeddings',
    body: json({ data: [{ embedding: picture, index: 0 }], ...MODEL, usage: { prompt_tokens: 11, total_tokens: 11 } }),
    line: { ...MODEL, tokens_in: 11, tokens_out: 0 },
  },
  {
    name: 'openai-images with the counts behind the picture',
    path: 'v1/images/generations',
    body: json({ created: 1, data: [{ b64_json: picture }], usage: tokens }),
    line: COUNTS,
  },
  {
    name: 'openai-images with the counts before it',
    path: 'v1/images/edits',
    body: json({ created: 1, usage: tokens, data: [{ b64_json: picture }] }),
    line: COUNTS,
  },
  {
    name: 'openai-transcriptions by tokens',
    path: 'v1/audio/transcriptions',
    body: json({ text: TEXT, usage: { type: 'tokens', ...tokens, input_token_details: { audio_tokens: 11 } } }),
    line: COUNTS,
  },
  {
    name: 'openai-transcriptions by the second',
    path: 'v1/audio/transcriptions',
    body: json({ text: TEXT, usage: { type: 'duration', seconds: 7 } }),
    line: { tokens_in: 0, tokens_out: 0 },
  },
  {
    name: 'openai-transcriptions as subtitles',
    path: 'v1/audio/transcriptions',
    type: 'text/plain',
    body: `1\n00:00 --> 00:01\n${TEXT}\n`,
    line: { tokens_in: undefined },
  },
  {
    name: 'openai-speech',
    path: 'v1/audio/speech',
    type: 'audio/mpeg',
    body: Buffer.from('{"usage":{"input_tokens":1}}'),
    line: { tokens_in: undefined },
  },
  {
    name: 'ollama-generate',
    path: 'api/generate',
    body: json({ ...MODEL, response: TEXT, done: true, prompt_eval_count: 11, eval_count: 7 }),
    line: { ...MODEL, ...COUNTS },
  },
  {
    name: 'cohere-meta',
    path: 'v2/rerank',
    body: json({ results: [], meta: { api_version: { version: '2' }, billed_units: { search_units: 1 } } }),
    line: { tokens_in: 0 },
  },
  {
    name: 'bedrock-invoke of Claude',
    path: 'model/eu.anthropic.claude-heron-4-5/invoke',
    body: json({ type: 'message', model: 'claude-heron', usage: { input_tokens: 11, output_tokens: 7 } }),
    headers: { 'x-amzn-bedrock-input-token-count': '1', 'x-amzn-bedrock-output-token-count': '1' },
    line: { model: 'eu.anthropic.claude-heron-4-5', ...COUNTS },
  },
  {
    name: 'bedrock-invoke counted in headers only',
    path: 'model/mistral.heron-v1/invoke',
    body: json({ outputs: [{ text: TEXT, stop_reason: 'stop' }] }),
    headers: { 'x-amzn-bedrock-input-token-count': '11', 'x-amzn-bedrock-output-token-count': '7' },
    line: { model: 'mistral.heron-v1', ...COUNTS },
  },
  {
    name: 'bedrock-invoke of an embedding',
    path: 'model/amazon.titan-heron/invoke',
    body: json({ embedding: [0.5], inputTextTokenCount: 11 }),
    line: { model: 'amazon.titan-heron', tokens_in: 11, tokens_out: 0 },
  },
  {
    name: 'an error under a status of success',
    path: 'v1/chat/completions',
    body: json({ error: { message: 'no' } }),
    line: { status: 200, tokens_in: undefined, error: undefined },
  },
  {
    name: 'a refusal',
    path: 'v1/chat/completions',
    body: json({ ...MODEL, usage: openai }),
    line: { status: 429, tokens_in: undefined, model: undefined },
  },
  { name: 'broken JSON', path: 'v1/chat/completions', body: '{"model":"x","usage":{', line: { tokens_in: undefined } },
  {
    name: 'counts that nobody can reckon with',
    path: 'v1/messages',
    body: '{"usage":{"input_tokens":"11","output_tokens":-7},"model":"x"}',
    line: { model: 'x', tokens_in: undefined, tokens_out: undefined },
  },
  { name: 'counts of another kind', path: 'v1/messages', body: '{"usage":7,"model":[]}', line: { status: 200 } },
]

/** The line of the record, with `undefined` where it has no such member. */
async function recorded(line: Record<string, unknown>, ask: () => Promise<unknown>): Promise<Record<string, unknown>> {
  const before = app.requests().length
  await ask()
  const found = await app.record(before + 1)
  return Object.fromEntries(Object.keys(line).map(name => [name, found[name]]))
}

const asked = ({ path, slug = 'custom-own' }: Pick<Case, 'path' | 'slug'>, method = 'POST') =>
  wire(app.port, {
    method,
    target: `/v1/home/default/${slug}/${path}`,
    headers: { 'cf-aig-authorization': TOKEN, 'content-type': JSON_TYPE },
    ...(method === 'POST' && { body: '{}' }),
  })

const headOf = ({ type = JSON_TYPE, headers = {} }: Case) =>
  `HTTP/1.1 200 OK\r\ncontent-type: ${type}\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}transfer-encoding: chunked\r\n\r\n`

/** The body in chunks of one size; of a large one the size grows. */
function cut(bytes: Uint8Array, step: number): Uint8Array[] {
  const pieces: Uint8Array[] = []
  const size = Math.max(step, Math.ceil(bytes.length / 60))
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
  return pieces
}

const inChunks = (given: Case, step: number): Pieces => {
  const pieces = cut(Buffer.from(given.body), step)
  return [headOf(given), ...pieces.map(chunked), '0\r\n\r\n']
}

describe.each(streamed.map(each => [each.name, each] as const))('streamed: %s', (_, given) => {
  test.each([13, 1_000_000])('in chunks of %p bytes', async step => {
    say = inChunks(given, step)
    const expected = { status: 200, stream: true, error: undefined, ...given.line }
    let body: Buffer = Buffer.alloc(0)
    const line = await recorded(expected, async () => {
      body = (await asked(given)).body
    })
    expect(line).toEqual(expected)
    expect(body.equals(Buffer.from(given.body))).toBe(true)
  })
})

const wholes: Case[] = [
  ...(await Promise.all(
    dialects.map(async ([dialect, { path, slug, model }]) => ({
      name: dialect,
      path: path.replace('converse-stream', 'converse').replace('streamGenerate', 'generate'),
      slug,
      body: await wholeAnswer(dialect, TEXT).text(),
      line: lineOf(model),
    })),
  )),
  ...whole,
]

describe.each(wholes.map(each => [each.name, each] as const))('whole: %s', (_, given) => {
  const expected: Record<string, unknown> = { status: 200, stream: undefined, error: undefined, ...given.line }
  const status = expected.status === 429 ? '429 Too Many' : '200 OK'

  test('of known length', async () => {
    say = [said(status, { 'content-type': given.type ?? JSON_TYPE, ...given.headers }, given.body)]
    expect(await recorded(expected, () => asked(given))).toEqual(expected)
  })

  test('in chunks', async () => {
    say = inChunks(given, 13)
    say[0] = headOf(given).replace('200 OK', status)
    expect(await recorded(expected, () => asked(given))).toEqual(expected)
  })
})

test('only what answers a POST is counted: a GET repeats what was asked before', async () => {
  say = [said('200 OK', { 'content-type': JSON_TYPE }, json(response))]
  const expected = { status: 200, tokens_in: undefined, model: undefined }
  expect(await recorded(expected, () => asked({ path: 'v1/responses' }, 'GET'))).toEqual(expected)
})

describe('T30 a stream that closes before its end', () => {
  const unended: [string, string, string, string | Uint8Array][] = [
    ['a chat', 'v1/chat/completions', SSE, sse({ ...MODEL, choices: [{ index: 0, delta: { content: 'Im' } }] })],
    ['messages', 'v1/messages', SSE, sse({ type: 'message_start', message: { ...MODEL, usage: tokens } })],
    ['responses', 'v1/responses', SSE, sse({ type: 'response.created', response: { ...response, usage: null } })],
    ['lines', 'api/chat', 'application/x-ndjson', `${json({ ...MODEL, message: { content: 'Im' }, done: false })}\n`],
    ['frames', CLAUDE, AWS, invoke(claude[0], claude[1])],
  ]
  test.each(unended)('%s: its bytes and its status stay, and the record says so', async (name, path, type, body) => {
    const given = { name, path, type, body, line: {} }
    say = inChunks(given, 50)
    const expected = { status: 200, stream: true, error: 'upstream_closed' }
    let answer: Awaited<ReturnType<typeof asked>> | undefined
    const line = await recorded(expected, async () => {
      answer = await asked(given)
    })
    expect(line).toEqual(expected)
    expect(answer!.body.equals(Buffer.from(body))).toBe(true)
    expect(answer!.complete).toBe(true)
  })

  test('a connection that breaks is told once, with what was counted until then', async () => {
    const body = sse({ type: 'message_start', message: { ...MODEL, usage: tokens } })
    say = [headOf({ name: '', path: '', type: SSE, body, line: {} }), chunked(Buffer.from(body)), 'hang-up']
    const expected = { ...MODEL, ...COUNTS, stream: true, error: 'upstream_closed' }
    expect(await recorded(expected, () => asked({ path: 'v1/messages' }))).toEqual(expected)
  })

  test('an end that the provider made is none that it lost', async () => {
    const error = sse({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } }, 'error')
    const body = sse({ type: 'message_start', message: { ...MODEL, usage: tokens } }) + error
    say = inChunks({ name: '', path: '', type: SSE, body, line: {} }, 50)
    const expected = { ...MODEL, stream: true, error: undefined }
    expect(await recorded(expected, () => asked({ path: 'v1/messages' }))).toEqual(expected)
  })
})

test('T95 a client that leaves in the middle: what was counted until then is on record', async () => {
  const begun = sse({ type: 'message_start', message: { ...MODEL, usage: { input_tokens: 11, output_tokens: 1 } } })
  const delta = sse({ type: 'content_block_delta', index: 0, delta: { type: 'text_delta', text: TEXT } })
  const pieces = Array.from({ length: 3_000 }, () => chunked(Buffer.from(delta)))
  say = [headOf({ name: '', path: '', type: SSE, body: '', line: {} }), chunked(Buffer.from(begun)), ...pieces]
  const expected = { status: 499, ...MODEL, tokens_in: 11, tokens_out: 1, stream: true, error: undefined }
  const line = await recorded(expected, async () => {
    const leaving = new AbortController()
    const answer = await fetch(`${app.address}/v1/home/default/custom-own/v1/messages`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: '{}',
      signal: leaving.signal,
    })
    await answer.body!.getReader().read()
    leaving.abort()
  })
  expect(line).toEqual(expected)
})

test('the model of a step is the one that it asked for', async () => {
  say = [said('200 OK', { 'content-type': JSON_TYPE }, json({ ...MODEL, choices: [], usage: openai }))]
  const step = { provider: 'custom-own', endpoint: 'v1/chat/completions', query: { model: 'asked-for' } }
  const expected = { model: 'asked-for', ...COUNTS }
  const ask = () =>
    fetch(`${app.address}/v1/home/default`, {
      method: 'POST',
      headers: { 'cf-aig-authorization': TOKEN, 'content-type': JSON_TYPE },
      body: json([step]),
    })
  expect(await recorded(expected, ask)).toEqual(expected)
})
