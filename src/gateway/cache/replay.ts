import type { Piece } from '../../storage/cache/answer-cache.ts'
import type { Bytes } from '../../stream/byte-source.ts'

/**
 * A kept stream once more, at the pace that it came in.
 * @param over called once: it went out whole, or its reader left
 */
export function replayed(body: Bytes, pieces: readonly Piece[], over: (left: boolean) => void): ReadableStream<Bytes> {
  const began = performance.now()
  let next = 0
  let start = 0
  let timer: Timer | undefined
  let wake: (() => void) | undefined
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        const piece = pieces[next]
        if (!piece) {
          controller.close()
          over(false)
          return
        }
        const wait = piece.at - (performance.now() - began)
        if (wait > 0) {
          await new Promise<void>(resolve => {
            wake = resolve
            timer = setTimeout(resolve, wait)
          })
        }
        next++
        controller.enqueue(body.subarray(start, piece.end))
        start = piece.end
      },
      cancel() {
        clearTimeout(timer)
        wake?.()
        over(true)
      },
    },
    { highWaterMark: 0 },
  )
}
