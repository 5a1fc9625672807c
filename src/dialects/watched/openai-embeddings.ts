import type { JsonObject } from '../../conversation/conversation.ts'
import type { Watch } from '../dialect.ts'
import type { WireUsage } from '../openai-chat/types.ts'
import { readUsage } from '../openai-chat/usage.ts'

/** Reads along with embeddings, which have no output to count; some servers say the total only. */
export const openaiEmbeddings: Watch = {
  members: ['usage', 'model'],
  depth: 1,
  model: ({ model }) => (typeof model === 'string' ? model : undefined),
  usage({ usage }: JsonObject) {
    const counts = usage as WireUsage | null | undefined
    return readUsage(counts && { ...counts, prompt_tokens: counts.prompt_tokens ?? counts.total_tokens })
  },
}
