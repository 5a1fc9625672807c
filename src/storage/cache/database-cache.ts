import type { Database } from '../database.ts'
import { StorageError } from '../errors.ts'
import {
  type AnswerCache,
  type CacheBounds,
  type CachedAnswer,
  type CacheReports,
  type CacheSize,
  DEFAULT_BOUNDS,
  type DropReason,
} from './answer-cache.ts'
import { AnswerStore } from './answer-store.ts'
import { AnswerMemory } from './memory.ts'
import { Outage, reasonOf } from './outage.ts'
import { AnswerTables, type Purge } from './tables.ts'
import { WorkChain } from './work-chain.ts'

export interface DatabaseCacheOptions extends CacheReports {
  bounds?: Partial<CacheBounds>
  /** No other process writes to this database: what was never stored is known not to be there without asking it. */
  alone: boolean
}

/** An answer waits no longer than this to be written with others, and what another process purged is given no longer. */
const LOOK_MS = 1_000
/** Looks from one writing of the last uses, and from one sweep of what has expired, to the next. */
const USES_EVERY = 5
const SWEEP_EVERY = 30

/**
 * The answer cache in the database, with those used last in memory. What is put is written behind, in batches; what is
 * full makes room by throwing out what was unused for longest; and what any process purges, every other one forgets
 * within a second.
 *
 * @throws StorageError when the database cannot be used
 */
export async function databaseCache(database: Database, options: DatabaseCacheOptions): Promise<AnswerCache> {
  const tables = new AnswerTables(database)
  try {
    return new DatabaseCache(tables, await tables.open(), await tables.purges(), options)
  } catch (fault) {
    throw unreachable(fault)
  }
}

const unreachable = (fault: unknown) =>
  fault instanceof StorageError ? fault : new StorageError('use', `the answer cache: ${reasonOf(fault)}`)

const purgeName = ({ gateway, key }: Pick<Purge, 'gateway' | 'key'>) => `${gateway} ${key}`

class DatabaseCache implements AnswerCache {
  readonly #tables: AnswerTables
  readonly #store: AnswerStore
  readonly #bounds: CacheBounds
  readonly #reports: CacheReports
  readonly #memory: AnswerMemory
  readonly #outage: Outage
  readonly #work: WorkChain
  /** What is being read now, so that many who want one answer read it once. */
  readonly #reading = new Map<string, Promise<CachedAnswer | undefined>>()
  readonly #looking: ReturnType<typeof setInterval>
  /** What was purged when, as far as it is known here. */
  #purged: Map<string, number>
  /** Counts what was forgotten, so that a reading from before it is not remembered after it. */
  #forgotten = 0
  /** So much waits that it is written before the next look. */
  #hurries = false
  #looks = 0
  #lookDue = false
  #closed = false

  constructor(tables: AnswerTables, totals: CacheSize, purges: readonly Purge[], options: DatabaseCacheOptions) {
    this.#tables = tables
    this.#reports = options
    this.#bounds = { ...DEFAULT_BOUNDS, ...options.bounds }
    this.#store = new AnswerStore(tables, totals, this.#bounds, options)
    this.#memory = new AnswerMemory(this.#bounds.memory)
    this.#outage = new Outage(options.onFailure)
    this.#work = new WorkChain(this.#outage)
    this.#purged = new Map(purges.map(purge => [purgeName(purge), Number(purge.at)]))
    this.#looking = setInterval(() => this.#look(), LOOK_MS)
    this.#looking.unref()
    if (options.alone) void this.#work.addQuietly(() => this.#store.fillIndex())
    else this.#store.index.giveUp()
  }

