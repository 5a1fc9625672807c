import { estimateTokens } from './estimate.ts'

interface Tokenizer {
  countTokens(text: string, options: { disallowedSpecial: Set<string> }): number
}

/** A text of this many characters is counted whole; of a longer one, so many are counted, in pieces from all of it. */
const MOST_CHARACTERS = 65_536
/** One run of letters without a space costs the square of its length, so that texts are counted in pieces of this many. */
const PIECE = 1_024
/** Pieces that are counted before others get their turn: a few milliseconds at worst. */
const PIECES_A_TURN = 4
/** Texts that are being counted at once; those beyond are guessed by their length. */
const MOST_AT_ONCE = 64

/** Whatever looks like a control token in a text is text. */
const OPTIONS = { disallowedSpecial: new Set<string>() }

/** OpenAI's models before GPT-4o have a vocabulary of their own. */
const OLD = /(?:^|\/)(?:gpt-4(?:-|$)|gpt-3\.5|text-embedding-)/

let recent: Promise<Tokenizer> | undefined
let old: Promise<Tokenizer> | undefined
let counting = 0

/**
 * Counts the tokens of a text for the record, where a provider reported none (T96). It is OpenAI's tokenizer, which is
 * near the truth for other makers' models too, so the count is to be marked as estimated. Off the way of a request: the
 * first call loads the vocabulary, which takes a tenth of a second of the processor and some 70 MB of memory; processes
 * whose providers all report usage never load it.
 */
export async function countTokens(text: string, model: string): Promise<number> {
  if (text === '') return 0
  if (counting >= MOST_AT_ONCE) return estimateTokens(text.length)
  counting++
  try {
    return await count(text, await tokenizerFor(model))
  } finally {
    counting--
  }
}

function tokenizerFor(model: string): Promise<Tokenizer> {
  if (OLD.test(model)) {
    old ??= import('gpt-tokenizer/encoding/cl100k_base')
    return old
  }
  recent ??= import('gpt-tokenizer/encoding/o200k_base')
  return recent
}

async function count(text: string, tokenizer: Tokenizer): Promise<number> {
  const pieces = Math.ceil(Math.min(text.length, MOST_CHARACTERS) / PIECE)
  // A piece begins at each step; in a text that is counted whole the steps follow each other without gaps.
  const step = text.length <= MOST_CHARACTERS ? PIECE : text.length / pieces
  let tokens = 0
  let characters = 0
  for (let index = 0; index < pieces; index++) {
    if (index > 0 && index % PIECES_A_TURN === 0) await new Promise(setImmediate)
    const start = Math.floor(index * step)
    const piece = text.slice(start, start + PIECE)
    tokens += tokenizer.countTokens(piece, OPTIONS)
    characters += piece.length
  }
  return characters === text.length ? tokens : Math.round((tokens * text.length) / characters)
}
