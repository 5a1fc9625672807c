import { randomBytes } from 'node:crypto'
import type { RedisClient } from 'bun'
import type { Bytes } from '../../stream/byte-source.ts'
import { StorageError } from '../errors.ts'
import {
  type AnswerCache,
  type CacheBounds,
  type CachedAnswer,
  type CacheReports,
  DEFAULT_BOUNDS,
  type DropReason,
  weightOf,
} from './answer-cache.ts'
import { Outage, reasonOf } from './outage.ts'
import { pack, unpack } from './pack.ts'
import { RedisLink } from './redis-link.ts'

export interface RedisCacheOptions extends CacheReports {
  bounds?: Partial<Pick<CacheBounds, 'answer' | 'waiting'>>
  /** Before the name of every key in Redis. */
  prefix?: string
  /** Milliseconds that a look may take; then the answer counts as not there. Default 250. */
  patience?: number
}

/** An answer of 25 MB takes its time on a slow line; nobody waits for it. */
const WRITE_MS = 5_000
/** Longer than any answer is kept (contract section 4: at most a month). What belongs to a gateway goes with its last. */
const MONTH_MS = 35 * 86_400_000

/**
 * The answer cache in Redis, shared between replicas. What it comes to is bounded by Redis itself: `maxmemory`, with a
 * `maxmemory-policy` that evicts keys (`allkeys-lru`, `volatile-lru`); where Redis refuses to store, answers are dropped
 * and counted. Every answer expires by itself.
 *
 * An answer carries the generation of its gateway, a word of chance under a key of its own. A purge gives the gateway
 * another, which takes one step however many answers there are; those of the generation before are never given again,
 * and go when they expire. While Redis cannot be reached nothing is found and nothing kept, and no request waits for it.
 *
 * @param url `redis://…`, `rediss://…` or `unix://…`; it may hold a password and is never repeated
 */
export async function redisCache(url: string, options: RedisCacheOptions = {}): Promise<AnswerCache> {
  const cache = new RedisCache(url, options)
  await cache.open()
  return cache
}

class RedisCache implements AnswerCache {
  readonly #reports: CacheReports
  readonly #bounds: Pick<CacheBounds, 'answer' | 'waiting'>
  readonly #prefix: string
  readonly #reads: Outage
  readonly #writes: Outage
  /** Two lines, so that no look waits behind an answer of many megabytes. */
  readonly #looking: RedisLink
  readonly #writing: RedisLink
  /** What is being written, and its weight in bytes. */
  readonly #underWay = new Set<Promise<void>>()
  #weight = 0
  #closed = false

  constructor(url: string, options: RedisCacheOptions) {
    this.#reports = options
    this.#bounds = { ...DEFAULT_BOUNDS, ...options.bounds }
    this.#prefix = options.prefix ?? 'postern:cache:'
    this.#reads = new Outage(options.onFailure)
    this.#writes = new Outage(options.onFailure)
    const patience = options.patience ?? 250
    this.#looking = new RedisLink(url, patience, patience, this.#reads)
    this.#writing = new RedisLink(url, WRITE_MS, patience)
  }

