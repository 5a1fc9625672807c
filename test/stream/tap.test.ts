import { describe, expect, test } from 'bun:test'
import { keptOf, type Tapped, tap } from '../../src/stream/tap.ts'

/** @param end what comes after the pieces: the end, or nothing for ever */
function source(pieces: readonly (Uint8Array | Error)[], end: 'ends' | 'goes quiet' = 'ends') {
  const seen = { cancelled: undefined as unknown }
  let at = 0
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const piece = pieces[at++]
        if (!piece && end === 'goes quiet') await new Promise(() => {})
        if (piece instanceof Error) controller.error(piece)
        else if (piece) controller.enqueue(piece)
        else controller.close()
      },
      cancel(reason) {
        seen.cancelled = reason
      },
    },
    { highWaterMark: 0 },
  )
  return { stream, seen }
}
const bytes = (text: string) => new TextEncoder().encode(text)

const KEPT = 16_384

/** Lets the pieces pass. */
async function passed(pieces: readonly Uint8Array[]): Promise<{ got: Uint8Array; tapped: Tapped }> {
  const settled: Tapped[] = []
  const { stream } = source(pieces)
  const got = await new Response(
    tap(
      stream,
      () => undefined,
      tapped => settled.push(tapped),
    ),
  ).bytes()
  expect(settled).toHaveLength(1)
  return { got, tapped: settled[0]! }
}

/** Bytes of which each place is different from the next. */
const counted = (length: number) => Uint8Array.from({ length }, (_, at) => (at * 31 + (at >> 8)) % 251)

describe('a tap beside a stream', () => {
  test('changes no byte and keeps both ends', async () => {
    const pieces = [bytes('data: 1\n\n'), new Uint8Array(70_000).fill(120), new Uint8Array([0xff]), bytes('[DONE]')]
    const all = new Uint8Array(Buffer.concat(pieces))
    const { got, tapped } = await passed(pieces)
    expect(got).toEqual(all)
    expect(tapped.end).toBe('complete')
    expect(new Uint8Array(tapped.head)).toEqual(all.subarray(0, KEPT))
    expect(new Uint8Array(tapped.tail!)).toEqual(all.subarray(-KEPT))
  })

  test.each([
    [0, 7],
    [KEPT - 1, 1],
    [KEPT, 100],
    [KEPT + 1, 1_000],
    [2 * KEPT, 999],
    [2 * KEPT, 40_000],
    [2 * KEPT + 1, 999],
    [3 * KEPT, 1_000],
    [100_000, 30_000],
  ])('of %p bytes in pieces of %p it keeps the first and the last, or all of them', async (length, step) => {
    const all = counted(length)
    const pieces = []
    for (let at = 0; at < length; at += step) pieces.push(all.subarray(at, at + step))
    const { got, tapped } = await passed(pieces)
    expect(got).toEqual(all)
    const { head, tail } = tapped
    expect(tail === undefined).toBe(length <= 2 * KEPT)
    expect(new Uint8Array(head)).toEqual(tail ? all.subarray(0, KEPT) : all)
    if (tail) expect(new Uint8Array(tail)).toEqual(all.subarray(-KEPT))
    expect(keptOf(all)).toEqual(tail ? { head: all.subarray(0, KEPT), tail: all.subarray(-KEPT) } : { head: all })
  })

  test('may have the last word, for a stream that was cut off', async () => {
    const { stream } = source([bytes('data: 1\n\n'), new Error('reset')])
    const closed: Tapped[] = []
    const tapped = tap(
      stream,
      end => {
        closed.push(end)
        return bytes('data: {"error":{}}\n\n')
      },
      () => {},
    )
    expect(await new Response(tapped).text()).toBe('data: 1\n\ndata: {"error":{}}\n\n')
    expect(closed).toEqual([{ head: bytes('data: 1\n\n'), end: 'broken' }])
  })

  test('T95 lets the client leave, and the provider with it', async () => {
    const { stream, seen } = source([bytes('a')], 'goes quiet')
    const settled: Tapped[] = []
    const reader = tap(
      stream,
      () => undefined,
      tapped => settled.push(tapped),
    ).getReader()
    await reader.read()
    await reader.cancel('gone')
    expect(seen.cancelled).toBe('gone')
    expect(settled).toEqual([{ head: bytes('a'), end: 'left' }])
  })
})
