import type { Usage } from '../conversation/reply.ts'

/** English text has about four characters a token; other scripts fewer, so that this errs on the low side there. */
const CHARACTERS_A_TOKEN = 4

/**
 * A guess at the usage of an answer whose provider reported none, marked as one (T96). It costs nothing, which is why it
 * stands in streams; what is put on record is counted by `countTokens`.
 * @param asked characters of the request
 * @param answered characters of the answer: text, reasoning and arguments of calls
 */
export function estimateUsage(asked: number, answered: number): Usage {
  return {
    input: estimateTokens(asked),
    output: estimateTokens(answered),
    source: 'estimated',
  }
}

/** A guess at the tokens of a text of so many characters. */
export const estimateTokens = (characters: number): number => Math.ceil(characters / CHARACTERS_A_TOKEN)
