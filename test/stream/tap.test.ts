import { describe, expect, test } from 'bun:test'
import { type Tapped, tap } from '../../src/stream/tap.ts'

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

describe('a tap beside a stream', () => {
  test('changes no byte and keeps the end', async () => {
    const settled: Tapped[] = []
    const pieces = [new Uint8Array(20_000).fill(120), new Uint8Array([0xff, 0xfe]), bytes('é '), bytes('[DONE]')]
    const { stream } = source(pieces)
    const got = await new Response(
      tap(
        stream,
        () => undefined,
        tapped => settled.push(tapped),
      ),
    ).bytes()
    expect(got).toEqual(new Uint8Array(Buffer.concat(pieces)))
    expect(settled).toHaveLength(1)
    expect(settled[0]!.end).toBe('complete')
    expect(settled[0]!.tail).toEndWith('é [DONE]')
    expect(settled[0]!.tail.length).toBeLessThanOrEqual(16_384)
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
    expect(closed).toEqual([{ tail: 'data: 1\n\n', end: 'broken' }])
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
    expect(settled).toEqual([{ tail: 'a', end: 'left' }])
  })
})
