import type { Database, Value } from './database.ts'
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

/** The one default of a provider and gateway gives way. */
const YIELD = 'UPDATE keys SET is_default = 0 WHERE provider = ? AND gateway = ? AND id <> ?'

const INSERT = `INSERT INTO keys (id, provider, alias, gateway, is_default, ciphertext, nonce, preview, rate_limit,
  rate_limit_period, created, modified) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`

const valuesOf = (key: StoredKey): Value[] => [
  key.id,
  key.provider,
  key.alias,
  key.gateway ?? ALL,
  key.is_default ? 1 : 0,
  key.ciphertext,
  key.nonce,
  key.preview,
  key.rate_limit ?? null,
  key.rate_limit_period ?? null,
  key.created,
  key.modified,
]

const keyOf = ({ gateway, is_default, rate_limit, rate_limit_period, ...row }: Row): StoredKey => ({
  ...row,
  ...(gateway !== ALL && { gateway }),
  is_default: is_default === 1,
  ...(rate_limit !== null && { rate_limit }),
  ...(rate_limit_period !== null && { rate_limit_period }),
})

/** The table of providers' keys, sealed. */
export function keyStore(database: Database): KeyStore {
  return {
    put: key =>
      database.transaction(async sql => {
        if (key.is_default) await sql.run(YIELD, key.provider, key.gateway ?? ALL, key.id)
        await sql.run(
          `${INSERT}
           ON CONFLICT (provider, gateway, alias) DO UPDATE SET is_default = excluded.is_default,
             ciphertext = excluded.ciphertext, nonce = excluded.nonce, preview = excluded.preview,
             rate_limit = excluded.rate_limit, rate_limit_period = excluded.rate_limit_period,
             modified = excluded.modified`,
          ...valuesOf(key),
        )
      }),
    add: key =>
      database.transaction(async sql => {
        if (!(await sql.run(`${INSERT} ON CONFLICT DO NOTHING`, ...valuesOf(key)))) return false
        if (key.is_default) await sql.run(YIELD, key.provider, key.gateway ?? ALL, key.id)
        return true
      }),
    change: key =>
      database.transaction(async sql => {
        const changed = await sql.run(
          `UPDATE keys SET is_default = ?, ciphertext = ?, nonce = ?, preview = ?, rate_limit = ?, rate_limit_period = ?,
             modified = ? WHERE id = ?`,
          key.is_default ? 1 : 0,
          key.ciphertext,
          key.nonce,
          key.preview,
          key.rate_limit ?? null,
          key.rate_limit_period ?? null,
          key.modified,
          key.id,
        )
        if (changed && key.is_default) await sql.run(YIELD, key.provider, key.gateway ?? ALL, key.id)
        return changed > 0
      }),
    async list() {
      return (await database.all<Row>('SELECT * FROM keys ORDER BY provider, gateway, alias')).map(keyOf)
    },
    async ofProvider(provider) {
      const rows = await database.all<Row>('SELECT * FROM keys WHERE provider = ? ORDER BY gateway, alias', provider)
      return rows.map(keyOf)
    },
    async remove(id) {
      return (await database.run('DELETE FROM keys WHERE id = ?', id)) > 0
    },
  }
}
