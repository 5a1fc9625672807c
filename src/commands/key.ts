import type { Config } from '../config/schema.ts'
import { nearest } from '../config/suggest.ts'
import { type Reach, Registry } from '../providers/registry.ts'
import { keyCipher } from '../storage/key-cipher.ts'
import { cleanKey, isAlias, previewOf, wrongKey } from '../storage/key-text.ts'
import type { StoredKey } from '../storage/store.ts'
import { type Output, terminal } from './output.ts'
import { Abandoned, readSecret } from './secret-input.ts'
import { printTable, type StoreOptions, withStore } from './with-store.ts'

export interface KeyOptions extends StoreOptions {
  /** `default` when left out. */
  alias?: string
  /** The one gateway that may use it; all when left out. */
  gateway?: string
}

export interface KeyAddOptions extends KeyOptions {
  /** It serves callers who name no alias. */
  default?: boolean
  /** The variable of the environment that holds the key. */
  fromEnv?: string
  /** Requests in a period. */
  rateLimit?: number
  /** Seconds. */
  rateLimitPeriod?: number
  /** Where the key comes from without `fromEnv`; standard input when left out. */
  read?: (prompt: string) => Promise<string>
}

const GATEWAY = /^[a-z0-9_-]{1,64}$/

/**
 * `postern key add <provider>`: stores a key, sealed, or puts it in the place of the one with the same alias. A server
 * that runs on the same database takes it within two seconds. The key never stands on the command line, where other
 * people of the machine could read it.
 *
 * @returns the exit code: 0 stored, 1 the database cannot be used, 2 a wrong option, configuration or key
 */
export async function keyAddCommand(provider: string, options: KeyAddOptions = {}): Promise<number> {
  const { output = terminal, alias = 'default', gateway } = options
  const wrong = wrongNames(alias, gateway) ?? wrongLimit(options)
  if (wrong) {
    output.err(`postern: ${wrong}`)
    return 2
  }
  return withStore(options, async (store, config) => {
    const reach = findProvider(config, provider, output)
    if (!reach) return 2
    if (store.place === 'memory') {
      output.err('postern: storage.database is in memory, where a key of this command would be lost at once')
      return 1
    }
    const { slug, title } = reach.provider
    const key = await readKey(title, options, output)
    if (key === undefined) return 2
    const scope = { provider: slug, alias, ...(gateway !== undefined && { gateway }) }
    const before = (await store.keys.ofProvider(slug)).find(sameAs(scope))
    const now = Date.now()
    const { rateLimit = before?.rate_limit, rateLimitPeriod = before?.rate_limit_period } = options
    await store.keys.put({
      ...scope,
      ...keyCipher(config.storage.encryption_key, store.ownSecret).seal(key, scope),
      id: before?.id ?? Bun.randomUUIDv7(),
      is_default: options.default ?? before?.is_default ?? false,
      preview: previewOf(key),
      ...(rateLimit !== undefined && { rate_limit: rateLimit }),
      ...(rateLimitPeriod !== undefined && { rate_limit_period: rateLimitPeriod }),
      created: before?.created ?? now,
      modified: now,
    })
    output.err(
      `Key "${alias}" for ${title} (${gateway ?? 'all gateways'}) is ${before ? 'replaced' : 'stored'} in ${store.place}.`,
    )
    const declared = reach.settings.keys ?? {}
    if (Object.hasOwn(declared, alias)) output.err(`The configuration has a key "${alias}" too, and that one wins.`)
    else if (options.default && Object.hasOwn(declared, 'default'))
      output.err('The configuration has a key "default", which goes on serving callers who name none.')
    return 0
  })
}

/** `postern key list`: every key by its name and last characters, those of the file by their names alone. */
export async function keyListCommand(options: StoreOptions = {}): Promise<number> {
  return withStore(options, async (store, config, output) => {
    const rows = [['PROVIDER', 'ALIAS', 'GATEWAYS', 'KEY', 'LIMIT', 'CHANGED']]
    for (const { provider, settings } of new Registry(config).all) {
      for (const [alias, key] of Object.entries(settings.keys ?? {}))
        if (key) rows.push([provider.slug, alias, 'all', '', '', 'in the file'])
    }
    for (const key of await store.keys.list()) {
      rows.push([
        key.provider,
        key.is_default ? `${key.alias} (default)` : key.alias,
        key.gateway ?? 'all',
        `…${key.preview}`,
        key.rate_limit === undefined ? '' : `${key.rate_limit} / ${key.rate_limit_period ?? 60} s`,
        new Date(key.modified).toISOString().slice(0, 10),
      ])
    }
    printTable(rows, output)
    if (rows.length === 1) output.err('There are no keys yet: `postern key add <provider>` stores one.')
    return 0
  })
}

