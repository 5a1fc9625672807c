import { asSource, type ByteSource, type Bytes } from './byte-source.ts'

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
 * costs next to nothing a chunk. The stream is one of Bun's "direct" ones: what the provider's connection brings is
 * written to the client's in the same turn, and no promise is made for a chunk.
 *
 * @param close what to send after the last byte, for a stream that was cut off; given the tail. What it throws breaks
 * the client's connection.
 * @param settled called once, when it is over
 */
export function tap(
  from: ByteSource | ReadableStream<Uint8Array>,
  close: (tapped: Tapped) => Uint8Array | undefined,
  settled: (tapped: Tapped) => void,
): ReadableStream<Bytes> {
  const source = asSource(from)
  let kept: Bytes[] = []
  let size = 0
  let over = false
  const end = (how: Tapped['end']): Tapped => {
    const tapped = { tail: Buffer.concat(kept).toString('utf8').slice(-TAIL_BYTES), end: how }
    kept = []
    over = true
    return tapped
  }
  const keep = (bytes: Bytes) => {
    kept.push(bytes)
    size += bytes.length
    while (size - kept[0]!.length > TAIL_BYTES) size -= kept.shift()!.length
  }
  return new ReadableStream<Bytes>({
    type: 'direct',
    pull: controller =>
      new Promise<void>((resolve, reject) => {
        source.pipe({
          write(bytes) {
            keep(bytes)
            const written = controller.write(bytes)
            return typeof written === 'number' ? undefined : written
          },
          end(fault) {
            const tapped = end(fault === undefined ? 'complete' : 'broken')
            try {
              const last = close(tapped)
              if (last) controller.write(last)
              controller.end()
              settled(tapped)
              resolve()
            } catch (cause) {
              reject(cause)
            }
          },
        })
      }),
    cancel(reason) {
      if (over) return
      settled(end('left'))
      source.cancel(reason)
    },
  })
}
