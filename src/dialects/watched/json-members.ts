import type { JsonObject } from '../../conversation/conversation.ts'

/**
 * Members of a JSON text of which only the beginning or the end is there: usage behind a picture of several megabytes,
 * a model in front of one. Strings are stepped over, so that what a model said is never taken for a member.
 */

const QUOTE = 34
const BACKSLASH = 92
const COLON = 58

const opens = (code: number) => code === 123 || code === 91
const closes = (code: number) => code === 125 || code === 93
const isBlank = (code: number) => code === 32 || (code >= 9 && code <= 13)

/**
 * Members in the beginning of a text.
 * @param depth how deep they stand at most; 1 is the top
 */
export function membersInHead(text: string, names: readonly string[], depth: number): JsonObject {
  const found: JsonObject = {}
  let level = 0
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (opens(code)) level++
    else if (closes(code)) level--
    else if (code === QUOTE) {
      const end = closingQuote(text, at)
      if (end < 0) break
      if (level <= depth) take(text, at, end, names, found)
      at = end
    }
  }
  return found
}

/** Members in the end of a text, which must be the end of the value too; the last one of a name counts. */
export function membersInTail(text: string, names: readonly string[], depth: number): JsonObject {
  const found: JsonObject = {}
  let level = 0
  for (let at = text.length - 1; at >= 0; at--) {
    const code = text.charCodeAt(at)
    if (closes(code)) level++
    else if (opens(code)) level--
    else if (code === QUOTE) {
      const start = openingQuote(text, at)
      if (start < 0) break
      if (level <= depth) take(text, start, at, names, found)
      at = start
    }
  }
  return found
}

/** Reads the value behind a string, where it is a name that is looked for. */
function take(text: string, start: number, end: number, names: readonly string[], found: JsonObject): void {
  const name = names.find(each => each.length === end - start - 1 && text.startsWith(each, start + 1))
  if (name === undefined || name in found) return
  const colon = skipBlanks(text, end + 1)
  if (text.charCodeAt(colon) !== COLON) return
  const from = skipBlanks(text, colon + 1)
  const to = endOfValue(text, from)
  if (to < 0) return
  try {
    found[name] = JSON.parse(text.slice(from, to))
  } catch {
    // No JSON at all: then there is nothing to be found in it.
  }
}

function skipBlanks(text: string, from: number): number {
  let at = from
  while (isBlank(text.charCodeAt(at))) at++
  return at
}

/** @returns -1 where the value is cut off */
function endOfValue(text: string, from: number): number {
  let level = 0
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at)
    if (code === QUOTE) {
      at = closingQuote(text, at)
      if (at < 0) return -1
      if (level === 0) return at + 1
    } else if (opens(code)) level++
    else if (closes(code)) {
      // The end of what holds a number or a word, or of the value itself.
      if (level === 0) return at
      if (--level === 0) return at + 1
    } else if (level === 0 && (code === 44 || isBlank(code))) return at
  }
  return -1
}

function closingQuote(text: string, opening: number): number {
  for (let at = text.indexOf('"', opening + 1); at >= 0; at = text.indexOf('"', at + 1))
    if (!isEscaped(text, at)) return at
  return -1
}

function openingQuote(text: string, closing: number): number {
  for (let at = closing - 1; at >= 0; at--) {
    at = text.lastIndexOf('"', at)
    if (at < 0) return -1
    if (!isEscaped(text, at)) return at
  }
  return -1
}

function isEscaped(text: string, at: number): boolean {
  let before = at
  while (text.charCodeAt(before - 1) === BACKSLASH) before--
  return (at - before) % 2 === 1
}
