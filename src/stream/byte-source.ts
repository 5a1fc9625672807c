/** Bytes that may be handed to anything; shared memory may not. */
export type Bytes = Uint8Array<ArrayBuffer>

/** Takes bytes as they come, without a promise for each piece. */
export interface ByteSink {
  /** @returns a promise when that is enough for now: nothing more comes until it settles */
  write(bytes: Bytes): Promise<unknown> | undefined
  /** Called once, after the last write, with a fault when the bytes broke off; never after {@link ByteSource.cancel}. */
  end(fault?: unknown): void
}

/**
 * Bytes that come from elsewhere, no faster than they are taken. A web stream would do the same for several times the
 * cost of a chunk: two promises, a request object and a queue for each.
 */
export interface ByteSource {
  /** The next bytes, or undefined after the last. @throws when they broke off before their end */
  read(): Promise<Bytes | undefined>
  /** Hands everything that is left to the sink. Nothing may read any more, and no read may be under way. */
  pipe(sink: ByteSink): void
  /** Nothing more is wanted; what brings the bytes is closed at once. Does nothing after the end. */
  cancel(reason?: unknown): void
}

/** All that comes, in one piece. @throws when it broke off */
export function bytesOf(source: ByteSource): Promise<Bytes> {
  return new Promise((resolve, reject) => {
    const parts: Bytes[] = []
    source.pipe({
      write(bytes) {
        parts.push(bytes)
        return undefined
      },
      end(fault) {
        if (fault === undefined) resolve(parts.length === 1 ? parts[0]! : Buffer.concat(parts))
        else reject(fault)
      },
    })
  })
}

/** A source, or a web stream as one. */
export const asSource = (from: ByteSource | ReadableStream<Uint8Array>): ByteSource =>
  'getReader' in from ? sourceOf(from) : from

/** A web stream as a source. */
export function sourceOf(stream: ReadableStream<Uint8Array>): ByteSource {
  const reader = (stream as ReadableStream<Bytes>).getReader()
  const pump = async (sink: ByteSink) => {
    try {
      for (;;) {
        const { done, value } = await reader.read()
        if (cancelled) return
        if (done) break
        const pending = sink.write(value)
        if (pending) await pending.catch(() => {})
      }
    } catch (fault) {
      if (!cancelled) sink.end(fault)
      return
    }
    sink.end()
  }
  let cancelled = false
  return {
    async read() {
      const { done, value } = await reader.read()
      return done ? undefined : value
    },
    pipe: sink => void pump(sink),
    cancel(reason) {
      cancelled = true
      reader.cancel(reason).catch(() => {})
    },
  }
}

/** A source as a web stream, for what takes nothing else. */
export function webStreamOf(source: ByteSource): ReadableStream<Bytes> {
  return new ReadableStream<Bytes>(
    {
      async pull(controller) {
        const bytes = await source.read()
        if (bytes) controller.enqueue(bytes)
        else controller.close()
      },
      cancel: () => source.cancel(),
    },
    { highWaterMark: 0 },
  )
}
