import type { Outgoing } from '../../providers/auth/auth.ts'
import type { Answer } from './answer.ts'
import { ofStream } from './decode.ts'

/**
 * Calls out with Bun's `fetch`, for what the client of this folder does not do: proxies. There is no time-out here
 * (reasoning models are silent for minutes), and redirects are not followed, because they would carry the key to
 * another host.
 */
export async function throughFetch({ url, method, headers, body }: Outgoing, signal: AbortSignal): Promise<Answer> {
  // `timeout` is Bun's own and missing from its types.
  const answer = await fetch(url, { method, headers, body, signal, redirect: 'manual', timeout: false } as RequestInit)
  return ofStream(answer.status, answer.headers, answer.body)
}
