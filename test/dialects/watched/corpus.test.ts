import { describe, expect, test } from 'bun:test'
import { ProviderFailure } from '../../../src/conversation/errors.ts'
import type { Event } from '../../../src/conversation/events.ts'
import { formOf, readAlong } from '../../../src/dialects/watched/index.ts'
import type { Bytes } from '../../../src/stream/byte-source.ts'
import type { Framing } from '../../../src/stream/frame.ts'
import { type Kept, keptOf } from '../../../src/stream/tap.ts'
import { awsFrame, eventsOf, label, type Recorded, streams, whole } from '../corpus.ts'
import { find } from '../replay.ts'

/** What is read beside an answer is what reading the answer itself gives. */

/** So much that no end of a stream that is kept reaches across it. */
const FILLING = 40_000
const PIECES: Record<Framing, string | Uint8Array> = {
  sse: ': still here\n\n',
  ndjson: `${' '.repeat(62)}\n`,
  'aws-event-stream': awsFrame({ ':message-type': 'event', ':event-type': 'heartbeat' }, '{"p":"abcdef"}'),
}

/** The same stream with much in it that says nothing. */
function filled({ bytes, dialect: { framing } }: Recorded, more: number): Bytes {
  const all = Buffer.from(bytes)
  const blank = /\r?\n\r?\n/.exec(all.toString('latin1'))
  const ends = {
    sse: blank ? blank.index + blank[0].length : all.length,
    ndjson: all.indexOf(10) + 1,
    'aws-event-stream': all.readUInt32BE(0),
  }
  // A stream of one message has it in front.
  const at = ends[framing] < all.length ? ends[framing] : 0
  const piece = Buffer.from(PIECES[framing])
  const filling = Array.from({ length: Math.ceil(FILLING / piece.length) + more }, () => piece)
  return Buffer.concat([all.subarray(0, at), ...filling, all.subarray(at)])
}

const seen = ({ dialect, quirks }: Recorded, kept: Kept) => readAlong(dialect.watch, kept, dialect.framing, quirks)
const usageOf = (events: readonly Event[]) => find(events, 'usage').at(-1)?.usage

describe.each(streams.map(each => [label(each), each] as const))('a stream: %s', (_, recorded) => {
  const events = eventsOf(recorded)
  const failed = find(events, 'error').length > 0
  const ended = find(events, 'end').length > 0

  test('usage and end', () => {
    const { usage, end, stream } = seen(recorded, { head: new Uint8Array(recorded.bytes) })
    // Behind a failure nothing counts to a reader, but the provider may have counted all the same.
    if (!failed) expect(usage).toEqual(usageOf(events))
    if (failed || ended) expect(end).toBeDefined()
    // Readers of OpenAI's format wait for `[DONE]`, which some servers never send.
    else expect(end).toBe(find(events, 'finish').length ? 'finished' : undefined)
    expect(stream).toBe(true)
  })

  test('with more in it than is kept', () => {
    const { stream: _, ...whole } = seen(recorded, { head: new Uint8Array(recorded.bytes) })
    // Each time the tail begins at another place of the filling.
    for (let more = 0; more < 20; more++) {
      const kept = keptOf(filled(recorded, more))
      expect(kept.tail).toBeDefined()
      expect(seen(recorded, kept)).toEqual({ stream: true, ...whole })
    }
  })
})

test.each(whole.map(each => [label(each), each] as const))('a whole answer: %s', (_, recorded) => {
  const { dialect, bytes, quirks } = recorded
  const kept = { head: new Uint8Array(bytes) as Bytes }
  expect(formOf('application/json', kept)).toBe('json')
  const { usage } = readAlong(dialect.watch, kept, 'json', quirks)
  try {
    const reply = dialect.readReply(JSON.parse(Buffer.from(bytes).toString()), { memory: {}, quirks })
    expect(usage).toEqual(reply.usage)
  } catch (fault) {
    if (!(fault instanceof ProviderFailure)) throw fault
  }
})
