import { EventStreamCodec } from '@smithy/eventstream-codec'
import type { DialectName } from '../../src/dialects/dialect.ts'

/** What providers of each dialect answer to anything: the same words, eleven tokens in and seven out. */

export interface Said {
  type: string
  body: string | Uint8Array
}

const codec = new EventStreamCodec(
  bytes => (typeof bytes === 'string' ? bytes : new TextDecoder().decode(bytes as Uint8Array)),
  text => new TextEncoder().encode(text),
)

/** One frame of AWS's event stream. */
export function awsFrame(event: string, data: unknown, type: 'event' | 'exception' = 'event'): Uint8Array {
  return codec.encode({
    headers: {
      ':message-type': { type: 'string', value: type },
      [type === 'event' ? ':event-type' : ':exception-type']: { type: 'string', value: event },
      ':content-type': { type: 'string', value: 'application/json' },
    },
    body: new TextEncoder().encode(JSON.stringify(data)),
  })
}

export const sse = (data: unknown, event?: string) =>
  `${event ? `event: ${event}\n` : ''}data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`

/** Cut in two, so that a stream has more than one delta. */
const halves = (text: string): [string, string] => {
  const middle = Math.ceil(text.length / 2)
  return [text.slice(0, middle), text.slice(middle)]
}

const openaiHead = { id: 'chatcmpl-heron', created: 1_760_000_000, model: 'the-model-itself' }
const openaiUsage = { prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 }
const geminiUsage = { promptTokenCount: 11, candidatesTokenCount: 7, totalTokenCount: 18 }
const ollamaHead = { model: 'the-model-itself', created_at: '2026-03-04T05:06:07Z' }

export const openaiChunk = (delta: unknown, finish: string | null = null) => ({
  ...openaiHead,
  object: 'chat.completion.chunk',
  choices: [{ index: 0, delta, finish_reason: finish }],
})

const whole: Record<DialectName, (text: string) => unknown> = {
  'openai-chat': text => ({
    ...openaiHead,
    object: 'chat.completion',
    choices: [{ index: 0, message: { role: 'assistant', content: text }, finish_reason: 'stop' }],
    usage: openaiUsage,
  }),
  'anthropic-messages': text => ({
    id: 'msg_heron',
    type: 'message',
    role: 'assistant',
    model: 'the-model-itself',
    content: [{ type: 'text', text }],
    stop_reason: 'end_turn',
    usage: { input_tokens: 11, output_tokens: 7 },
  }),
  gemini: text => ({
    candidates: [{ content: { role: 'model', parts: [{ text }] }, finishReason: 'STOP', index: 0 }],
    usageMetadata: geminiUsage,
    modelVersion: 'the-model-itself',
  }),
  'bedrock-converse': text => ({
    output: { message: { role: 'assistant', content: [{ text }] } },
    stopReason: 'end_turn',
    usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 },
  }),
  'cohere-chat': text => ({
    id: 'co-heron',
    message: { role: 'assistant', content: [{ type: 'text', text }] },
    finish_reason: 'COMPLETE',
    usage: { tokens: { input_tokens: 11, output_tokens: 7 } },
  }),
  'ollama-chat': text => ({
    ...ollamaHead,
    message: { role: 'assistant', content: text },
    done: true,
    done_reason: 'stop',
    prompt_eval_count: 11,
    eval_count: 7,
  }),
  'workers-ai': text => ({
    result: { response: text, usage: openaiUsage },
    success: true,
    errors: [],
    messages: [],
  }),
}

