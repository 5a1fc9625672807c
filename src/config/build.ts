import type { GatewaySettings } from '../schemas/gateway.ts'
import { readAddress } from '../storage/address.ts'
import type { FromEnvironment } from './environment.ts'
import type { Config, CustomProviderSettings, File, ProviderSettings } from './schema.ts'

/** Records that are looked into with words from a request have no prototype: `constructor` is not a gateway. */
const record = <T>(entries: Iterable<readonly [string, T]>): Record<string, T> => {
  const out: Record<string, T> = Object.create(null)
  for (const [name, value] of entries) out[name] = value
  return out
}

/** Keys without white space around them and without those that are empty, which count as absent. */
function cleanKeys(keys: Record<string, string> | undefined): Record<string, string> | undefined {
  if (!keys) return undefined
  const trimmed = Object.entries(keys).map(([alias, key]) => [alias, key.trim()] as const)
  return record(trimmed.filter(([, key]) => key))
}

/** The settings with their keys cleaned; what is not there stays away rather than being undefined. */
const withKeys = <T extends { keys?: Record<string, string> }>(settings: T): T => {
  const keys = cleanKeys(settings.keys)
  return keys ? { ...settings, keys } : settings
}

/** The file's settings over those of the environment; a file that names other keys gets none from the environment. */
function mergeProviders(
  file: Record<string, ProviderSettings>,
  environment: FromEnvironment,
  known: readonly string[],
): Record<string, ProviderSettings> {
  const out = record(Object.entries(file).map(([slug, settings]) => [slug, withKeys(settings)] as const))
  for (const [slug, settings] of Object.entries(environment.providers)) {
    if (known.length && !known.includes(slug)) continue
    const said = out[slug]
    if (said?.keys === undefined) out[slug] = { ...settings, ...said }
  }
  return out
}

/** The address that people are shown where the file names none: never the one that means every interface. */
function ownAddress(host: string, port: number): string {
  const reachable = host === '0.0.0.0' || host === '::' || host === '[::]' ? '127.0.0.1' : host
  return `http://${reachable.includes(':') && !reachable.startsWith('[') ? `[${reachable}]` : reachable}:${port}`
}

/** Where records wait that have not arrived, for who names no folder: beside the database, where that is a file. */
function spoolBeside(database: string): string {
  const address = readAddress(database)
  return address?.kind === 'sqlite' && address.path !== ':memory:' ? `${address.path}.spool` : './postern-spool'
}

/** Fills in what the file leaves out. With `port: 0` the public address has port 0 too, until the real one is known. */
export function buildConfig(file: File, environment: FromEnvironment, known: readonly string[], path?: string): Config {
  const {
    host = '127.0.0.1',
    port = 8787,
    workers = 1,
    public_url,
    domains = {},
    drain = 30,
    first_byte_timeout = 600,
    max_body = 104_857_600,
    resume_grace = 10,
    metrics = 'token',
  } = file.server ?? {}
  const account = file.account ?? 'home'
  const database = file.storage?.database ?? 'sqlite:./postern.db'
  const encryption_key = file.storage?.encryption_key ?? environment.encryptionKey
  const custom = Object.entries(file.custom_providers ?? {}).map(
    ([name, settings]): [string, CustomProviderSettings] => [
      name,
      { dialect: 'openai-chat', faithful: false, ...withKeys(settings) },
    ],
  )
  const gateways = Object.entries(file.gateways ?? {}).map(([id, settings]): [string, GatewaySettings] => [
    id,
    { authentication: true, collect_logs: true, ...settings },
  ])
  return {
    server: {
      host,
      port,
      workers,
      public_url: (public_url ?? ownAddress(host, port)).replace(/\/+$/, ''),
      drain,
      first_byte_timeout,
      max_body,
      resume_grace,
      metrics,
      domains: record(Object.entries(domains)),
    },
    accounts: Array.isArray(account) ? account : [account],
    storage: {
      database,
      on_shared_store_failure: file.storage?.on_shared_store_failure ?? 'deny',
      log_retention_days: file.storage?.log_retention_days ?? 30,
      log_metadata_keys: file.storage?.log_metadata_keys ?? [],
      cache_memory: file.storage?.cache_memory ?? 67_108_864,
      cache_size: file.storage?.cache_size ?? 1_073_741_824,
      ...(file.storage?.redis && { redis: file.storage.redis }),
      ...(encryption_key && { encryption_key }),
      spool: file.storage?.spool ?? spoolBeside(database),
    },
    tokens: (file.tokens ?? []).map(({ permissions = ['run'], ...token }) => ({ ...token, permissions })),
    providers: mergeProviders(file.providers ?? {}, environment, known),
    custom_providers: record(custom),
    gateways: record(gateways),
    billing: { enabled: false, balance: 'account', margin: 0, rate_limit: 200, rate_limit_period: 60, ...file.billing },
    prices: record(Object.entries(file.prices ?? {})),
    logpush: file.logpush ?? [],
    log: { level: file.log?.level ?? 'info', format: file.log?.format ?? 'auto' },
    ...(path === undefined ? {} : { path }),
  }
}
