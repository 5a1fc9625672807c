import type { Permission } from '../config/schema.ts'
import { readAddress } from './address.ts'
import { type CreditStore, creditStore } from './credits.ts'
import { type CustomProviderStore, customProviderStore } from './custom-providers.ts'
import type { Database } from './database.ts'
import { type DatasetStore, datasetStore } from './datasets.ts'
import { StorageError } from './errors.ts'
import { type EvaluationStore, evaluationStore } from './evaluations.ts'
import { type GatewayStore, gatewayStore } from './gateways.ts'
import type { SealedKey } from './key-cipher.ts'
import { keyStore } from './keys.ts'
import { migrate } from './migrations.ts'
import { noOwnSecret, type OwnSecret, secretInFile, secretInMemory } from './own-secret.ts'
import { type PolicyStore, policyStore } from './policies.ts'
import { openPostgres } from './postgres-database.ts'
import { type RouteStore, routeStore } from './routes.ts'
import { type SettingStore, settingStore } from './settings.ts'
import { openSqlite } from './sqlite-database.ts'
import { tokenStore } from './tokens.ts'

/** A client token as it is kept: never the secret itself. */
export interface StoredToken extends TokenDetails {
  id: string
  name: string
  /** SHA-256 of the secret, lower-case hex. */
  hash: string
  permissions: Permission[]
  /** The gateways that it opens; all when left out. */
  gateways?: string[]
  /** Milliseconds since 1970. */
  created: number
  /** Milliseconds since 1970. */
  modified: number
}

/** What may be said of a token beside what every one has. */
export interface TokenDetails {
  /** Requests in a period. */
  rate_limit?: number
  /** Tokens, in and out, in a period. */
  token_limit?: number
  /** Seconds. */
  rate_limit_period?: number
  /** USD. */
  budget?: number
  budget_period?: 'hourly' | 'daily' | 'weekly' | 'monthly'
  groups?: string[]
  claims?: Record<string, string | number | boolean | string[]>
  /** From when on it opens anything, in milliseconds since 1970. */
  not_before?: number
  /** Until when it does, in milliseconds since 1970. */
  expires?: number
  disabled?: boolean
}

/** A token before it is kept: its id is made where it has none. */
export type NewToken = Omit<StoredToken, 'id' | 'modified'> & { id?: string }

export interface TokenStore {
  /** @returns it as it is kept @throws StorageError when the name is taken */
  add(token: NewToken): Promise<StoredToken>
  /** Every token, oldest first. */
  list(): Promise<StoredToken[]>
  /** Keeps what has changed of a token: everything but its id, name and when it was made. @returns whether it is still there */
  change(token: StoredToken): Promise<boolean>
  /** @returns whether there was one of that name */
  remove(name: string): Promise<boolean>
  /** The token whose secret has this SHA-256. */
  findByHash(hash: string): Promise<StoredToken | undefined>
}

/** A provider's key as it is kept: sealed (see key-cipher.ts). */
export interface StoredKey extends SealedKey {
  id: string
  /** The provider's slug, `custom-<name>` for one of the operator's own. */
  provider: string
  alias: string
  /** The one gateway that may use it; all when left out. */
  gateway?: string
  /** Serves callers who name no alias; at most one of a provider and gateway is. */
  is_default: boolean
  /** The end of the key, by which a person recognises it. */
  preview: string
  /** Requests in a period; no limit when left out. */
  rate_limit?: number
  /** Seconds. */
  rate_limit_period?: number
  /** Milliseconds since 1970. */
  created: number
  /** Milliseconds since 1970. */
  modified: number
}

export interface KeyStore {
  /**
   * Keeps a key. One of the same provider, gateway and alias is replaced and keeps its id; a default takes over from the
   * default that was.
   */
  put(key: StoredKey): Promise<void>
  /** Keeps a new key, which takes over from the default that was if it is one. @returns whether its alias was free */
  add(key: StoredKey): Promise<boolean>
  /** Keeps what has changed of a key: everything but its id, provider, gateway and alias. @returns whether it is still there */
  change(key: StoredKey): Promise<boolean>
  /** Every key, by provider, gateway and alias. */
  list(): Promise<StoredKey[]>
  ofProvider(provider: string): Promise<StoredKey[]>
  /** @returns whether there was one with that id */
  remove(id: string): Promise<boolean>
}

/** What is kept between starts. Promises throughout, so that a database across the network fits behind it too. */
export interface Store {
  /** Where it is kept, for messages: a path, or `memory`. */
  readonly place: string
  /** Whether it answers; for readiness. */
  isOpen(): boolean
  close(): Promise<void>
  readonly tokens: TokenStore
  readonly keys: KeyStore
  readonly credits: CreditStore
  readonly settings: SettingStore
  readonly policies: PolicyStore
  readonly gateways: GatewayStore
  readonly customProviders: CustomProviderStore
  readonly routes: RouteStore
  readonly datasets: DatasetStore
  readonly evaluations: EvaluationStore
  /** For what keeps tables of its own: the cache, the counters. */
  readonly database: Database
  /** What seals the keys where the operator gives no secret. */
  readonly ownSecret: OwnSecret
}

/**
 * Opens the database that the configuration names, and brings its tables up to date. A relative path begins at the
 * working folder.
 *
 * @param database `sqlite:<path>`, `sqlite::memory:` or `postgres://user:password@host/database`
 * @throws StorageError for any other kind, a file that cannot be opened, a server that cannot be reached, or a database
 *   that a newer Postern wrote
 */
export async function openStore(database: string): Promise<Store> {
  const address = readAddress(database)
  if (address?.kind === 'postgres')
    return storeOn(await openPostgres(address), address.place, noOwnSecret(address.place))
  if (address?.path === ':memory:') return storeOn(openSqlite(address.path), 'memory', secretInMemory())
  if (address) return storeOn(openSqlite(address.path), address.path, secretInFile(`${address.path}.key`))
  throw new StorageError('configuration', notAnAddress(database))
}

/** In words; the address may hold a password, so only its kind is repeated. */
function notAnAddress(database: string): string {
  const kind = /^([a-z0-9+]{1,20}):/i.exec(database)?.[1] ?? 'this'
  const wrong = /^postgres/.test(kind) ? 'this is no address of a server' : `${kind} is not supported`
  return `storage.database: ${wrong}; write sqlite:<path>, for example sqlite:./postern.db, or postgres://user:password@host/database`
}

async function storeOn(database: Database, place: string, ownSecret: OwnSecret): Promise<Store> {
  try {
    await migrate(database, place)
  } catch (error) {
    await database.close()
    if (error instanceof StorageError) throw error
    throw new StorageError(
      'use',
      `storage.database: cannot use ${place}: ${error instanceof Error ? error.message : 'unknown error'}`,
    )
  }
  return {
    place,
    isOpen: () => database.isOpen(),
    close: () => database.close(),
    tokens: tokenStore(database),
    keys: keyStore(database),
    credits: creditStore(database),
    settings: settingStore(database),
    policies: policyStore(database),
    gateways: gatewayStore(database),
    customProviders: customProviderStore(database),
    routes: routeStore(database),
    datasets: datasetStore(database),
    evaluations: evaluationStore(database),
    database,
    ownSecret,
  }
}
