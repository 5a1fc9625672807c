import type { Records } from './records/index.ts'
import type { RecordFilter, Selection, StoredRecord } from './records/types.ts'

/** Rows that are read at once, about. */
const AIM = 500
/** Beyond it a piece of time is read in pages. */
const MOST = 2_000

/**
 * All records that a selection finds, in the order of time: for exports. Each step reads a piece of time, so that neither
 * memory nor the time of a step grows with how many there are, and what is written meanwhile changes nothing before it.
 * @param until milliseconds since 1970; what began later is left out
 * @throws RecordQueryFault with the first step
 */
export async function* walk(
  records: Pick<Records, 'list'>,
  gateway: string,
  { filters = [], search, direction = 'asc' }: Selection,
  until = Date.now() + 1,
): AsyncGenerator<StoredRecord[]> {
  const between = (from: number, to: number): RecordFilter[] => [
    ...filters,
    { key: 'created_at', operator: 'gt', value: [from - 1] },
    { key: 'created_at', operator: 'lt', value: [to] },
  ]
  const end = async (to: 'asc' | 'desc') => {
    const page = await records.list(gateway, { filters: between(0, until), search, direction: to, perPage: 1 })
    return { at: page.records[0]?.at, total: page.total }
  }
  const { at: first, total } = await end('asc')
  const { at: last } = await end('desc')
  if (first === undefined || last === undefined) return
  const isForward = direction === 'asc'
  let span = Math.max(1, Math.ceil(((last - first + 1) * AIM) / total))
  for (let edge = isForward ? first : last + 1; isForward ? edge <= last : edge > first; ) {
    const [from, to] = isForward ? [edge, Math.min(edge + span, last + 1)] : [Math.max(edge - span, first), edge]
    const query = { filters: between(from, to), search, direction, perPage: MOST }
    const page = await records.list(gateway, query)
    if (page.total > MOST && to - from > 1) {
      span = Math.max(1, Math.floor(Math.min(span, to - from) / Math.ceil(page.total / AIM)))
      continue
    }
    if (page.records.length) yield page.records
    // So many began in one millisecond.
    for (let number = 2; (number - 1) * MOST < page.total; number++)
      yield (await records.list(gateway, { ...query, page: number })).records
    edge = isForward ? to : from
    if (page.total < AIM / 2) span = Math.min(span * 2, Number.MAX_SAFE_INTEGER / 4)
  }
}
