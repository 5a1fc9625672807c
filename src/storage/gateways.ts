import type { GatewaySettings } from '../schemas/gateway.ts'
import type { Database } from './database.ts'
import type { SealedKey } from './key-cipher.ts'
import { type SealedRow, sealedIn, sealedValues } from './sealed-columns.ts'

/** A gateway that the management API made. */
export interface StoredGateway {
  id: string
  /** Without what is secret in them. */
  settings: GatewaySettings
  /** The members that hold credentials, as JSON, where there are any. */
  sealed?: SealedKey
  /** Milliseconds since 1970. */
  created: number
  /** Milliseconds since 1970. */
  modified: number
}

export interface GatewayStore {
  /** Every one, oldest first. */
  list(): Promise<StoredGateway[]>
  /** Another text whenever anything in the table is another. */
  stamp(): Promise<string>
  /** @returns whether its id was free and there were fewer than `most` */
  add(gateway: StoredGateway, most: number): Promise<'added' | 'taken' | 'full'>
  /** Keeps new settings. @returns whether it was still there */
  change(gateway: StoredGateway): Promise<boolean>
  /** Removes it with its routes, policies and keys, so that none of them serves another of the same id. @returns whether it was there */
  remove(id: string): Promise<boolean>
}

interface Row extends SealedRow {
  id: string
  settings: string
  created: number
  modified: number
}

const gatewayOf = ({ id, settings, created, modified, ...sealed }: Row): StoredGateway => ({
  id,
  settings: JSON.parse(settings) as GatewaySettings,
  ...sealedIn(sealed),
  created,
  modified,
})

/** What else is a gateway's, by the column that names it. */
const BELONGINGS = [
  'DELETE FROM route_deployments WHERE route IN (SELECT id FROM routes WHERE gateway = ?)',
  'DELETE FROM route_versions WHERE route IN (SELECT id FROM routes WHERE gateway = ?)',
  'DELETE FROM routes WHERE gateway = ?',
  'DELETE FROM policies WHERE gateway = ?',
  'DELETE FROM keys WHERE gateway = ?',
  'DELETE FROM datasets WHERE gateway = ?',
  'DELETE FROM evaluations WHERE gateway = ?',
]

/** The table of gateways. */
export function gatewayStore(database: Database): GatewayStore {
  return {
    async list() {
      return (await database.all<Row>('SELECT * FROM gateways ORDER BY created, id')).map(gatewayOf)
    },
    stamp: () => stampOf(database, 'gateways'),
    add: ({ id, settings, sealed, created, modified }, most) =>
      database.transaction(async sql => {
        const { n } = (await sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM gateways WHERE id <> ?', id))!
        if (Number(n) >= most) return 'full'
        const added = await sql.run(
          `INSERT INTO gateways (id, settings, ciphertext, nonce, created, modified) VALUES (?, ?, ?, ?, ?, ?)
           ON CONFLICT DO NOTHING`,
          id,
          JSON.stringify(settings),
          ...sealedValues(sealed),
          created,
          modified,
        )
        return added ? 'added' : 'taken'
      }),
    async change({ id, settings, sealed, modified }) {
      const changed = await database.run(
        'UPDATE gateways SET settings = ?, ciphertext = ?, nonce = ?, modified = ? WHERE id = ?',
        JSON.stringify(settings),
        ...sealedValues(sealed),
        modified,
        id,
      )
      return changed > 0
    },
    remove: id =>
      database.transaction(async sql => {
        for (const statement of BELONGINGS) await sql.run(statement, id)
        return (await sql.run('DELETE FROM gateways WHERE id = ?', id)) > 0
      }),
  }
}

/** How many rows there are and when they changed: a sum, because the clocks of replicas differ. */
export async function stampOf(database: Database, table: 'gateways' | 'custom_providers'): Promise<string> {
  const row = await database.get<{ n: number; modified: number | null }>(
    `SELECT COUNT(*) AS n, SUM(modified) AS modified FROM ${table}`,
  )
  return `${row!.n}:${row!.modified ?? 0}`
}
