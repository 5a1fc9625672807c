import type { Database } from '../database.ts'
import { seal, sealedOf } from './blocks.ts'
import { BLOCK } from './columns.ts'
import type { Keeping } from './options.ts'
import { removeBefore, removeOldest } from './remove.ts'
import { breath } from './statements.ts'
import type { Tails } from './tails.ts'
import { dayOf, type Written } from './writer.ts'

const DAY_MS = 86_400_000
/** Ages are looked at so often. */
const SWEEP_MS = 600_000
/** Documents that one statement takes away. */
const STEP = 200

export interface UpkeepParts {
  database: Database
  tails: Tails
  keeping: (gateway: string) => Keeping | undefined
  retentionDays: () => number | undefined
  failed(fault: unknown): void
}

/** What has to be done as rows become more and older: columns packed, and rows taken away that are too many or too old. */
export class Upkeep {
  readonly #parts: UpkeepParts
  readonly #due = new Map<string, { id: number; count: number }>()
  /** Rows of a gateway since its columns were last packed, as far as this process wrote them. */
  readonly #unsealed = new Map<number, number>()
  readonly #timer: ReturnType<typeof setInterval>
  #working: Promise<void> | undefined
  #closed = false

  constructor(parts: UpkeepParts) {
    this.#parts = parts
    this.#timer = setInterval(() => void this.#quietly(() => this.sweep()), SWEEP_MS)
    this.#timer.unref()
  }

  /** Rows were written. */
  after({ kept }: Written, rows: number): void {
    if (this.#closed) return
    for (const [name, now] of kept) {
      const unsealed = (this.#unsealed.get(now.id) ?? BLOCK) + rows
      this.#unsealed.set(now.id, unsealed)
      if (unsealed >= BLOCK || isOver(now.count, this.#parts.keeping(name))) this.#due.set(name, now)
    }
    if (this.#due.size) void this.#quietly(() => this.#work())
  }

  /** Takes away what is older than it may be, and the metadata that nobody has any more. */
  async sweep(now = Date.now()): Promise<void> {
    const { database, keeping, retentionDays } = this.#parts
    const gateways = await database.all<{ id: number; name: string; kept: number }>(
      'SELECT id, name, kept FROM record_gateways',
    )
    const days = retentionDays()
    for (const { id, name, kept } of gateways) {
      const gateway = Number(id)
      if (days !== undefined) await removeBefore(database, gateway, now - days * DAY_MS)
      await this.#limit(gateway, Number(kept), keeping(name))
      await this.#sweepMetadata(gateway)
    }
  }

  /** What is under way is finished. */
  async close(): Promise<void> {
    this.#closed = true
    clearInterval(this.#timer)
    await this.#working
  }

  /** What is due and under way is done. */
  async settled(): Promise<void> {
    while (this.#working) await this.#working
  }

  async #work(): Promise<void> {
    const { database, tails, keeping } = this.#parts
    for (;;) {
      const next = this.#due.entries().next()
      if (next.done || this.#closed) return
      const [name, { id, count }] = next.value
      this.#due.delete(name)
      while (await seal(database, id, tails)) await breath()
      this.#unsealed.set(id, tails.length(id) ?? (await this.#countUnsealed(id)))
      await this.#limit(id, count, keeping(name))
    }
  }

  async #countUnsealed(gateway: number): Promise<number> {
    const { database } = this.#parts
    const row = await database.get<{ count: number }>(
      'SELECT COUNT(*) AS count FROM records WHERE gateway = ? AND seq > ?',
      gateway,
      await sealedOf(database, gateway),
    )
    return Number(row?.count ?? 0)
  }

  async #limit(gateway: number, count: number, keeping: Keeping | undefined): Promise<void> {
    if (isOver(count, keeping)) await removeOldest(this.#parts.database, gateway, keeping!.most!)
  }

  /** A document that was last used on a day before the oldest record's belongs to none. */
  async #sweepMetadata(gateway: number): Promise<void> {
    const { database } = this.#parts
    const block = await database.get<{ at: number | null }>(
      'SELECT MIN(from_at) AS at FROM record_blocks WHERE gateway = ?',
      gateway,
    )
    const tail = await database.get<{ at: number | null }>(
      'SELECT MIN(at) AS at FROM records WHERE gateway = ? AND seq > ?',
      gateway,
      await sealedOf(database, gateway),
    )
    const times = [block?.at, tail?.at].filter(at => at !== null && at !== undefined).map(Number)
    if (!times.length) return
    const oldest = dayOf(Math.min(...times))
    while (
      (await database.run(
        'DELETE FROM record_metadata WHERE id IN (SELECT id FROM record_metadata WHERE gateway = ? AND used < ? LIMIT ?)',
        gateway,
        oldest,
        STEP,
      )) === STEP
    )
      await breath()
  }

  async #quietly(work: () => Promise<void>): Promise<void> {
    if (this.#working) return
    this.#working = work()
      .catch(fault => this.#parts.failed(fault))
      .finally(() => {
        this.#working = undefined
      })
    await this.#working
  }
}

const isOver = (count: number, { most, strategy }: Keeping = {}): boolean =>
  most !== undefined && most !== null && strategy !== 'STOP_INSERTING' && count > most
