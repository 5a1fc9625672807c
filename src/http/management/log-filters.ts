import type { GatewayFault } from '../../gateway/fault.ts'
import {
  FILTER_KEYS,
  type FilterKey,
  OPERATORS,
  type Operator,
  type RecordFilter,
} from '../../storage/records/types.ts'
import { invalid } from './answers.ts'

/**
 * The filters of logs in a query (contract 8.2). Cloudflare's client writes a list as `filters.key=…&filters.operator=…&
 * filters.value=…` again and again, without saying which belong together: the order tells. Brackets and JSON are read too.
 */

const MOST_FILTERS = 50
const MOST_VALUES = 200

type Value = RecordFilter['value'][number]

/** A filter that is being read. */
interface Written {
  key?: unknown
  operator?: unknown
  value: unknown[]
  /** The member that came last. */
  last?: Member
}

const MEMBERS = ['key', 'operator', 'value'] as const
type Member = (typeof MEMBERS)[number]

/** `filters.key`, `filters[key]`, `filters[0].key`, `filters[0][value][]`, `filters[][value][1]`. */
const NAME = /^filters(?:\[(\d{0,4})\])?(?:\.|\[)(key|operator|value)\]?(?:\[\d{0,4}\])?$/
/** `filters`, `filters[]`, `filters[0]`: a filter, or a list of them, as JSON. */
const WHOLE = /^filters(?:\[\d{0,4}\])?$/

/** @throws GatewayFault 400/7001 that names the filter */
export function filtersIn(url: string): RecordFilter[] {
  const mark = url.indexOf('?')
  if (mark < 0) return []
  const list: Written[] = []
  const numbered = new Map<string, Written>()
  for (const [name, text] of new URLSearchParams(url.slice(mark + 1))) {
    if (!name.startsWith('filters')) continue
    const [, number, member] = NAME.exec(name) ?? []
    if (member) put(number ? added(list, numbered, number) : current(list, member as Member), member as Member, text)
    else if (WHOLE.test(name)) list.push(...parsed(text, list.length))
    else throw fault('', 'expected filters.key, filters.operator and filters.value')
    if (list.length > MOST_FILTERS) throw fault('', `expected at most ${MOST_FILTERS}`)
  }
  return list.map(checked)
}

/** A member that the current filter has already belongs to the next one; several values stand one behind the other. */
function current(list: Written[], member: Member): Written {
  const one = list.at(-1)
  const goesOn = one && (member === 'value' ? !one.value.length || one.last === 'value' : one[member] === undefined)
  if (goesOn) return one
  const next: Written = { value: [] }
  list.push(next)
  return next
}

function added(list: Written[], numbered: Map<string, Written>, number: string): Written {
  return numbered.getOrInsertComputed(number, () => {
    const next: Written = { value: [] }
    list.push(next)
    return next
  })
}

function put(filter: Written, member: Member, text: string): void {
  if (member === 'value') filter.value.push(text)
  else filter[member] = text
  filter.last = member
}

function parsed(text: string, before: number): Written[] {
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch {
    throw fault('', 'expected JSON, or filters.key, filters.operator and filters.value')
  }
  return (Array.isArray(value) ? value : [value]).map((one: unknown, index) => {
    if (typeof one !== 'object' || one === null) throw fault(`[${before + index}]`, 'expected an object')
    const { key, operator, value } = one as Record<string, unknown>
    return { key, operator, value: Array.isArray(value) ? value : value === undefined ? [] : [value] }
  })
}

function checked({ key, operator, value }: Written, index: number): RecordFilter {
  const at = `[${index}]`
  if (!FILTER_KEYS.includes(key as FilterKey)) throw fault(`${at}.key`, `expected one of ${FILTER_KEYS.join(', ')}`)
  if (!OPERATORS.includes(operator as Operator))
    throw fault(`${at}.operator`, `expected one of ${OPERATORS.join(', ')}`)
  const filter = { key, operator, value } as RecordFilter
  const wrong = wrongIn(filter)
  if (wrong) throw fault(`${at}.${wrong.member}`, wrong.message)
  return filter
}

const NUMBERS = new Set<FilterKey>(['cost', 'tokens', 'tokens_in', 'tokens_out', 'duration', 'feedback', 'status_code'])
const TRUTHS = new Set<FilterKey>(['success', 'cached', 'authentication', 'wholesale', 'compatibilityMode'])

/** What is wrong with a filter's operator and values for its key, so that it is known before there is any log. */
export function wrongIn({ key, operator, value }: RecordFilter): { member: Member; message: string } | undefined {
  const wrong = (message: string) => ({ member: 'value' as const, message })
  if (!value.length) return wrong('expected at least one value')
  if (value.length > MOST_VALUES) return wrong(`expected at most ${MOST_VALUES}`)
  if (!value.every(isScalar)) return wrong('expected texts, numbers, true, false or null')
  if (TRUTHS.has(key)) {
    if (operator === 'lt' || operator === 'gt')
      return { member: 'operator', message: `${key} is true or false: expected eq or neq` }
    if (!value.every(isTruth)) return wrong('expected true or false')
  }
  if (operator === 'contains') return undefined
  if (NUMBERS.has(key) && !value.every(isNumber)) return wrong('expected a number')
  if (key === 'created_at' && !value.every(isTime)) return wrong('expected a time such as 2026-11-02T10:11:12Z')
  return undefined
}

const isScalar = (one: unknown): one is Value =>
  one === null || typeof one === 'string' || typeof one === 'boolean' || Number.isFinite(one)
const isNone = (one: Value) => one === null || one === '' || one === 'null'
const isTruth = (one: Value) => /^(?:true|false|0|1)$/i.test(String(one))
const isNumber = (one: Value) => isNone(one) || !Number.isNaN(Number(one))
const isTime = (one: Value) =>
  isNone(one) || typeof one === 'number' || /^\d{12,}$/.test(String(one)) || !Number.isNaN(Date.parse(String(one)))

const fault = (at: string, message: string): GatewayFault =>
  invalid('query', { path: `filters${at}`, message: `filters${at}: ${message}` })
