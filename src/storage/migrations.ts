import type { Database, Sql } from './database.ts'
import { StorageError } from './errors.ts'

/**
 * Each step brings the tables from its place in the list to the next. Steps are only ever added, never changed. They are
 * written with PostgreSQL's types; {@link worded} says the same to SQLite.
 */
export const migrations: readonly string[] = [
  `CREATE TABLE tokens (
     name TEXT PRIMARY KEY,
     hash TEXT NOT NULL UNIQUE,
     permissions TEXT NOT NULL,
     gateways TEXT,
     created BIGINT NOT NULL
   )`,
  `CREATE TABLE keys (
     id TEXT PRIMARY KEY,
     provider TEXT NOT NULL,
     alias TEXT NOT NULL,
     gateway TEXT NOT NULL,
     is_default BIGINT NOT NULL,
     ciphertext BYTEA NOT NULL,
     nonce BYTEA NOT NULL,
     preview TEXT NOT NULL,
     rate_limit BIGINT,
     rate_limit_period BIGINT,
     created BIGINT NOT NULL,
     modified BIGINT NOT NULL,
     UNIQUE (provider, gateway, alias)
   )`,
  // The answer cache (see cache/tables.ts): the answers, how much they come to, and what was thrown away of late.
  // An answer is found by its number, since an index over the keys, long and in no order, would cost more than the rest;
  // the rows themselves stand in the order in which they came.
  `CREATE TABLE answers (
     number BIGINT NOT NULL UNIQUE,
     key TEXT NOT NULL,
     gateway TEXT NOT NULL,
     size BIGINT NOT NULL,
     stored BIGINT NOT NULL,
     expires BIGINT NOT NULL,
     used BIGINT NOT NULL,
     packed BIGINT NOT NULL,
     head TEXT NOT NULL,
     body BYTEA NOT NULL
   )`,
  // What each index is asked for stands in it, so that no row with its body has to be read for the books. New rows come
  // at the end of each, or of the gateway in it, and so change few pages.
  'CREATE INDEX answers_by_use ON answers (used, size, number)',
  'CREATE INDEX answers_by_expiry ON answers (expires, size, number)',
  'CREATE INDEX answers_by_gateway ON answers (gateway, expires, size, number)',
  `CREATE TABLE answer_totals (
     one BIGINT PRIMARY KEY,
     entries BIGINT NOT NULL,
     bytes BIGINT NOT NULL
   )`,
  `CREATE TABLE answer_purges (
     gateway TEXT NOT NULL,
     key TEXT NOT NULL,
     at BIGINT NOT NULL,
     PRIMARY KEY (gateway, key)
   )`,
  // Limits and money (see counters/table.ts): the buckets of time of each counter, as JSON.
  `CREATE TABLE counters (
     key TEXT PRIMARY KEY,
     buckets TEXT NOT NULL,
     expires BIGINT NOT NULL
   )`,
  'CREATE INDEX counters_expires ON counters (expires)',
  // Credit in picodollars (see credits.ts).
  `CREATE TABLE credits (
     owner TEXT PRIMARY KEY,
     balance BIGINT NOT NULL,
     held BIGINT NOT NULL
   )`,
  `CREATE TABLE credit_holds (
     id TEXT PRIMARY KEY,
     owner TEXT NOT NULL,
     amount BIGINT NOT NULL,
     at BIGINT NOT NULL
   )`,
  'CREATE INDEX credit_holds_at ON credit_holds (at)',
  `CREATE TABLE credit_entries (
     id TEXT PRIMARY KEY,
     owner TEXT NOT NULL,
     at BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     note TEXT NOT NULL
   )`,
  `CREATE TABLE credit_usage (
     owner TEXT NOT NULL,
     hour BIGINT NOT NULL,
     amount BIGINT NOT NULL,
     requests BIGINT NOT NULL,
     PRIMARY KEY (owner, hour)
   )`,
  // See settings.ts.
  `CREATE TABLE settings (
     name TEXT PRIMARY KEY,
     value TEXT NOT NULL,
     modified BIGINT NOT NULL
   )`,
  // Policies of gateways (see policies.ts): one row in force, one that is a draft.
  `CREATE TABLE policies (
     gateway TEXT NOT NULL,
     id TEXT NOT NULL,
     draft BIGINT NOT NULL,
     policy TEXT NOT NULL,
     created BIGINT NOT NULL,
     modified BIGINT NOT NULL,
     PRIMARY KEY (gateway, id, draft)
   )`,
  // Records (see records/index.ts): what is said once for many of them, the rows, their bodies, the same rows in columns,
  // and what was counted in each hour and day.
  `CREATE TABLE record_state (
     one BIGINT PRIMARY KEY,
     seq BIGINT NOT NULL,
     kinds BIGINT NOT NULL,
     documents BIGINT NOT NULL
   )`,
  `CREATE TABLE record_gateways (
     id BIGINT PRIMARY KEY,
     name TEXT NOT NULL UNIQUE,
     kept BIGINT NOT NULL,
     sealed BIGINT NOT NULL,
     touched BIGINT NOT NULL
   )`,
  `CREATE TABLE record_series (
     id BIGINT PRIMARY KEY,
     gateway BIGINT NOT NULL,
     provider TEXT,
     model TEXT,
     token TEXT,
     status BIGINT NOT NULL,
     cached BIGINT NOT NULL
   )`,
  `CREATE TABLE record_kinds (
     id BIGINT PRIMARY KEY,
     gateway BIGINT NOT NULL,
     series BIGINT NOT NULL,
     said TEXT NOT NULL
   )`,
  'CREATE INDEX record_kinds_gateway ON record_kinds (gateway, id)',
  `CREATE TABLE record_metadata (
     id BIGINT PRIMARY KEY,
     gateway BIGINT NOT NULL,
     said TEXT NOT NULL,
     used BIGINT NOT NULL
   )`,
  'CREATE INDEX record_metadata_gateway ON record_metadata (gateway, id)',
  `CREATE TABLE records (
     seq BIGINT PRIMARY KEY,
     id BYTEA NOT NULL UNIQUE,
     gateway BIGINT NOT NULL,
     kind BIGINT NOT NULL,
     at BIGINT NOT NULL,
     duration BIGINT NOT NULL,
     first_byte BIGINT,
     first_word BIGINT,
     tokens_in BIGINT,
     tokens_out BIGINT,
     tokens_cached BIGINT,
     tokens_written BIGINT,
     tokens_reasoning BIGINT,
     cost BIGINT,
     metadata BIGINT NOT NULL,
     request_size BIGINT NOT NULL,
     answer_size BIGINT NOT NULL,
     step BIGINT,
     attempt BIGINT NOT NULL,
     feedback BIGINT,
     score DOUBLE PRECISION,
     request BYTEA,
     event TEXT,
     more TEXT
   )`,
  'CREATE INDEX records_gateway ON records (gateway, seq)',
  'CREATE INDEX records_request ON records (request) WHERE request IS NOT NULL',
  'CREATE INDEX records_event ON records (event) WHERE event IS NOT NULL',
  // Of rows of one gateway that follow each other, from the first that has any to the last (see records/pack.ts).
  `CREATE TABLE record_bodies (
     gateway BIGINT NOT NULL,
     first BIGINT NOT NULL,
     last BIGINT NOT NULL,
     bytes BYTEA NOT NULL,
     PRIMARY KEY (gateway, first)
   )`,
  `CREATE TABLE record_blocks (
     gateway BIGINT NOT NULL,
     first BIGINT NOT NULL,
     last BIGINT NOT NULL,
     kept BIGINT NOT NULL,
     from_at BIGINT NOT NULL,
     to_at BIGINT NOT NULL,
     PRIMARY KEY (gateway, first)
   )`,
  `CREATE TABLE record_columns (
     gateway BIGINT NOT NULL,
     name BIGINT NOT NULL,
     first BIGINT NOT NULL,
     data BYTEA NOT NULL,
     PRIMARY KEY (gateway, name, first)
   )`,
  // span: 1 for an hour, 24 for a day; start: how many of them since 1970; d and f: how many took how long, to the end
  // and to the first byte, in the steps of records/steps.ts.
  `CREATE TABLE record_sums (
     span BIGINT NOT NULL,
     start BIGINT NOT NULL,
     series BIGINT NOT NULL,
     requests BIGINT NOT NULL,
     attempts BIGINT NOT NULL,
     tokens_in BIGINT NOT NULL,
     tokens_out BIGINT NOT NULL,
     tokens_cached BIGINT NOT NULL,
     cost BIGINT NOT NULL,
     duration BIGINT NOT NULL,
     first_bytes BIGINT NOT NULL,
     first_byte BIGINT NOT NULL,
     d0 BIGINT NOT NULL, d1 BIGINT NOT NULL, d2 BIGINT NOT NULL, d3 BIGINT NOT NULL,
     d4 BIGINT NOT NULL, d5 BIGINT NOT NULL, d6 BIGINT NOT NULL, d7 BIGINT NOT NULL,
     d8 BIGINT NOT NULL, d9 BIGINT NOT NULL, d10 BIGINT NOT NULL, d11 BIGINT NOT NULL,
     d12 BIGINT NOT NULL, d13 BIGINT NOT NULL, d14 BIGINT NOT NULL, d15 BIGINT NOT NULL,
     d16 BIGINT NOT NULL, d17 BIGINT NOT NULL, d18 BIGINT NOT NULL, d19 BIGINT NOT NULL,
     d20 BIGINT NOT NULL, d21 BIGINT NOT NULL, d22 BIGINT NOT NULL, d23 BIGINT NOT NULL,
     d24 BIGINT NOT NULL, d25 BIGINT NOT NULL, d26 BIGINT NOT NULL, d27 BIGINT NOT NULL,
     f0 BIGINT NOT NULL, f1 BIGINT NOT NULL, f2 BIGINT NOT NULL, f3 BIGINT NOT NULL,
     f4 BIGINT NOT NULL, f5 BIGINT NOT NULL, f6 BIGINT NOT NULL, f7 BIGINT NOT NULL,
     f8 BIGINT NOT NULL, f9 BIGINT NOT NULL, f10 BIGINT NOT NULL, f11 BIGINT NOT NULL,
     f12 BIGINT NOT NULL, f13 BIGINT NOT NULL, f14 BIGINT NOT NULL, f15 BIGINT NOT NULL,
     f16 BIGINT NOT NULL, f17 BIGINT NOT NULL, f18 BIGINT NOT NULL, f19 BIGINT NOT NULL,
     f20 BIGINT NOT NULL, f21 BIGINT NOT NULL, f22 BIGINT NOT NULL, f23 BIGINT NOT NULL,
     f24 BIGINT NOT NULL, f25 BIGINT NOT NULL, f26 BIGINT NOT NULL, f27 BIGINT NOT NULL,
     PRIMARY KEY (span, start, series)
   )`,
  `CREATE TABLE record_sums_by_metadata (
     span BIGINT NOT NULL,
     start BIGINT NOT NULL,
     gateway BIGINT NOT NULL,
     name TEXT NOT NULL,
     value TEXT NOT NULL,
     errors BIGINT NOT NULL,
     cached BIGINT NOT NULL,
     requests BIGINT NOT NULL,
     attempts BIGINT NOT NULL,
     tokens_in BIGINT NOT NULL,
     tokens_out BIGINT NOT NULL,
     tokens_cached BIGINT NOT NULL,
     cost BIGINT NOT NULL,
     duration BIGINT NOT NULL,
     first_bytes BIGINT NOT NULL,
     first_byte BIGINT NOT NULL,
     PRIMARY KEY (span, start, gateway, name, value)
   )`,
  `CREATE TABLE datasets (
     id TEXT PRIMARY KEY,
     gateway TEXT NOT NULL,
     name TEXT NOT NULL,
     enable BIGINT NOT NULL,
     filters TEXT NOT NULL,
     created BIGINT NOT NULL,
     modified BIGINT NOT NULL
   )`,
  `CREATE TABLE evaluations (
     id TEXT PRIMARY KEY,
     gateway TEXT NOT NULL,
     name TEXT NOT NULL,
     processed BIGINT NOT NULL,
     total_logs BIGINT NOT NULL,
     datasets TEXT NOT NULL,
     results TEXT NOT NULL,
     created BIGINT NOT NULL,
     modified BIGINT NOT NULL
   )`,
  // What the management API makes: gateways (see gateways.ts), custom providers, dynamic routes.
  `CREATE TABLE gateways (
     id TEXT PRIMARY KEY,
     settings TEXT NOT NULL,
     ciphertext BYTEA,
     nonce BYTEA,
     created BIGINT NOT NULL,
     modified BIGINT NOT NULL
   )`,
  `CREATE TABLE custom_providers (
     id TEXT PRIMARY KEY,
     slug TEXT NOT NULL UNIQUE,
     name TEXT NOT NULL,
     base_url TEXT NOT NULL,
     enabled BIGINT NOT NULL,
     details TEXT NOT NULL,
     ciphertext BYTEA,
     nonce BYTEA,
     created BIGINT NOT NULL,
     modified BIGINT NOT NULL
   )`,
  `CREATE TABLE routes (
     id TEXT PRIMARY KEY,
     gateway TEXT NOT NULL,
     name TEXT NOT NULL,
     deployment TEXT NOT NULL,
     created BIGINT NOT NULL,
     modified BIGINT NOT NULL,
     UNIQUE (gateway, name)
   )`,
  `CREATE TABLE route_versions (
     id TEXT PRIMARY KEY,
     route TEXT NOT NULL,
     elements TEXT NOT NULL,
     created BIGINT NOT NULL
   )`,
  'CREATE INDEX route_versions_of ON route_versions (route, created)',
  `CREATE TABLE route_deployments (
     id TEXT PRIMARY KEY,
     route TEXT NOT NULL,
     version TEXT NOT NULL,
     created BIGINT NOT NULL
   )`,
  'CREATE INDEX route_deployments_of ON route_deployments (route, created)',
  // Tokens get an id, and what else may be said of them (see tokens.ts).
  'ALTER TABLE tokens ADD COLUMN id TEXT',
  'UPDATE tokens SET id = SUBSTR(hash, 1, 32)',
  'CREATE UNIQUE INDEX tokens_id ON tokens (id)',
  "ALTER TABLE tokens ADD COLUMN details TEXT NOT NULL DEFAULT '{}'",
  'ALTER TABLE tokens ADD COLUMN modified BIGINT NOT NULL DEFAULT 0',
]

