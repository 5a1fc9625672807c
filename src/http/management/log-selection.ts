import type { Narrowing } from '../../schemas/management/logs.ts'
import { type Order, type RecordFilter, RecordQueryFault, type Selection } from '../../storage/records/types.ts'
import { invalid } from './answers.ts'
import { filtersIn } from './log-filters.ts'

/** Which logs a query asks for: its filters, the flat parameters that were there before them, the search and the order. */

type Said = Partial<Narrowing>

/** @throws GatewayFault 400/7001 */
export function selectionIn(url: string, said: Said): Selection {
  const { search, order_by, order_by_direction, direction } = said
  const filters = [...filtersIn(url), ...flatFilters(said)]
  return {
    filters,
    // A text of nothing is in everything.
    ...(search && { search }),
    ...(order_by && { orderBy: order_by as Order }),
    direction: order_by_direction ?? direction ?? 'desc',
  }
}

/** What the store says of a filter becomes a refusal that names it. */
export function refusedFilter(thrown: unknown): unknown {
  if (!(thrown instanceof RecordQueryFault)) return thrown
  const path = `filters[${thrown.index}]`
  return invalid('query', { path, message: `${path}: ${thrown.message}` })
}

const EQUAL = [
  'cached',
  'success',
  'model',
  'model_type',
  'provider',
  'request_content_type',
  'response_content_type',
] as const

/** By the parameter's name, with a part of what is counted, or one of it where it is rounded of what is counted: bounds include themselves, and filters do not. */
const BOUNDS = [
  ['cost', 'cost', 1e-12],
  ['duration', 'duration', 0.05],
  ['tokens_in', 'tokens_in', 0.5],
  ['tokens_out', 'tokens_out', 0.5],
  ['total_tokens', 'tokens', 0.5],
] as const

function flatFilters(said: Said): RecordFilter[] {
  const filters: RecordFilter[] = []
  for (const key of EQUAL) {
    const value = said[key]
    if (value !== undefined) filters.push({ key, operator: 'eq', value: [value] })
  }
  // Once thumbs down were 0.
  if (said.feedback !== undefined)
    filters.push({ key: 'feedback', operator: 'eq', value: said.feedback === 0 ? [0, -1] : [said.feedback] })
  for (const [name, key, step] of BOUNDS) {
    const [least, most] = [said[`min_${name}`], said[`max_${name}`]]
    if (least !== undefined) filters.push({ key, operator: 'gt', value: [least - step] })
    if (most !== undefined) filters.push({ key, operator: 'lt', value: [most + step] })
  }
  const { start_date: start, end_date: end } = said
  if (start !== undefined) filters.push({ key: 'created_at', operator: 'gt', value: [timeOf('start_date', start) - 1] })
  if (end !== undefined) filters.push({ key: 'created_at', operator: 'lt', value: [endOf(end) + 1] })
  return filters
}

const DAY_MS = 86_400_000

/** A day includes all of it. */
const endOf = (text: string) => timeOf('end_date', text) + (/^\d{4}-\d{2}-\d{2}$/.test(text) ? DAY_MS - 1 : 0)

function timeOf(name: string, text: string): number {
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw invalid('query', { path: name, message: `${name}: expected a time such as 2026-11-02T10:11:12Z` })
  return time
}
