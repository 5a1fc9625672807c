/** A fault of the configuration, or a warning about it. It never holds a secret. */
export interface Problem {
  /** The file as it was named on the command line; absent where the fault lies in the environment. */
  file?: string
  /** From 1; absent where there is no one place. */
  line?: number
  column?: number
  /** Dotted, e.g. `gateways.default.cache_ttl`; empty for the file as a whole. */
  path: string
  message: string
}

/** `postern.yaml:12:16 gateways.default.cache_ttl: expected an integer of at least 0, found "soon"` */
export function formatProblem(problem: Problem): string {
  const place = problem.file === undefined ? '' : [problem.file, problem.line, problem.column].filter(Boolean).join(':')
  return `${[place, problem.path].filter(Boolean).join(' ')}: ${problem.message}`
}

/** By position; what has none comes first. */
export function sortProblems(problems: Problem[]): Problem[] {
  return problems.toSorted(
    (one, other) => (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0),
  )
}

/** Thrown for a configuration that cannot be used; holds every fault found, sorted by position. Exit code 2. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly problems: Problem[]
  constructor(problems: Problem[]) {
    const sorted = sortProblems(problems)
    super(sorted.map(formatProblem).join('\n'))
    this.problems = sorted
  }
}

/** Whatever stands under one of these is never repeated in a problem. */
const secretSteps = new Set([
  'tokens',
  'token',
  'keys',
  'key',
  'headers',
  'authorization',
  'stripe',
  'database',
  'redis',
  'encryption_key',
  // Addresses of receivers often end in a key.
  'logpush',
])

/** Whether a value of the file may be a secret, by the steps that lead to it. */
export const isSecret = (steps: string[]): boolean => steps.some(step => secretSteps.has(step))

/** What was found, in words: a short text as it stands unless it may be secret, the kind of anything else. */
export function found(value: unknown, secret: boolean): string {
  if (value === null || value === undefined) return 'nothing'
  if (Array.isArray(value)) return value.length ? 'a list' : 'an empty list'
  if (typeof value === 'object') return 'a mapping'
  if (secret) return typeof value === 'string' ? (value ? 'a string' : 'an empty string') : `a ${typeof value}`
  if (typeof value !== 'string') return String(value)
  if (!value) return 'an empty string'
  // An address may carry a password.
  if (/\/\/[^/]*@/.test(value)) return 'a string'
  return JSON.stringify(value.length > 60 ? `${value.slice(0, 57)}…` : value)
}
