import { describe, expect, test } from 'bun:test'
import { costOf } from '../../src/costs/cost.ts'
import { CustomCostFault, customCost } from '../../src/costs/custom-cost.ts'
import { dollarText } from '../../src/costs/money.ts'

const usage = { input: 1_000, output: 100, cacheRead: 300, cacheWrite: 200, source: 'reported' as const }
const dollars = (header: string) => dollarText(costOf(usage, customCost(header)).pico)

test('prices by the token', () => {
  expect(
    dollars(
      '{"per_token_in":0.000001,"per_token_out":2e-6,"per_cache_read_token":1e-7,"per_cache_write_token":0.00000125}',
    ),
  ).toBe('0.00098')
})

test('without prices for the cache, what was cached costs as the rest, once (contract 9.1)', () => {
  expect(dollars('{"per_token_in":0.000001,"per_token_out":0.000002}')).toBe('0.0012')
})

test('nothing is an amount too', () => {
  expect(dollars('{"per_token_in":0,"per_token_out":0}')).toBe('0')
  expect(dollars('{"total_cost":0}')).toBe('0')
})

test('a part that is left out has no price, and that is told', () => {
  expect(costOf(usage, customCost('{"per_token_in":0.000001}')).unpriced).toEqual(['output'])
})

test('the whole goes before its parts', () => {
  expect(dollars('{"total_cost":0.5,"per_token_in":1}')).toBe('0.5')
})

describe('what is refused', () => {
  test.each([
    ['not json', 'cf-aig-custom-cost: expected a JSON object, found text that is no JSON'],
    ['[1]', 'cf-aig-custom-cost: expected a JSON object'],
    ['{}', 'cf-aig-custom-cost: expected "per_token_in" and "per_token_out", or "total_cost", in USD'],
    [
      '{"per_cache_read_token":1}',
      'cf-aig-custom-cost: expected "per_token_in" and "per_token_out", or "total_cost", in USD',
    ],
    ['{"total_cost":-1}', 'cf-aig-custom-cost: total_cost: expected a number of USD from 0 to 9007'],
    ['{"total_cost":null}', 'cf-aig-custom-cost: total_cost: expected a number of USD from 0 to 9007'],
    ['{"per_token_in":"1"}', 'cf-aig-custom-cost: per_token_in: expected a number of USD from 0 to 9007'],
    [
      '{"per_token_in":1,"per_token_out":1e9}',
      'cf-aig-custom-cost: per_token_out: expected a number of USD from 0 to 9007',
    ],
  ])('%s', (header, message) => {
    expect(() => customCost(header)).toThrow(new CustomCostFault(message))
  })
})
