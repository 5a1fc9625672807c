import { type ASTNode, Environment, EvaluationError, ParseError, TypeError as TypeFault } from '@marcbachmann/cel-js'
import { patternTest } from '../routes/pattern.ts'
import { fieldsOfTruth, survey } from './expression.ts'
import { type Facts, type Field, Identity, User } from './facts.ts'

/** Whether a condition holds; `missing` where it asks for a field that is not there. */
export type Verdict = boolean | 'missing' | { failed: string }

/** A compiled condition. */
export interface Condition {
  /** Fields without which it never holds. */
  readonly fields: readonly Field[]
  /** Never throws. */
  test(facts: Facts): Verdict
}

/** Characters of an expression. */
const LONGEST = 2_048
const limits = { maxAstNodes: 500, maxDepth: 32, maxListElements: 200, maxMapEntries: 100, maxCallArguments: 8 }

/** In the place of `matches`, as many letters long so that positions stay. */
const OURS = 'matchRe'
const tests = new Map<string, (text: string) => boolean>()
const MOST_PATTERNS = 1_000

const environment = new Environment({ limits })
  .registerType('User', { ctor: User, fields: { id: 'string', email: 'string', groups: 'list<string>' } })
  .registerType('Caller', {
    ctor: Identity,
    fields: { user: 'User', custom: 'map<string, dyn>', country: 'string' },
  })
  .registerVariable('cf', 'Caller')
  .registerVariable('metadata', 'map<string, dyn>')
  .registerFunction(`string.${OURS}(string): bool`, (text: string, pattern: string) => testOf(pattern)(text))

function testOf(pattern: string): (text: string) => boolean {
  const known = tests.get(pattern)
  if (known) return known
  const test = patternTest(pattern)
  if (typeof test === 'string') throw new Error(test)
  if (tests.size >= MOST_PATTERNS) tests.clear()
  tests.set(pattern, test)
  return test
}

const always: Condition = { fields: [], test: () => true }

/**
 * Compiles an expression in CEL (contract 5.3), once for all requests. Its time is bounded: by its length, by lists that
 * are not gone through within lists, and by regular expressions of RE2.
 *
 * @returns the condition, or what is wrong with it and at which character
 */
export function conditionOf(text: string): Condition | string {
  if (text.trim() === 'true') return always
  if (text.length > LONGEST) return `expected an expression of at most ${LONGEST} characters`
  try {
    return compiled(text)
  } catch (error) {
    if (error instanceof ParseError || error instanceof TypeFault) return told(text, error)
    throw error
  }
}

function compiled(text: string): Condition | string {
  const { faults, matches } = survey(environment.parse(text).ast as ASTNode)
  let safe = text
  for (const { at, pattern } of matches) {
    const test = patternTest(pattern)
    if (typeof test === 'string') faults.push({ at, text: test })
    safe = safe.slice(0, at) + OURS + safe.slice(at + OURS.length)
  }
  const [fault] = faults.toSorted((one, other) => one.at - other.at)
  if (fault) return `${place(text, fault.at)}: ${fault.text}`
  const evaluate = environment.parse(safe)
  const { error, type } = evaluate.check()
  if (error) return told(text, error)
  if (type !== 'bool' && type !== 'dyn') return `expected an expression that is true or false; this one is a ${type}`
  return { fields: fieldsOfTruth(evaluate.ast as ASTNode), test: facts => verdictOf(evaluate, facts) }
}

function verdictOf(evaluate: (context: Facts) => unknown, facts: Facts): Verdict {
  try {
    const value = evaluate(facts)
    return typeof value === 'boolean' ? value : { failed: 'the condition is neither true nor false' }
  } catch (error) {
    if (!(error instanceof EvaluationError)) return { failed: 'the condition cannot be evaluated' }
    // The code alone: the text may repeat what a caller wrote.
    return error.code === 'no_such_key' ? 'missing' : { failed: `the condition cannot be evaluated: ${error.code}` }
  }
}

const told = (text: string, error: ParseError | TypeFault) =>
  `${place(text, error.range?.start ?? 0)}: ${error.summary.replaceAll(OURS, 'matches')}`

/** `at character 14`, in an expression of several lines `at line 2, character 3`. */
function place(text: string, at: number): string {
  const lines = text.slice(0, at).split('\n')
  const character = lines.at(-1)!.length + 1
  return text.includes('\n') ? `at line ${lines.length}, character ${character}` : `at character ${character}`
}
