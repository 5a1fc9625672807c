import { Value } from '@sinclair/typebox/value'
import { pointerOf } from '../../config/positions.ts'
import { hint } from '../../config/suggest.ts'
import { picoOf } from '../../costs/money.ts'
import { FilePolicy, type PolicyAction, type PolicyResource } from '../../schemas/policy.ts'
import { quoted } from '../routes/problems.ts'
import type { Known } from '../routes/validate.ts'
import { type Actor, actorOf } from './actor.ts'
import { type Condition, conditionOf } from './condition.ts'
import { PolicySet } from './policy-set.ts'
import { type Resource, resourceOf } from './resource.ts'

/** A policy as it is written, with its id; what has a default may be left out. */
export interface WrittenPolicy {
  id: string
  name?: string
  actor?: string
  resource?: PolicyResource
  condition?: string
  action: PolicyAction
  enabled?: boolean
}

/** A policy ready to be asked. */
export interface CompiledPolicy {
  readonly id: string
  readonly name?: string
  readonly actor: Actor
  readonly resource: Resource
  readonly condition: Condition
  readonly action: PolicyAction
  /** The amount of a limit in picodollars. */
  readonly amountPico: number
  /** Its actor or its condition may look at the metadata of a request. */
  readonly usesMetadata: boolean
}

/** A fault of a policy. It repeats names, and of expressions only places. */
export interface PolicyProblem {
  /** JSON pointer from the list of policies down: `/3/condition`. */
  pointer: string
  /** With the place: `policies[3] "Interns": condition: at character 14: Unexpected token: EOF` */
  message: string
}

/**
 * What is wrong with a list of policies, as far as its schema cannot say: malformed members are passed over.
 * @param known the providers that resources may name; any passes where it is left out
 */
export function policyProblems(list: unknown, known?: Known): PolicyProblem[] {
  const problems: PolicyProblem[] = []
  const ids = new Map<string, number>()
  for (const [index, policy] of (Array.isArray(list) ? list : []).entries()) {
    if (!Value.Check(FilePolicy, policy)) continue
    const written = withId(policy, index)
    const complaints = problemsOf(written, known)
    const first = ids.get(written.id)
    if (first === undefined) ids.set(written.id, index)
    else complaints.push({ steps: ['id'], text: `policies[${first}] has the same id` })
    const called = `policies[${index}]${policy.name === undefined ? '' : ` ${quoted(policy.name)}`}`
    for (const { steps, text } of complaints)
      problems.push({ pointer: pointerOf([index, ...steps]), message: `${called}: ${steps[0]}: ${text}` })
  }
  return problems
}

/** A policy of the file under its id. */
export const withId = (policy: FilePolicy, index: number): WrittenPolicy => ({ id: `file:${index + 1}`, ...policy })

/** What is wrong with one member of a policy. */
export interface PolicyComplaint {
  /** From the policy down. */
  steps: (string | number)[]
  text: string
}

/** What is wrong with a policy of the right shape. */
export function problemsOf(policy: Omit<WrittenPolicy, 'id'>, known?: Known): PolicyComplaint[] {
  const problems: PolicyComplaint[] = []
  const actor = actorOf(policy.actor ?? '*')
  if (typeof actor === 'string') problems.push({ steps: ['actor'], text: actor })
  const condition = conditionOf(policy.condition ?? 'true')
  if (typeof condition === 'string') problems.push({ steps: ['condition'], text: condition })
  const { resource = '*' } = policy
  if (resource !== '*' && resource.provider !== undefined) {
    const single = typeof resource.provider === 'string'
    for (const [at, slug] of [resource.provider].flat().entries()) {
      const steps = ['resource', 'provider', ...(single ? [] : [at])]
      if (slug.includes('*')) problems.push({ steps, text: 'providers are named without wildcards' })
      else if (known && !known.isProvider(slug))
        problems.push({ steps, text: `there is no provider ${quoted(slug)}${hint(slug, known.providers ?? [])}` })
    }
  }
  return problems
}

/**
 * Compiles the policies of a gateway. One that is no good, which checks before have let through, is kept as one that
 * cannot be evaluated: it opens, and each time is told of.
 */
export function compilePolicies(list: readonly WrittenPolicy[]): PolicySet {
  return new PolicySet(list.filter(({ enabled = true }) => enabled).map(compiled))
}

function compiled({
  id,
  name,
  actor = '*',
  resource = '*',
  condition = 'true',
  action,
}: WrittenPolicy): CompiledPolicy {
  const [who, when] = [actorOf(actor), conditionOf(condition)]
  const fault = typeof who === 'string' ? `actor: ${who}` : typeof when === 'string' ? `condition: ${when}` : undefined
  return {
    id,
    ...(name !== undefined && { name }),
    actor: typeof who === 'string' ? { resolve: () => actor } : who,
    resource: resourceOf(resource),
    condition:
      fault === undefined && typeof when === 'object' ? when : { fields: [], test: () => ({ failed: fault ?? '' }) },
    action,
    amountPico: action.type === 'limit' ? amountOf(action.amount) : 0,
    usesMetadata: actor.includes('metadata') || condition.includes('metadata'),
  }
}

/** Above what is exact in a number, where a budget is large enough not to mind a few picodollars. */
const LARGE = 9_000

const amountOf = (dollars: number) => (dollars > LARGE ? Math.round(dollars * 1e12) : Math.round(picoOf(dollars)))
