/** Takes the pieces of a text in their order. */
export interface TextSink {
  update(text: string): unknown
}

const TAB = 9
const NEWLINE = 10
const RETURN = 13
const SPACE = 32
const QUOTE = 34
const PLUS = 43
const COMMA = 44
const MINUS = 45
const DOT = 46
const ZERO = 48
const NINE = 57
const COLON = 58
const OPEN_BRACKET = 91
const BACKSLASH = 92
const CLOSE_BRACKET = 93
const OPEN_BRACE = 123
const CLOSE_BRACE = 125

/** Deeper texts are taken as bytes: no request is, and each level takes its part of the stack. */
const DEEPEST = 200
/** Pieces are handed on together up to this size, since each call costs more than joining small texts. */
const TOGETHER = 16_384
/** Numbers in each list below; one that had to grow is made anew when the text is through. */
const ROOM = 8_192
/** Up to so many members are sorted in place. */
const FEW = 32
/** Numbers that a member takes in its list: where its name begins and ends in the text, and its pieces in theirs. */
const MEMBER = 4

// What one reading knows. Nothing interrupts it, and it is done for every request that asks the cache: so its lists are
// kept from one to the next.
let text = ''
let at = 0
/** Pieces of the text in the order of the form: where each begins and ends. */
let pieces = new Int32Array(ROOM)
let count = 0
/** Pieces before this one are done with and get no longer: their member may have to move. */
let settled = 0
/** The members of the objects that are open now. */
let members = new Int32Array(ROOM)
let memberCount = 0

/**
 * Hands a JSON text to a sink in one form for all texts that differ only in whitespace between their tokens and in the
 * order of the members of their objects. It works on the text, so that numbers beyond double precision, escapes, and
 * members that occur twice count as they are written: of those the order stays, for which of them holds depends on it.
 *
 * In that form an object's members stand by name with no comma between them, which no other text's form does, so no
 * two texts that mean different things have one form.
 *
 * @returns whether it was an object or array of JSON, or near enough to one; otherwise nothing was handed over
 */
export function canonical(given: string, sink: TextSink): boolean {
  text = given
  at = count = settled = memberCount = 0
  const known = read()
  if (known) write(sink)
  text = ''
  if (pieces.length > ROOM) pieces = new Int32Array(ROOM)
  if (members.length > ROOM) members = new Int32Array(ROOM)
  return known
}

function read(): boolean {
  skipSpace()
  const first = text.charCodeAt(at)
  if ((first !== OPEN_BRACE && first !== OPEN_BRACKET) || !readValue(0)) return false
  skipSpace()
  return at === text.length
}

function write(sink: TextSink): void {
  let together = ''
  for (let piece = 0; piece < count; piece += 2) {
    together += text.slice(pieces[piece], pieces[piece + 1])
    if (together.length < TOGETHER) continue
    sink.update(together)
    together = ''
  }
  if (together) sink.update(together)
}

function readValue(depth: number): boolean {
  const first = text.charCodeAt(at)
  if (first === QUOTE) return readString()
  if (first === OPEN_BRACE) return depth < DEEPEST && readObject(depth + 1)
  if (first === OPEN_BRACKET) return depth < DEEPEST && readArray(depth + 1)
  return readWord()
}

function readObject(depth: number): boolean {
  take(at, ++at)
  skipSpace()
  if (text.charCodeAt(at) === CLOSE_BRACE) return close()
  const first = memberCount
  let sorted = true
  let escaped = false
  for (;;) {
    const start = at
    settled = count
    const from = count
    if (text.charCodeAt(at) !== QUOTE || !readString()) return false
    const end = at
    skipSpace()
    if (text.charCodeAt(at) !== COLON) return false
    take(at, ++at)
    skipSpace()
    if (!readValue(depth)) return false
    settled = count
    const member = noteMember(start + 1, end - 1, from)
    escaped ||= hasBackslash(start, end)
    sorted &&= member === first || compareWritten(member - MEMBER, member) <= 0
    skipSpace()
    const next = text.charCodeAt(at)
    if (next === CLOSE_BRACE) break
    if (next !== COMMA) return false
    at++
    skipSpace()
  }
  if (!sorted || escaped) sortMembers(first, escaped)
  memberCount = first
  return close()
}

function hasBackslash(from: number, to: number): boolean {
  for (; from < to; from++) if (text.charCodeAt(from) === BACKSLASH) return true
  return false
}

