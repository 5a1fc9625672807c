/** A request as it arrived at a provider. */
export interface Seen {
  method: string
  /** With the query, as it stood on the wire. */
  path: string
  headers: Headers
  /** The text of the body, byte for byte. */
  text: string
  /** The parsed body. */
  body: Record<string, unknown>
  /** Fires when the caller hangs up. */
  signal: AbortSignal
}

export interface StandIn {
  address: string
  seen: Seen[]
  last(): Seen
  /** Resolves when that many requests have come. */
  until(count: number): Promise<void>
  stop(): void
}

/** A provider on a real socket that remembers what it was asked. */
export function standIn(answer: (seen: Seen) => Response | Promise<Response>): StandIn {
  const seen: Seen[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    idleTimeout: 0,
    async fetch(request) {
      const text = await request.text()
      const { pathname, search } = new URL(request.url)
      const one: Seen = {
        method: request.method,
        path: pathname + search,
        headers: request.headers,
        text,
        body: text.startsWith('{') ? (JSON.parse(text) as Record<string, unknown>) : {},
        signal: request.signal,
      }
      seen.push(one)
      return answer(one)
    },
  })
  return {
    address: `http://127.0.0.1:${server.port}`,
    seen,
    last() {
      const one = seen.at(-1)
      if (!one) throw new Error('the provider was not asked')
      return one
    },
    async until(count) {
      for (let tries = 0; tries < 1_000 && seen.length < count; tries++) await Bun.sleep(10)
      if (seen.length < count) throw new Error(`only ${seen.length} of ${count} requests came`)
    },
    stop: () => void server.stop(true),
  }
}
