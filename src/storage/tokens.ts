import type { Permission } from '../config/schema.ts'
import type { Database } from './database.ts'
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
export function tokenStore(database: Database): TokenStore {
  return {
    async add({ name, hash, permissions, gateways, created }) {
      const added = await database.run(
        'INSERT INTO tokens (name, hash, permissions, gateways, created) VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING',
        name,
        hash,
        JSON.stringify(permissions),
        gateways ? JSON.stringify(gateways) : null,
        created,
      )
      if (!added) throw new StorageError('use', `there is a token named "${name}" already`)
    },
    async list() {
      return (await database.all<Row>('SELECT * FROM tokens ORDER BY created, name')).map(tokenOf)
    },
    async remove(name) {
      return (await database.run('DELETE FROM tokens WHERE name = ?', name)) > 0
    },
    async findByHash(hash) {
      const row = await database.get<Row>('SELECT * FROM tokens WHERE hash = ?', hash)
      return row && tokenOf(row)
    },
  }
}
