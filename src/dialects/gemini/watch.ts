import type { JsonObject } from '../../conversation/conversation.ts'
import type { Watch } from '../dialect.ts'
import type { GenerateContentResponse } from './types.ts'
import { readUsage, searchesIn } from './usage.ts'

type Message = GenerateContentResponse & { finishReason?: string }

/** Reads along with `generateContent`: the last message that counts is right, and nothing marks the end but a reason to stop. */
export const watch: Watch = {
  members: ['usageMetadata', 'modelVersion', 'finishReason', 'error'],
  depth: 3,
  mention: 'usageMetadata',
  model: message => (message as Message).modelVersion,
  usage(message: JsonObject) {
    const { usageMetadata } = message as Message
    return usageMetadata ? readUsage(usageMetadata, searchesIn(message as Message)) : undefined
  },
  end(message: JsonObject) {
    const { error, candidates, finishReason, promptFeedback } = message as Message
    if (error) return 'marked'
    const stopped = finishReason || promptFeedback?.blockReason || candidates?.some(each => each?.finishReason)
    return stopped ? 'finished' : undefined
  },
}
