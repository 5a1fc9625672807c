import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readAddress } from '../../src/storage/address.ts'
import type { Database } from '../../src/storage/database.ts'
import { migrate } from '../../src/storage/migrations.ts'
import { openPostgres } from '../../src/storage/postgres-database.ts'
import { openSqlite } from '../../src/storage/sqlite-database.ts'
import { hasPostgres, type PostgresServer, postgresServer } from './postgres-server.ts'

/** A kind of database to run a test against. */
export interface DatabaseKind {
  kind: Database['kind']
  /** What `storage.database` would say of a new and empty one, which several processes may open. */
  fresh(): Promise<string>
  /** The same, for one process that opens it once. */
  alone(): Promise<string>
}

let server: Promise<PostgresServer> | undefined
const folders: string[] = []
const opened: Database[] = []

/** One PostgreSQL for all tests of a run, which ends with the process. Not for those that stop it. */
function sharedPostgres(): Promise<PostgresServer> {
  server ??= postgresServer()
  return server
}

const sqlite: DatabaseKind = {
  kind: 'sqlite',
  async fresh() {
    const folder = mkdtempSync(join(tmpdir(), 'postern-database-'))
    folders.push(folder)
    return `sqlite:${join(folder, 'postern.db')}`
  },
  alone: async () => 'sqlite::memory:',
}
const postgres: DatabaseKind = {
  kind: 'postgres',
  fresh: async () => (await sharedPostgres()).fresh(),
  alone: async () => (await sharedPostgres()).fresh(),
}

/** For `describe.each`: every kind of database. */
export const eachDatabase: [name: string, kind: DatabaseKind][] = [
  ['sqlite', sqlite],
  ...(hasPostgres ? [['postgres', postgres] satisfies [string, DatabaseKind]] : []),
]

/** Opens what `storage.database` names, without any tables. {@link closeDatabases} closes it. */
export async function openAddress(database: string): Promise<Database> {
  const address = readAddress(database)!
  const one = address.kind === 'sqlite' ? openSqlite(address.path) : await openPostgres(address)
  opened.push(one)
  return one
}

/** The same, with all tables. */
export async function migratedAt(database: string): Promise<Database> {
  const one = await openAddress(database)
  await migrate(one, 'the test')
  return one
}

/** A new database with all tables. {@link closeDatabases} closes it. */
export const migrated = async (kind: DatabaseKind): Promise<Database> => migratedAt(await kind.alone())

/** For the end of a test or a file. */
export async function closeDatabases(): Promise<void> {
  for (const one of opened.splice(0)) await one.close()
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}
