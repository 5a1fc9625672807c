/** What a tap saw of a stream that it let pass. */
export interface Tapped {
  /** The last bytes as text, where usage and the end mark stand. */
  tail: string
  /** How it ended: by itself, because the client left, or because the provider's connection broke. */
  end: 'complete' | 'left' | 'broken'
}

const TAIL_BYTES = 16_384

/**
 * Lets a stream pass unchanged and keeps its last bytes, by reference, for a look when it is over; so that watching
 * costs next to nothing a chunk.
 *
 * @param close what to send after the last byte, for a stream that was cut off; given the tail
 * @param settled called once, when it is over
 */
export function tap(
  source: ReadableStream<Uint8Array>,
  close: (tapped: Tapped) => Uint8Array | undefined,
  settled: (tapped: Tapped) => void,
): ReadableStream<Uint8Array> {
  const reader = source.getReader()
  let kept: Uint8Array[] = []
  let size = 0
  const end = (how: Tapped['end']): Tapped => {
    const tapped = { tail: Buffer.concat(kept).toString('utf8').slice(-TAIL_BYTES), end: how }
    kept = []
    return tapped
  }
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        let tapped: Tapped
        try {
          const { done, value } = await reader.read()
          if (!done) {
            kept.push(value)
            size += value.length
            while (size - kept[0]!.length > TAIL_BYTES) size -= kept.shift()!.length
            controller.enqueue(value)
            return
          }
          tapped = end('complete')
        } catch {
          tapped = end('broken')
        }
        const last = close(tapped)
        if (last) controller.enqueue(last)
        controller.close()
        settled(tapped)
      },
      async cancel(reason) {
        settled(end('left'))
        await reader.cancel(reason).catch(() => {})
      },
    },
    { highWaterMark: 0 },
  )
}
