/** What the demo provider says. The same question gets the same answer, so that tests and first tries are repeatable. */

const story = `Behind the great gate of the fortress there was a small door that few people knew. Its keeper asked each
traveller for a token, looked at it once, and let them pass to whichever hall they had asked for. When a hall had burned
down, she led them to the next.`

const tidy = (text: string): string => text.replace(/\s+/g, ' ').trim()

export const storyText = tidy(story)

export const slowText =
  'This answer takes its time. Each word comes alone, after a pause, so that there is something to wait for.'

export const echoText = (question: string): string => (question ? `You said: ${question}` : 'You said nothing.')

/** The text in pieces that give it again when put together: each word with the space before it. */
export const pieces = (text: string): string[] => text.match(/\s*\S+|\s+$/g) ?? []

/** Tokens as the demo counts them: words and marks, about as a real model would. */
export const countTokens = (text: string): number => text.match(/\p{L}+|\p{N}+|[^\s\p{L}\p{N}]/gu)?.length ?? 0
