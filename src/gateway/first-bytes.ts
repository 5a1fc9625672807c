import type { ByteSource, Bytes } from '../stream/byte-source.ts'
import type { UpstreamAnswer } from './upstream.ts'

/** How long a stream that says nothing may hold back the status line; until then a failure can be told as one. */
const HOLD_MS = 5_000

/** A source of which some reads were taken, from its beginning again. */
function resumed(first: Promise<Bytes | undefined>, rest: ByteSource): ByteSource {
  let taken: Promise<Bytes | undefined> | undefined = first
  return {
    read() {
      const read = taken ?? rest.read()
      taken = undefined
      return read
    },
    pipe(sink) {
      const go = (bytes: Bytes | undefined) => {
        if (bytes) sink.write(bytes)
        rest.pipe(sink)
      }
      if (taken) taken.then(go, fault => sink.end(fault))
      else rest.pipe(sink)
    },
    cancel: reason => rest.cancel(reason),
  }
}

/**
 * Waits for the first read of a stream, but not for ever.
 * @param hold in milliseconds
 * @returns the first read, or null at the end of an empty stream, unless it took too long; and the whole stream, from
 * its beginning
 * @throws what the connection says
 */
export async function peek(body: ByteSource, hold = HOLD_MS): Promise<{ first?: Bytes | null; rest: ByteSource }> {
  const read = body.read()
  let timer: Timer | undefined
  const patience = new Promise<'waited'>(resolve => {
    timer = setTimeout(resolve, hold, 'waited')
  })
  try {
    const first = await Promise.race([read, patience])
    const rest = resumed(read, body)
    if (first !== 'waited') return { first: first ?? null, rest }
    // The client may leave before anybody reads on.
    read.catch(() => {})
    return { rest }
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Reads an answer up to a size.
 * @returns its bytes and, where they were more, all of it as a source in place of the rest
 * @throws what the connection says
 */
export async function firstBytes(came: UpstreamAnswer, size: number): Promise<{ bytes: Bytes; more?: ByteSource }> {
  const { body } = came
  const held: Bytes[] = []
  let count = 0
  while (body && count <= size) {
    const read = await body.read()
    if (!read) return { bytes: Buffer.concat(held) }
    held.push(read)
    count += read.length
  }
  const bytes = Buffer.concat(held)
  return body ? { bytes, more: resumed(Promise.resolve(bytes), body) } : { bytes }
}
