import type { JsonObject } from '../../conversation/conversation.ts'
import type { Usage } from '../../conversation/reply.ts'
import type { Bytes } from '../../stream/byte-source.ts'
import type { Frame, Framing } from '../../stream/frame.ts'
import type { Kept } from '../../stream/tap.ts'
import type { Quirk, StreamEnd, Watch } from '../dialect.ts'
import { framesInHead, framesInTail, lineCutAtEnd, lineCutAtStart } from './frames.ts'
import { membersInHead, membersInTail } from './json-members.ts'

/** How the bytes of an answer are to be read. */
export type Form = Framing | 'json'

/** What an answer says of itself. */
export interface Sighting {
  usage?: Usage
  model?: string
  /** Whether it came in messages, one after the other. */
  stream: boolean
  /** How its stream ended, where that was seen. */
  end?: StreamEnd
}

/** Some begin with a message or two that name nothing: pings, filter results (trap 16). */
const MOST_NAMELESS = 8
/** Enough to know a field of server-sent events by. */
const LONGEST_WORD = 16
const decoder = new TextDecoder()

/**
 * How an answer is to be read, by its type, or by its first bytes where the type says nothing.
 * @returns undefined for what is no text of ours: audio, pictures, web pages
 */
export function formOf(type: string | null, { head }: Kept): Form | undefined {
  const [media = ''] = (type ?? '').split(';', 1)
  const name = media.trim().toLowerCase()
  if (name === 'text/event-stream') return 'sse'
  if (name === 'application/vnd.amazon.eventstream') return 'aws-event-stream'
  if (name.endsWith('ndjson') || name.endsWith('jsonl')) return 'ndjson'
  const isJson = name.includes('json')
  if (!isJson && name && name !== 'application/octet-stream' && name !== 'text/plain') return undefined
  const start = firstInk(head)
  const beginning = decoder.decode(head.subarray(start, start + LONGEST_WORD))
  if (/^(?:data|event|id|retry)?:/.test(beginning)) return 'sse'
  if (beginning.startsWith('{') && manyLines(head.subarray(start))) return 'ndjson'
  return isJson || beginning.startsWith('{') || beginning.startsWith('[') ? 'json' : undefined
}

/** Some servers keep a connection alive with blanks before an answer. */
function firstInk(bytes: Bytes): number {
  let at = 0
  while (at < bytes.length && bytes[at]! <= 0x20) at++
  return at
}

/** Whether one object is behind the other, each in its line. */
function manyLines(head: Bytes): boolean {
  const end = head.indexOf(10)
  if (end < 0 || head[end + 1] !== 0x7b) return false
  const line = decoder.decode(head.subarray(0, end)).trimEnd()
  return line.endsWith('}') && parsed(line) !== undefined
}

/**
 * Reads what was kept of an answer. It never fails: what cannot be read says nothing.
 * @param quirks the provider's, which know where it puts its counts
 */
export function readAlong(watch: Watch, kept: Kept, form: Form, quirks: readonly Quirk[] = []): Sighting {
  try {
    return form === 'json' ? readJson(watch, kept, quirks) : new Reading(watch, quirks, true).frames(kept, form)
  } catch {
    // A member of another type than it should have; nobody's answer may depend on it.
    return { stream: form !== 'json' }
  }
}

function readJson(watch: Watch, { head, tail }: Kept, quirks: readonly Quirk[]): Sighting {
  const text = decoder.decode(head).trimStart()
  const list = text.startsWith('[')
  if (!tail) {
    const value = parsed(text)
    return readValue(watch, value, quirks)
  }
  const reading = new Reading(watch, quirks, list)
  const depth = watch.depth + (list ? 1 : 0)
  reading.rest(membersInTail(decoder.decode(tail), watch.members, depth))
  reading.beginning(membersInHead(text, watch.members, depth))
  return reading.sighting
}

/** Reads an answer that is parsed already: an object, or a list of the messages of a stream. */
export function readValue(watch: Watch, value: unknown, quirks: readonly Quirk[] = []): Sighting {
  const list = Array.isArray(value)
  const reading = new Reading(watch, quirks, list)
  if (!list) {
    if (isObject(value)) reading.message(value)
    return reading.sighting
  }
  const objects = value.filter(isObject)
  reading.begin(objects)
  for (const message of objects.reverse()) reading.message(message)
  return reading.sighting
}

type Corrector = (message: JsonObject) => void
const NONE: Corrector[] = []