  async open(): Promise<void> {
    await Promise.all([this.#looking.open(), this.#writing.open()])
  }

  async get(key: string, now = Date.now()): Promise<CachedAnswer | undefined> {
    try {
      const found = await this.#looking.ask(client =>
        // Both go out in one piece.
        Promise.all([client.get(this.#generationKey(gatewayOf(key))), client.getBuffer(this.#answerKey(key))]),
      )
      const [generation, value] = found ?? []
      if (!generation || !value) return undefined
      const kept = decode(value)
      if (kept.generation !== generation) return undefined
      const answer = await unpack(kept)
      return answer.expires > now ? answer : undefined
    } catch (fault) {
      this.#reads.failed(reasonOf(fault))
      return undefined
    }
  }

  put(key: string, answer: CachedAnswer): void {
    const weight = weightOf(answer)
    if (this.#closed) this.#drop('closed')
    else if (answer.body.length > this.#bounds.answer) this.#drop('size')
    else if (this.#weight + weight > this.#bounds.waiting) this.#drop('queue')
    else {
      this.#weight += weight
      const work = this.#store(key, answer).finally(() => {
        this.#weight -= weight
        this.#underWay.delete(work)
      })
      this.#underWay.add(work)
    }
  }

  /** Answers that Redis itself evicted are counted until they would have expired. */
  async purge(gateway: string, key?: string): Promise<number> {
    await Promise.all(this.#underWay)
    // Unlike a look, this is worth waiting for a connection.
    await this.#writing.open()
    const work = (client: RedisClient) =>
      key === undefined ? this.#purgeAll(client, gateway) : this.#purgeOne(client, gateway, key)
    const gone = await this.#writing.ask(work).catch((fault: unknown) => {
      throw new StorageError('use', `the answer cache in Redis: ${reasonOf(fault)}`)
    })
    if (gone === undefined)
      throw new StorageError('use', 'the answer cache in Redis cannot be reached: try again when it is back')
    return gone
  }

  size(): undefined {
    return undefined
  }

  async close(): Promise<void> {
    this.#closed = true
    await Promise.all(this.#underWay)
    this.#looking.close()
    this.#writing.close()
  }

  async #store(key: string, answer: CachedAnswer): Promise<void> {
    try {
      const kept = await pack(answer)
      const left = Math.floor(answer.expires - Date.now())
      if (left <= 0) return
      const { gateway } = answer.meta
      const stored = await this.#writing.ask(async client => {
        const value = encode({ ...kept, generation: await this.#generation(client, gateway) })
        const keys = this.#keysKey(gateway)
        await Promise.all([
          client.set(this.#answerKey(key), value, 'PX', left),
          client.send('ZADD', [keys, String(answer.expires), key]),
          client.send('ZREMRANGEBYSCORE', [keys, '-inf', String(Date.now())]),
          client.pexpire(keys, MONTH_MS),
          client.pexpire(this.#generationKey(gateway), MONTH_MS),
        ])
        return true
      })
      if (stored) this.#writes.worked()
      else this.#drop('store')
    } catch (fault) {
      this.#writes.failed(reasonOf(fault))
      this.#drop('store')
    }
  }

  async #generation(client: RedisClient, gateway: string): Promise<string> {
    const key = this.#generationKey(gateway)
    const known = await client.get(key)
    if (known) return known
    await client.send('SET', [key, newGeneration(), 'NX', 'PX', String(MONTH_MS)])
    return (await client.get(key)) ?? ''
  }

  async #purgeAll(client: RedisClient, gateway: string): Promise<number> {
    const keys = this.#keysKey(gateway)
    const [count] = await Promise.all([
      client.send('ZCOUNT', [keys, String(Date.now()), '+inf']),
      client.send('SET', [this.#generationKey(gateway), newGeneration(), 'PX', String(MONTH_MS)]),
      client.unlink(keys),
    ])
    return Number(count)
  }

  async #purgeOne(client: RedisClient, gateway: string, key: string): Promise<number> {
    const [count] = await Promise.all([
      client.unlink(this.#answerKey(key)),
      client.send('ZREM', [this.#keysKey(gateway), key]),
    ])
    return Number(count)
  }

  #drop(why: DropReason): void {
    this.#reports.onDropped?.(1, why)
  }

  // What belongs to one gateway is in one slot of a cluster: the part in braces decides.
  #answerKey(key: string): string {
    const colon = key.lastIndexOf(':')
    return `${this.#prefix}{${key.slice(0, colon)}}${key.slice(colon)}`
  }

  #generationKey(gateway: string): string {
    return `${this.#prefix}{${gateway}}/generation`
  }

  #keysKey(gateway: string): string {
    return `${this.#prefix}{${gateway}}/keys`
  }
}

const gatewayOf = (key: string) => key.slice(0, key.lastIndexOf(':'))

const GENERATION_BYTES = 16
const newGeneration = () => randomBytes(GENERATION_BYTES / 2).toString('hex')

interface Kept {
  generation: string
  head: string
  body: Bytes
  packed: boolean
}

/** The head's length in four bytes, whether the body is packed in one, the generation, the head, the body. */
function encode({ generation, head, body, packed }: Kept): Buffer {
  const text = Buffer.from(head)
  const value = Buffer.allocUnsafe(5 + GENERATION_BYTES + text.length + body.length)
  value.writeUInt32LE(text.length, 0)
  value[4] = packed ? 1 : 0
  value.write(generation.padEnd(GENERATION_BYTES), 5, 'latin1')
  value.set(text, 5 + GENERATION_BYTES)
  value.set(body, 5 + GENERATION_BYTES + text.length)
  return value
}

function decode(value: Uint8Array): Kept {
  const bytes = Buffer.from(value.buffer as ArrayBuffer, value.byteOffset, value.byteLength)
  const body = 5 + GENERATION_BYTES + bytes.readUInt32LE(0)
  return {
    packed: bytes[4] === 1,
    generation: bytes.toString('latin1', 5, 5 + GENERATION_BYTES),
    head: bytes.toString('utf8', 5 + GENERATION_BYTES, body),
    body: bytes.subarray(body),
  }
}
