import type { Permission } from '../config/schema.ts'
import { hashToken, newToken } from '../storage/token-secret.ts'
import { terminal } from './output.ts'
import { printTable, type StoreOptions, withStore } from './with-store.ts'

export type TokenOptions = StoreOptions

export interface TokenAddOptions extends TokenOptions {
  /** `run,read,edit`; `run` when left out. */
  permissions?: string
  /** `a,b`; all gateways when left out. */
  gateways?: string
}

const allPermissions: readonly string[] = ['run', 'read', 'edit'] satisfies Permission[]

const list = (text: string): string[] => [
  ...new Set(
    text
      .split(',')
      .map(word => word.trim())
      .filter(Boolean),
  ),
]

/**
 * `postern token add <name>`: makes a token, keeps its hash, and prints the secret this once. A server that runs on the
 * same database takes it from then on.
 *
 * @returns the exit code: 0 made, 1 the name is taken or the database cannot be used, 2 a wrong option or configuration
 */
export async function tokenAddCommand(name: string, options: TokenAddOptions = {}): Promise<number> {
  const { output = terminal } = options
  const permissions = list(options.permissions ?? 'run')
  const wrong = permissions.find(word => !allPermissions.includes(word))
  if (wrong !== undefined || !permissions.length) {
    output.err(
      `postern: --permissions: ${wrong === undefined ? 'none given' : `no such permission as "${wrong}"`}; there are run, read and edit`,
    )
    return 2
  }
  const gateways = options.gateways === undefined ? undefined : list(options.gateways)
  if (gateways && !gateways.length) {
    output.err('postern: --gateways: none given; leave the option out for all gateways')
    return 2
  }
  return withStore(options, async (store, config) => {
    if (config.tokens.some(token => token.name === name)) {
      output.err(`postern: the configuration has a token named "${name}" already`)
      return 1
    }
    if (store.place === 'memory') {
      output.err('postern: storage.database is in memory, where a token of this command would be lost at once')
      return 1
    }
    const token = newToken()
    await store.tokens.add({
      name,
      hash: hashToken(token),
      permissions: permissions as Permission[],
      ...(gateways ? { gateways } : {}),
      created: Date.now(),
    })
    output.err(
      `Token "${name}" (${permissions.join(', ')}; ${gateways?.join(', ') ?? 'all gateways'}) is in ${store.place}.`,
    )
    output.err('It is shown only this once:')
    output.out(token)
    return 0
  })
}

/** `postern token list`: every token by name, those of the file too; never a secret. */
export async function tokenListCommand(options: TokenOptions = {}): Promise<number> {
  return withStore(options, async (store, config, output) => {
    const rows = [['NAME', 'PERMISSIONS', 'GATEWAYS', 'MADE']]
    for (const { name, permissions, gateways } of config.tokens) {
      rows.push([name, permissions.join(','), gateways?.join(',') ?? 'all', 'in the file'])
    }
    for (const { name, permissions, gateways, created } of await store.tokens.list()) {
      rows.push([
        name,
        permissions.join(','),
        gateways?.join(',') ?? 'all',
        new Date(created).toISOString().slice(0, 10),
      ])
    }
    printTable(rows, output)
    if (rows.length === 1) output.err('There are no tokens yet: `postern token add <name>` makes one.')
    return 0
  })
}

/** `postern token remove <name>`: the token opens nothing any more. */
export async function tokenRemoveCommand(name: string, options: TokenOptions = {}): Promise<number> {
  return withStore(options, async (store, config, output) => {
    if (await store.tokens.remove(name)) {
      output.err(`Token "${name}" is removed.`)
      return 0
    }
    const declared = config.tokens.some(token => token.name === name)
    output.err(
      `postern: ${declared ? `"${name}" is declared in the configuration: remove it there` : `there is no token named "${name}"`}`,
    )
    return 1
  })
}
