import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import { watch as claude } from '../anthropic-messages/watch.ts'
import { readUsage as readConverse } from '../bedrock-converse/usage.ts'
import type { Watch } from '../dialect.ts'
import { readUsage as readCompletion } from '../openai-chat/usage.ts'

/**
 * Bedrock's InvokeModel answers in each model's own JSON; a stream wraps it, in base64, in frames of the event `chunk`.
 * @see https://docs.aws.amazon.com/bedrock/latest/userguide/model-parameters.html
 */
interface Message extends JsonObject {
  bytes?: string
  /** Anthropic's messages have one each. */
  type?: string
  usage?: JsonObject
  /** Nova streams as Converse does, with the name of the event around it. */
  metadata?: { usage?: JsonObject }
  /** Llama. */
  prompt_token_count?: number
  generation_token_count?: number
  /** Titan, for text and for embeddings. */
  inputTextTokenCount?: number
  results?: { tokenCount?: number }[]
  'amazon-bedrock-invocationMetrics'?: Metrics
}

/** Counted by Bedrock itself, in the last message of a stream. */
interface Metrics {
  inputTokenCount?: number
  outputTokenCount?: number
  cacheReadInputTokenCount?: number
  cacheWriteInputTokenCount?: number
}

const METRICS = 'amazon-bedrock-invocationMetrics'
const HEADER = 'x-amzn-bedrock-'

const reported = (input: number, output: number): Usage => ({ input, output, source: 'reported' })

function inMetrics(metrics: Metrics): Usage {
  const { inputTokenCount, outputTokenCount, ...cached } = metrics
  return readConverse({ ...cached, inputTokens: inputTokenCount, outputTokens: outputTokenCount })
}

function inBody({ usage, metadata, results, ...message }: Message): Usage | undefined {
  const counts = usage ?? metadata?.usage
  if (counts) {
    if ('inputTokens' in counts) return readConverse(counts)
    if ('prompt_tokens' in counts) return readCompletion(counts)
  }
  const { prompt_token_count, generation_token_count, inputTextTokenCount } = message
  // Llama counts its prompt in the first message only, and the answer so far in each; the metrics know better.
  if (typeof generation_token_count === 'number') return reported(prompt_token_count ?? 0, generation_token_count)
  if (typeof inputTextTokenCount === 'number') return reported(inputTextTokenCount, results?.[0]?.tokenCount ?? 0)
  return undefined
}

const number = (text: string | null): number | undefined => (text && /^\d{1,15}$/.test(text) ? Number(text) : undefined)

/** Reads along with InvokeModel, whichever model is behind it. */
export const bedrockInvoke: Watch = {
  members: [
    'usage',
    'prompt_token_count',
    'generation_token_count',
    'inputTextTokenCount',
    'inputTokenCount',
    'outputTokenCount',
    'model',
  ],
  depth: 2,
  open(message) {
    const { bytes } = message as Message
    if (typeof bytes !== 'string') return message
    const opened: unknown = JSON.parse(Buffer.from(bytes, 'base64').toString())
    return opened && typeof opened === 'object' ? (opened as JsonObject) : {}
  },
  model: claude.model,
  usage(message: Message, first) {
    const metrics = message[METRICS]
    // Claude's own counts know the cache better than Bedrock's, which come behind them.
    if (typeof message.type === 'string' || (message.usage && 'input_tokens' in message.usage))
      return claude.usage(message, first)
    return metrics ? inMetrics(metrics) : inBody(message)
  },
  end: message => (message[METRICS] ? 'marked' : claude.end!(message)),
  headers(headers, usage = inHeaders(headers)) {
    const tier = headers.get(`${HEADER}service-tier`)
    if (usage && tier) usage.tier = tier
    return usage
  },
}

function inHeaders(headers: Pick<Headers, 'get'>): Usage | undefined {
  const input = number(headers.get(`${HEADER}input-token-count`))
  const output = number(headers.get(`${HEADER}output-token-count`))
  if (input === undefined && output === undefined) return undefined
  const read = number(headers.get(`${HEADER}cache-read-input-token-count`))
  const write = number(headers.get(`${HEADER}cache-write-input-token-count`))
  return inMetrics({
    inputTokenCount: input,
    outputTokenCount: output,
    ...(read !== undefined && { cacheReadInputTokenCount: read }),
    ...(write !== undefined && { cacheWriteInputTokenCount: write }),
  })
}