  get(key: string, now = Date.now()): CachedAnswer | undefined | Promise<CachedAnswer | undefined> {
    const held = this.#memory.get(key)
    if (held) {
      if (held.expires > now) {
        this.#store.use(key, now)
        return held
      }
      this.#memory.delete(key)
    }
    const waiting = this.#store.waiting.get(key)
    if (waiting && waiting.expires > now) {
      this.#store.use(key, now)
      return waiting
    }
    if (this.#closed || !this.#store.index.mayHave(key, now)) return undefined
    return this.#reading.get(key) ?? this.#read(key, now)
  }

  put(key: string, answer: CachedAnswer): void {
    const refused = this.#refusalOf(key, answer)
    if (refused) this.#reports.onDropped?.(1, refused)
    // What there is no room for in the queue may at least be given as long as it is in memory.
    if (refused && refused !== 'queue') return
    this.#memory.put(key, answer)
    if (this.#hurries || !this.#store.waiting.isMuch) return
    this.#hurries = true
    void this.#work.addQuietly(async () => {
      await this.#store.writeWaiting().finally(() => {
        this.#hurries = false
      })
    })
  }

  async purge(gateway: string, key?: string): Promise<number> {
    const purge: Purge = { gateway, key: key ?? '', at: Date.now() }
    this.#forget(gateway, key, purge.at)
    const work = this.#work.add(async () => {
      // What waits is written first, so that it is counted and thrown away with the rest.
      await this.#store.writeWaiting()
      await this.#tables.announce(purge)
      this.#purged.set(purgeName(purge), purge.at)
      const count = await this.#store.remove(gateway, key)
      this.#forget(gateway, key, purge.at)
      return count
    })
    try {
      return await work
    } catch (fault) {
      throw unreachable(fault)
    }
  }

  size(): CacheSize {
    return this.#store.totals
  }

  async close(): Promise<void> {
    if (this.#closed) return this.#work.add(async () => {})
    this.#closed = true
    this.#store.close()
    clearInterval(this.#looking)
    await this.#work.addQuietly(async () => {
      await this.#store.writeWaiting()
      await this.#store.writeUses()
    })
  }

  /** Why an answer is not to be kept; otherwise it waits to be. */
  #refusalOf(key: string, answer: CachedAnswer): DropReason | undefined {
    if (this.#closed) return 'closed'
    if (answer.body.length > this.#bounds.answer) return 'size'
    const { gateway } = answer.meta
    if (this.#purged.size && (this.#wasPurged(gateway, '', answer) || this.#wasPurged(gateway, key, answer)))
      return 'purged'
    return this.#store.waiting.add(key, answer) ? undefined : 'queue'
  }

  #wasPurged(gateway: string, key: string, { stored }: CachedAnswer): boolean {
    return stored <= (this.#purged.get(purgeName({ gateway, key })) ?? 0)
  }

  async #read(key: string, now: number): Promise<CachedAnswer | undefined> {
    const reading = this.#readFresh(key, now)
    this.#reading.set(key, reading)
    try {
      return await reading
    } finally {
      this.#reading.delete(key)
    }
  }

  async #readFresh(key: string, now: number): Promise<CachedAnswer | undefined> {
    const forgotten = this.#forgotten
    try {
      const answer = await this.#tables.read(key, now)
      this.#outage.worked()
      if (!answer) return undefined
      this.#store.use(key, now)
      if (forgotten === this.#forgotten) this.#memory.put(key, answer)
      return answer
    } catch (fault) {
      this.#outage.failed(reasonOf(fault))
      return undefined
    }
  }

  #forget(gateway: string, key: string | undefined, until: number): void {
    this.#forgotten++
    this.#memory.forget(gateway, key, until)
  }

  /** What other processes have done, and what is due now and then. */
  #look(): void {
    // With a slow store they would pile up.
    if (this.#lookDue) return
    this.#lookDue = true
    void this.#work.addQuietly(async () => {
      this.#lookDue = false
      await this.#store.writeWaiting()
      await this.#learnPurges()
      await this.#store.refreshTotals()
      this.#looks++
      if (this.#looks % USES_EVERY === 0) await this.#store.writeUses()
      if (this.#looks % SWEEP_EVERY === 0) await this.#store.sweep()
    })
  }

  async #learnPurges(): Promise<void> {
    const known = new Map<string, number>()
    for (const purge of await this.#tables.purges()) {
      const name = purgeName(purge)
      const at = Number(purge.at)
      known.set(name, at)
      if (this.#purged.get(name) !== at) this.#forget(purge.gateway, purge.key || undefined, at)
    }
    this.#purged = known
  }
}
