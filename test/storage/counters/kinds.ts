import type { Counters } from '../../../src/storage/counters/counters.ts'
import { memoryCounters } from '../../../src/storage/counters/memory.ts'
import { redisCounters } from '../../../src/storage/counters/redis.ts'
import { sharedCounters } from '../../../src/storage/counters/shared.ts'
import type { Database } from '../../../src/storage/database.ts'
import { migrate } from '../../../src/storage/migrations.ts'
import { openSqlite } from '../../../src/storage/sqlite-database.ts'
import { type RedisServer, redisServer } from './redis-server.ts'

export async function migrated(path: string): Promise<Database> {
  const database = openSqlite(path)
  await migrate(database, path)
  return database
}

let server: RedisServer | undefined

/** Each kind of counters, empty; Redis is one for all, so a test needs keys of its own. */
export const kinds: [name: string, open: () => Promise<Counters>][] = [
  ['memory', () => memoryCounters()],
  ['shared', async () => sharedCounters(await migrated(':memory:'))],
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
}
