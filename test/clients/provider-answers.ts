import type { DialectName } from '../../src/dialects/dialect.ts'
import { awsFrame, openaiChunk, sse, streamedAnswer, streamType, wholeAnswer } from '../support/answers.ts'
import type { Seen } from '../support/stand-in.ts'

/** What providers say to their clients: `support/answers.ts`, and beside it OpenAI's Responses and calls of tools. */

/** The formats of whose answers something is known here. */
export type Wire = Exclude<DialectName, 'cohere-chat' | 'ollama-chat' | 'workers-ai'> | 'openai-responses'

/** The end of an address tells the format of its answer. */
export function wireOf(address: string): Wire {
  const path = address.split('?')[0] ?? ''
  if (path.endsWith('/messages')) return 'anthropic-messages'
  if (path.endsWith('/responses')) return 'openai-responses'
  if (/:(stream)?generateContent$/i.test(path)) return 'gemini'
  return /\/converse(-stream)?$/.test(path) ? 'bedrock-converse' : 'openai-chat'
}

/** The call that {@link callAnswer} makes. */
export const CALL = { name: 'look', input: { place: 'pond' } }
const ARGUMENTS = JSON.stringify(CALL.input)

const usage = { input_tokens: 11, output_tokens: 7, total_tokens: 18 }

const responseOf = (output: unknown[]) => ({
  id: 'resp_heron',
  object: 'response',
  created_at: 1_760_000_000,
  status: 'completed',
  model: 'the-model-itself',
  output,
  parallel_tool_calls: true,
  usage,
})

const messageItem = (text: string) => ({
  id: 'msg_heron',
  type: 'message',
  role: 'assistant',
  status: 'completed',
  content: [{ type: 'output_text', text, annotations: [] }],
})

/** A whole answer of the Responses API. */
export const response = (text: string) => responseOf([messageItem(text)])

/** The same as a stream. */
export function responseStream(text: string): Response {
  const whole = response(text)
  const item = messageItem(text)
  const place = { item_id: item.id, output_index: 0, content_index: 0 }
  const part = { type: 'output_text', text: '', annotations: [] }
  const events = [
    { type: 'response.created', response: { ...whole, status: 'in_progress', output: [], usage: null } },
    { type: 'response.output_item.added', output_index: 0, item: { ...item, status: 'in_progress', content: [] } },
    { type: 'response.content_part.added', ...place, part },
    { type: 'response.output_text.delta', ...place, delta: text.slice(0, 9), logprobs: [] },
    { type: 'response.output_text.delta', ...place, delta: text.slice(9), logprobs: [] },
    { type: 'response.output_text.done', ...place, text, logprobs: [] },
    { type: 'response.content_part.done', ...place, part: { ...part, text } },
    { type: 'response.output_item.done', output_index: 0, item },
    { type: 'response.completed', response: whole },
  ]
  const body = events.map((event, at) => sse({ ...event, sequence_number: at }, event.type)).join('')
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } })
}

/** Whether a request asks for a stream, in its body or by its address. */
export const asksForStream = ({ path, body }: Seen): boolean =>
  body.stream === true || /:stream|-stream(\?|$)/i.test(path)

const openaiUsage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }

/** The last chunk where its choice and the usage come in one, the latter in Groq's place too. */
const lastChunk = (finish: string) => ({
  ...openaiChunk({}, finish),
  usage: openaiUsage,
  x_groq: { id: 'req_heron', usage: openaiUsage },
})

/** A stream of OpenAI's Chat as Groq, Mistral and others end it: no chunk is without a choice. */
function chatStream(text: string): Response {
  const chunks = [
    openaiChunk({ role: 'assistant', content: text.slice(0, 9) }),
    openaiChunk({ content: text.slice(9) }),
    lastChunk('stop'),
    '[DONE]',
  ]
  const headers = { 'content-type': 'text/event-stream' }
  return new Response(chunks.map(data => sse(data)).join(''), { headers })
}

/** An answer with this text, streamed where the request asks for it. */
export function textAnswer(text: string, seen: Seen): Response {
  const wire = wireOf(seen.path)
  if (wire === 'openai-responses') return asksForStream(seen) ? responseStream(text) : Response.json(response(text))
  if (!asksForStream(seen)) return wholeAnswer(wire, text)
  return wire === 'openai-chat' && /groq|mistral/.test(seen.path) ? chatStream(text) : streamedAnswer(wire, text)
}

const openaiCall = { id: 'call_1', type: 'function', function: { name: CALL.name, arguments: ARGUMENTS } }
const openaiHead = { id: 'chatcmpl-heron', created: 1_760_000_000, model: 'the-model-itself' }
const head = { id: 'msg_heron', type: 'message', role: 'assistant', model: 'the-model-itself' }
const geminiCall = { content: { role: 'model', parts: [{ functionCall: { name: CALL.name, args: CALL.input } }] } }
const geminiUsage = { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 }