const events: Record<DialectName, (text: string) => (string | Uint8Array)[]> = {
  'openai-chat': text => {
    const [first, second] = halves(text)
    const usage = { ...openaiHead, object: 'chat.completion.chunk', choices: [], usage: openaiUsage }
    return [
      openaiChunk({ role: 'assistant', content: first }),
      openaiChunk({ content: second }),
      openaiChunk({}, 'stop'),
      usage,
      '[DONE]',
    ].map(data => sse(data))
  },
  'anthropic-messages': text => {
    const message = { id: 'msg_heron', type: 'message', role: 'assistant', model: 'the-model-itself', content: [] }
    return [
      { type: 'message_start', message: { ...message, usage: { input_tokens: 11, output_tokens: 1 } } },
      { type: 'content_block_start', index: 0, content_block: { type: 'text', text: '' } },
      ...halves(text).map(half => ({
        type: 'content_block_delta',
        index: 0,
        delta: { type: 'text_delta', text: half },
      })),
      { type: 'content_block_stop', index: 0 },
      { type: 'message_delta', delta: { stop_reason: 'end_turn' }, usage: { output_tokens: 7 } },
      { type: 'message_stop' },
    ].map(data => sse(data, data.type))
  },
  gemini: text => {
    const [first, second] = halves(text)
    const head = { modelVersion: 'the-model-itself', usageMetadata: geminiUsage }
    const part = (text: string) => ({ content: { role: 'model', parts: [{ text }] }, index: 0 })
    return [
      { ...head, candidates: [part(first)] },
      { ...head, candidates: [{ ...part(second), finishReason: 'STOP' }] },
    ].map(data => sse(data))
  },
  'bedrock-converse': text => [
    awsFrame('messageStart', { role: 'assistant' }),
    ...halves(text).map(half => awsFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { text: half } })),
    awsFrame('contentBlockStop', { contentBlockIndex: 0 }),
    awsFrame('messageStop', { stopReason: 'end_turn' }),
    awsFrame('metadata', { usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 } }),
  ],
  'cohere-chat': text => [
    ...[
      { type: 'message-start', id: 'co-heron', delta: { message: { role: 'assistant' } } },
      { type: 'content-start', index: 0, delta: { message: { content: { type: 'text', text: '' } } } },
      ...halves(text).map(half => ({
        type: 'content-delta',
        index: 0,
        delta: { message: { content: { text: half } } },
      })),
      { type: 'content-end', index: 0 },
      {
        type: 'message-end',
        delta: { finish_reason: 'COMPLETE', usage: { tokens: { input_tokens: 11, output_tokens: 7 } } },
      },
    ].map(data => sse(data, data.type)),
  ],
  'ollama-chat': text => [
    ...halves(text).map(
      half => `${JSON.stringify({ ...ollamaHead, message: { role: 'assistant', content: half }, done: false })}\n`,
    ),
    `${JSON.stringify({ ...(whole['ollama-chat']('') as object) })}\n`,
  ],
  'workers-ai': text => [
    ...halves(text).map(half => sse({ response: half })),
    sse({ response: '', usage: openaiUsage }),
    sse('[DONE]'),
  ],
}

const STREAM_TYPES: Partial<Record<DialectName, string>> = {
  'bedrock-converse': 'application/vnd.amazon.eventstream',
  'ollama-chat': 'application/x-ndjson',
}

/** A whole answer. */
export const wholeAnswer = (dialect: DialectName, text: string): Response => Response.json(whole[dialect](text))

/** The pieces of a streamed answer, one message each. */
export const streamPieces = (dialect: DialectName, text: string) => events[dialect](text)

export const streamType = (dialect: DialectName) => STREAM_TYPES[dialect] ?? 'text/event-stream'

/** A streamed answer. */
export function streamedAnswer(dialect: DialectName, text: string, headers: Record<string, string> = {}): Response {
  return new Response(Buffer.concat(events[dialect](text).map(piece => Buffer.from(piece))), {
    headers: { 'content-type': streamType(dialect), ...headers },
  })
}

/** A streamed answer that takes its time: `pause` milliseconds before each piece. */
export function slowAnswer(dialect: DialectName, text: string, pause: number): Response {
  const pieces = events[dialect](text)
  return new Response(
    new ReadableStream<Uint8Array>({
      async pull(controller) {
        await Bun.sleep(pause)
        const piece = pieces.shift()
        if (piece === undefined) controller.close()
        else controller.enqueue(Buffer.from(piece))
      },
    }),
    { headers: { 'content-type': streamType(dialect) } },
  )
}
