import { malformed } from './fault.ts'

/** What is looked at of an answer's headers; the web's `Headers` are that too. Names are asked for in lower case. */
export interface AnswerHeaders {
  get(name: string): string | null
  /** A name that came several times is told several times, or once with its values joined. */
  forEach(tell: (value: string, name: string) => void): void
}

/** The headers of one answer, in the order in which they came. */
class WireHeaders implements AnswerHeaders {
  readonly #names: string[]
  readonly #values: string[]

  constructor(names: string[], values: string[]) {
    this.#names = names
    this.#values = values
  }

  get(name: string): string | null {
    const names = this.#names
    let found: string | null = null
    for (let at = 0; at < names.length; at++) {
      if (names[at] === name) found = found === null ? this.#values[at]! : `${found}, ${this.#values[at]}`
    }
    return found
  }

  forEach(tell: (value: string, name: string) => void): void {
    for (let at = 0; at < this.#names.length; at++) tell(this.#values[at]!, this.#names[at]!)
  }
}

export interface Head {
  status: number
  /** HTTP/1.0, where a connection ends with its answer. */
  old: boolean
  headers: AnswerHeaders
}

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-zA-Z]+$/

/** Names as they were written, and in lower case: servers use the same ones again and again. */
const known = new Map<string, string>()
const MOST_KNOWN = 2_000
const LONGEST_KNOWN = 64

/**
 * Reads a status line and the header lines after it. Strict where leniency would let two readers see two answers:
 * folded lines, a bare CR or LF, and space around a name are refused (RFC 9112, sections 2.2, 5.1 and 5.2).
 *
 * @param text one character for each byte, up to the end of the last header line
 * @throws an error with the code ERR_HTTP_ANSWER
 */
export function readHead(text: string): Head {
  let end = lineEnd(text, 0)
  const old = text.startsWith('HTTP/1.0 ')
  const status = old || text.startsWith('HTTP/1.1 ') ? statusOf(text, end) : 0
  if (!status) throw malformed('its status line')
  if (text.includes('\0')) throw malformed('a header with a NUL')
  const names: string[] = []
  const values: string[] = []
  for (let at = end + 2; at < text.length; at = end + 2) {
    end = lineEnd(text, at)
    const colon = text.indexOf(':', at)
    if (colon < 0 || colon > end) throw malformed('a header line without a name')
    const written = text.slice(at, colon)
    names.push(known.get(written) ?? learn(written))
    values.push(trimmed(text, colon + 1, end))
  }
  return { status, old, headers: new WireHeaders(names, values) }
}

/** The three digits behind the version, with a space or nothing behind them; 0 where that is not so. */
function statusOf(text: string, end: number): number {
  const [first, second, third] = [text.charCodeAt(9) - 48, text.charCodeAt(10) - 48, text.charCodeAt(11) - 48]
  const digits = first >= 1 && first <= 9 && second >= 0 && second <= 9 && third >= 0 && third <= 9
  const over = end === 12 || (end > 12 && text.charCodeAt(12) === 32)
  return digits && over ? first * 100 + second * 10 + third : 0
}

function learn(written: string): string {
  if (!NAME.test(written)) throw malformed('the name of a header')
  // A part of a text keeps the whole text in memory, so what stays is a copy.
  const name = Buffer.from(written.toLowerCase(), 'latin1').toString('latin1')
  if (known.size < MOST_KNOWN && written.length <= LONGEST_KNOWN)
    known.set(Buffer.from(written, 'latin1').toString('latin1'), name)
  return name
}

/** Where the line from `at` ends; the first CR must be the one before the first LF. */
function lineEnd(text: string, at: number): number {
  const end = text.indexOf('\n', at) - 1
  if (end < at || text.indexOf('\r', at) !== end) throw malformed('a line that ends in half')
  return end
}

/** Without the space and tabs around it; `trim` would also take bytes that are text. */
function trimmed(text: string, from: number, to: number): string {
  while (from < to && isBlank(text.charCodeAt(from))) from++
  while (to > from && isBlank(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}

const isBlank = (code: number) => code === 32 || code === 9
