import type { Config } from '../config/schema.ts'
import type { AnswerCache, DropReason } from './cache/answer-cache.ts'
import { databaseCache } from './cache/database-cache.ts'
import { redisCache } from './cache/redis-cache.ts'
import type { Counters } from './counters/counters.ts'
import { memoryCounters } from './counters/memory.ts'
import { redisCounters } from './counters/redis.ts'
import { sharedCounters } from './counters/shared.ts'
import { type Keeping, type RecordDrop, type Records, records } from './records/index.ts'
import type { Assemble } from './records/options.ts'
import type { Store } from './store.ts'

/** What requests share while they run: with other processes of this machine, and with other machines through Redis. */
export interface Live {
  readonly counters: Counters
  readonly cache: AnswerCache
  readonly records: Records
  /** Writes what is left. */
  close(): Promise<void>
}

export interface LiveReports {
  /** Told once when a shared store stops to answer, and once when it answers again; the reason names no secret. */
  onFailure?(what: 'counters' | 'cache' | 'records', up: boolean, reason: string): void
  /** What was to be kept and is not. */
  onDropped?(what: 'cache' | 'records', count: number, why: DropReason | RecordDrop): void
  /** How much of a gateway's records is kept, and nothing where there is no such gateway; everything when left out. */
  keeping?(gateway: string): Keeping | undefined
  /** Puts streams together for the records. */
  assemble?: Assemble
}

/**
 * One process counts in memory; several that share a database count in it, and several machines better in Redis. Answers
 * are kept in the database with those used last in memory, or in Redis.
 * @throws StorageError when what is kept cannot be read
 */
export async function openLive(
  config: Config,
  store: Store,
  { onFailure, onDropped, keeping, assemble }: LiveReports = {},
): Promise<Live> {
  const { redis, on_shared_store_failure } = config.storage
  // Who else uses a PostgreSQL, nobody knows.
  const shared = config.server.workers > 1 || store.database.kind === 'postgres'
  const failed = (up: boolean, reason: string) => onFailure?.('counters', up, reason)
  const counters = redis
    ? redisCounters(redis, { onFailure: failed, on_shared_store_failure })
    : shared
      ? sharedCounters(store.database, { onFailure: failed, on_shared_store_failure })
      : await memoryCounters(store.database, { onFailure: failed })
  const reports = {
    onFailure: (up: boolean, reason: string) => onFailure?.('cache', up, reason),
    onDropped: (count: number, why: DropReason) => onDropped?.('cache', count, why),
  }
  const bounds = { memory: config.storage.cache_memory, total: config.storage.cache_size }
  const cache = redis
    ? await redisCache(redis, reports)
    : await databaseCache(store.database, { alone: !shared, bounds, ...reports })
  const kept = await records(store.database, {
    ...(keeping && { keeping }),
    retentionDays: () => config.storage.log_retention_days || undefined,
    metadataKeys: config.storage.log_metadata_keys,
    ...(assemble && { assemble }),
    onDropped: (count, why) => onDropped?.('records', count, why),
    onFailure: (up, reason) => onFailure?.('records', up, reason),
  })
  return {
    counters,
    cache,
    records: kept,
    async close() {
      await Promise.all([counters.close(), cache.close(), kept.close()])
    },
  }
}
