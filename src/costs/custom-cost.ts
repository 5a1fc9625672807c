import { picoOf } from './money.ts'
import type { Price, Rates } from './price.ts'

const MEMBERS: readonly (readonly [member: string, rate: keyof Rates])[] = [
  ['per_token_in', 'input'],
  ['per_token_out', 'output'],
  ['per_cache_read_token', 'cacheRead'],
  ['per_cache_write_token', 'cacheWrite'],
]

/** The header is not what it should be; the message says what was wrong and what to send. */
export class CustomCostFault extends Error {}

/**
 * The price that a caller states in `cf-aig-custom-cost` (contract 3.1, 9.1): USD for a token, or for the whole request.
 * Where a cache rate is missing, `per_token_in` holds. Members that are not named here are left alone.
 * @param header the header's JSON text
 * @throws CustomCostFault
 */
export function customCost(header: string): Price {
  const given = readJson(header)
  if (given.total_cost !== undefined)
    return { source: 'header', rates: { request: amountOf(given, 'total_cost') }, flat: true }
  const rates: Rates = {}
  for (const [member, rate] of MEMBERS) if (given[member] !== undefined) rates[rate] = amountOf(given, member)
  if (rates.input === undefined && rates.output === undefined)
    throw new CustomCostFault(
      'cf-aig-custom-cost: expected "per_token_in" and "per_token_out", or "total_cost", in USD',
    )
  return { source: 'header', rates }
}

function readJson(header: string): Record<string, unknown> {
  let given: unknown
  try {
    given = JSON.parse(header)
  } catch {
    throw new CustomCostFault('cf-aig-custom-cost: expected a JSON object, found text that is no JSON')
  }
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw new CustomCostFault('cf-aig-custom-cost: expected a JSON object')
  return given as Record<string, unknown>
}

function amountOf(given: Record<string, unknown>, member: string): number {
  const dollars = given[member]
  try {
    if (typeof dollars === 'number') return picoOf(dollars)
  } catch {
    // Said below, with the member's name.
  }
  throw new CustomCostFault(`cf-aig-custom-cost: ${member}: expected a number of USD from 0 to 9007`)
}
