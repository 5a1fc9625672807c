import { readdirSync, readFileSync } from 'node:fs'
import { EventStreamCodec } from '@smithy/eventstream-codec'
import { collect } from '../../src/conversation/collect.ts'
import type { Event } from '../../src/conversation/events.ts'
import type { Memory, Quirk, UpstreamDialect, WriteContext } from '../../src/dialects/dialect.ts'
import { dialects } from '../../src/dialects/index.ts'
import { openaiChat } from '../../src/dialects/openai-chat/index.ts'
import { everyHarmlessRepair } from '../../src/dialects/openai-chat/quirks.ts'
import { builtIn } from '../../src/providers/index.ts'
import { framer } from '../../src/stream/framer.ts'
import { Normalizer, type Outcome } from '../../src/stream/normalize.ts'
import { fixture } from './replay.ts'

/** An answer of a provider as it lies under test/fixtures. */
export interface Recorded {
  dialect: UpstreamDialect
  /** The file's name without what tells its form. */
  name: string
  stream: boolean
  bytes: Uint8Array
  quirks: readonly Quirk[]
}

const folders = Object.values(dialects)
const utf8 = new TextEncoder()
const codec = new EventStreamCodec(
  input => (typeof input === 'string' ? input : new TextDecoder().decode(input as Uint8Array)),
  input => utf8.encode(input),
)

/** One frame of AWS's event stream. */
export function awsFrame(headers: Record<string, string>, body: string): Uint8Array {
  const typed = Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, { type: 'string' as const, value }]),
  )
  return codec.encode({ headers: typed, body: utf8.encode(body) })
}

/** A file of events, one a line, as the binary frames that they stand for. */
function awsFrames(text: string): Uint8Array {
  const frames = text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as { event: string; data: unknown; exception?: boolean })
    .map(({ event, data, exception }) => {
      const name = exception ? ':exception-type' : ':event-type'
      return awsFrame({ ':message-type': exception ? 'exception' : 'event', [name]: event }, JSON.stringify(data))
    })
  return Buffer.concat(frames)
}

/** The corrections of the provider whose slug the name begins with; `custom-` has those for any server. */
function quirksFor(name: string): readonly Quirk[] {
  if (name.startsWith('custom-')) return everyHarmlessRepair
  const found = builtIn.find(({ slug }) => name.startsWith(`${slug}-`))
  if (!found) throw new Error(`no provider has the fixture ${name}: begin its name with a slug, or with custom-`)
  return found.quirks
}

/** Every fixture of every dialect, in the order of the names. */
export const corpus: readonly Recorded[] = folders.flatMap(dialect =>
  readdirSync(fixture(dialect.name, ''))
    .sort()
    .map(file => {
      const bytes = readFileSync(fixture(dialect.name, file))
      const [name = '', ...kind] = file.split('.')
      const aws = kind.join('.') === 'events.jsonl'
      return {
        dialect,
        name,
        stream: kind.join('.') !== 'json',
        bytes: aws ? awsFrames(bytes.toString('utf8')) : new Uint8Array(bytes),
        quirks: dialect === openaiChat ? quirksFor(name) : [],
      }
    }),
)

export const streams = corpus.filter(({ stream }) => stream)
export const whole = corpus.filter(({ stream }) => !stream)
export const label = ({ dialect, name }: Recorded) => `${dialect.name}/${name}`

/** Bytes in pieces that end at the given places. */
export function cutAt(bytes: Uint8Array, places: readonly number[]): Uint8Array[] {
  const ends = [...new Set([...places, bytes.length])].filter(at => at > 0 && at <= bytes.length).sort((a, b) => a - b)
  return ends.map((end, at) => bytes.subarray(ends[at - 1] ?? 0, end))
}

/** Bytes in pieces of one size. */
export function sliced(bytes: Uint8Array, size: number): Uint8Array[] {
  return cutAt(
    bytes,
    Array.from({ length: Math.ceil(bytes.length / size) }, (_, at) => at * size),
  )
}

export const asStream = (pieces: readonly Uint8Array[]): ReadableStream<Uint8Array> => {
  let at = 0
  return new ReadableStream({
    pull(controller) {
      const piece = pieces[at++]
      if (piece) controller.enqueue(piece)
      else controller.close()
    },
  })
}

export const context = (given: Partial<WriteContext> = {}): WriteContext => ({
  model: 'asked/for',
  includeUsage: true,
  ...given,
})

/** What a client of OpenAI's dialect gets for a stream: its text, or the failure that came instead of a first byte. */
export async function translate(
  { dialect, quirks }: Pick<Recorded, 'dialect' | 'quirks'>,
  pieces: readonly Uint8Array[],
  { memory = {}, includeUsage = true }: { memory?: Memory; includeUsage?: boolean } = {},
): Promise<{ text: string; outcome: Outcome; refused: boolean }> {
  const normalizer = new Normalizer({
    source: asStream(pieces),
    framer: framer(dialect.framing),
    reader: dialect.reader({ memory, quirks }),
    writer: openaiChat.writer(context({ includeUsage })),
    framing: openaiChat.framing,
  })
  const refused = (await normalizer.prime()) !== undefined
  const text = refused ? '' : await new Response(normalizer.stream()).text()
  return { text, outcome: normalizer.outcome, refused }
}

/** The neutral events of a stream. */
export function eventsOf({ dialect, quirks, bytes }: Recorded, memory: Memory = {}): Event[] {
  const cut = framer(dialect.framing)
  const reader = dialect.reader({ memory, quirks })
  return [...[...cut.push(bytes), ...cut.end()].flatMap(frame => reader.read(frame)), ...reader.end()]
}

export const replyOf = (recorded: Recorded) => collect(eventsOf(recorded))

/**
 * Replaces what is different in every run: ids that were made up, and the time of answers that had none.
 * @param from seconds since 1970 when the run began
 */
export function masked(text: string, from: number): string {
  const minted = new Map<string, string>()
  return text
    .replaceAll(/\b(chatcmpl-|call_)[0-9a-f]{32}\b/g, (id, prefix: string) =>
      minted.getOrInsertComputed(id, () => `${prefix}minted-${minted.size + 1}`),
    )
    .replaceAll(/("created": ?)(\d+)/g, (all, name: string, time: string) =>
      Number(time) >= from && Number(time) <= Date.now() / 1_000 + 1 ? `${name}"now"` : all,
    )
}
