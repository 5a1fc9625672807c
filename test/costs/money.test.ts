import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { dollarsOf, dollarText, partOf, picoOf, Sum } from '../../src/costs/money.ts'

describe('picoOf', () => {
  test.each<[string | number, number, number]>([
    [1.25, 6, 1_250_000],
    ['0.000001', 6, 1],
    [0.1, 6, 100_000],
    ['2.50', 0, 2_500_000_000_000],
    [0.0000025, 0, 2_500_000],
    [1e-7, 0, 100_000],
    ['1E-12', 0, 1],
    [0, 6, 0],
    // Finer than a picodollar: six decimals more, then rounded half up.
    [0.08333333333333334, 6, 83_333.333333],
    ['0.0000000000005', 6, 0.000001],
    [9007, 0, 9_007_000_000_000_000],
  ])('%p for 10^%p is %p', (dollars, power, pico) => {
    expect(picoOf(dollars, power)).toBe(pico)
  })

  test.each<string | number>([-1, Number.NaN, Number.POSITIVE_INFINITY, '', '1,5', '0x10', ' 1', 9008, '1e99'])(
    '%p is refused',
    dollars => {
      expect(() => picoOf(dollars)).toThrow(RangeError)
    },
  )

  test('any price with six decimals is whole, and comes back as it was written', () => {
    fc.assert(
      fc.property(fc.nat(999_999_999), micro => {
        const text = `${Math.floor(micro / 1e6)}.${String(micro % 1e6).padStart(6, '0')}`
        expect(picoOf(text, 6)).toBe(micro)
        expect(dollarText(picoOf(text))).toBe(text.replace(/\.?0+$/, ''))
      }),
    )
  })
})

describe('dollarText', () => {
  test.each<[number | bigint, string]>([
    [0, '0'],
    [1, '0.000000000001'],
    [2_059_200_000, '0.0020592'],
    [780_000_000_000, '0.78'],
    [10_000_000_000_000, '10'],
    [83_333.333333, '0.000000083333333333'],
    [-1_500_000_000_000n, '-1.5'],
    [123_456_789_012_345_678_901n, '123456789.012345678901'],
  ])('%p is %p', (pico, text) => {
    expect(dollarText(pico)).toBe(text)
  })

  test('dollarsOf is the number that the text stands for', () => {
    expect(dollarsOf(780_000_000_000)).toBe(0.78)
    expect(dollarsOf(54_399_000_000n)).toBe(0.054399)
  })
})

describe('Sum', () => {
  const sum = (...parts: [units: number, rate: number][]) => {
    const all = new Sum()
    for (const [units, rate] of parts) all.add(units, rate)
    return all.pico
  }

  test('rounds once, at the end, half up', () => {
    expect(sum([1, 0.4], [1, 0.4])).toBe(1)
    expect(sum([1, 0.2], [1, 0.2])).toBe(0)
    expect(sum([1, 0.5])).toBe(1)
    // 1.005 × 100 is 100.49999999999999 in floating point.
    expect(sum([100, 1.005])).toBe(101)
    expect(sum([3, 83_333.333333])).toBe(250_000)
  })

  test('takes seconds with decimals', () => {
    expect(sum([12.34, 100_000_000])).toBe(1_234_000_000)
  })

  test('what a number cannot hold is the most that it can', () => {
    expect(sum([1e12, 1e9])).toBe(Number.MAX_SAFE_INTEGER)
    expect(sum([Number.POSITIVE_INFINITY, 1])).toBe(Number.MAX_SAFE_INTEGER)
    expect(sum([9e6, 1e9], [9e6, 1e9], [9e6, 1e9])).toBe(Number.MAX_SAFE_INTEGER)
    expect(sum([9e6, 1e9])).toBe(9e15)
  })

  test('is exact for any counts and rates', () => {
    const part = fc.tuple(fc.nat(10_000_000), fc.nat(100_000_000))
    fc.assert(
      fc.property(fc.array(part, { maxLength: 6 }), parts => {
        const micro = parts.reduce((all, [units, rate]) => all + BigInt(units) * BigInt(rate), 0n)
        expect(BigInt(sum(...parts.map(([units, rate]): [number, number] => [units, rate / 1e6])))).toBe(
          (micro + 500_000n) / 1_000_000n,
        )
      }),
    )
  })
})

test('a part of a rate', () => {
  expect(partOf(150_000, 5, 3)).toBe(250_000)
  expect(partOf(1_000, 1, 3)).toBe(333.333333)
})
