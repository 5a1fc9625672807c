import { afterAll, beforeAll, expect } from 'bun:test'
import type { ProviderSettings } from '../../src/config/schema.ts'
import { endAll, folder, start } from '../binary/executable.ts'
import { type Seen, standIn } from '../support/stand-in.ts'

/** For official clients against provider-native addresses of the executable. */

/** The gateway's token. */
export const TOKEN = 'a-token-for-a-native-client'
/** The operator's key, which only the gateway knows. */
export const STORED = 'a-stored-key-of-the-operator'
/** A key that the caller brings. */
export const OWN = 'a-key-of-the-caller'
/** Shows the token beside a key of the caller's own. */
export const GATEWAY_AUTH = { 'cf-aig-authorization': `Bearer ${TOKEN}` }
export const TEXT = 'In the reeds, 日本の鷺 👩‍👩‍👧.'

export interface NativeGateway {
  /** The address of the provider below the gateway, without a slash at its end. */
  base(): string
  /** What arrived at the provider, once it is certain that nothing of ours is in it. */
  arrived(): Seen
  /** How many requests arrived so far. */
  count(): number
  /** The next requests are answered so, one after another. */
  next(...answers: ((seen: Seen) => Response)[]): void
}

/**
 * Starts the executable and a stand-in of one provider for the tests of this file.
 * @param settings the provider's settings for the stand-in's address
 * @param answer what the stand-in says to anything
 */
export function nativeGateway(
  slug: string,
  settings: (upstream: string) => ProviderSettings,
  answer: (seen: Seen) => Response,
): NativeGateway {
  const here = folder()
  const queue: ((seen: Seen) => Response)[] = []
  const upstream = standIn(seen => (queue.shift() ?? answer)(seen))
  let address = ''
  beforeAll(async () => {
    const file = {
      storage: { database: 'sqlite::memory:' },
      tokens: [{ name: 'native', token: TOKEN }],
      providers: { [slug]: { keys: { default: STORED }, ...settings(upstream.address) } },
    }
    // JSON is YAML.
    await Bun.write(`${here.path}/postern.yaml`, JSON.stringify(file))
    address = (await start([], here.path)).address
  })
  afterAll(async () => {
    await endAll()
    upstream.stop()
    here.remove()
  })
  return {
    base: () => `${address}/v1/home/default/${slug}`,
    arrived() {
      const seen = upstream.last()
      const headers = seen.headers.toJSON()
      expect(Object.keys(headers).filter(name => name.startsWith('cf-'))).toEqual([])
      expect(JSON.stringify(headers) + seen.path + seen.text).not.toContain(TOKEN)
      expect(headers.host).toBe(new URL(upstream.address).host)
      return seen
    },
    count: () => upstream.seen.length,
    next: (...answers) => void queue.push(...answers),
  }
}
