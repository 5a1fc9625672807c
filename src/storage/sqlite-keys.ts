import type { Database } from 'bun:sqlite'
import type { KeyStore, StoredKey } from './store.ts'

interface Row {
  id: string
  provider: string
  alias: string
  gateway: string
  is_default: number
  ciphertext: Uint8Array
  nonce: Uint8Array
  preview: string
  rate_limit: number | null
  rate_limit_period: number | null
  created: number
  modified: number
}

/** All gateways: a unique index takes two NULLs for different. */
const ALL = ''

const keyOf = ({ gateway, is_default, rate_limit, rate_limit_period, ...row }: Row): StoredKey => ({
  ...row,
  ...(gateway !== ALL && { gateway }),
  is_default: is_default === 1,
  ...(rate_limit !== null && { rate_limit }),
  ...(rate_limit_period !== null && { rate_limit_period }),
})

/** The table of providers' keys, sealed. */
export function sqliteKeys(database: Database): KeyStore {
  const put = database.transaction((key: StoredKey) => {
    const { provider, alias, gateway = ALL } = key
    if (key.is_default)
      database.query('UPDATE keys SET is_default = 0 WHERE provider = ? AND gateway = ?').run(provider, gateway)
    database
      .query(
        `INSERT INTO keys (id, provider, alias, gateway, is_default, ciphertext, nonce, preview, rate_limit,
           rate_limit_period, created, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
         ON CONFLICT (provider, gateway, alias) DO UPDATE SET is_default = excluded.is_default,
           ciphertext = excluded.ciphertext, nonce = excluded.nonce, preview = excluded.preview,
           rate_limit = excluded.rate_limit, rate_limit_period = excluded.rate_limit_period,
           modified = excluded.modified`,
      )
      .run(
        key.id,
        provider,
        alias,
        gateway,
        key.is_default ? 1 : 0,
        key.ciphertext,
        key.nonce,
        key.preview,
        key.rate_limit ?? null,
        key.rate_limit_period ?? null,
        key.created,
        key.modified,
      )
  })
  return {
    async put(key) {
      put.immediate(key)
    },
    async list() {
      return database.query<Row, []>('SELECT * FROM keys ORDER BY provider, gateway, alias').all().map(keyOf)
    },
    async ofProvider(provider) {
      return database
        .query<Row, [string]>('SELECT * FROM keys WHERE provider = ? ORDER BY gateway, alias')
        .all(provider)
        .map(keyOf)
    },
    async remove(id) {
      return database.query('DELETE FROM keys WHERE id = ?').run(id).changes > 0
    },
  }
}