const IN_SQLITE: readonly [RegExp, string][] = [
  [/\bBIGINT\b/g, 'INTEGER'],
  [/\bBYTEA\b/g, 'BLOB'],
  [/\bDOUBLE PRECISION\b/g, 'REAL'],
  // Or a column would take a value of any type.
  [/^(CREATE TABLE.*\))\s*$/s, '$1 STRICT'],
]

/** Texts in the order of their bytes, as in SQLite, whatever language the database was made for. */
const IN_POSTGRES: readonly [RegExp, string][] = [[/\bTEXT\b/g, 'TEXT COLLATE "C"']]

const worded = (step: string, kind: Database['kind']) =>
  (kind === 'postgres' ? IN_POSTGRES : IN_SQLITE).reduce((said, [word, other]) => said.replace(word, other), step)

/** A step may have many rows to go through, and the other replicas wait for it. */
const PATIENCE_MS = 600_000

/**
 * Brings the tables up to date. Everything happens in one transaction, so that of several processes starting together
 * one does the work and the others find it done.
 *
 * @param place the database, for messages
 * @param steps the migrations to know of; tests pass their own
 * @throws StorageError when the database is newer than this executable
 */
export async function migrate(database: Database, place: string, steps: readonly string[] = migrations): Promise<void> {
  const options = { patience: PATIENCE_MS }
  await database.transaction(async sql => {
    const version = await versionOf(sql)
    if (version > steps.length) {
      throw new StorageError(
        'use',
        `${place} was written by a newer Postern (its tables are version ${version}, this executable knows ${steps.length}): ` +
          'run that version, or name another database under storage.database',
      )
    }
    if (version === steps.length) return
    for (const step of steps.slice(version)) await sql.run(worded(step, database.kind))
    await sql.run('UPDATE postern_schema SET version = ?', steps.length)
  }, options)
}

async function versionOf(sql: Sql): Promise<number> {
  await sql.run('CREATE TABLE IF NOT EXISTS postern_schema (one INTEGER PRIMARY KEY, version INTEGER NOT NULL)')
  await sql.insert('postern_schema', ['one', 'version'], [[1, 0]])
  return (await sql.get<{ version: number }>('SELECT version FROM postern_schema'))!.version
}
