import type { Database } from '../storage/database.ts'
import type { RecordReader } from '../storage/records/read.ts'
import type { StoredRecord } from '../storage/records/types.ts'

const LOOK_MS = 300
const PAGE = 500

/** What comes, in the order in which it is written. */
export interface Following {
  /** Notes where each gateway stands: what is written later is told. */
  begin(): Promise<void>
  /** Records as they come, until the signal; those of gateways that are new, too. */
  records(ended: AbortSignal): AsyncGenerator<StoredRecord[]>
}

/** Follows the records of a database that others write to. */
export function follow(database: Database, reader: RecordReader, gateways: () => Promise<string[]>): Following {
  const behind = new Map<string, number>()
  return {
    async begin() {
      for (const gateway of await gateways()) {
        const row = await database.get<{ last: number | null }>(
          `SELECT MAX(seq) AS last FROM records
           WHERE gateway = (SELECT id FROM record_gateways WHERE name = ?)`,
          gateway,
        )
        behind.set(gateway, Number(row?.last ?? 0))
      }
    },
    async *records(ended) {
      while (!ended.aborted) {
        const came: StoredRecord[] = []
        for (const gateway of await gateways()) {
          const { records, last } = await reader.after(gateway, behind.get(gateway) ?? 0, PAGE)
          behind.set(gateway, last)
          came.push(...records)
        }
        if (came.length) yield came.sort((one, other) => one.at - other.at)
        // Whoever is far behind does not wait.
        else await paused(LOOK_MS, ended)
      }
    },
  }
}

function paused(milliseconds: number, ended: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>()
  const timer = setTimeout(resolve, milliseconds)
  const end = () => {
    clearTimeout(timer)
    resolve()
  }
  ended.addEventListener('abort', end, { once: true })
  return promise.finally(() => ended.removeEventListener('abort', end))
}
