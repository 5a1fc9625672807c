import type { Database } from '../database.ts'
import type { Column, Columns, Values } from './columns.ts'
import { bytesOfUuid } from './ids.ts'
import { type Kind, taskOf } from './kind.ts'
import type { Kinds } from './kinds.ts'
import { metadataMatching } from './metadata-filter.ts'
import { TENTHS } from './row.ts'
import { type FilterKey, type RecordFilter, RecordQueryFault } from './types.ts'

/** Rows in columns, as far as they were asked for. */
export type Segment = Partial<Columns> & { seq: Values; texts?: RowTexts }

/** What is in no column, by row. */
export type RowTexts = readonly { id: string; event: string }[]

/** Sets the mask of the rows that do not fit to 0. */
type Strike = (segment: Segment, mask: Uint8Array) => void

export interface Plan {
  strikes: Strike[]
  columns: Set<Column>
  /** Rows have to be read, because a filter asks for what is in no column. */
  texts: boolean
  /** Nothing can fit. */
  empty: boolean
  /** The time that rows lie within, in milliseconds since 1970, where a filter says so. */
  from: number
  to: number
}

/** What a kind says to a filter by this name; what is no text is a number or truth. */
const OF_KIND: Partial<Record<FilterKey, (kind: Kind) => string | number | boolean | null>> = {
  provider: kind => kind.provider,
  model: kind => kind.model,
  model_type: kind => taskOf(kind.path).modelType ?? null,
  request_type: kind => taskOf(kind.path).requestKind ?? null,
  request_content_type: kind => kind.requestType,
  response_content_type: kind => kind.answerType,
  user_agent: kind => kind.userAgent,
  path: kind => kind.path,
  token: kind => kind.token,
  key: kind => kind.keyAlias,
  error: kind => kind.errorCode,
  status_code: kind => kind.status,
  success: kind => kind.status < 400,
  cached: kind => kind.cached,
  authentication: kind => kind.token !== null,
  compatibilityMode: kind => kind.surface === 'compat',
  // Nobody sells a model here, and nothing looks for leaks yet.
  wholesale: () => false,
  dlp_action: () => null,
}
const TRUTHS = new Set<FilterKey>(['success', 'cached', 'authentication', 'compatibilityMode', 'wholesale'])

/** How the value of a column is told in a filter. */
const NUMBERS: Partial<Record<FilterKey, { column: Column; read: (value: unknown) => number }>> = {
  cost: { column: 'cost', read: value => Math.round(Number(value) * 1e12) },
  tokens_in: { column: 'tokens_in', read: Number },
  tokens_out: { column: 'tokens_out', read: Number },
  duration: { column: 'duration', read: value => Number(value) * TENTHS },
  feedback: { column: 'feedback', read: Number },
  created_at: {
    column: 'at',
    read: value =>
      typeof value === 'number' ? value : /^\d{12,}$/.test(String(value)) ? Number(value) : Date.parse(String(value)),
  },
}

/**
 * Makes of filters what goes over columns.
 * @param gateway its number
 * @throws RecordQueryFault for a value that its key cannot have
 */
export async function planOf(
  database: Database,
  gateway: number,
  kinds: Kinds,
  filters: readonly RecordFilter[],
  search: string | undefined,
): Promise<Plan> {
  const plan: Plan = { strikes: [], columns: new Set(), texts: false, empty: false, from: -Infinity, to: Infinity }
  let fits: Uint8Array | undefined
  for (const [index, filter] of filters.entries()) {
    const { key } = filter
    if (key.startsWith('metadata.')) continue
    if (!filter.value.length) throw new RecordQueryFault(index, `${key}: expected at least one value`)
    if (OF_KIND[key]) fits = fitting(kinds, filter, index, fits)
    else if (key === 'id' || key === 'event_id') await addIds(plan, database, gateway, filter)
    else addNumbers(plan, filter, index)
  }
  if (fits) addKinds(plan, fits)
  const ofMetadata = filters.filter(({ key }) => key.startsWith('metadata.'))
  if (ofMetadata.length || search) {
    const documents = await metadataMatching(database, gateway, ofMetadata, search)
    plan.columns.add('metadata')
    if (documents.size === 0) plan.empty = true
    plan.strikes.push(({ metadata }, mask) => {
      for (let i = 0; i < mask.length; i++) if (mask[i] && !documents.has(metadata![i]!)) mask[i] = 0
    })
  }
  return plan
}

/** By the number of a kind: 1 where it fits this filter, too. */
function fitting(kinds: Kinds, filter: RecordFilter, index: number, before: Uint8Array | undefined): Uint8Array {
  const of = OF_KIND[filter.key]!
  const test = TRUTHS.has(filter.key)
    ? truthTest(filter, index)
    : filter.key === 'status_code'
      ? numberTest(filter, index, Number)
      : textTest(filter)
  const fits = Uint8Array.from(kinds.table(kind => (test(of(kind) as never) ? 1 : 0)))
  return before ? fits.map((fit, kind) => fit & before[kind]!) : fits
}

/** However many filters ask for what a kind says, each row is looked at once. */
function addKinds(plan: Plan, fits: Uint8Array): void {
  plan.columns.add('kind')
  plan.strikes.push(({ kind }, mask) => {
    for (let i = 0; i < mask.length; i++) if (fits[kind![i]!] !== 1) mask[i] = 0
  })
}

