import { type CachedAnswer, weightOf } from './answer-cache.ts'

/** Their number is bounded too, since small ones cost a row each. */
const MOST_ANSWERS = 2_000

/** Answers that wait to be written, in the order they came. */
export class Waiting {
  readonly #answers = new Map<string, CachedAnswer>()
  readonly #bound: number
  #bytes = 0

  /** @param bound in bytes */
  constructor(bound: number) {
    this.#bound = bound
  }

  get count(): number {
    return this.#answers.size
  }

  get(key: string): CachedAnswer | undefined {
    return this.#answers.get(key)
  }

  /** @returns whether there was room */
  add(key: string, answer: CachedAnswer): boolean {
    const before = this.#answers.get(key)
    const more = weightOf(answer) - (before ? weightOf(before) : 0)
    if (this.#bytes + more > this.#bound || (!before && this.#answers.size >= MOST_ANSWERS)) return false
    this.#answers.set(key, answer)
    this.#bytes += more
    return true
  }

  /** The next to be written, which stay here until {@link done}; at least one if there is any. */
  next(most: number, bytes: number): [string, CachedAnswer][] {
    const taken: [string, CachedAnswer][] = []
    let size = 0
    for (const entry of this.#answers) {
      size += entry[1].body.length
      if (taken.length && (size > bytes || taken.length >= most)) break
      taken.push(entry)
    }
    return taken
  }

  /** It was written, or is given up; one that took its place meanwhile stays. */
  done(key: string, answer: CachedAnswer): void {
    if (this.#answers.get(key) !== answer) return
    this.#answers.delete(key)
    this.#bytes -= weightOf(answer)
  }
}
