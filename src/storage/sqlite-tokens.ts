import type { Database } from 'bun:sqlite'
import type { Permission } from '../config/schema.ts'
import { StorageError } from './errors.ts'
import type { StoredToken, TokenStore } from './store.ts'

interface Row {
  name: string
  hash: string
  permissions: string
  gateways: string | null
  created: number
}

const tokenOf = ({ name, hash, permissions, gateways, created }: Row): StoredToken => ({
  name,
  hash,
  permissions: JSON.parse(permissions) as Permission[],
  ...(gateways === null ? {} : { gateways: JSON.parse(gateways) as string[] }),
  created,
})

/** The table of client tokens. */
export function sqliteTokens(database: Database): TokenStore {
  return {
    async add({ name, hash, permissions, gateways, created }) {
      const { changes } = database
        .query(
          'INSERT INTO tokens (name, hash, permissions, gateways, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
        )
        .run(name, hash, JSON.stringify(permissions), gateways ? JSON.stringify(gateways) : null, created)
      if (!changes) throw new StorageError('use', `there is a token named "${name}" already`)
    },
    async list() {
      return database.query<Row, []>('SELECT * FROM tokens ORDER BY created, name').all().map(tokenOf)
    },
    async remove(name) {
      return database.query('DELETE FROM tokens WHERE name = ?').run(name).changes > 0
    },
    async findByHash(hash) {
      const row = database.query<Row, [string]>('SELECT * FROM tokens WHERE hash = ?').get(hash)
      return row ? tokenOf(row) : undefined
    },
  }
}
