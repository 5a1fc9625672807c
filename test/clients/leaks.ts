import { expect } from 'bun:test'
import type { Running } from '../binary/executable.ts'
import type { Seen } from '../support/stand-in.ts'
import type { Relay } from './relay.ts'

/** Nothing of ours may be in a request to a provider: neither our token nor a header of the gateway's. */
export function expectNothingOfOurs({ headers, path, text }: Seen, address: string, token: string): void {
  const all = headers.toJSON()
  expect(Object.keys(all).filter(name => name.startsWith('cf-'))).toEqual([])
  expect(JSON.stringify(all) + path + text).not.toContain(token)
  expect(all.host).toBe(new URL(address).host)
}

export interface Secrets {
  /** The operator's keys for providers. */
  stored: readonly string[]
  /** What callers showed: tokens of ours and keys of their own. */
  shown: readonly string[]
}

/** Ends the executable, and looks for secrets in all that it has answered and written until then. */
export async function expectNoSecrets(server: Running, { heard }: Relay, { stored, shown }: Secrets): Promise<void> {
  expect(heard()).toStartWith('HTTP/1.1 ')
  expect(stored.filter(secret => heard().includes(secret))).toEqual([])
  // Stopped cleanly it writes all of its lines first.
  server.signal('SIGTERM')
  await server.exited
  await server.until(/"duration_ms":/)
  expect([...stored, ...shown].filter(secret => server.said().includes(secret))).toEqual([])
}
