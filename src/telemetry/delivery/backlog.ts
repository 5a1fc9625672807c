/**
 * What waits to be sent, oldest first. It has a bound in number and in bytes; what comes when it is full is not taken in
 * but counted.
 */
export class Backlog<T> {
  #items: { item: T; bytes: number }[] = []
  #bytes = 0
  #dropped = 0

  /**
   * @param most items
   * @param mostBytes by what {@link push} is told of each
   */
  constructor(
    readonly most: number,
    readonly mostBytes: number,
  ) {}

  get size(): number {
    return this.#items.length
  }

  /** How many were not taken in since the beginning. */
  get dropped(): number {
    return this.#dropped
  }

  /** @returns whether there was room */
  push(item: T, bytes: number): boolean {
    if (this.#items.length >= this.most || this.#bytes + bytes > this.mostBytes) {
      this.#dropped++
      return false
    }
    this.#items.push({ item, bytes })
    this.#bytes += bytes
    return true
  }

  /** Takes the oldest out: so many, or as many as come to so many bytes, and at least one where there is one. */
  take(most: number, mostBytes = Number.POSITIVE_INFINITY): T[] {
    let count = 0
    let bytes = 0
    for (const one of this.#items) {
      if (count === most || (count > 0 && bytes + one.bytes > mostBytes)) break
      bytes += one.bytes
      count++
    }
    this.#bytes -= bytes
    return this.#items.splice(0, count).map(({ item }) => item)
  }
}
