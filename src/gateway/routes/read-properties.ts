import { isObject } from '../../config/shape.ts'
import { hint } from '../../config/suggest.ts'
import { compileConditions } from './conditions.ts'
import { type Field, fieldOf } from './field.ts'
import type { Branch, ConditionalNode, ElementType, ModelNode, PercentageNode, RateNode } from './graph.ts'
import { branchesOf, ELSE, shareOf } from './percentage.ts'
import type { Complaints } from './problems.ts'

type Own<N> = Omit<N, 'type' | 'id' | 'outputs'>

/** What an element says beside its id, its type and its outputs. */
export type Properties =
  | Record<string, never>
  | Own<ConditionalNode>
  | Own<PercentageNode>
  | Omit<Own<PercentageNode>, 'branches'>
  | Own<RateNode>
  | Own<ModelNode>

type Said = Record<string, unknown>

/** Reads the properties of an element of one kind; nothing where something is wrong with them. */
export const propertyReaders: Record<ElementType, (said: Said, complaints: Complaints) => Properties | undefined> = {
  start: bare,
  end: bare,
  conditional(said, complaints) {
    // `condition` is the name of older documentation.
    const name = said.conditions === undefined && said.condition !== undefined ? 'condition' : 'conditions'
    const known = onlyThese(said, ['conditions', 'condition'], complaints)
    const conditions = said[name]
    if (conditions === undefined) {
      complaints.say(['properties'], '.conditions is missing')
      return undefined
    }
    const condition = compileConditions(conditions, (steps, text) =>
      complaints.say(['properties', name, ...steps], `: ${text}`),
    )
    return known && condition ? { conditions, condition } : undefined
  },
  percentage(said, complaints) {
    const known = onlyThese(said, ['sticky'], complaints)
    const sticky = field(said, 'sticky', complaints)
    if (!known || !sticky) return undefined
    return sticky.field ? { sticky: sticky.field } : {}
  },
  rate(said, complaints) {
    // `interval` is the name of older documentation.
    const windowName = said.window === undefined && said.interval !== undefined ? 'interval' : 'window'
    const known = onlyThese(said, ['limitType', 'key', 'limit', 'window', 'interval', 'technique'], complaints)
    const limitType = oneOf(said, 'limitType', ['count', 'cost'] as const, undefined, complaints)
    const technique = oneOf(said, 'technique', ['fixed', 'sliding'] as const, 'sliding', complaints)
    const key = field(said, 'key', complaints)
    const limit =
      said.limitType === 'count'
        ? integer(said, 'limit', 1, Number.MAX_SAFE_INTEGER, undefined, complaints)
        : positive(said, 'limit', complaints)
    const window = integer(said, windowName, 1, LONGEST_WINDOW, undefined, complaints)
    if (!known || !limitType || !technique || !key || limit === undefined || window === undefined) return undefined
    return { limitType, limit, window, technique, ...(key.field && { key: key.field }) }
  },
  model(said, complaints) {
    const known = onlyThese(said, ['provider', 'model', 'timeout', 'retries'], complaints)
    const model = name(said, 'model', complaints)
    const slash = model?.indexOf('/') ?? -1
    const whole = said.provider === undefined && slash > 0 && model
    const provider = name(
      said,
      'provider',
      complaints,
      whole ? ` (the provider ${JSON.stringify(whole.slice(0, slash))} is named in properties.model?)` : '',
    )
    const timeout = integer(said, 'timeout', 0, LONGEST_TIMEOUT, 0, complaints)
    const retries = integer(said, 'retries', 0, MOST_RETRIES, 0, complaints)
    if (!known || !provider || !model || timeout === undefined || retries === undefined) return undefined
    return { provider, model, timeout, retries }
  },
}

/** Seconds: a year. */
const LONGEST_WINDOW = 31_536_000
/** Milliseconds: what a timer can count. */
const LONGEST_TIMEOUT = 2_147_483_647
const MOST_RETRIES = 5

function bare(said: Said, complaints: Complaints): Record<string, never> | undefined {
  return onlyThese(said, [], complaints) ? {} : undefined
}

/** The branches of a percentage, which are its outputs. */
export function branchReader(
  outputs: readonly string[],
  complaints: Complaints,
): { branches: readonly Branch[] } | undefined {
  const strange = outputs.filter(output => output !== ELSE && shareOf(output) === undefined)
  for (const output of strange)
    complaints.say(['outputs', output], `: expected a share from "0%" to "100%", or "else"${hint(output, [ELSE])}`)
  if (strange.length) return undefined
  const branches = branchesOf(outputs)
  if (typeof branches !== 'string') return { branches }
  complaints.say(['outputs'], `: ${branches}`)
  return undefined
}

function onlyThese(said: Said, names: readonly string[], complaints: Complaints): boolean {
  const strange = Object.keys(said).filter(name => !names.includes(name))
  for (const name of strange) {
    const there = names.length ? `; known here: ${names.join(', ')}` : '; this element has none'
    complaints.say(['properties', name], `: unknown key${hint(name, names) || there}`)
  }
  return strange.length === 0
}

/** A field's name; an empty one counts as none. Nothing at all where it is wrong. */
function field(said: Said, name: string, complaints: Complaints): { field?: Field } | undefined {
  const text = said[name]
  if (text === undefined || text === null || text === '') return {}
  if (typeof text !== 'string') {
    complaints.expected(['properties', name], 'a field such as "metadata.user_id"', text)
    return undefined
  }
  const read = fieldOf(text)
  if (typeof read !== 'string') return { field: read }
  complaints.say(['properties', name], `: ${read}`)
  return undefined
}

function name(said: Said, key: string, complaints: Complaints, advice = ''): string | undefined {
  const text = said[key]
  if (typeof text === 'string' && text.trim()) return text
  if (text === undefined) complaints.say(['properties'], `.${key} is missing${advice}`)
  else complaints.expected(['properties', key], 'a string that is not empty', text)
  return undefined
}

function oneOf<T extends string>(
  said: Said,
  key: string,
  words: readonly T[],
  otherwise: T | undefined,
  complaints: Complaints,
): T | undefined {
  const value = said[key] ?? otherwise
  const word = words.find(one => one === value)
  if (word) return word
  const advice = typeof value === 'string' ? hint(value, words) : ''
  if (value === undefined) complaints.say(['properties'], `.${key} is missing: ${quotedWords(words)}`)
  else complaints.expected(['properties', key], quotedWords(words), isObject(value) ? {} : value, advice)
  return undefined
}

const quotedWords = (words: readonly string[]) => words.map(word => JSON.stringify(word)).join(' or ')

function integer(
  said: Said,
  key: string,
  least: number,
  most: number,
  otherwise: number | undefined,
  complaints: Complaints,
): number | undefined {
  const value = said[key] ?? otherwise
  if (typeof value === 'number' && Number.isInteger(value) && value >= least && value <= most) return value
  if (value === undefined) complaints.say(['properties'], `.${key} is missing`)
  else
    complaints.expected(
      ['properties', key],
      most === Number.MAX_SAFE_INTEGER ? `an integer of at least ${least}` : `an integer from ${least} to ${most}`,
      value,
    )
  return undefined
}

function positive(said: Said, key: string, complaints: Complaints): number | undefined {
  const value = said[key]
  if (typeof value === 'number' && value > 0 && Number.isFinite(value)) return value
  if (value === undefined) complaints.say(['properties'], `.${key} is missing`)
  else complaints.expected(['properties', key], 'a number above 0', value)
  return undefined
}
