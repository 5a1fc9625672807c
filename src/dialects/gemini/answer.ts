import type { JsonObject } from '../../conversation/conversation.ts'
import type { Event } from '../../conversation/events.ts'
import type { ReadContext } from '../dialect.ts'
import { type CandidateReader, candidateReader } from './candidate.ts'
import { errorInside } from './errors.ts'
import type { GenerateContentResponse, UsageMetadata } from './types.ts'
import { readUsage, searchesIn } from './usage.ts'

/** Reads the messages of one answer, be it one or the many of a stream. */
export interface AnswerReader {
  read(message: JsonObject): Event[]
  /** Whether every choice seen has said why it stopped. */
  complete(): boolean
}

export function answerReader(context: ReadContext): AnswerReader {
  const choices = new Map<number, CandidateReader>()
  let started = false
  let prefix = ''
  let minted = 0
  let usage: UsageMetadata = {}
  let searches = 0
  let told = ''

  /**
   * An id for a call that came without one (T49, trap 24): drawn from the answer's own id, so that the same answer
   * always gives the same ids, and random where it has none.
   */
  const mint = () => {
    prefix ||= crypto.randomUUID().replaceAll('-', '').slice(0, 24)
    return `call_${prefix}_${minted++}`
  }
  const choiceOf = (index: number): CandidateReader => {
    let choice = choices.get(index)
    if (!choice) {
      choice = candidateReader(index, context.memory, mint)
      choices.set(index, choice)
    }
    return choice
  }
  const start = ({ responseId, modelVersion, createTime }: GenerateContentResponse): Event[] => {
    if (started) return []
    started = true
    prefix = (responseId ?? '').replace(/[^a-zA-Z0-9_-]/g, '').slice(0, 28)
    const created = createTime ? Math.floor(Date.parse(createTime) / 1_000) : Number.NaN
    return [
      {
        type: 'start',
        ...(responseId && { id: responseId }),
        ...(modelVersion && { model: modelVersion }),
        ...(Number.isFinite(created) && { created }),
      },
    ]
  }
  const counted = (more: UsageMetadata): Event[] => {
    // Member by member: Vertex repeats a lone `trafficType`, which must not wipe out the counts.
    usage = { ...usage, ...more }
    const read = readUsage(usage, searches)
    const text = JSON.stringify(read)
    if (!read || text === told) return []
    told = text
    return [{ type: 'usage', usage: read }]
  }

  return {
    read(message) {
      const error = errorInside(message)
      if (error) return [{ type: 'error', error }]
      const wire = message as GenerateContentResponse
      const events = start(wire)
      const { promptFeedback, usageMetadata, candidates } = wire
      const tier = usageMetadata?.serviceTier
      if (tier && tier !== usage.serviceTier)
        events.push({
          type: 'unknown',
          at: 'reply',
          choice: 0,
          fields: { service_tier: tier === 'standard' ? 'default' : tier },
        })
      if (promptFeedback) events.push({ type: 'unknown', at: 'reply', choice: 0, fields: { promptFeedback } })
      for (const candidate of candidates ?? []) events.push(...choiceOf(candidate.index ?? 0).read(candidate))
      // A prompt that was refused has no candidates at all (T51): an empty answer, withheld.
      if (promptFeedback?.blockReason && !candidates?.length) {
        if (!choices.size) choiceOf(0)
        for (const choice of choices.values()) events.push(...choice.block(promptFeedback.blockReason))
      }
      // What they rest on is often told before the last message, and not again.
      searches = Math.max(searches, searchesIn(wire))
      const failed = events.findIndex(event => event.type === 'error')
      if (usageMetadata) events.splice(failed < 0 ? events.length : failed, 0, ...counted(usageMetadata))
      return failed < 0 ? events : events.slice(0, events.findIndex(event => event.type === 'error') + 1)
    },
    complete() {
      return choices.size > 0 && [...choices.values()].every(choice => choice.finished())
    },
  }
}