/**
 * `postern key remove <provider>`: the key serves nobody any more, within two seconds.
 *
 * @returns the exit code: 0 removed, 1 there is none, 2 a wrong option or configuration
 */
export async function keyRemoveCommand(provider: string, options: KeyOptions = {}): Promise<number> {
  return withStore(options, async (store, config, output) => {
    const { alias = 'default', gateway } = options
    const reach = new Registry(config).find(provider)
    // The keys of a custom provider that the file no longer names are still there to be removed.
    const slug = reach?.provider.slug ?? provider
    const kept = await store.keys.ofProvider(slug)
    const key = kept.find(sameAs({ alias, ...(gateway !== undefined && { gateway }) }))
    if (key && (await store.keys.remove(key.id))) {
      output.err(`Key "${alias}" for ${reach?.provider.title ?? slug} (${gateway ?? 'all gateways'}) is removed.`)
      return 0
    }
    if (!reach && !kept.length) return findProvider(config, provider, output) ? 1 : 2
    output.err(`postern: ${whyNone(reach, slug, alias, gateway, kept)}`)
    return 1
  })
}

function whyNone(
  reach: Reach | undefined,
  slug: string,
  alias: string,
  gateway: string | undefined,
  kept: readonly StoredKey[],
): string {
  if (Object.hasOwn(reach?.settings.keys ?? {}, alias))
    return `the key "${alias}" for ${slug} is declared in the configuration: remove it there`
  const elsewhere = kept.find(key => key.alias === alias)
  if (!elsewhere) return `no key "${alias}" is stored for ${slug}`
  return elsewhere.gateway === undefined
    ? `the key "${alias}" for ${slug} is one for all gateways: leave --gateway out`
    : `the key "${alias}" for ${slug} is one for ${gateway === undefined ? 'a' : 'another'} gateway: say --gateway ${elsewhere.gateway}`
}

const sameAs =
  (scope: { alias: string; gateway?: string }) =>
  (key: StoredKey): boolean =>
    key.alias === scope.alias && key.gateway === scope.gateway

function wrongNames(alias: string, gateway: string | undefined): string | undefined {
  if (!isAlias(alias)) return '--alias: expected 1 to 64 letters, digits, ".", "_" and "-"'
  if (gateway !== undefined && !GATEWAY.test(gateway))
    return '--gateway: expected 1 to 64 lower-case letters, digits, "_" and "-"'
  return undefined
}

function wrongLimit({ rateLimit, rateLimitPeriod }: KeyAddOptions): string | undefined {
  for (const [name, value] of [
    ['--rate-limit', rateLimit],
    ['--rate-limit-period', rateLimitPeriod],
  ] as const)
    if (value !== undefined && !(Number.isSafeInteger(value) && value > 0)) return `${name}: expected a number above 0`
  return undefined
}

function findProvider(config: Config, name: string, output: Output): Reach | undefined {
  const registry = new Registry(config)
  const reach = registry.find(name)
  if (reach) return reach
  const near = nearest(name, registry.prefixes())
  output.err(
    `postern: there is no provider ${JSON.stringify(name.slice(0, 64))}${near ? `; did you mean ${JSON.stringify(near)}?` : ''}`,
  )
  return undefined
}

async function readKey(title: string, options: KeyAddOptions, output: Output): Promise<string | undefined> {
  const { fromEnv, env = process.env, read = readSecret } = options
  let text: string
  try {
    text = cleanKey(fromEnv === undefined ? await read(`Key for ${title}: `) : (env[fromEnv] ?? ''))
  } catch (error) {
    if (!(error instanceof Abandoned)) throw error
    output.err('postern: nothing stored')
    return undefined
  }
  const none = fromEnv === undefined ? 'no key was given' : `the variable ${fromEnv} is not set, or empty`
  const wrong = text ? wrongKey(text) : none
  if (wrong === undefined) return text
  output.err(`postern: ${wrong}`)
  return undefined
}
