import { hint } from '../../config/suggest.ts'

/** What a route may ask of a request. */
export interface Facts {
  /** The parsed body, or what parses it when it is first wanted; it is called for every look, so it should remember. */
  body: unknown | (() => unknown)
  /** @param name in lower case */
  header(name: string): string | null
  metadata: Readonly<Record<string, unknown>>
}

/** A place of a request, such as `metadata.plan`. */
export interface Field {
  /** As it was written. */
  text: string
  /** Headers are text even where they hold a number. */
  header: boolean
  /** What stands there; undefined where nothing does. */
  read(facts: Facts): unknown
}

const ROOTS = ['body', 'headers', 'metadata']
const LONGEST = 256
const MOST_STEPS = 32

/**
 * Reads the name of a field.
 *
 * `headers.<name>` is a header whatever its case; all behind the first dot is its name. Below `body.` and `metadata.`
 * each step is a member, or a position in a list. A member's name may hold dots itself: of the members that fit, the
 * one with the longest name is taken (`metadata.team.id` is the member `team.id` if there is one, otherwise `id` within
 * `team`), and there is no way back from it.
 *
 * @returns the field, or what is wrong with its name
 */
export function fieldOf(text: string): Field | string {
  if (text.length > LONGEST) return `expected a field of at most ${LONGEST} characters`
  const dot = text.indexOf('.')
  const root = dot < 0 ? text : text.slice(0, dot)
  if (!ROOTS.includes(root)) return `expected a field below body, headers or metadata${hint(root, ROOTS)}`
  const rest = dot < 0 ? '' : text.slice(dot + 1)
  if (!rest) return `expected a field below ${root}, such as ${root}.${EXAMPLES[root]}`
  if (root === 'headers') {
    const name = rest.toLowerCase()
    return { text, header: true, read: facts => facts.header(name) ?? undefined }
  }
  const steps = rest.split('.')
  if (steps.length > MOST_STEPS) return `expected at most ${MOST_STEPS} steps`
  if (steps.includes('')) return 'expected a name between the dots'
  const path = pathOf(steps)
  if (root === 'metadata') return { text, header: false, read: facts => dig(facts.metadata, path) }
  return {
    text,
    header: false,
    read: ({ body }) => dig(typeof body === 'function' ? (body as () => unknown)() : body, path),
  }
}

const EXAMPLES: Record<string, string> = { body: 'model', headers: 'x-region', metadata: 'plan' }

/** For every step: the names that may begin there, the longest first, and the position in a list that it may be. */
type Path = readonly { names: readonly string[]; position: number | undefined }[]

const POSITION = /^(?:0|[1-9]\d{0,8})$/

const pathOf = (steps: readonly string[]): Path =>
  steps.map((step, at) => ({
    names: steps.slice(at).map((_, fewer) => steps.slice(at, steps.length - fewer).join('.')),
    position: POSITION.test(step) ? Number(step) : undefined,
  }))

function dig(value: unknown, path: Path): unknown {
  for (let at = 0; at < path.length; ) {
    const { names, position } = path[at]!
    if (typeof value !== 'object' || value === null) return undefined
    if (Array.isArray(value)) {
      if (position === undefined) return undefined
      value = value[position]
      at++
      continue
    }
    const which = names.findIndex(name => Object.hasOwn(value as object, name))
    if (which < 0) return undefined
    value = (value as Record<string, unknown>)[names[which]!]
    at += names.length - which
  }
  return value
}

/** A field's value as the text that tells one caller from another; undefined for what is missing, null or no scalar. */
export function keyText(field: Field, facts: Facts): string | undefined {
  const value = field.read(facts)
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? String(value)
    : undefined
}