function noteMember(nameStart: number, nameEnd: number, from: number): number {
  const member = memberCount
  memberCount += MEMBER
  if (memberCount > members.length) members = grown(members)
  members[member] = nameStart
  members[member + 1] = nameEnd
  members[member + 2] = from
  members[member + 3] = count
  return member
}

function readArray(depth: number): boolean {
  take(at, ++at)
  skipSpace()
  if (text.charCodeAt(at) === CLOSE_BRACKET) return close()
  for (;;) {
    if (!readValue(depth)) return false
    skipSpace()
    const next = text.charCodeAt(at)
    if (next === CLOSE_BRACKET) return close()
    if (next !== COMMA) return false
    take(at, ++at)
    skipSpace()
  }
}

function close(): boolean {
  take(at, ++at)
  return true
}

function readString(): boolean {
  let end = text.indexOf('"', at + 1)
  while (end > 0) {
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === BACKSLASH) slashes++
    if (slashes % 2 === 0) break
    end = text.indexOf('"', end + 1)
  }
  if (end < 0) return false
  take(at, end + 1)
  at = end + 1
  return true
}

/** A number or one of the three words, not looked at closely: what it is not, no other text's form takes for it. */
function readWord(): boolean {
  const start = at
  while (isOfWord(text.charCodeAt(at))) at++
  if (at === start) return false
  take(start, at)
  return true
}

const isOfWord = (code: number) =>
  (code >= ZERO && code <= NINE) ||
  (code >= 97 && code <= 122) ||
  (code >= 65 && code <= 90) ||
  code === MINUS ||
  code === DOT ||
  code === PLUS

function skipSpace(): void {
  let code = text.charCodeAt(at)
  while (code === SPACE || code === NEWLINE || code === RETURN || code === TAB) code = text.charCodeAt(++at)
}

/** The next piece; where it follows on the last one in the text, that one gets longer. */
function take(from: number, to: number): void {
  if (count > settled && pieces[count - 1] === from) {
    pieces[count - 1] = to
    return
  }
  if (count === pieces.length) pieces = grown(pieces)
  pieces[count++] = from
  pieces[count++] = to
}

function grown(list: Int32Array<ArrayBuffer>): Int32Array<ArrayBuffer> {
  const larger = new Int32Array(list.length * 2)
  larger.set(list)
  return larger
}

/**
 * Puts the pieces of an object's members, the last of all there are, in the order of the names; equal ones stay in
 * theirs. Two spellings of one name are one name.
 */
function sortMembers(first: number, escaped: boolean): void {
  const order: number[] = []
  for (let member = first; member < memberCount; member += MEMBER) order.push(member)
  if (escaped) {
    const names = new Map(order.map(member => [member, decoded(member)]))
    order.sort((one, other) => compare(names.get(one)!, names.get(other)!))
  } else if (order.length > FEW) order.sort(compareWritten)
  else sortFew(order)
  const begin = members[first + 2]!
  const asWritten = pieces.slice(begin, count)
  let to = begin
  for (const member of order)
    for (let piece = members[member + 2]! - begin; piece < members[member + 3]! - begin; piece++)
      pieces[to++] = asWritten[piece]!
}

function sortFew(order: number[]): void {
  for (let next = 1; next < order.length; next++) {
    const member = order[next]!
    let place = next
    for (; place > 0 && compareWritten(order[place - 1]!, member) > 0; place--) order[place] = order[place - 1]!
    order[place] = member
  }
}

/** Compares names as they are written, by their UTF-16 units. */
function compareWritten(one: number, other: number): number {
  let from = members[one]!
  const end = members[one + 1]!
  let otherFrom = members[other]!
  const otherEnd = members[other + 1]!
  for (; from < end && otherFrom < otherEnd; from++, otherFrom++) {
    const difference = text.charCodeAt(from) - text.charCodeAt(otherFrom)
    if (difference) return difference
  }
  return end - from - (otherEnd - otherFrom)
}

/** What a name says. */
function decoded(member: number): string {
  const name = text.slice(members[member], members[member + 1])
  if (!name.includes('\\')) return name
  try {
    return JSON.parse(`"${name}"`) as string
  } catch {
    return name
  }
}

const compare = (one: string, other: string) => (one < other ? -1 : one > other ? 1 : 0)
