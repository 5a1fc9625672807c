import { readFileSync } from 'node:fs'
import { collect } from '../../src/conversation/collect.ts'
import type { Event } from '../../src/conversation/events.ts'
import type { Choice, Reply } from '../../src/conversation/reply.ts'
import type { Memory, ReadContext, UpstreamDialect } from '../../src/dialects/dialect.ts'
import type { Frame } from '../../src/stream/frame.ts'
import { framer } from '../../src/stream/framer.ts'

/** Where the fixtures of a dialect lie. */
export const fixture = (dialect: string, file: string) => `${import.meta.dir}/../fixtures/${dialect}/${file}`

export const json = (dialect: string, file: string): unknown => JSON.parse(readFileSync(fixture(dialect, file), 'utf8'))

/** The frames of a recorded stream: raw text for SSE, one event a line for AWS's binary framing. */
export function frames(dialect: UpstreamDialect, file: string): Frame[] {
  const bytes = readFileSync(fixture(dialect.name, file))
  if (dialect.framing !== 'aws-event-stream') return framesOf(dialect, bytes, bytes.length)
  return bytes
    .toString('utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .map(({ event, data, exception }) => ({ event, data: JSON.stringify(data), ...(exception && { exception }) }))
}

/** The frames of bytes that come `slice` at a time. */
function framesOf(dialect: UpstreamDialect, bytes: Uint8Array, slice: number): Frame[] {
  const cut = framer(dialect.framing)
  const found: Frame[] = []
  for (let at = 0; at < bytes.length; at += slice) found.push(...cut.push(bytes.subarray(at, at + slice)))
  return [...found, ...cut.end()]
}

/** All events that a reader makes of frames, the end of the bytes included. */
export function read(dialect: UpstreamDialect, given: readonly Frame[], context: Partial<ReadContext> = {}): Event[] {
  const reader = dialect.reader({ memory: {}, quirks: [], ...context })
  return [...given.flatMap(frame => reader.read(frame)), ...reader.end()]
}

export const eventsOf = (dialect: UpstreamDialect, bytes: Uint8Array, slice = 9, memory: Memory = {}): Event[] =>
  read(dialect, framesOf(dialect, bytes, slice), { memory })

/** The events of a recorded stream, delivered `slice` bytes at a time. */
export async function streamed(
  dialect: UpstreamDialect,
  file: string,
  slice = 9,
  memory: Memory = {},
): Promise<Event[]> {
  return eventsOf(dialect, await Bun.file(fixture(dialect.name, file)).bytes(), slice, memory)
}

/** A whole answer, read. */
export async function whole(dialect: UpstreamDialect, file: string, memory: Memory = {}): Promise<Reply> {
  return dialect.readReply(json(dialect.name, file), { memory, quirks: [] })
}

/** The argument texts of each call, as the pieces came. */
export function argumentPieces(events: readonly Event[]): string[][] {
  const pieces: string[][] = []
  for (const event of events) {
    if (event.type === 'tool-call') pieces[event.call] = []
    if (event.type === 'tool-arguments') pieces[event.call]!.push(event.text)
  }
  return pieces
}

export const textOf = (events: readonly Event[]) =>
  events.map(event => (event.type === 'text' ? event.text : '')).join('')
export const types = (events: readonly Event[]) => events.map(event => event.type)
export const find = <T extends Event['type']>(events: readonly Event[], type: T) =>
  events.filter((event): event is Extract<Event, { type: T }> => event.type === type)

export interface Summary {
  text: string
  reasoning: string
  calls: string[]
  finish: string
  usage?: Reply['usage']
}

/** What a reply says, in a form that fits a line of a table. */
export function summary(reply: Reply | Event[]): Summary {
  const { choices, usage } = Array.isArray(reply) ? collect(reply) : reply
  const { parts, finish } = choices[0] as Choice
  const texts = (type: 'text' | 'reasoning') => parts.map(part => (part.type === type ? part.text : '')).join('')
  return {
    text: texts('text'),
    reasoning: texts('reasoning'),
    calls: parts.flatMap(part => (part.type === 'tool-call' ? [`${part.id} ${part.name} ${part.arguments}`] : [])),
    finish,
    usage,
  }
}
