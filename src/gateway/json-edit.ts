/**
 * Changes members at the top level of a JSON object in its text, so that key order, whitespace, unknown members and
 * numbers beyond double precision go on as the client wrote them (T85, trap 15).
 *
 * @param text an object that JSON.parse has accepted
 * @param changes new values by member name; every occurrence of the member is changed
 * @returns the text, or undefined when a member was not found
 */
export function editJson(text: string, changes: Record<string, unknown>): string | undefined {
  const found: string[] = []
  let edited = ''
  let copied = 0
  let depth = 0
  let at = 0
  while (at < text.length) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) {
      const end = endOfString(text, at)
      // At depth 1 a string followed by a colon is a member's name.
      if (depth === 1) {
        const written = text.slice(at + 1, end)
        const name = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written
        const colon = skipSpace(text, end + 1)
        if (text.charCodeAt(colon) === COLON) {
          at = skipSpace(text, colon + 1)
          if (Object.hasOwn(changes, name)) {
            const valueEnd = endOfValue(text, at)
            edited += text.slice(copied, at) + JSON.stringify(changes[name])
            copied = valueEnd
            at = valueEnd
            if (!found.includes(name)) found.push(name)
          }
          continue
        }
      }
      at = end + 1
      continue
    }
    if (char === OPEN_BRACE || char === OPEN_BRACKET) depth++
    else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) depth--
    at++
  }
  for (const name in changes) if (!found.includes(name)) return undefined
  return edited + text.slice(copied)
}

/**
 * The text of a member of a JSON object, as it was written.
 * @param text an object that JSON.parse has accepted
 * @returns that of the last one of that name, which is the one that counts; undefined where there is none
 */
export function memberText(text: string, member: string): string | undefined {
  let found: string | undefined
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (text.charCodeAt(at) === QUOTE) {
    const end = endOfString(text, at)
    const written = text.slice(at + 1, end)
    const name = written.includes('\\') ? (JSON.parse(`"${written}"`) as string) : written
    const start = skipSpace(text, skipSpace(text, end + 1) + 1)
    const behind = endOfValue(text, start)
    if (name === member) found = text.slice(start, behind)
    at = skipSpace(text, behind)
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1)
  }
  return found
}

/** The texts of the elements of a JSON array that JSON.parse has accepted, as they were written. */
export function elementTexts(text: string): string[] {
  const elements: string[] = []
  let at = skipSpace(text, skipSpace(text, 0) + 1)
  while (at < text.length && text.charCodeAt(at) !== CLOSE_BRACKET) {
    const behind = endOfValue(text, at)
    elements.push(text.slice(at, behind))
    at = skipSpace(text, behind)
    if (text.charCodeAt(at) === COMMA) at = skipSpace(text, at + 1)
  }
  return elements
}

const QUOTE = 34
const COLON = 58
const COMMA = 44
const BACKSLASH = 92
const OPEN_BRACE = 123
const CLOSE_BRACE = 125
const OPEN_BRACKET = 91
const CLOSE_BRACKET = 93

/** The index of the closing quote of the string that opens at `start`. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  for (;;) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) return end
    end = text.indexOf('"', end + 1)
  }
}

function skipSpace(text: string, at: number): number {
  while (text.charCodeAt(at) <= 32) at++
  return at
}

/** The index behind the value that begins at `start`. */
function endOfValue(text: string, start: number): number {
  const first = text.charCodeAt(start)
  if (first === QUOTE) return endOfString(text, start) + 1
  let depth = 0
  let at = start
  for (; at < text.length; at++) {
    const char = text.charCodeAt(at)
    if (char === QUOTE) at = endOfString(text, at)
    else if (char === OPEN_BRACE || char === OPEN_BRACKET) depth++
    else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
      if (depth === 0) return at
      if (--depth === 0) return at + 1
    } else if (depth === 0 && (char === COMMA || char <= 32)) return at
  }
  return at
}
