import { loadConfig } from '../config/load.ts'
import type { Environment } from '../config/references.ts'
import type { Config } from '../config/schema.ts'
import { providerSlugs } from '../providers/slugs.ts'
import { openStore, type Store } from '../storage/store.ts'
import { reportFault } from '../supervisor/fault.ts'
import { type Output, terminal } from './output.ts'

/** What every command that works on the store takes. */
export interface StoreOptions {
  /** The file of `--config`; found as `serve` finds it when left out. */
  config?: string | undefined
  env?: Environment
  folder?: string
  output?: Output
}

type Work = (store: Store, config: Config, output: Output) => Promise<number>

/**
 * Opens what the configuration names, does the work, and says in words what went wrong.
 * @returns the exit code
 */
export async function withStore(
  { config: path, env = process.env, folder, output = terminal }: StoreOptions,
  work: Work,
): Promise<number> {
  try {
    const { config } = loadConfig({ path, env, knownProviders: providerSlugs, ...(folder ? { folder } : {}) })
    const store = await openStore(config.storage.database)
    try {
      return await work(store, config, output)
    } finally {
      await store.close()
    }
  } catch (error) {
    return reportFault(error, output.err)
  }
}

/** Rows in columns, the first of them the heads. */
export function printTable(rows: readonly string[][], output: Output): void {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map(row => row[column]?.length ?? 0)))
  for (const row of rows) {
    const cells = row.map((cell, column) => (column < row.length - 1 ? cell.padEnd(widths[column] ?? 0) : cell))
    output.out(cells.join('  '))
  }
}
