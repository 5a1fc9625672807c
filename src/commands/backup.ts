import { existsSync } from 'node:fs'
import { resolve } from 'node:path'
import { loadConfig } from '../config/load.ts'
import { providerSlugs } from '../providers/slugs.ts'
import { readAddress } from '../storage/address.ts'
import { copySqlite } from '../storage/sqlite-backup.ts'
import { reportFault } from '../supervisor/fault.ts'
import { terminal } from './output.ts'
import type { StoreOptions } from './with-store.ts'

/**
 * `postern backup [file]`: copies the database while the gateway goes on. It does not bring the tables up to date, so
 * that a copy from before an update is one of before it.
 *
 * @param file where to; `postern-<time>.db` in the working folder when left out
 * @returns the exit code: 0 copied, 1 it cannot be, 2 a wrong configuration, or a database that is not copied this way
 */
export async function backupCommand(file: string | undefined, options: StoreOptions = {}): Promise<number> {
  const { config: path, env = process.env, folder, output = terminal } = options
  try {
    const { config } = loadConfig({ path, env, knownProviders: providerSlugs, ...(folder ? { folder } : {}) })
    const address = readAddress(config.storage.database)
    if (address?.kind === 'postgres') {
      output.err(
        `postern: the database is ${address.place}, which its own program copies while it runs, for example ` +
          `pg_dump --format=custom --file=postern.dump ${address.place}`,
      )
      return 2
    }
    if (!address || address.path === ':memory:') {
      output.err('postern: storage.database is in memory, of which there is nothing to copy')
      return 1
    }
    const target = file ?? `postern-${new Date().toISOString().slice(0, 19).replaceAll(':', '-')}.db`
    const bytes = copySqlite(address.path, target)
    output.out(resolve(target))
    output.err(`Copied ${address.path}, ${(bytes / 1_048_576).toFixed(1)} MiB.`)
    const key = `${address.path}.key`
    if (config.storage.encryption_key)
      output.err('The stored provider keys in it open with storage.encryption_key: keep that too, in another place.')
    else if (existsSync(key))
      output.err(
        `The stored provider keys in it open only with ${resolve(key)}: keep a copy of that too, in another place.`,
      )
    return 0
  } catch (error) {
    return reportFault(error, output.err)
  }
}
