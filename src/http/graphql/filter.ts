import { type DimensionName, dimension, dimensionNames, type Told } from './dimensions.ts'

/** The filters of a dataset: comparisons that all must hold, with AND and OR (contract 9.2). */

export type Filter = Readonly<Record<string, unknown>>

export type Test = (told: Told) => boolean

/** What a filter says, made ready. */
export interface Asked {
  /** Milliseconds since 1970; what the comparisons of time at the top leave, rounded to what they tell. */
  from: number
  to: number
  /** The dimensions that the tests look at. */
  names: Set<DimensionName>
  /** All of it. */
  test: Test
  /** Without the times at the top, for what knows of no finer time than an hour. */
  coarse: Test
  /** The gateways that it names at the top. */
  gateways?: readonly string[]
}

/** A filter that makes no sense, said to whoever asked. */
export class FilterFault extends Error {}

const MOST_TESTS = 200

/** @throws FilterFault */
export function askedIn(filter: Filter = {}): Asked {
  const asked = { from: 0, to: Number.POSITIVE_INFINITY, names: new Set<DimensionName>() }
  const budget = { left: MOST_TESTS }
  const exact: Test[] = []
  const coarse: Test[] = []
  let gateways: readonly string[] | undefined
  for (const [key, value] of Object.entries(filter)) {
    const test = testOf(key, value, asked.names, budget)
    if (!test) continue
    exact.push(test)
    if (!narrow(asked, key, value)) coarse.push(test)
    if (key === 'gateway') gateways = [String(value)]
    if (key === 'gateway_in') gateways = (value as unknown[]).map(String)
  }
  return { ...asked, test: all(exact), coarse: all(coarse), ...(gateways && { gateways }) }
}

const all =
  (tests: readonly Test[]): Test =>
  told =>
    tests.every(test => test(told))

function testOf(key: string, value: unknown, names: Set<DimensionName>, budget: { left: number }): Test | undefined {
  if (value === null || value === undefined) return undefined
  if (--budget.left < 0) throw new FilterFault(`filter: expected at most ${MOST_TESTS} comparisons`)
  if (key === 'AND' || key === 'OR') {
    const parts = (value as Filter[]).map(part =>
      all(Object.entries(part).flatMap(([name, one]) => testOf(name, one, names, budget) ?? [])),
    )
    return key === 'AND' ? all(parts) : told => parts.some(test => test(told))
  }
  const [name, operator] = partsOf(key)
  names.add(name)
  const { type, value: tell } = dimension(name)
  const read = (one: unknown) => readAs(type, one, key)
  const held = (told: Told) => readAs(type, tell(told), key)
  if (operator === 'in' || operator === 'notin') {
    const values = new Set((value as unknown[]).map(read))
    return told => values.has(held(told)) === (operator === 'in')
  }
  if (operator === 'like' || operator === 'notlike') {
    const parts = String(value).toLowerCase().split('%')
    return told => isLike(String(tell(told)).toLowerCase(), parts) === (operator === 'like')
  }
  return comparison(operator, held, read(value))
}

function comparison(operator: string, held: (told: Told) => string | number, wanted: string | number): Test {
  switch (operator) {
    case 'gt':
      return told => held(told) > wanted
    case 'geq':
      return told => held(told) >= wanted
    case 'lt':
      return told => held(told) < wanted
    case 'leq':
      return told => held(told) <= wanted
    case 'neq':
      return told => held(told) !== wanted
    default:
      return told => held(told) === wanted
  }
}

function partsOf(key: string): [DimensionName, string] {
  const mark = key.lastIndexOf('_')
  const name = mark < 0 ? key : key.slice(0, mark)
  if (!dimensionNames.includes(name as DimensionName)) throw new FilterFault('filter: not known')
  return [name as DimensionName, mark < 0 ? 'eq' : key.slice(mark + 1)]
}

function readAs(type: string, value: unknown, key: string): string | number {
  if (type === 'string') return String(value)
  const number = type === 'Time' || type === 'Date' ? Date.parse(String(value)) : Number(value)
  if (Number.isNaN(number))
    throw new FilterFault(`filter.${key}: expected ${type === 'Time' || type === 'Date' ? 'a time' : 'a number'}`)
  return number
}

/** @param parts of a pattern, between its `%`: any text may stand there */
function isLike(text: string, parts: readonly string[]): boolean {
  const [first = '', ...rest] = parts
  const last = rest.pop()
  if (last === undefined) return text === first
  if (!text.startsWith(first)) return false
  let place = first.length
  for (const part of rest) {
    const found = text.indexOf(part, place)
    if (found < 0) return false
    place = found + part.length
  }
  return text.length - last.length >= place && text.endsWith(last)
}

/** @returns whether the comparison is one of times that the window says altogether */
function narrow(asked: { from: number; to: number }, key: string, value: unknown): boolean {
  const [name, operator] = key === 'AND' || key === 'OR' ? [] : partsOf(key)
  const step = name && dimension(name).step
  if (!step) return false
  // Steps of a day and shorter are told by where they begin.
  const time = Date.parse(String(value))
  const begins = Math.ceil(time / step) * step
  const ends = Math.floor(time / step) * step + step
  if (operator === 'geq') asked.from = Math.max(asked.from, begins)
  else if (operator === 'gt') asked.from = Math.max(asked.from, ends)
  else if (operator === 'lt') asked.to = Math.min(asked.to, begins)
  else if (operator === 'leq') asked.to = Math.min(asked.to, ends)
  else if (operator === 'eq') {
    asked.from = Math.max(asked.from, begins)
    asked.to = Math.min(asked.to, ends)
  } else return false
  return true
}
