import type { PartialArgument } from './types.ts'

/** Puts together the arguments of a call that arrives in pieces, each with a path: `$.recipe.steps[0].text`. */
export interface ArgumentBuilder {
  add(piece: PartialArgument): void
  /** The arguments gathered so far as JSON. */
  text(): string
}

type Container = Record<string, unknown> | unknown[]

/** An index far beyond what is there is no argument but a fault, and would make a list of nothing but holes. */
const MOST_HOLES = 100

export function argumentBuilder(): ArgumentBuilder {
  // Without a prototype, a member named `__proto__` is a member like any other.
  const root: Record<string, unknown> = Object.create(null)
  /** The path whose string goes on in the next piece. */
  let open: string | undefined
  return {
    add(piece) {
      const steps = stepsOf(piece.jsonPath ?? '')
      const key = steps.pop()
      if (key === undefined) return
      let at: Container = root
      for (const [depth, step] of steps.entries()) {
        const next = typeof (steps[depth + 1] ?? key) === 'number' ? [] : Object.create(null)
        const inner: unknown = get(at, step) ?? put(at, step, next)
        if (!inner || typeof inner !== 'object') return
        at = inner as Container
      }
      const before = get(at, key)
      const goesOn = open === piece.jsonPath && typeof before === 'string'
      put(at, key, goesOn ? before + (piece.stringValue ?? '') : pieceValue(piece))
      open = piece.willContinue ? piece.jsonPath : undefined
    },
    text: () => JSON.stringify(root),
  }
}

function pieceValue(piece: PartialArgument): unknown {
  return piece.stringValue ?? piece.numberValue ?? piece.boolValue ?? null
}

function get(at: Container, step: string | number): unknown {
  return Array.isArray(at) ? at[Number(step)] : at[step]
}

function put(at: Container, step: string | number, value: unknown): unknown {
  if (!Array.isArray(at)) at[step] = value
  else if (typeof step === 'number' && step <= at.length + MOST_HOLES) at[step] = value
  else return undefined
  return value
}

/** The steps of a JSONPath as Gemini writes it: members by dot or in quoted brackets, and indexes. */
function stepsOf(path: string): (string | number)[] {
  const steps: (string | number)[] = []
  for (const [, name, index, quoted, doubly] of path.matchAll(/\.([^.[\]]+)|\[(\d+)\]|\[(?:'([^']*)'|"([^"]*)")\]/g)) {
    steps.push(index === undefined ? (name ?? quoted ?? doubly ?? '') : Number(index))
  }
  return steps
}
