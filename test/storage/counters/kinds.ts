import type { Counters } from '../../../src/storage/counters/counters.ts'
import { memoryCounters } from '../../../src/storage/counters/memory.ts'
import { redisCounters } from '../../../src/storage/counters/redis.ts'
import { sharedCounters } from '../../../src/storage/counters/shared.ts'
import { closeDatabases, eachDatabase, migrated } from '../../support/databases.ts'
import { type RedisServer, redisServer } from './redis-server.ts'

let server: RedisServer | undefined

/** Each kind of counters, empty; Redis is one for all, so a test needs keys of its own. */
export const kinds: [name: string, open: () => Promise<Counters>][] = [
  ['memory', () => memoryCounters()],
  ...eachDatabase.map(
    ([name, kind]) =>
      [`shared ${name}`, async () => sharedCounters(await migrated(kind))] satisfies [string, () => Promise<Counters>],
  ),
  [
    'redis',
    async () => {
      server ??= await redisServer()
      return redisCounters(server.url, { timeoutMilliseconds: 10_000 })
    },
  ],
]

/** For the end of every file that uses them. */
export async function stopKinds(): Promise<void> {
  await server?.kill()
  server = undefined
  await closeDatabases()
}
