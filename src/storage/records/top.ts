/** Beside those wanted, so many are gathered before the least of them are thrown out. */
const SLACK = 4_096

/**
 * The largest of many, by a value and then by a number, in order. They are gathered in a buffer, and what can no longer be
 * among them is thrown out when it is full, so that the cost of one that is too small is one comparison.
 */
export class Top {
  readonly #wanted: number
  #values: Float64Array
  #numbers: Float64Array
  #length = 0
  #least = Number.NEGATIVE_INFINITY
  #leastNumber = Number.NEGATIVE_INFINITY

  constructor(wanted: number) {
    this.#wanted = wanted
    const room = Math.min(wanted, SLACK) + SLACK
    this.#values = new Float64Array(room)
    this.#numbers = new Float64Array(room)
  }

  /** What is smaller is not among them. */
  get least(): number {
    return this.#least
  }

  /** @param value not NaN */
  add(value: number, number: number): void {
    if (value < this.#least || (value === this.#least && number < this.#leastNumber)) return
    if (this.#length === this.#values.length) this.#makeRoom()
    this.#values[this.#length] = value
    this.#numbers[this.#length++] = number
  }

  /** The numbers of those from one place to another, the largest first. */
  between(from: number, to: number): number[] {
    const order = this.#sorted().slice(from, to)
    return Array.from(order, index => this.#numbers[index]!)
  }

  #makeRoom(): void {
    if (this.#length < this.#wanted + SLACK) {
      this.#values = grown(this.#values, this.#wanted + SLACK)
      this.#numbers = grown(this.#numbers, this.#wanted + SLACK)
      return
    }
    const kept = this.#sorted().slice(0, this.#wanted)
    const values = Float64Array.from(kept, index => this.#values[index]!)
    const numbers = Float64Array.from(kept, index => this.#numbers[index]!)
    this.#values.set(values)
    this.#numbers.set(numbers)
    this.#length = this.#wanted
    this.#least = values.at(-1) ?? Number.POSITIVE_INFINITY
    this.#leastNumber = numbers.at(-1) ?? Number.POSITIVE_INFINITY
  }

  #sorted(): Uint32Array {
    const [values, numbers] = [this.#values, this.#numbers]
    return Uint32Array.from({ length: this.#length }, (_, index) => index).sort((a, b) => {
      const [one, other] = [values[a]!, values[b]!]
      return one === other ? numbers[b]! - numbers[a]! : other - one
    })
  }
}

function grown(array: Float64Array, most: number): Float64Array {
  const larger = new Float64Array(Math.min(array.length * 2, most))
  larger.set(array)
  return larger
}
