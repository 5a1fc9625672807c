import { readFileSync } from 'node:fs'
import type { Event } from '../../src/conversation/events.ts'
import type { ReadContext, UpstreamDialect } from '../../src/dialects/dialect.ts'
import type { Frame } from '../../src/stream/frame.ts'
import { framer } from '../../src/stream/framer.ts'

/** Where the fixtures of a dialect lie. */
export const fixture = (dialect: string, file: string) => `${import.meta.dir}/../fixtures/${dialect}/${file}`

export const json = (dialect: string, file: string): unknown => JSON.parse(readFileSync(fixture(dialect, file), 'utf8'))

/** The frames of a recorded stream: raw text for SSE, one event a line for AWS's binary framing. */
export function frames(dialect: UpstreamDialect, file: string): Frame[] {
  const bytes = readFileSync(fixture(dialect.name, file))
  if (dialect.framing !== 'aws-event-stream') {
    const cut = framer(dialect.framing)
    return [...cut.push(bytes), ...cut.end()]
  }
  return bytes
    .toString('utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line))
    .map(({ event, data, exception }) => ({ event, data: JSON.stringify(data), ...(exception && { exception }) }))
}

/** All events that a reader makes of frames, the end of the bytes included. */
export function read(dialect: UpstreamDialect, given: readonly Frame[], context: Partial<ReadContext> = {}): Event[] {
  const reader = dialect.reader({ memory: {}, quirks: [], ...context })
  return [...given.flatMap(frame => reader.read(frame)), ...reader.end()]
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
