interface Remembered<V> {
  value: V
  /** Milliseconds since 1970. */
  until: number
}

/** How long an answer of the store holds: what is removed there stops working, and what is new starts, within this time. */
const HOLD_MS = 2_000
/** So that guessing cannot fill the memory. */
const MOST_REMEMBERED = 10_000

/** What the store said lately, so that between times no request waits for a promise. */
export class Lately<V> {
  readonly #remembered = new Map<string, Remembered<V>>()
  readonly #ask: (key: string) => Promise<V>

  constructor(ask: (key: string) => Promise<V>) {
    this.#ask = ask
  }

  /** Answers at once when the same was asked lately; otherwise asks the store. */
  of(key: string): V | Promise<V> {
    const remembered = this.#remembered.get(key)
    return remembered && remembered.until > Date.now() ? remembered.value : this.#fresh(key)
  }

  /** The next one to ask gets what the store says now. */
  forget(key: string): void {
    this.#remembered.delete(key)
  }

  async #fresh(key: string): Promise<V> {
    const value = await this.#ask(key)
    if (this.#remembered.size >= MOST_REMEMBERED) this.#remembered.clear()
    this.#remembered.set(key, { value, until: Date.now() + HOLD_MS })
    return value
  }
}
