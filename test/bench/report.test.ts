import { expect, test } from 'bun:test'
import { kept, median, quantile, type Row, table } from './report.ts'

const row: Row = { measure: 'CPU', unit: 'µs', postern: 20, nginx: 10, ratio: 2 }

test('the middle of an even and of an odd number of values', () => {
  expect(median([9, 1, 5])).toBe(5)
  expect(median([9, 1, 5, 6])).toBe(5.5)
  expect(quantile([5, 1, 4, 2, 3], 0.99)).toBe(5)
})

test('a bound is kept up to its very value, and missed where there is no number', () => {
  expect(kept({ ...row, bound: { ratio: 2 } })).toBe(true)
  expect(kept({ ...row, bound: { ratio: 1.99 } })).toBe(false)
  expect(kept({ ...row, bound: { value: 20 } })).toBe(true)
  expect(kept({ ...row, bound: { value: 19 } })).toBe(false)
  expect(kept({ ...row, ratio: null, bound: { ratio: 2 } })).toBe(false)
  expect(kept({ ...row, postern: null, bound: { value: 19 } })).toBe(false)
  expect(kept({ ...row, failure: 'closed' })).toBe(false)
  expect(kept(row)).toBe(null)
})

test('the table says what was missed', () => {
  const text = table([{ ...row, bound: { ratio: 1.5 } }], 'Postern')
  expect(text.split('\n').at(-1)).toMatch(/^CPU +20\.0 µs +10\.0 µs +2\.00 × +≤ 1\.5 × +MISSED$/)
})
