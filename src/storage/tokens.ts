import type { Permission } from '../config/schema.ts'
import type { Database } from './database.ts'
import { StorageError } from './errors.ts'
import type { NewToken, StoredToken, TokenDetails, TokenStore } from './store.ts'

interface Row {
  id: string
  name: string
  hash: string
  permissions: string
  gateways: string | null
  details: string
  created: number
  modified: number
}

const tokenOf = ({ permissions, gateways, details, ...row }: Row): StoredToken => ({
  ...row,
  ...(JSON.parse(details) as TokenDetails),
  permissions: JSON.parse(permissions) as Permission[],
  ...(gateways === null ? {} : { gateways: JSON.parse(gateways) as string[] }),
})

/** What has no column of its own, as JSON; what is not there is left out by it. */
const detailsOf = ({
  rate_limit,
  token_limit,
  rate_limit_period,
  budget,
  budget_period,
  groups,
  claims,
  not_before,
  expires,
  disabled,
}: TokenDetails): string =>
  JSON.stringify({
    rate_limit,
    token_limit,
    rate_limit_period,
    budget,
    budget_period,
    groups,
    claims,
    not_before,
    expires,
    disabled,
  } satisfies Record<keyof TokenDetails, unknown>)

/** The table of client tokens. */
export function tokenStore(database: Database): TokenStore {
  return {
    async add(token: NewToken) {
      const kept: StoredToken = { id: Bun.randomUUIDv7('hex').replaceAll('-', ''), modified: token.created, ...token }
      const { id, name, hash, permissions, gateways, created, modified } = kept
      const added = await database.run(
        `INSERT INTO tokens (id, name, hash, permissions, gateways, details, created, modified)
         VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
        id,
        name,
        hash,
        JSON.stringify(permissions),
        gateways ? JSON.stringify(gateways) : null,
        detailsOf(kept),
        created,
        modified,
      )
      if (!added) throw new StorageError('use', `there is a token named "${name}" already`)
      return kept
    },
    async list() {
      return (await database.all<Row>('SELECT * FROM tokens ORDER BY created, name')).map(tokenOf)
    },
    async change(token) {
      const { id, hash, permissions, gateways, modified } = token
      const changed = await database.run(
        'UPDATE tokens SET hash = ?, permissions = ?, gateways = ?, details = ?, modified = ? WHERE id = ?',
        hash,
        JSON.stringify(permissions),
        gateways ? JSON.stringify(gateways) : null,
        detailsOf(token),
        modified,
        id,
      )
      return changed > 0
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
