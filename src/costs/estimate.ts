import type { Usage } from '../conversation/reply.ts'

/** English text has about four characters a token; other scripts fewer, so that this errs on the low side there. */
const CHARACTERS_A_TOKEN = 4

/**
 * A guess at the usage of an answer whose provider reported none, marked as one (T96).
 * @param asked characters of the request
 * @param answered characters of the answer: text, reasoning and arguments of calls
 */
export function estimateUsage(asked: number, answered: number): Usage {
  return {
    input: Math.ceil(asked / CHARACTERS_A_TOKEN),
    output: Math.ceil(answered / CHARACTERS_A_TOKEN),
    source: 'estimated',
  }
}
