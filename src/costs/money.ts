/**
 * Money is counted in picodollars, 1e-12 USD. A price per million tokens with six decimals is a whole number of them per
 * token, and a `number` holds every amount up to 9,007 USD exactly; sums over many requests are kept as `bigint`. A rate
 * may have up to six decimals of a picodollar more; amounts are rounded once, at the end, half up.
 */

/** Decimals of a dollar in a picodollar. */
const DOLLAR = 12
const MOST = Number.MAX_SAFE_INTEGER
const MICRO = 1_000_000
/** Far above all that a number can say of picodollars, and still small enough to be counted in millionths. */
const BEYOND = 2 ** 60
/** From here on a rate is kept in whole picodollars: a double has no room for its decimals, and nobody quotes them. */
const COARSE = 1_000_000_000

const DECIMAL = /^(\d{1,30})(?:\.(\d{0,40}))?(?:[eE]([+-]?\d{1,2}))?$/

/**
 * Reads an amount of dollars exactly as it is written.
 * @param dollars decimal text, or a number, which stands for the shortest text that reads as it
 * @param power dollars for how many units, as a power of ten: 6 for a price per million tokens, 0 for one
 * @returns picodollars for one unit, with at most six decimals
 * @throws RangeError when it is no amount: negative, not a number, or more than 9,007 USD
 */
export function picoOf(dollars: string | number, power = 0): number {
  const [, whole, fraction = '', exponent = '0'] = DECIMAL.exec(String(dollars)) ?? []
  if (whole === undefined) throw new RangeError('expected an amount of dollars, zero or more')
  // In millionths of a picodollar.
  const shift = Number(exponent) - fraction.length + DOLLAR + 6 - power
  const digits = BigInt(whole + fraction)
  const micro = shift >= 0 ? digits * 10n ** BigInt(shift) : halfUp(digits, 10n ** BigInt(-shift))
  const pico = halfUp(micro, 1_000_000n)
  if (pico > BigInt(MOST)) throw new RangeError('expected an amount of dollars below 9007')
  return pico >= BigInt(COARSE) || micro % 1_000_000n === 0n ? Number(pico) : Number(micro) / MICRO
}

const halfUp = (amount: bigint, by: bigint) => (2n * amount + by) / (2n * by)

/** A rate, times a fraction, with six decimals. */
export function partOf(rate: number, numerator: number, denominator: number): number {
  const part = (rate * numerator) / denominator
  return part >= COARSE ? Math.round(part) : Math.round(part * MICRO) / MICRO
}

/** Adds up units at their rates without losing anything, and rounds once. */
export class Sum {
  #whole = 0
  /** Millionths of a picodollar. */
  #micro = 0n

  /**
   * @param units a count, or seconds and the like to six decimals
   * @param rate picodollars for one
   * @returns the picodollars of this part, for people to read: with decimals where there are any
   */
  add(units: number, rate: number): number {
    const pico = units * rate
    if (pico > BEYOND) {
      this.#whole = MOST
      return MOST
    }
    if (pico <= MOST && Number.isInteger(units) && Number.isInteger(rate)) {
      this.#whole += pico
      return pico
    }
    const micro = halfUp(BigInt(Math.round(units * MICRO)) * BigInt(Math.round(rate * MICRO)), 1_000_000n)
    this.#micro += micro
    return Number(micro) / MICRO
  }

  /** Picodollars, rounded half up; what a number cannot hold is said to be the most that it can. */
  get pico(): number {
    const pico = this.#whole + Number(halfUp(this.#micro, 1_000_000n))
    return Math.min(pico, MOST)
  }
}

/**
 * Picodollars as exact decimal text in dollars, without an exponent and without zeros at the end: `0.000002059`.
 * @param pico whole, or a rate with at most six decimals
 */
export function dollarText(pico: number | bigint): string {
  if (typeof pico === 'number' && !Number.isInteger(pico)) return point(BigInt(Math.round(pico * MICRO)), DOLLAR + 6)
  return point(BigInt(pico), DOLLAR)
}

function point(amount: bigint, decimals: number): string {
  const sign = amount < 0n ? '-' : ''
  const digits = (amount < 0n ? -amount : amount).toString().padStart(decimals + 1, '0')
  const fraction = digits.slice(-decimals).replace(/0+$/, '')
  return `${sign}${digits.slice(0, -decimals)}${fraction && `.${fraction}`}`
}

/** The same as a number of dollars, for answers in JSON. */
export const dollarsOf = (pico: number | bigint): number => Number(dollarText(pico))
