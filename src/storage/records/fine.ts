import type { Database } from '../database.ts'
import type { Column } from './columns.ts'
import { planOf } from './filter.ts'
import type { Kind } from './kind.ts'
import type { RecordReader } from './read.ts'
import { TENTHS } from './row.ts'
import { segments } from './scan.ts'
import { type Point, Sheet } from './sheet.ts'
import { stepOf } from './steps.ts'
import type { RecordFilter } from './types.ts'

/** A finer series than hours, out of the rows that are still there. */
export interface FineQuery {
  gateway: string
  from: number
  to: number
  /** Milliseconds. */
  interval: number
  filters?: readonly RecordFilter[]
  by?: keyof Pick<Kind, 'provider' | 'model' | 'token' | 'status' | 'cached' | 'userAgent' | 'path' | 'errorCode'>
}

const FINE_COLUMNS: ReadonlySet<Column> = new Set<Column>([
  'at',
  'kind',
  'cost',
  'duration',
  'first_byte',
  'tokens_in',
  'tokens_out',
  'tokens_cached',
])

/** What {@link FineQuery} asks for, oldest first. */
export async function fine(database: Database, reader: RecordReader, query: FineQuery): Promise<Point[]> {
  const place = await reader.place(query.gateway)
  if (!place) return []
  const { from, to, interval, filters = [], by } = query
  const plan = await planOf(database, place.gateway, place.kinds, filters, undefined)
  plan.from = Math.max(plan.from, from)
  plan.to = Math.min(plan.to, to)
  const sheet = new Sheet()
  const value = (number: number) => (Number.isNaN(number) ? 0 : number)
  for await (const { segment, mask } of segments(place, plan, FINE_COLUMNS)) {
    const { at, kind, cost, duration, first_byte, tokens_in, tokens_out, tokens_cached } = segment
    for (let i = 0; i < mask.length; i++) {
      const time = at![i]!
      if (!mask[i] || time < from || time >= to) continue
      const said = place.kinds.get(kind![i]!)
      if (!said) continue
      const sum = sheet.at(Math.floor(time / interval) * interval, by ? [said[by]] : [])
      const [tokensIn, tokensOut] = [value(tokens_in![i]!), value(tokens_out![i]!)]
      // Which of them were steps of one request stands in no column.
      sum.requests++
      sum.attempts++
      sum.tokensIn += tokensIn
      sum.tokensOut += tokensOut
      sum.tokensCached += value(tokens_cached![i]!)
      sum.cost += BigInt(value(cost![i]!))
      sum.duration += duration![i]!
      sum.durations[stepOf(duration![i]! / TENTHS)]!++
      if (said.status >= 400) sum.errors++
      if (said.cached) {
        sum.cached++
        sum.tokensInFromCache += tokensIn
        sum.tokensOutFromCache += tokensOut
      }
      const first = first_byte![i]!
      if (!Number.isNaN(first)) {
        sum.firstBytes++
        sum.firstByte += first
        sum.firstByteSteps[stepOf(first / TENTHS)]!++
      }
    }
  }
  return sheet.points(true)
}
