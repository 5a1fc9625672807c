import type { Database } from '../database.ts'
import { blockWith, change, lockGateway, touchTail } from './blocks.ts'
import type { Dictionary } from './dictionary.ts'
import { NO_METADATA } from './metadata-filter.ts'
import type { Row } from './row.ts'
import type { RecordChange } from './types.ts'
import { dayOf } from './writer.ts'

/** Changes what people say of a record, in its row and in its columns. */
export async function patchRow(
  database: Database,
  dictionary: Dictionary,
  row: Pick<Row, 'seq' | 'gateway'>,
  { feedback, score, metadata }: RecordChange,
): Promise<boolean> {
  const [seq, gateway] = [Number(row.seq), Number(row.gateway)]
  const { draft, changed } = await database.transaction(
    async sql => {
      // In the order of those who write.
      const state = await sql.all<{ kinds: number; documents: number }>(
        'UPDATE record_state SET seq = seq WHERE one = 1 RETURNING kinds, documents',
      )
      await lockGateway(sql, gateway)
      const draft = dictionary.draft(sql, { kinds: Number(state[0]!.kinds), documents: Number(state[0]!.documents) })
      let document: number | undefined
      if (metadata !== undefined) {
        const isEmpty = metadata === null || Object.keys(metadata).length === 0
        document = isEmpty ? NO_METADATA : draft.document(gateway, JSON.stringify(metadata), dayOf(Date.now()))
        document = (await draft.write()).get(document) ?? document
      }
      const set = async (column: string, value: number | null) =>
        (await sql.run(`UPDATE records SET ${column} = ? WHERE seq = ?`, value, seq)) > 0
      let changed = (await sql.get('SELECT seq FROM records WHERE seq = ?', seq)) !== undefined
      if (changed && score !== undefined) changed = await set('score', score)
      const block = await blockWith(sql, gateway, seq)
      if (!block) await touchTail(sql, gateway)
      if (changed && feedback !== undefined) {
        await set('feedback', feedback)
        if (block) await change(sql, gateway, block, seq, 'feedback', feedback ?? Number.NaN)
      }
      if (changed && document !== undefined) {
        await set('metadata', document)
        if (block) await change(sql, gateway, block, seq, 'metadata', document)
      }
      return { draft, changed }
    },
    { locks: 'own' },
  )
  draft.done()
  return changed
}
