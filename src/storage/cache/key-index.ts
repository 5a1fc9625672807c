/** So many keys are known at most, in about 20 MB. */
const MOST_KEYS = 500_000
/** Hexadecimal digits of a key that stand for it: what fits a number exactly. */
const DIGITS = 13

/**
 * What is in the store, as far as a look at it can be saved: a key that is not here is not there. Each key is kept as a
 * number of 52 bits; two keys that share one cost no more than a look, or an answer that is not found again.
 *
 * With more keys than the bound it gives up: then every key may be there, and the store is asked.
 */
export class KeyIndex {
  readonly #bound: number
  /** When each answer expires, in milliseconds since 1970. */
  #expiries: Map<number, number> | undefined = new Map()
  #complete = false

  constructor(bound = MOST_KEYS) {
    this.#bound = bound
  }

  /** From now on a key that is not here is known not to be in the store. */
  completed(): void {
    this.#complete = true
  }

  /** Every key may be there: somebody else writes too, or there are too many. */
  giveUp(): void {
    this.#expiries = undefined
  }

  get useful(): boolean {
    return this.#expiries !== undefined
  }

  add(key: string, expires: number): void {
    if (!this.#expiries) return
    this.#expiries.set(numberOf(key), expires)
    if (this.#expiries.size > this.#bound) this.giveUp()
  }

  delete(key: string): void {
    this.#expiries?.delete(numberOf(key))
  }

  /** Whether the store has to be asked. */
  mayHave(key: string, now: number): boolean {
    if (!this.#complete || !this.#expiries) return true
    const expires = this.#expiries.get(numberOf(key))
    return expires !== undefined && expires > now
  }
}

const numberOf = (key: string) => Number.parseInt(key.slice(-DIGITS), 16)
