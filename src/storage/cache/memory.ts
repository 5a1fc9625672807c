import { type CachedAnswer, weightOf } from './answer-cache.ts'

/** Of the memory's bound; a few larger answers would drive out everything else, and the store gives them soon enough. */
const LARGEST_PART = 1 / 8

/** Of the bound, freed with each making of room: looking for the oldest entry of a map passes by all deleted before it. */
const MARGIN = 1 / 64

/** The answers used last, as they are. Beyond its bound those unused for longest go. */
export class AnswerMemory {
  /** In the order of their last use: a map keeps the order in which its entries came. */
  readonly #answers = new Map<string, CachedAnswer>()
  readonly #bound: number
  #bytes = 0

  /** @param bound in bytes */
  constructor(bound: number) {
    this.#bound = bound
  }

  get(key: string): CachedAnswer | undefined {
    const answer = this.#answers.get(key)
    if (!answer) return undefined
    this.#answers.delete(key)
    this.#answers.set(key, answer)
    return answer
  }

  put(key: string, answer: CachedAnswer): void {
    this.delete(key)
    const weight = weightOf(answer)
    if (weight > this.#bound * LARGEST_PART) return
    this.#answers.set(key, answer)
    this.#bytes += weight
    if (this.#bytes <= this.#bound) return
    for (const [oldest] of this.#answers) {
      if (this.#bytes <= this.#bound * (1 - MARGIN)) break
      this.delete(oldest)
    }
  }

  delete(key: string): void {
    const answer = this.#answers.get(key)
    if (!answer) return
    this.#answers.delete(key)
    this.#bytes -= weightOf(answer)
  }

  /** Forgets what a gateway stored up to a moment, or one answer of it. */
  forget(gateway: string, key: string | undefined, until: number): void {
    if (key !== undefined) {
      const answer = this.#answers.get(key)
      if (answer && answer.meta.gateway === gateway && answer.stored <= until) this.delete(key)
      return
    }
    for (const [key, answer] of this.#answers)
      if (answer.meta.gateway === gateway && answer.stored <= until) this.delete(key)
  }
}
