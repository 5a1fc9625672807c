import type { Watch } from '../dialect.ts'
import { watch as completions } from '../openai-chat/watch.ts'
import type { Envelope } from './types.ts'

/**
 * Reads along with `ai/run`, whose newer models count as OpenAI's do, inside Cloudflare's envelope or without it. The
 * model stands in the address. Models without a reason to stop end with `[DONE]`.
 */
export const watch: Watch = {
  ...completions,
  members: ['usage', 'error', 'finish_reason'],
  depth: 2,
  model: undefined,
  open(message) {
    const { result } = message as Envelope
    return result && typeof result === 'object' ? result : message
  },
  end(message) {
    if (message.success === false || message.finish_reason) return 'marked'
    return completions.end!(message)
  },
}