const correctorsOf = (quirks: readonly Quirk[], stream: boolean): Corrector[] =>
  quirks.flatMap(quirk => {
    if (stream) return quirk.chunks?.() ?? []
    return quirk.reply ? [(message: JsonObject) => quirk.reply!(message)] : []
  })

/** One answer on its way through its messages, from the last to the first. */
class Reading {
  readonly sighting: Sighting
  readonly #watch: Watch
  readonly #correctors: Corrector[]
  #first: JsonObject | undefined

  constructor(watch: Watch, quirks: readonly Quirk[], stream: boolean) {
    this.#watch = watch
    this.#correctors = quirks.length ? correctorsOf(quirks, stream) : NONE
    this.sighting = { stream }
  }

  frames({ head, tail }: Kept, framing: Framing): Sighting {
    const { sighting } = this
    this.begin(messagesOf(framesInHead(head, framing)))
    for (const frame of framesInTail(tail ?? head, framing, tail === undefined)) {
      if (sighting.usage && sighting.end) break
      this.#frame(frame)
    }
    if (!tail) return sighting
    // A message larger than what was kept may have lost its beginning, and another one its end.
    const { members, depth } = this.#watch
    if (framing !== 'aws-event-stream') {
      if (!sighting.usage || !sighting.end) this.rest(membersInTail(lineCutAtStart(tail), members, depth))
      if (!sighting.model) this.beginning(membersInHead(lineCutAtEnd(head), members, depth))
    }
    if (this.#first) sighting.usage ??= sound(this.#watch.usage(this.#first))
    return sighting
  }

  /** Looks for the first message that names a model. */
  begin(messages: Iterable<JsonObject>): void {
    const { model } = this.#watch
    if (!model) return
    let looked = 0
    for (const message of messages) {
      const opened = this.#opened(message)
      const name = nameIn(model(opened))
      if (name) {
        this.sighting.model = name
        this.#first = opened
        return
      }
      if (++looked === MOST_NAMELESS) return
    }
  }

  message(message: JsonObject): void {
    this.#look(this.#opened(message))
  }

  /** Members of a message whose beginning is lost. */
  rest(members: JsonObject): void {
    this.#look(this.#corrected(members))
  }

  /** Members of a message whose end is lost. */
  beginning(members: JsonObject): void {
    const { sighting } = this
    const corrected = this.#corrected(members)
    // What stands at the beginning is the message's own; further down there may be a namesake.
    sighting.model = nameIn(this.#watch.model?.(corrected)) ?? sighting.model
    sighting.usage ??= sound(this.#watch.usage(corrected))
  }

  #frame(frame: Frame): void {
    const { sighting } = this
    if (frame.comment) return
    if (frame.exception || frame.event === 'error' || frame.data === '[DONE]') {
      sighting.end ??= 'marked'
      return
    }
    const { mention } = this.#watch
    if (sighting.end && mention !== undefined && !frame.data.includes(mention)) return
    const message = parsed(frame.data)
    if (isObject(message)) this.message(message)
  }

  #look(message: JsonObject): void {
    const { sighting } = this
    sighting.end ??= this.#watch.end?.(message)
    sighting.usage ??= sound(this.#watch.usage(message, this.#first))
    sighting.model ??= nameIn(this.#watch.model?.(message))
  }

  #opened(message: JsonObject): JsonObject {
    return this.#corrected(this.#watch.open?.(message) ?? message)
  }

  #corrected(message: JsonObject): JsonObject {
    for (const correct of this.#correctors) correct(message)
    return message
  }
}

function* messagesOf(frames: Iterable<Frame>): Iterable<JsonObject> {
  for (const { data, comment } of frames) {
    const message = comment ? undefined : parsed(data)
    if (isObject(message)) yield message
  }
}

const LONGEST_NAME = 512

/** Nothing that a provider sends is what it should be until it was looked at. */
const nameIn = (value: unknown): string | undefined =>
  typeof value === 'string' && value !== '' && value.length <= LONGEST_NAME ? value : undefined

const isCount = (value: unknown): boolean =>
  value === undefined || (typeof value === 'number' && Number.isFinite(value) && value >= 0)

/** Counts that can be reckoned with, or none. */
function sound(usage: Usage | undefined): Usage | undefined {
  if (!usage) return undefined
  for (const name in usage) if (!WORDS.has(name) && !isCount(usage[name as keyof Usage])) return undefined
  return usage
}

/** Members of usage that are no numbers. */
const WORDS: ReadonlySet<string> = new Set<keyof Usage>(['source', 'native', 'tier'])

const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

function parsed(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