function addNumbers(plan: Plan, filter: RecordFilter, index: number): void {
  const { key } = filter
  if (key === 'tokens') {
    const test = numberTest(filter, index, Number)
    plan.columns.add('tokens_in').add('tokens_out')
    plan.strikes.push(({ tokens_in, tokens_out }, mask) => {
      for (let i = 0; i < mask.length; i++) if (mask[i] && !test(tokens_in![i]! + tokens_out![i]!)) mask[i] = 0
    })
    return
  }
  const { column, read } = NUMBERS[key]!
  const test =
    key === 'created_at' && filter.operator === 'contains' ? timeText(filter) : numberTest(filter, index, read)
  if (key === 'created_at' && filter.value.length === 1) {
    if (filter.operator === 'gt') plan.from = Math.max(plan.from, read(filter.value[0]))
    if (filter.operator === 'lt') plan.to = Math.min(plan.to, read(filter.value[0]))
  }
  plan.columns.add(column)
  plan.strikes.push((segment, mask) => {
    const values = segment[column]!
    for (let i = 0; i < mask.length; i++) if (mask[i] && !test(values[i]!)) mask[i] = 0
  })
}

/** An id that is said in full is found by its index; anything else needs the rows themselves. */
async function addIds(plan: Plan, database: Database, gateway: number, filter: RecordFilter): Promise<void> {
  const name = filter.key === 'id' ? 'id' : 'event'
  if (filter.operator === 'eq') {
    const seqs = new Set<number>()
    for (const value of filter.value)
      for (const seq of await seqsOf(database, gateway, name, String(value))) seqs.add(seq)
    if (seqs.size === 0) plan.empty = true
    plan.strikes.push(({ seq }, mask) => {
      for (let i = 0; i < mask.length; i++) if (mask[i] && !seqs.has(seq[i]!)) mask[i] = 0
    })
    return
  }
  const test = textTest(filter)
  plan.texts = true
  plan.strikes.push(({ texts }, mask) => {
    for (let i = 0; i < mask.length; i++) if (mask[i] && !test(texts![i]![name])) mask[i] = 0
  })
}

/** An event is what its request said; that of its request where it said none; and that of its record where there is one. */
async function seqsOf(database: Database, gateway: number, name: 'id' | 'event', value: string): Promise<number[]> {
  const id = bytesOfUuid(value)
  const found: { seq: number }[] = []
  const find = async (where: string, ...values: (string | Uint8Array)[]) =>
    found.push(
      ...(await database.all<{ seq: number }>(
        `SELECT seq FROM records WHERE ${where} AND gateway = ?`,
        ...values,
        gateway,
      )),
    )
  if (name === 'id') {
    if (id) await find('id = ?', id)
  } else {
    await find('event = ?', value)
    if (id) await find('request = ? AND event IS NULL', id)
    if (id) await find('id = ? AND request IS NULL AND event IS NULL', id)
  }
  return found.map(({ seq }) => Number(seq))
}

type Test<T> = (value: T) => boolean

const isNone = (value: unknown) => value === null || value === 'null' || value === ''

/** @param read makes of a filter's value what the column holds */
function numberTest(
  { key, operator, value }: RecordFilter,
  index: number,
  read: (value: unknown) => number,
): Test<number> {
  const values = value.map(one => {
    if (isNone(one)) return Number.NaN
    const number = typeof one === 'boolean' ? Number(one) : read(one)
    if (Number.isNaN(number))
      throw new RecordQueryFault(
        index,
        `${key}: expected ${key === 'created_at' ? 'a time such as 2026-11-02T10:11:12Z' : 'a number'}`,
      )
    return number
  })
  const [only] = values
  switch (operator) {
    case 'eq':
      return values.length === 1 && !Number.isNaN(only)
        ? held => held === only
        : held => values.some(one => Object.is(one, held) || one === held)
    case 'neq':
      return held => !values.some(one => Object.is(one, held) || one === held)
    case 'lt': {
      const most = Math.max(...values)
      return held => held < most
    }
    case 'gt': {
      const least = Math.min(...values)
      return held => held > least
    }
    case 'contains':
      return held => !Number.isNaN(held) && value.some(one => String(held).includes(String(one)))
  }
}

const timeText = ({ value }: RecordFilter): Test<number> => {
  const texts = value.map(one => String(one).toUpperCase())
  return at => {
    const time = new Date(at).toISOString()
    return texts.some(text => time.includes(text))
  }
}

function truthTest({ key, operator, value }: RecordFilter, index: number): Test<boolean> {
  const values = value.map(one => {
    const word = String(one).toLowerCase()
    if (word === 'true' || word === '1') return true
    if (word === 'false' || word === '0') return false
    throw new RecordQueryFault(index, `${key}: expected true or false`)
  })
  if (operator === 'eq' || operator === 'contains') return held => values.includes(held)
  if (operator === 'neq') return held => !values.includes(held)
  throw new RecordQueryFault(index, `${key}: ${operator} compares numbers and texts; use eq or neq`)
}

/** Small and capital letters are alike in `contains` only. */
export function textTest({ operator, value }: Pick<RecordFilter, 'operator' | 'value'>): Test<string | null> {
  const values = value.map(one => (isNone(one) ? null : String(one)))
  const texts = values.filter(one => one !== null)
  switch (operator) {
    case 'eq':
      return held => values.includes(held)
    case 'neq':
      return held => !values.includes(held)
    case 'lt':
      return held => held !== null && texts.some(text => held < text)
    case 'gt':
      return held => held !== null && texts.some(text => held > text)
    case 'contains': {
      const small = texts.map(text => text.toLowerCase())
      return held => held !== null && small.some(text => held.toLowerCase().includes(text))
    }
  }
}
