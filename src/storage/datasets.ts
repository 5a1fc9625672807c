import type { DatasetFilter } from '../schemas/management/datasets.ts'
import type { Database } from './database.ts'

/** A filter over the logs of a gateway, under a name. */
export interface StoredDataset {
  id: string
  gateway: string
  name: string
  /** It takes in what is logged from now on; otherwise it ends with its last change. */
  enable: boolean
  filters: DatasetFilter[]
  /** Milliseconds since 1970. */
  created: number
  /** Milliseconds since 1970. */
  modified: number
}

export interface DatasetStore {
  /** All of a gateway's, oldest first. */
  list(gateway: string): Promise<StoredDataset[]>
  get(gateway: string, id: string): Promise<StoredDataset | undefined>
  /** @returns whether there was room: a gateway has at most so many */
  add(dataset: StoredDataset, most: number): Promise<boolean>
  /** Keeps what has changed of it: everything but its id, gateway and when it was made. @returns whether it is still there */
  change(dataset: StoredDataset): Promise<boolean>
  /** @returns whether it was there */
  remove(gateway: string, id: string): Promise<boolean>
}

interface Row {
  id: string
  gateway: string
  name: string
  enable: number
  filters: string
  created: number
  modified: number
}

const datasetOf = ({ enable, filters, created, modified, ...row }: Row): StoredDataset => ({
  ...row,
  enable: Number(enable) === 1,
  filters: JSON.parse(filters) as DatasetFilter[],
  created: Number(created),
  modified: Number(modified),
})

/** The table of datasets. */
export function datasetStore(database: Database): DatasetStore {
  return {
    async list(gateway) {
      const rows = await database.all<Row>('SELECT * FROM datasets WHERE gateway = ? ORDER BY created, id', gateway)
      return rows.map(datasetOf)
    },
    async get(gateway, id) {
      const row = await database.get<Row>('SELECT * FROM datasets WHERE gateway = ? AND id = ?', gateway, id)
      return row && datasetOf(row)
    },
    add: ({ id, gateway, name, enable, filters, created, modified }, most) =>
      database.transaction(async sql => {
        const { n } = (await sql.get<{ n: number }>('SELECT COUNT(*) AS n FROM datasets WHERE gateway = ?', gateway))!
        if (Number(n) >= most) return false
        const columns = ['id', 'gateway', 'name', 'enable', 'filters', 'created', 'modified']
        const values = [id, gateway, name, enable ? 1 : 0, JSON.stringify(filters), created, modified]
        await sql.insert('datasets', columns, [values])
        return true
      }),
    async change({ id, gateway, name, enable, filters, modified }) {
      const changed = await database.run(
        'UPDATE datasets SET name = ?, enable = ?, filters = ?, modified = ? WHERE gateway = ? AND id = ?',
        name,
        enable ? 1 : 0,
        JSON.stringify(filters),
        modified,
        gateway,
        id,
      )
      return changed > 0
    },
    async remove(gateway, id) {
      return (await database.run('DELETE FROM datasets WHERE gateway = ? AND id = ?', gateway, id)) > 0
    },
  }
}
