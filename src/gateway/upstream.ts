import type { Outgoing } from '../providers/auth/auth.ts'

/** The one place where Postern calls out, so that the transport can be replaced without touching the way of a request. */

export interface UpstreamAnswer {
  status: number
  headers: Headers
  /** Decoded bytes, whatever the content encoding was. A stream is made of them only when this is asked for. */
  readonly body: ReadableStream<Uint8Array> | null
  /** The whole body at once: cheaper than a stream for what is known to be small. */
  bytes(): Promise<Uint8Array>
}

/**
 * Calls a provider with Bun's `fetch`. There is no time-out here (reasoning models are silent for minutes): the caller's
 * signal decides. Redirects are not followed, because they would carry the key to another host.
 * @throws whatever the network says, and the signal's reason
 */
export function upstream({ url, method, headers, body }: Outgoing, signal: AbortSignal): Promise<UpstreamAnswer> {
  // `timeout` is Bun's own and missing from its types.
  return fetch(url, { method, headers, body, signal, redirect: 'manual', timeout: false } as RequestInit)
}
