import type { Permission } from '../config/schema.ts'
import { StorageError } from './errors.ts'
import { openSqlite } from './sqlite.ts'

/** A client token as it is kept: never the secret itself. */
export interface StoredToken {
  name: string
  /** SHA-256 of the secret, lower-case hex. */
  hash: string
  permissions: Permission[]
  /** The gateways that it opens; all when left out. */
  gateways?: string[]
  /** Milliseconds since 1970. */
  created: number
}

export interface TokenStore {
  /** @throws StorageError when the name is taken */
  add(token: StoredToken): Promise<void>
  /** Every token, oldest first. */
  list(): Promise<StoredToken[]>
  /** @returns whether there was one of that name */
  remove(name: string): Promise<boolean>
  /** The token whose secret has this SHA-256. */
  findByHash(hash: string): Promise<StoredToken | undefined>
}

/** What is kept between starts. Promises throughout, so that a database across the network fits behind it too. */
export interface Store {
  /** Where it is kept, for messages: a path, or `memory`. */
  readonly place: string
  /** Whether it answers; for readiness. */
  isOpen(): boolean
  close(): Promise<void>
  readonly tokens: TokenStore
}

/**
 * Opens the database that the configuration names, and brings its tables up to date. A relative path begins at the
 * working folder.
 *
 * @param database `sqlite:<path>` or `sqlite::memory:`
 * @throws StorageError for any other kind, a file that cannot be opened, or one that a newer Postern wrote
 */
export async function openStore(database: string): Promise<Store> {
  const path = /^sqlite:(?:\/\/(?=\/))?(.+)$/.exec(database)?.[1]
  if (path) return openSqlite(path)
  // The address may hold a password, so only its kind is repeated.
  const kind = /^([a-z0-9+]{1,20}):/i.exec(database)?.[1] ?? 'this'
  throw new StorageError(
    'configuration',
    `storage.database: ${kind} is not supported in this version; write sqlite:<path>, for example sqlite:./postern.db`,
  )
}
