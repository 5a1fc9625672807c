import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { Watch } from '../dialect.ts'
import type { WireUsage } from '../openai-chat/types.ts'
import { readUsage } from '../openai-chat/usage.ts'

/** The counts of what has no answer in words: some servers say the total only (Voyage, Jina). */
export function readInputOnly(wire: unknown): Usage | undefined {
  const counts = wire as WireUsage | null | undefined
  return readUsage(
    counts && {
      ...counts,
      prompt_tokens: counts.prompt_tokens ?? counts.total_tokens,
      completion_tokens: counts.completion_tokens ?? 0,
    },
  )
}

/** Reads along with embeddings. */
export const openaiEmbeddings: Watch = {
  members: ['usage', 'model'],
  depth: 1,
  model: ({ model }) => (typeof model === 'string' ? model : undefined),
  usage: ({ usage }: JsonObject) => (usage ? readInputOnly(usage) : undefined),
}
