import type { Database, Value } from './database.ts'
import { stampOf } from './gateways.ts'
import type { SealedKey } from './key-cipher.ts'
import { type SealedRow, sealedIn, sealedValues } from './sealed-columns.ts'

/** What is told of a custom provider and decides nothing, and how it is spoken with. */
export interface CustomProviderDetails {
  beta?: boolean
  description?: string
  link?: string
  logo?: string
  curl_example?: string
  js_example?: string
  position?: number
  dialect?: string
  faithful?: boolean
}

/** A custom provider that the management API made. */
export interface StoredCustomProvider {
  id: string
  /** Reached as `custom-<slug>`. */
  slug: string
  name: string
  base_url: string
  /** One that is not counts as unknown. */
  enable: boolean
  details: CustomProviderDetails
  /** Its headers, a JSON object: they may hold credentials. */
  sealed?: SealedKey
  /** Milliseconds since 1970. */
  created: number
  /** Milliseconds since 1970. */
  modified: number
}

export interface CustomProviderStore {
  /** Every one, by slug. */
  list(): Promise<StoredCustomProvider[]>
  /** Another text whenever anything in the table is another. */
  stamp(): Promise<string>
  /** @returns whether its slug was free and there were fewer than `most` */
  add(provider: StoredCustomProvider, most: number): Promise<'added' | 'taken' | 'full'>
  /** Keeps what has changed of it: everything but its id and slug. @returns whether it was still there */
  change(provider: StoredCustomProvider): Promise<boolean>
  /** Removes it with the keys that are stored for it, which another of the same slug shall not send elsewhere. @returns whether it was there */
  remove(provider: Pick<StoredCustomProvider, 'id' | 'slug'>): Promise<boolean>
}

interface Row extends SealedRow {
  id: string
  slug: string
  name: string
  base_url: string
  enabled: number
  details: string
  created: number
  modified: number
}

const providerOf = ({ enabled, details, ciphertext, nonce, ...row }: Row): StoredCustomProvider => ({
  ...row,
  enable: enabled === 1,
  details: JSON.parse(details) as CustomProviderDetails,
  ...sealedIn({ ciphertext, nonce }),
})

const valuesOf = ({ name, base_url, enable, details, sealed, modified }: StoredCustomProvider): Value[] => [
  name,
  base_url,
  enable ? 1 : 0,
  JSON.stringify(details),
  ...sealedValues(sealed),
  modified,
]

/** The table of custom providers. */
export function customProviderStore(database: Database): CustomProviderStore {
  return {
    async list() {
      return (await database.all<Row>('SELECT * FROM custom_providers ORDER BY slug')).map(providerOf)
    },
    stamp: () => stampOf(database, 'custom_providers'),
    add: (provider, most) =>
      database.transaction(async sql => {
        if (Number((await sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM custom_providers'))!.n) >= most)
          return 'full'
        const added = await sql.run(
          `INSERT INTO custom_providers (name, base_url, enabled, details, ciphertext, nonce, modified, id, slug, created)
           VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING`,
          ...valuesOf(provider),
          provider.id,
          provider.slug,
          provider.created,
        )
        return added ? 'added' : 'taken'
      }),
    async change(provider) {
      const changed = await database.run(
        `UPDATE custom_providers SET name = ?, base_url = ?, enabled = ?, details = ?, ciphertext = ?, nonce = ?, modified = ?
         WHERE id = ?`,
        ...valuesOf(provider),
        provider.id,
      )
      return changed > 0
    },
    remove: ({ id, slug }) =>
      database.transaction(async sql => {
        if (!(await sql.run('DELETE FROM custom_providers WHERE id = ?', id))) return false
        await sql.run('DELETE FROM keys WHERE provider = ?', `custom-${slug}`)
        return true
      }),
  }
}
