import { found } from '../../config/problems.ts'
import { isObject } from '../../config/shape.ts'
import { hint } from '../../config/suggest.ts'
import { type Facts, type Field, fieldOf } from './field.ts'
import { isBare, operatorList, operatorNames, operatorTest, type Test } from './operators.ts'

/** A compiled query. */
export interface Condition {
  holds(facts: Facts): boolean
  /** What decided, in fields and operators; never a value, which may be a prompt. */
  why(facts: Facts): string
}

/** The steps that lead from the query to a place in it. */
type Steps = readonly (string | number)[]
type Complain = (steps: Steps, text: string) => void

/** Steps from the query down, of which a nested list takes two. */
const DEEPEST = 32
const MOST_CONDITIONS = 1_000
const LOGICAL = ['$and', '$or', '$not']

/** What is common to the whole of a query while it is compiled. */
interface Compiling {
  complain: Complain
  left: number
}

/**
 * Compiles a query (contract 7.3), once for all requests. Fields, and the operators of one field, must all hold.
 *
 * @param complain is told of every fault, by the steps that lead to it
 * @returns nothing when there was a fault
 */
export function compileConditions(query: unknown, complain: Complain): Condition | undefined {
  return queryOf(query, [], { complain, left: MOST_CONDITIONS })
}

function queryOf(query: unknown, steps: Steps, compiling: Compiling): Condition | undefined {
  const { complain } = compiling
  if (!isObject(query)) {
    complain(steps, `expected a mapping of fields, found ${found(query, true)}`)
    return undefined
  }
  const entries = Object.entries(query)
  if (!entries.length) {
    complain(steps, 'expected at least one field; an empty mapping would hold for every request')
    return undefined
  }
  if (steps.length > DEEPEST) {
    complain(steps, 'expected conditions that are nested less deeply')
    return undefined
  }
  return all(entries.map(([name, value]) => memberOf(name, value, [...steps, name], compiling)))
}

function memberOf(name: string, value: unknown, steps: Steps, compiling: Compiling): Condition | undefined {
  const { complain } = compiling
  if (!name.startsWith('$')) return fieldCondition(name, value, steps, compiling)
  if (name === '$not') return not(queryOf(value, steps, compiling))
  if (!LOGICAL.includes(name)) {
    complain(
      steps,
      operatorNames.includes(name)
        ? `${name} belongs under a field, as in {"metadata.plan": {"${name}": …}}`
        : `unknown operator; around fields there are $and, $or and $not${hint(name, LOGICAL)}`,
    )
    return undefined
  }
  if (!Array.isArray(value) || !value.length) {
    complain(steps, `expected a list of conditions, found ${found(value, true)}`)
    return undefined
  }
  const parts = value.map((part, index) => queryOf(part, [...steps, index], compiling))
  return name === '$and' ? all(parts) : any(parts)
}

interface Labelled {
  label: string
  test: Test
}

function fieldCondition(name: string, asked: unknown, steps: Steps, compiling: Compiling): Condition | undefined {
  const field = fieldOf(name)
  if (typeof field === 'string') {
    const inner = isObject(asked) ? Object.keys(asked).find(key => !key.startsWith('$')) : undefined
    const joined = inner && !name.includes('.') ? `; did you mean ${JSON.stringify(`${name}.${inner}`)}?` : ''
    compiling.complain(steps, joined ? `expected the field's name in one piece${joined}` : field)
    return undefined
  }
  const tests = testsOf(field, asked, steps, compiling)
  if (!tests) return undefined
  const holds = (value: unknown) => {
    for (const { test } of tests) if (!test(value)) return false
    return true
  }
  return {
    holds: facts => holds(field.read(facts)),
    why: facts => {
      const value = field.read(facts)
      const failed = tests.find(({ test }) => !test(value))
      if (!failed) return `${field.text} ${tests.map(({ label }) => label).join(' ')} holds`
      return `${field.text} ${failed.label} does not hold${value === undefined ? ': it is not there' : ''}`
    },
  }
}

/** The tests of one field: of a bare value, or of a mapping of operators. */
function testsOf(field: Field, asked: unknown, steps: Steps, compiling: Compiling): Labelled[] | undefined {
  const { complain } = compiling
  if (isBare(asked)) asked = { $eq: asked }
  else if (Array.isArray(asked)) {
    complain(steps, 'expected a value or operators, found a list; "$in" takes one')
    return undefined
  }
  if (!isObject(asked) || !Object.keys(asked).length || steps.length > DEEPEST) {
    complain(steps, `expected ${operatorList}`)
    return undefined
  }
  const options = asked.$options
  const tests: Labelled[] = []
  let whole = true
  const fault = (name: string, text: string) => {
    complain([...steps, name], text)
    whole = false
  }
  if (options !== undefined && (typeof options !== 'string' || asked.$regex === undefined))
    fault('$options', 'expected a string, beside "$regex"')
  for (const [name, operand] of Object.entries(asked)) {
    if (name === '$options') continue
    if (compiling.left-- === 0) fault(name, `expected at most ${MOST_CONDITIONS} comparisons`)
    if (compiling.left < 0) return undefined
    if (name === '$not') {
      const inner = testsOf(field, operand, [...steps, name], compiling)
      if (inner) tests.push(negated(inner))
      else whole = false
      continue
    }
    if (!operatorNames.includes(name)) {
      const around = LOGICAL.includes(name)
      fault(
        name,
        around
          ? `${name} belongs around fields, as in {"${name}": [{"${field.text}": …}, …]}`
          : `unknown operator; there are ${operatorList}${hint(name, operatorNames)}`,
      )
      continue
    }
    const test = operatorTest(name, operand, field.header, typeof options === 'string' ? options : '')
    if (typeof test === 'string') fault(name, test)
    else tests.push({ label: name, test })
  }
  return whole ? tests : undefined
}

const negated = (tests: readonly Labelled[]): Labelled => ({
  label: `$not ${tests.map(({ label }) => label).join(' ')}`,
  test: value => !tests.every(({ test }) => test(value)),
})

const isThere = (part: Condition | undefined): part is Condition => part !== undefined

function all(parts: readonly (Condition | undefined)[]): Condition | undefined {
  if (!parts.every(isThere)) return undefined
  if (parts.length === 1) return parts[0]
  return {
    holds: facts => {
      for (const part of parts) if (!part.holds(facts)) return false
      return true
    },
    why: facts => parts.find(part => !part.holds(facts))?.why(facts) ?? `all ${parts.length} conditions hold`,
  }
}

function any(parts: readonly (Condition | undefined)[]): Condition | undefined {
  if (!parts.every(isThere)) return undefined
  if (parts.length === 1) return parts[0]
  return {
    holds: facts => {
      for (const part of parts) if (part.holds(facts)) return true
      return false
    },
    why: facts => parts.find(part => part.holds(facts))?.why(facts) ?? `none of ${parts.length} conditions holds`,
  }
}

function not(part: Condition | undefined): Condition | undefined {
  return part && { holds: facts => !part.holds(facts), why: facts => `$not: ${part.why(facts)}` }
}
