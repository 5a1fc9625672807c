import type { UpstreamAnswer } from './upstream.ts'

interface Read {
  done: boolean
  value: Uint8Array
}

/** How long a stream that says nothing may hold back the status line; until then a failure can be told as one. */
const HOLD_MS = 5_000

/** A body again, of which some reads were taken: the tap beside a stream asks only for its reader. */
function resumed(held: Promise<Read>[], reader: { read(): Promise<unknown>; cancel(reason?: unknown): Promise<void> }) {
  const read = () => held.shift() ?? reader.read()
  return {
    getReader: () => ({ read, cancel: (reason?: unknown) => reader.cancel(reason) }),
    cancel: (reason?: unknown) => reader.cancel(reason),
  } as unknown as ReadableStream<Uint8Array>
}

/**
 * Waits for the first read of a stream, but not for ever.
 * @returns the first read, unless it took too long, and the whole stream, from its beginning
 * @throws what the connection says
 */
export async function peek(
  body: ReadableStream<Uint8Array>,
): Promise<{ first?: Read; rest: ReadableStream<Uint8Array> }> {
  const reader = body.getReader()
  const read = reader.read() as Promise<Read>
  let timer: Timer | undefined
  const patience = new Promise<undefined>(resolve => {
    timer = setTimeout(resolve, HOLD_MS)
  })
  try {
    const first = await Promise.race([read, patience])
    return { first, rest: resumed([read], reader) }
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Reads an answer up to a size.
 * @returns its bytes and, where they were more, all of it as a stream in place of the rest
 * @throws what the connection says
 */
export async function firstBytes(
  came: UpstreamAnswer,
  size: number,
): Promise<{ bytes: Uint8Array<ArrayBuffer>; more?: ReadableStream<Uint8Array> }> {
  const length = Number(came.headers.get('content-length') ?? Number.NaN)
  if (length <= size) return { bytes: (await came.bytes()) as Uint8Array<ArrayBuffer> }
  const reader = came.body?.getReader()
  const held: Uint8Array[] = []
  let count = 0
  while (reader && count <= size) {
    const { done, value } = await reader.read()
    if (done) return { bytes: Buffer.concat(held) }
    held.push(value)
    count += value.length
  }
  const bytes = Buffer.concat(held)
  return reader ? { bytes, more: resumed([Promise.resolve({ done: false, value: bytes })], reader) } : { bytes }
}
