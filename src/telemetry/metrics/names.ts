/** What stands for every value of a label that there is no room for. */
export const OTHER = 'other'

const LONGEST = 128

/**
 * The values of one label. Prometheus keeps a series for each of them, so there are at most so many; all further ones, and
 * those that are very long, are `other`.
 */
export class Names {
  readonly #known = new Set<string>()

  constructor(readonly most: number) {}

  /** @param admit whether a name that was not seen before may be taken in: what a caller makes up must not use up the room */
  of(name: string, admit: boolean): string {
    if (this.#known.has(name)) return name
    if (!admit || this.#known.size >= this.most || name.length > LONGEST) return OTHER
    this.#known.add(name)
    return name
  }
}
