import { expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import { decide } from '../../../src/gateway/policies/decide.ts'
import { deniedByPolicy, limitExceeded } from '../../../src/gateway/policies/refusals.ts'
import { PolicyDenied, PolicyLimitExceeded } from '../../../src/schemas/policy.ts'
import { factsOf, limit, setOf } from './samples.ts'

test('the error of a refusal is an object, as the contract has it', () => {
  const denied = deniedByPolicy()
  expect(denied).toMatchObject({ status: 403, body: { success: false, error: { message: 'Access denied by policy' } } })
  expect(Value.Check(PolicyDenied, denied.body)).toBe(true)
  const [budget] = decide(setOf({ actor: 'company:all', action: limit(1_000) }), factsOf()).limits
  const exceeded = limitExceeded(budget!, 1_000_420_000_000_000, 60)
  expect(exceeded).toMatchObject({ status: 429, retryAfter: 60 })
  expect(exceeded.body).toEqual({
    success: false,
    error: { message: 'Spending limit exceeded', bucket: 'company:all *', spent: 1000.42, limit: 1_000 },
  })
  expect(Value.Check(PolicyLimitExceeded, exceeded.body)).toBe(true)
})
