import type { Database } from './database.ts'
import type { StoredDataset } from './datasets.ts'

export interface StoredResult {
  id: string
  type: string
  /** Empty while it waits. */
  result: string
  status: 'waits' | 'done' | 'none' | 'failed'
  logs: number
  /** Milliseconds since 1970. */
  modified: number
}

/** What the logs of datasets come to, in one or more ways of counting. */
export interface StoredEvaluation {
  id: string
  gateway: string
  name: string
  processed: boolean
  logs: number
  /** As they were when it was made. */
  datasets: StoredDataset[]
  results: StoredResult[]
  /** Milliseconds since 1970. */
  created: number
  /** Milliseconds since 1970: also when somebody last began to work at it. */
  modified: number
}

export interface EvaluationStore {
  /** All of a gateway's, oldest first. */
  list(gateway: string): Promise<StoredEvaluation[]>
  get(gateway: string, id: string): Promise<StoredEvaluation | undefined>
  /** @returns whether there was room: a gateway has at most so many */
  add(evaluation: StoredEvaluation, most: number): Promise<boolean>
  /**
   * Takes on the work at one that has no results yet.
   * @param now milliseconds since 1970
   * @returns whether nobody else has taken it on since it was read
   */
  claim(evaluation: StoredEvaluation, now: number): Promise<boolean>
  /** Keeps the results. */
  finish(evaluation: StoredEvaluation): Promise<void>
  /** @returns whether it was there */
  remove(gateway: string, id: string): Promise<boolean>
}

interface Row {
  id: string
  gateway: string
  name: string
  processed: number
  total_logs: number
  datasets: string
  results: string
  created: number
  modified: number
}

const evaluationOf = ({
  processed,
  total_logs,
  datasets,
  results,
  created,
  modified,
  ...row
}: Row): StoredEvaluation => ({
  ...row,
  processed: Number(processed) === 1,
  logs: Number(total_logs),
  datasets: JSON.parse(datasets) as StoredDataset[],
  results: JSON.parse(results) as StoredResult[],
  created: Number(created),
  modified: Number(modified),
})

/** The table of evaluations. */
export function evaluationStore(database: Database): EvaluationStore {
  return {
    async list(gateway) {
      const rows = await database.all<Row>('SELECT * FROM evaluations WHERE gateway = ? ORDER BY created, id', gateway)
      return rows.map(evaluationOf)
    },
    async get(gateway, id) {
      const row = await database.get<Row>('SELECT * FROM evaluations WHERE gateway = ? AND id = ?', gateway, id)
      return row && evaluationOf(row)
    },
    add: ({ id, gateway, name, processed, logs, datasets, results, created, modified }, most) =>
      database.transaction(async sql => {
        const { n } = (await sql.get<{ n: number }>(
          'SELECT COUNT(*) AS n FROM evaluations WHERE gateway = ?',
          gateway,
        ))!
        if (Number(n) >= most) return false
        const columns = [
          'id',
          'gateway',
          'name',
          'processed',
          'total_logs',
          'datasets',
          'results',
          'created',
          'modified',
        ]
        const texts = [JSON.stringify(datasets), JSON.stringify(results)]
        await sql.insert('evaluations', columns, [
          [id, gateway, name, processed ? 1 : 0, logs, ...texts, created, modified],
        ])
        return true
      }),
    async claim({ id, modified }, now) {
      const claimed = await database.run(
        'UPDATE evaluations SET modified = ? WHERE id = ? AND processed = 0 AND modified = ?',
        now,
        id,
        modified,
      )
      return claimed > 0
    },
    async finish({ id, logs, results, modified }) {
      await database.run(
        'UPDATE evaluations SET processed = 1, total_logs = ?, results = ?, modified = ? WHERE id = ?',
        logs,
        JSON.stringify(results),
        modified,
        id,
      )
    },
    async remove(gateway, id) {
      return (await database.run('DELETE FROM evaluations WHERE gateway = ? AND id = ?', gateway, id)) > 0
    },
  }
}