const wholeCalls: Record<Wire, unknown> = {
  'openai-chat': {
    ...openaiHead,
    object: 'chat.completion',
    choices: [
      {
        index: 0,
        message: { role: 'assistant', content: null, tool_calls: [openaiCall] },
        finish_reason: 'tool_calls',
      },
    ],
    usage: openaiUsage,
  },
  'openai-responses': responseOf([
    {
      id: 'fc_1',
      type: 'function_call',
      call_id: 'call_1',
      status: 'completed',
      name: CALL.name,
      arguments: ARGUMENTS,
    },
  ]),
  'anthropic-messages': {
    ...head,
    content: [{ type: 'tool_use', id: 'toolu_1', ...CALL }],
    stop_reason: 'tool_use',
    usage: { input_tokens: 11, output_tokens: 7 },
  },
  gemini: { candidates: [{ ...geminiCall, finishReason: 'STOP', index: 0 }], usageMetadata: geminiUsage },
  'bedrock-converse': {
    output: { message: { role: 'assistant', content: [{ toolUse: { toolUseId: 'tooluse_1', ...CALL } }] } },
    stopReason: 'tool_use',
    usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 },
  },
}

/** The arguments in two pieces, as models stream them. */
const [FIRST, SECOND] = [ARGUMENTS.slice(0, 6), ARGUMENTS.slice(6)]

const streamedCalls: Record<Wire, (string | Uint8Array)[]> = {
  'openai-chat': [
    openaiChunk({
      role: 'assistant',
      tool_calls: [{ index: 0, ...openaiCall, function: { name: CALL.name, arguments: '' } }],
    }),
    openaiChunk({ tool_calls: [{ index: 0, function: { arguments: FIRST } }] }),
    openaiChunk({ tool_calls: [{ index: 0, function: { arguments: SECOND } }] }),
    lastChunk('tool_calls'),
    '[DONE]',
  ].map(data => sse(data)),
  'openai-responses': [
    { type: 'response.created', response: { ...responseOf([]), status: 'in_progress', usage: null } },
    {
      type: 'response.output_item.added',
      output_index: 0,
      item: { id: 'fc_1', type: 'function_call', call_id: 'call_1', name: CALL.name, arguments: '' },
    },
    { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 0, delta: FIRST },
    { type: 'response.function_call_arguments.delta', item_id: 'fc_1', output_index: 0, delta: SECOND },
    { type: 'response.function_call_arguments.done', item_id: 'fc_1', output_index: 0, arguments: ARGUMENTS },
    {
      type: 'response.output_item.done',
      output_index: 0,
      item: {
        id: 'fc_1',
        type: 'function_call',
        call_id: 'call_1',
        status: 'completed',
        name: CALL.name,
        arguments: ARGUMENTS,
      },
    },
    { type: 'response.completed', response: wholeCalls['openai-responses'] },
  ].map((event, at) => sse({ ...event, sequence_number: at }, event.type)),
  'anthropic-messages': [
    { type: 'message_start', message: { ...head, content: [], usage: { input_tokens: 11, output_tokens: 1 } } },
    {
      type: 'content_block_start',
      index: 0,
      content_block: { type: 'tool_use', id: 'toolu_1', name: CALL.name, input: {} },
    },
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: FIRST } },
    { type: 'content_block_delta', index: 0, delta: { type: 'input_json_delta', partial_json: SECOND } },
    { type: 'content_block_stop', index: 0 },
    { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 7 } },
    { type: 'message_stop' },
  ].map(data => sse(data, data.type)),
  gemini: [sse({ candidates: [{ ...geminiCall, finishReason: 'STOP', index: 0 }], usageMetadata: geminiUsage })],
  'bedrock-converse': [
    awsFrame('messageStart', { role: 'assistant' }),
    awsFrame('contentBlockStart', {
      contentBlockIndex: 0,
      start: { toolUse: { toolUseId: 'tooluse_1', name: CALL.name } },
    }),
    awsFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: FIRST } } }),
    awsFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: SECOND } } }),
    awsFrame('contentBlockStop', { contentBlockIndex: 0 }),
    awsFrame('messageStop', { stopReason: 'tool_use' }),
    awsFrame('metadata', { usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 } }),
  ],
}

/** An answer that calls {@link CALL}, streamed where the request asks for it. */
export function callAnswer(seen: Seen): Response {
  const wire = wireOf(seen.path)
  if (!asksForStream(seen)) return Response.json(wholeCalls[wire])
  const bytes = Buffer.concat(streamedCalls[wire].map(piece => Buffer.from(piece)))
  const type = wire === 'openai-responses' ? 'text/event-stream' : streamType(wire)
  return new Response(bytes, { headers: { 'content-type': type } })
}

const MESSAGE = 'Too many herons.'

const refusals: Record<Wire | 'mistral', unknown> = {
  'openai-chat': { error: { message: MESSAGE, type: 'requests', param: null, code: 'rate_limit_exceeded' } },
  'openai-responses': { error: { message: MESSAGE, type: 'requests', param: null, code: 'rate_limit_exceeded' } },
  'anthropic-messages': { type: 'error', error: { type: 'rate_limit_error', message: MESSAGE } },
  gemini: { error: { code: 429, message: MESSAGE, status: 'RESOURCE_EXHAUSTED' } },
  'bedrock-converse': { message: MESSAGE },
  mistral: { object: 'error', message: MESSAGE, type: 'rate_limited', param: null, code: '1300' },
}

/** How a provider says that it is asked too much: 429. */
export function refusal({ path }: Seen): Response {
  const said = refusals[path.includes('mistral') ? 'mistral' : wireOf(path)]
  return Response.json(said, { status: 429, headers: { 'retry-after': '3', 'x-request-id': 'req_heron' } })
}
