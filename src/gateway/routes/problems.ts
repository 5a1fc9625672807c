import { pointerOf } from '../../config/positions.ts'
import { found } from '../../config/problems.ts'

/** A fault of a route. It never holds what may be a secret. */
export interface RouteProblem {
  /** JSON pointer from the list of elements down: `/3/outputs/success`. Empty for the list as a whole. */
  pointer: string
  /** With the place: `elements[3] "big": outputs.success leads to "ende", which is not there`. */
  message: string
}

/** Nobody reads more at once. */
const MOST = 100

/** Gathers what is wrong with a route. */
export class Problems {
  readonly #found: (RouteProblem & { index: number })[] = []
  #more = 0

  /** @param index the element's place; -1 for the list as a whole */
  add(index: number, pointer: string, message: string): void {
    if (this.#found.length < MOST) this.#found.push({ index, pointer, message })
    else this.#more++
  }

  /** In the order of the elements; those of the whole come first. */
  list(): RouteProblem[] {
    const sorted = this.#found
      .toSorted((one, other) => one.index - other.index)
      .map(({ pointer, message }) => ({ pointer, message }))
    if (this.#more) sorted.push({ pointer: '', message: `elements: and ${this.#more} more problems` })
    return sorted
  }

  get none(): boolean {
    return this.#found.length === 0
  }
}

export type Steps = readonly (string | number)[]

/** Where one element's faults go. */
export interface Complaints {
  /** How the element is called in messages: `elements[3] "big"`. */
  name: string
  /**
   * The text goes right behind the place, `elements[3] "big": outputs.success`.
   * @param shown the place as the message names it, where that is not quite the one that the pointer leads to
   */
  say(steps: Steps, text: string, shown?: Steps): void
  /** `elements[3] "big": properties.limit: expected a number above 0, found 0` */
  expected(steps: Steps, wanted: string, value: unknown, advice?: string): void
}

export function complaintsOf(problems: Problems, index: number, id: unknown): Complaints {
  const name = `elements[${index}]${typeof id === 'string' && id ? ` ${quoted(id)}` : ''}`
  const say = (steps: Steps, text: string, shown = steps) =>
    problems.add(index, pointerOf([index, ...steps]), `${name}${shown.length ? `: ${written(shown)}` : ''}${text}`)
  return {
    name,
    say,
    expected: (steps, wanted, value, advice = '') =>
      say(steps, `: expected ${wanted}, found ${found(value, false)}${advice}`),
  }
}

/** `properties.conditions.$and[0]` */
const written = (steps: Steps) =>
  steps.map((step, at) => (typeof step === 'number' ? `[${step}]` : `${at ? '.' : ''}${cut(step)}`)).join('')

const cut = (text: string) => (text.length > 64 ? `${text.slice(0, 63)}…` : text)

/** An id or another name as a message shows it. */
export const quoted = (name: string): string => JSON.stringify(cut(name))
