import { afterAll, beforeAll } from 'bun:test'
import type { File } from '../../src/config/schema.ts'
import { endAll, folder, type Running, start } from '../binary/executable.ts'
import { type Seen, standIn } from '../support/stand-in.ts'
import { expectNoSecrets, expectNothingOfOurs } from './leaks.ts'
import { type Relay, relay } from './relay.ts'

/** For official clients against the executable, with one stand-in for all of its providers. */

/** The gateway's token. */
export const TOKEN = 'a-token-for-a-native-client'
/** The operator's key, which only the gateway knows. */
export const STORED = 'a-stored-key-of-the-operator'
/** A key that the caller brings. */
export const OWN = 'a-key-of-the-caller'
/** Shows the token beside a key of the caller's own. */
export const GATEWAY_AUTH = { 'cf-aig-authorization': `Bearer ${TOKEN}` }
export const TEXT = 'In the reeds, 日本の鷺 👩‍👩‍👧.'

export type Answer = (seen: Seen) => Response | Promise<Response>

export interface ClientGateway {
  /** Where the executable is reached, without a slash at its end. */
  address(): string
  /** What arrived last at the providers, once it is certain that nothing of ours is in it. */
  arrived(): Seen
  /** Everything that arrived, oldest first. */
  seen(): readonly Seen[]
  /** How many requests arrived so far. */
  count(): number
  /** The next requests are answered so, one after another. */
  next(...answers: Answer[]): void
}

/**
 * Starts the executable and a stand-in of its providers for the tests of this file. At the end it is checked that no
 * secret has come out anywhere: of ours none at a provider, of the operator's none in an answer, and neither in the log.
 * @param settings the file's other settings, for the stand-in's address
 * @param answer what the stand-in says to anything
 * @param secrets further secrets of the operator's, beside {@link STORED}
 */
export function clientGateway(
  settings: (upstream: string) => Partial<File>,
  answer: Answer,
  secrets: readonly string[] = [],
): ClientGateway {
  const here = folder()
  const queue: Answer[] = []
  const upstream = standIn(seen => (queue.shift() ?? answer)(seen))
  let server: Running
  let between: Relay
  beforeAll(async () => {
    const file = {
      storage: { database: 'sqlite::memory:' },
      tokens: [{ name: 'native', token: TOKEN }],
      log: { level: 'debug' },
      ...settings(upstream.address),
    }
    // JSON is YAML.
    await Bun.write(`${here.path}/postern.yaml`, JSON.stringify(file))
    server = await start([], here.path)
    between = await relay(server.port)
  })
  afterAll(async () => {
    try {
      for (const seen of upstream.seen) expectNothingOfOurs(seen, upstream.address, TOKEN)
      await expectNoSecrets(server, between, { stored: [STORED, ...secrets], shown: [TOKEN, OWN] })
    } finally {
      await endAll()
      between.stop()
      upstream.stop()
      here.remove()
    }
  })
  return {
    address: () => between.address,
    arrived() {
      const seen = upstream.last()
      expectNothingOfOurs(seen, upstream.address, TOKEN)
      return seen
    },
    seen: () => upstream.seen,
    count: () => upstream.seen.length,
    next: (...answers) => void queue.push(...answers),
  }
}
