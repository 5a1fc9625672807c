/** So many keys are known at most, in about 20 MB. */
const MOST_KEYS = 500_000
/** Hexadecimal digits of a key that stand for it: what fits a number exactly. */
const DIGITS = 13

/**
 * What is in the store, as far as a look at it can be saved: a key that is not here is not there. Each key is kept as its
 * number ({@link numberOf}), as in the store.
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

  add(number: number, expires: number): void {
    if (!this.#expiries) return
    this.#expiries.set(number, expires)
    if (this.#expiries.size > this.#bound) this.giveUp()
  }

  delete(number: number): void {
    this.#expiries?.delete(number)
  }

  /** Whether the store has to be asked. */
  mayHave(key: string, now: number): boolean {
    if (!this.#complete || !this.#expiries) return true
    const expires = this.#expiries.get(numberOf(key))
    return expires !== undefined && expires > now
  }
}

/** Before the hexadecimal digits of a key: its gateway. Equal questions to two gateways have the same digits. */
const BEHIND_GATEWAY = 65

/** A key as a number of 52 bits. Two keys share one about never, and nothing goes wrong but that one is not kept. */
export function numberOf(key: string): number {
  let gateway = 0
  for (let at = key.length - BEHIND_GATEWAY - 1; at >= 0; at--) gateway = (gateway * 31 + key.charCodeAt(at)) >>> 0
  return (Number.parseInt(key.slice(-DIGITS), 16) + gateway * 2 ** 20) % 2 ** 52
}
