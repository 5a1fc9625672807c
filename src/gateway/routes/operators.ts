import { found } from '../../config/problems.ts'
import { either } from '../../config/suggest.ts'
import { patternTest } from './pattern.ts'

/** What is asked of a field's value, which is undefined where the field is missing. */
export type Test = (value: unknown) => boolean

/** How an operator reads what stands beside it; a string says what is wrong with that. */
type Operator = (operand: unknown, header: boolean, options: string) => Test | string

const MOST_VALUES = 1_000

type Scalar = string | number | boolean | null
const isScalar = (value: unknown): value is Scalar =>
  value === null || typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'

/** A header's text as a number, where it is one: the only change of type that there is. */
function numeric(value: unknown): number | undefined {
  if (typeof value !== 'string' || !value.trim()) return undefined
  const number = Number(value)
  return Number.isFinite(number) ? number : undefined
}

/** The file's mappings have no prototype, which would count as a difference. */
const plainOf = (operand: unknown): unknown => JSON.parse(JSON.stringify(operand ?? null))

const equals: Operator = (operand, header) => {
  if (typeof operand === 'number' && header) return value => numeric(value) === operand
  if (isScalar(operand)) return value => value === operand
  const plain = plainOf(operand)
  return value => typeof value === 'object' && value !== null && Bun.deepEquals(value, plain, true)
}

const among: Operator = (operand, header) => {
  if (!Array.isArray(operand) || !operand.length || operand.length > MOST_VALUES)
    return `expected a list of 1 to ${MOST_VALUES} values, found ${found(operand, true)}`
  const values = plainOf(operand) as unknown[]
  const scalars = new Set<unknown>(values.filter(isScalar))
  const others = values.filter(one => !isScalar(one)).map(one => equals(one, header, '') as Test)
  const numbers = header && values.some(one => typeof one === 'number')
  return value =>
    value !== undefined &&
    (scalars.has(value) || (numbers && scalars.has(numeric(value))) || others.some(other => other(value)))
}

/** Numbers with numbers and texts with texts, these by their code units; anything else does not compare. */
const compares =
  (holds: (order: number) => boolean): Operator =>
  (operand, header) => {
    if (typeof operand === 'number') {
      return value => {
        const number = header ? numeric(value) : value
        return typeof number === 'number' && holds(number - operand)
      }
    }
    if (typeof operand !== 'string') return `expected a number or a string, found ${found(operand, true)}`
    return value => typeof value === 'string' && holds(value < operand ? -1 : value > operand ? 1 : 0)
  }

const opposite =
  (operator: Operator): Operator =>
  (operand, header, options) => {
    const test = operator(operand, header, options)
    return typeof test === 'string' ? test : value => !test(value)
  }

const operators: Record<string, Operator> = {
  $eq: equals,
  $ne: opposite(equals),
  $gt: compares(order => order > 0),
  $gte: compares(order => order >= 0),
  $lt: compares(order => order < 0),
  $lte: compares(order => order <= 0),
  $in: among,
  $nin: opposite(among),
  $exists: operand => {
    if (typeof operand !== 'boolean') return `expected true or false, found ${found(operand, true)}`
    return value => (value !== undefined) === operand
  },
  /** A part of a text, or an item of a list. */
  $contains: (operand, header) => {
    if (!isScalar(operand)) return `expected a string, a number, true, false or null, found ${found(operand, true)}`
    const is = equals(operand, header, '') as Test
    return value =>
      typeof value === 'string'
        ? typeof operand === 'string' && value.includes(operand)
        : Array.isArray(value) && value.some(is)
  },
  $regex: (operand, _header, options) => {
    if (typeof operand !== 'string') return `expected a string, found ${found(operand, true)}`
    const test = patternTest(operand, options)
    return typeof test === 'string' ? test : value => typeof value === 'string' && test(value)
  },
}

/** The operators that compare a field. */
export const operatorNames = Object.keys(operators)

/** What may stand beside a field, in words. */
export const operatorList = either([...operatorNames, '$not'])

/**
 * Compiles one operator. A missing field fails every comparison, and so passes `$ne`, `$nin` and `$exists: false`. Types
 * are not changed, but for a header that holds a number where it is compared with one.
 *
 * @param header whether the field is a header
 * @param options what stands in `$options`, for `$regex`
 * @returns the test, or what is wrong with the operand; it never repeats it, for it may be a secret
 */
export const operatorTest = (name: string, operand: unknown, header: boolean, options: string): Test | string =>
  operators[name]!(operand, header, options)

/** A bare value beside a field means `$eq`. */
export const isBare = isScalar
