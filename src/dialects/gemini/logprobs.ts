import type { Logprobs } from '../../conversation/reply.ts'
import type { LogprobsResult, TokenLogprob } from './types.ts'

/** Gemini's `logprobsResult` in OpenAI's shape. */
export function readLogprobs(wire: LogprobsResult): Logprobs | undefined {
  if (!wire.chosenCandidates?.length) return undefined
  const content = wire.chosenCandidates.map((chosen, at) => ({
    ...entry(chosen),
    top_logprobs: (wire.topCandidates?.[at]?.candidates ?? []).map(entry),
  }))
  return { content }
}

function entry({ token = '', logProbability = 0 }: TokenLogprob) {
  return { token, logprob: logProbability, bytes: [...new TextEncoder().encode(token)] }
}
