import type { Quirk } from '../dialect.ts'
import type { Answer, StreamMessage, WireUsage } from './types.ts'

/** Takes the cached tokens out of `input_tokens`, knowing what earlier messages of the stream said of the cache. */
function corrector(): (usage: WireUsage | null | undefined) => void {
  let cached = 0
  return usage => {
    if (!usage) return
    const said = (usage.cache_read_input_tokens ?? 0) + (usage.cache_creation_input_tokens ?? 0)
    if (said > 0) cached = said
    if (typeof usage.input_tokens === 'number' && usage.input_tokens >= cached) usage.input_tokens -= cached
  }
}

/** Some servers that copy Anthropic's format count cached tokens in `input_tokens` too (T91). */
export const inputIncludesCache: Quirk = {
  name: 'inputIncludesCache',
  reply: body => corrector()((body as Answer).usage),
  chunks() {
    const correct = corrector()
    return chunk => {
      const { message, usage } = chunk as StreamMessage
      correct(message?.usage)
      correct(usage)
    }
  },
}
