import { existsSync } from 'node:fs'
import { loadConfig } from '../config/load.ts'
import { providerSlugs } from '../providers/slugs.ts'
import { readAddress } from '../storage/address.ts'
import type { Database } from '../storage/database.ts'
import { RecordReader } from '../storage/records/read.ts'
import { openStore } from '../storage/store.ts'
import { reportFault } from '../supervisor/fault.ts'
import { type Output, terminal } from './output.ts'
import type { StoreOptions } from './with-store.ts'

/** What commands that read the records are given: nothing of it writes. */
export interface RecordsAtHand {
  database: Database
  reader: RecordReader
  output: Output
  /** Where it is kept, for messages. */
  place: string
}

/**
 * Opens the database that the configuration names, while a server may run on it. One that is not there is not made.
 * @returns the exit code: that of the work, 1 when there is no database or it cannot be used, 2 for a wrong configuration
 */
export async function withRecords(
  { config: path, env = process.env, folder, output = terminal }: StoreOptions,
  work: (at: RecordsAtHand) => Promise<number>,
): Promise<number> {
  try {
    const { config } = loadConfig({ path, env, knownProviders: providerSlugs, ...(folder ? { folder } : {}) })
    const address = readAddress(config.storage.database)
    if (address?.kind === 'sqlite' && !existsSync(address.path)) {
      output.err(
        address.path === ':memory:'
          ? 'postern: storage.database is in memory, where only the running server sees its records'
          : `postern: there is no database at ${address.path} yet; --config names another configuration`,
      )
      return 1
    }
    const store = await openStore(config.storage.database)
    try {
      const { database, place } = store
      return await work({ database, reader: new RecordReader(database), output, place })
    } finally {
      await store.close()
    }
  } catch (error) {
    return reportFault(error, output.err)
  }
}
