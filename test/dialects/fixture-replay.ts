import { collect } from '../../src/conversation/collect.ts'
import type { Event } from '../../src/conversation/events.ts'
import type { Choice, Reply } from '../../src/conversation/reply.ts'
import type { Memory, UpstreamDialect } from '../../src/dialects/dialect.ts'
import { framer } from '../../src/stream/framer.ts'

const folder = `${import.meta.dir}/../fixtures/`

/** The events of a recorded stream, delivered `slice` bytes at a time. */
export async function streamed(
  dialect: UpstreamDialect,
  file: string,
  slice = 9,
  memory: Memory = {},
): Promise<Event[]> {
  const bytes = await Bun.file(`${folder}${dialect.name}/${file}`).bytes()
  return eventsOf(dialect, bytes, slice, memory)
}

export function eventsOf(dialect: UpstreamDialect, bytes: Uint8Array, slice = 9, memory: Memory = {}): Event[] {
  const cut = framer(dialect.framing)
  const reader = dialect.reader({ memory, quirks: [] })
  const events: Event[] = []
  for (let at = 0; at < bytes.length; at += slice)
    for (const frame of cut.push(bytes.subarray(at, at + slice))) events.push(...reader.read(frame))
  for (const frame of cut.end()) events.push(...reader.read(frame))
  return [...events, ...reader.end()]
}

/** A whole answer, read. */
export async function whole(dialect: UpstreamDialect, file: string, memory: Memory = {}): Promise<Reply> {
  return dialect.readReply(await Bun.file(`${folder}${dialect.name}/${file}`).json(), { memory, quirks: [] })
}

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
