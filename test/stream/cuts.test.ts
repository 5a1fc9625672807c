import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { framer } from '../../src/stream/framer.ts'
import { cutAt, label, masked, type Recorded, sliced, streams, translate } from '../dialects/corpus.ts'

/** Fixtures that are small enough for every place to be tried. */
const EXHAUSTIVE = 4_096
const began = Math.floor(Date.now() / 1_000)
const named = (list: readonly Recorded[]) => list.map(each => [label(each), each] as const)

/** What a client gets, with what differs from run to run made alike; and the failure, whichever way it was told. */
async function told(recorded: Recorded, pieces: readonly Uint8Array[]): Promise<unknown> {
  const { text, outcome, refused } = await translate(recorded, pieces)
  return { text: refused ? '' : masked(text, began), outcome }
}

function framesOf({ dialect }: Recorded, pieces: readonly Uint8Array[]): unknown[] {
  const cut = framer(dialect.framing)
  return [...pieces.flatMap(piece => cut.push(piece)), ...cut.end()]
}

describe('T13 T14 every single place to cut gives the same frames', () => {
  test.each(named(streams.filter(({ bytes }) => bytes.length <= EXHAUSTIVE)))('%s', (_, recorded) => {
    const { bytes } = recorded
    const expected = framesOf(recorded, [bytes])
    for (let at = 1; at < bytes.length; at++) {
      const got = framesOf(recorded, [bytes.subarray(0, at), bytes.subarray(at)])
      if (!Bun.deepEquals(got, expected)) expect(got, `cut at byte ${at}`).toEqual(expected)
    }
  })
})

describe('T13 T14 the client gets the same bytes', () => {
  // A failure that comes in one read with the first words is answered with a status: nothing was sent yet (T08).
  const delivered = (recorded: Recorded) => sliced(recorded.bytes, 16)

  test.each(named(streams))('%s, one byte at a time', async (_, recorded) => {
    expect(await told(recorded, sliced(recorded.bytes, 1))).toEqual(await told(recorded, delivered(recorded)))
  })

  test.each(named(streams))('%s, cut anywhere', async (_, recorded) => {
    const expected = await told(recorded, delivered(recorded))
    const whole = await translate(recorded, [recorded.bytes])
    const places = fc.array(fc.integer({ min: 1, max: recorded.bytes.length - 1 }), { maxLength: 12 })
    await fc.assert(
      fc.asyncProperty(places, async cuts => {
        const got = (await told(recorded, cutAt(recorded.bytes, cuts))) as { text: string; outcome: unknown }
        if (whole.refused) expect(got.outcome).toEqual(whole.outcome)
        else expect(got).toEqual(expected as typeof got)
      }),
      { numRuns: 12 },
    )
  })

  test('the fixtures hold text outside ASCII in every framing', () => {
    const wide = streams.filter(({ bytes }) => bytes.some(byte => byte >= 0xf0))
    expect(new Set(wide.map(({ dialect }) => dialect.framing))).toEqual(
      new Set(['sse', 'ndjson', 'aws-event-stream'] as const),
    )
  })
})

describe('a stream cut short anywhere is no success', () => {
  const whole = streams.filter(each => /^(text|openai-text|plain-text|native-text)$/.test(each.name))

  test.each(named(whole))('%s', async (_, recorded) => {
    const full = await translate(recorded, [recorded.bytes])
    expect(full.outcome.error).toBeUndefined()
    const step = Math.max(1, Math.floor(recorded.bytes.length / 97))
    for (let end = 0; end < recorded.bytes.length; end += step) {
      const { outcome, text } = await translate(recorded, [recorded.bytes.subarray(0, end)])
      // Without its last words a stream is complete only if it has said why it stopped (T30).
      if (outcome.finish === undefined) expect(outcome.error, `cut at byte ${end}`).toBeDefined()
      if (outcome.error) expect(text).not.toContain('[DONE]')
    }
  })
})
