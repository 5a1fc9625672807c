import { type CachedAnswer, weightOf } from './answer-cache.ts'

/** Their number is bounded too, since small ones cost a row each. */
const MOST_ANSWERS = 16_000
/** From a quarter of what may wait, it is time to write. */
const MUCH = 1 / 4

/** Answers that wait to be written, in the order they came. */
export class Waiting {
  readonly #answers = new Map<string, CachedAnswer>()
  readonly #bound: number
  #bytes = 0

  /** @param bound in bytes */
  constructor(bound: number) {
    this.#bound = bound
  }

  /** Whether they should be written soon, or there may be no room for more. */
  get isMuch(): boolean {
    return this.#bytes > this.#bound * MUCH || this.#answers.size > MOST_ANSWERS * MUCH
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

  /** All that wait now. They stay here until {@link done}. */
  all(): [string, CachedAnswer][] {
    return [...this.#answers]
  }

  /** It was written, or is given up; one that took its place meanwhile stays. */
  done(key: string, answer: CachedAnswer): void {
    if (this.#answers.get(key) !== answer) return
    this.#answers.delete(key)
    this.#bytes -= weightOf(answer)
  }
}
