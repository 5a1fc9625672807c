import type { RecordFilter, Selection, StoredRecord } from '../storage/records/types.ts'

/** Which records `postern logs` is about. */
export interface LogFilters {
  gateway?: string
  provider?: string
  /** Text within the model's name. */
  model?: string
  /** `429`, or `5xx` for all that begin alike. */
  status?: string
  token?: string
  errors?: boolean
  /** `90s`, `30m`, `1h`, `2d`, `1w`, or a time such as `2026-11-02T10:00`. */
  since?: string
  /** Text within the metadata. */
  search?: string
}

/** The filters, read: for what is on record, and for one record that has just come. */
export interface ReadFilters {
  selection: Selection
  fits(record: StoredRecord): boolean
}

/** A filter that makes no sense; the message names the option. */
export class FilterFault extends Error {
  override readonly name = 'FilterFault'
}

const SECONDS: Record<string, number> = { s: 1, m: 60, h: 3_600, d: 86_400, w: 604_800 }

/** @throws FilterFault */
export function readFilters(given: LogFilters, now = Date.now()): ReadFilters {
  const { provider, model, token, errors, search } = given
  const from = given.since === undefined ? undefined : timeOf(given.since, now)
  const [least, most] = given.status === undefined ? [0, 999] : statusesOf(given.status)
  const filters: RecordFilter[] = []
  const add = (key: RecordFilter['key'], operator: RecordFilter['operator'], value: string | number | boolean) =>
    filters.push({ key, operator, value: [value] })
  if (provider !== undefined) add('provider', 'eq', provider)
  if (model !== undefined) add('model', 'contains', model)
  if (token !== undefined) add('token', 'eq', token)
  if (errors) add('success', 'eq', false)
  if (from !== undefined) add('created_at', 'gt', from - 1)
  if (given.status !== undefined) {
    add('status_code', 'gt', least - 1)
    add('status_code', 'lt', most + 1)
  }
  const small = { model: model?.toLowerCase(), search: search?.toLowerCase() }
  return {
    selection: { filters, ...(search !== undefined && { search }) },
    fits: record =>
      (provider === undefined || record.provider === provider) &&
      (small.model === undefined || (record.model?.toLowerCase().includes(small.model) ?? false)) &&
      (token === undefined || record.token === token) &&
      (!errors || !record.success) &&
      (from === undefined || record.at >= from) &&
      record.status >= least &&
      record.status <= most &&
      (small.search === undefined || isInMetadata(record, small.search)),
  }
}

const isInMetadata = ({ metadata = {} }: StoredRecord, text: string): boolean =>
  Object.entries(metadata).some(
    ([key, value]) => key.toLowerCase().includes(text) || String(value).toLowerCase().includes(text),
  )

function timeOf(text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})\s*([smhdw])$/.exec(text.trim()) ?? []
  if (count !== undefined && unit !== undefined) return now - Number(count) * SECONDS[unit]! * 1_000
  const time = Date.parse(text)
  if (Number.isNaN(time))
    throw new FilterFault('--since: expected 90s, 30m, 1h, 2d, 1w, or a time such as 2026-11-02T10:00')
  return time
}

function statusesOf(text: string): [least: number, most: number] {
  const [, first, rest] = /^([1-5])(\d\d|xx)$/i.exec(text.trim()) ?? []
  if (first === undefined || rest === undefined)
    throw new FilterFault('--status: expected a status such as 429, or 5xx for all that begin alike')
  const hundred = Number(first) * 100
  return /x/i.test(rest) ? [hundred, hundred + 99] : [hundred + Number(rest), hundred + Number(rest)]
}
