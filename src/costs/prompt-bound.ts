/** The tokens that a request's prompt may have at most, as far as the request shows them. */
export interface PromptBound {
  text: number
  /** Tokens of images, sound and files that stand in the request itself. */
  media: number
  /** It asks for an hour in the provider's cache, which is dearer (T93). */
  hour: boolean
}

/** What providers put around a prompt of their own accord: roles, tool instructions. */
const PREAMBLE = 512
/** What they put around each object of a request: a message, a part, a tool. */
const AROUND = 8
/** Longer strings are looked at in this many samples of that many characters. */
const SAMPLES = 16
const SAMPLE = 256
/** A string of at least so many characters may be a file. */
const SHORTEST_FILE = 1_024
/** Alphabets stand below: Latin, Greek, Cyrillic, Hebrew, Arabic. */
const TWO_BYTES = 0x800
/** No provider makes more tokens of one image or a short sound, and few of a document. */
const MOST_OF_A_FILE = 32_768
/** The values of a request that are looked at one by one; what comes behind them counts by its length. */
const MOST_VALUES = 20_000
/** Random letters have a few more tokens than is counted here. */
const MARGIN = 1.1
/** A run of letters up to this length is a word, of which a token takes two letters or more. */
const LONGEST_WORD = 16

/**
 * Bounds a prompt from above without a tokenizer, at a few nanoseconds a character: every digit, sign and letter of
 * another alphabet counts one, a character of a syllabic or ideographic script two, a word one for every two letters and
 * a longer run of letters one for each. Prose, code, JSON and random characters have fewer tokens than that in today's
 * vocabularies.
 * @param body the request, parsed
 * @param length its length in characters, as it came
 */
export function promptBound(body: unknown, length: number): PromptBound {
  const walk = new Walk()
  walk.value(body)
  const { text, media, hour, seen } = walk
  if (walk.values <= MOST_VALUES) return { text: text + PREAMBLE, media, hour }
  return { text: text + Math.max(0, length - seen) + PREAMBLE, media, hour }
}

class Walk {
  text = 0
  media = 0
  hour = false
  values = 0
  /** Characters of the strings that were looked at. */
  seen = 0

  value(value: unknown): void {
    if (++this.values > MOST_VALUES) return
    if (typeof value === 'string') this.#string(value)
    else if (Array.isArray(value)) for (const each of value) this.value(each)
    else if (typeof value === 'object' && value !== null) this.#object(value as Record<string, unknown>)
    // A number is as long as it is written.
    else this.text += typeof value === 'number' ? String(value).length : 1
  }

  #object(object: Record<string, unknown>): void {
    this.text += AROUND
    for (const name in object) {
      // Schemas are shown to the model with the names of their members.
      this.#string(name)
      if (name === 'ttl' && object[name] === '1h') this.hour = true
      this.value(object[name])
    }
  }

  #string(text: string): void {
    this.seen += text.length
    if (text.length >= SHORTEST_FILE && isFile(text)) this.media += Math.min(text.length, MOST_OF_A_FILE)
    else this.text += tokensAtMost(text)
  }
}

/** Base64, with or without the head of a `data:` address: nothing else is so long without a space. */
function isFile(text: string): boolean {
  if (text.startsWith('data:')) return true
  for (let at = 256; at < SHORTEST_FILE; at++) if (!isBase64(text.charCodeAt(at))) return false
  return true
}

const isBase64 = (code: number) =>
  isLower(code) || isUpper(code) || isDigit(code) || code === 43 || code === 47 || code === 45 || code === 95
const isLower = (code: number) => (code - 97) >>> 0 < 26
const isUpper = (code: number) => (code - 65) >>> 0 < 26
const isDigit = (code: number) => code >= 48 && code <= 57

/** The tokens that a text may have at most; of a long one by samples from all of it. */
export function tokensAtMost(text: string): number {
  if (text.length <= SAMPLES * SAMPLE) return Math.ceil(bound(text, 0, text.length) * MARGIN)
  let tokens = 0
  const step = (text.length - SAMPLE) / (SAMPLES - 1)
  for (let index = 0; index < SAMPLES; index++) {
    const start = Math.floor(index * step)
    tokens += bound(text, start, start + SAMPLE)
  }
  return Math.ceil((tokens / (SAMPLES * SAMPLE)) * MARGIN * text.length)
}

/** One pass over the characters from `start` to `end`. */
function bound(text: string, start: number, end: number): number {
  let tokens = 0
  /** Letters of the run that is being read, of one case but for a capital at its start. */
  let run = 0
  let upper = false
  for (let at = start; at < end; at++) {
    const code = text.charCodeAt(at)
    if (isLower(code)) {
      if (upper && run > 1) {
        tokens += tokensOfRun(run)
        run = 0
      }
      upper = false
      run++
      continue
    }
    if (isUpper(code)) {
      if (run > 0 && !upper) {
        tokens += tokensOfRun(run)
        run = 0
      }
      upper = true
      run++
      continue
    }
    tokens += tokensOfRun(run)
    run = 0
    // One space belongs to the word behind it.
    if (code === 32) continue
    tokens += code < TWO_BYTES ? 1 : 2
  }
  return tokens + tokensOfRun(run)
}

const tokensOfRun = (run: number) => (run > LONGEST_WORD ? run : (run + 1) >> 1)
