/** What the stand-in provider says, in OpenAI's and in Anthropic's format, at the sizes that the real ones have. */

export type Format = 'openai' | 'anthropic'

const words = ' The quick brown fox jumps over the lazy dog while twelve green parrots watch from above'.split(/(?= )/)
const text = words.join('').trim()
const created = 1_750_000_000

/** The words that a stream sends, one in each chunk, over and over. */
export const streamedWords = words

const openaiReply = {
  id: 'chatcmpl-BenchBenchBenchBenchBenchBench',
  object: 'chat.completion',
  created,
  model: 'bench-2025-06-15',
  choices: [
    {
      index: 0,
      message: { role: 'assistant', content: `${text}. ${text}.`, refusal: null, annotations: [] },
      logprobs: null,
      finish_reason: 'stop',
    },
  ],
  usage: {
    prompt_tokens: 64,
    completion_tokens: 32,
    total_tokens: 96,
    prompt_tokens_details: { cached_tokens: 0, audio_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: 0, audio_tokens: 0 },
  },
  service_tier: 'default',
  system_fingerprint: 'fp_bench00000',
}

const anthropicReply = {
  id: 'msg_01BenchBenchBenchBenchBe',
  type: 'message',
  role: 'assistant',
  model: 'claude-bench',
  content: [{ type: 'text', text: `${text}. ${text}.` }],
  stop_reason: 'end_turn',
  stop_sequence: null,
  usage: { input_tokens: 64, cache_creation_input_tokens: 0, cache_read_input_tokens: 0, output_tokens: 32 },
}

/** The whole answer of a request that asks for no stream. */
export const wholeReply: Record<Format, string> = {
  openai: JSON.stringify(openaiReply),
  anthropic: JSON.stringify(anthropicReply),
}

function openaiChunk(delta: unknown, finish: string | null): string {
  return `data: ${JSON.stringify({
    id: 'chatcmpl-BenchBenchBenchBenchBenchBench',
    object: 'chat.completion.chunk',
    created,
    model: 'bench-2025-06-15',
    service_tier: 'default',
    system_fingerprint: 'fp_bench00000',
    choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
  })}\n\n`
}

function anthropicEvent(type: string, rest: object): string {
  return `event: ${type}\ndata: ${JSON.stringify({ type, ...rest })}\n\n`
}

export interface StreamScript {
  /** Sent together with the headers. */
  start: string
  /** One of these in each write, in turn. */
  words: string[]
  /** Sent as the last write; `withUsage` is what OpenAI's `stream_options.include_usage` adds. */
  end: string
  endWithUsage: string
}

const openaiEnd = openaiChunk({}, 'stop')
const openaiUsage = `data: ${JSON.stringify({ ...openaiReply, object: 'chat.completion.chunk', choices: [] })}\n\n`
const anthropicEnd =
  anthropicEvent('content_block_stop', { index: 0 }) +
  anthropicEvent('message_delta', {
    delta: { stop_reason: 'end_turn', stop_sequence: null },
    usage: { output_tokens: 32 },
  }) +
  anthropicEvent('message_stop', {})

/** The parts of a streamed answer. */
export const streamScript: Record<Format, StreamScript> = {
  openai: {
    start: openaiChunk({ role: 'assistant', content: '', refusal: null }, null),
    words: words.map(word => openaiChunk({ content: word }, null)),
    end: `${openaiEnd}data: [DONE]\n\n`,
    endWithUsage: `${openaiEnd}${openaiUsage}data: [DONE]\n\n`,
  },
  anthropic: {
    start:
      anthropicEvent('message_start', {
        message: {
          ...anthropicReply,
          content: [],
          stop_reason: null,
          usage: { ...anthropicReply.usage, output_tokens: 1 },
        },
      }) + anthropicEvent('content_block_start', { index: 0, content_block: { type: 'text', text: '' } }),
    words: words.map(word =>
      anthropicEvent('content_block_delta', { index: 0, delta: { type: 'text_delta', text: word } }),
    ),
    end: anthropicEnd,
    endWithUsage: anthropicEnd,
  },
}
