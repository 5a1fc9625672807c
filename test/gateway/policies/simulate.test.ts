import { expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import { simulate } from '../../../src/gateway/policies/simulate.ts'
import { Simulation } from '../../../src/schemas/policy.ts'
import { block, limit, setOf } from './samples.ts'

const set = setOf(
  { name: 'Everyone spend cap', actor: 'company:all', action: limit(1_000) },
  {
    name: 'Contractors',
    resource: { model: 'anthropic/claude-opus-*' },
    condition: '"contractors" in cf.user.groups',
    action: block,
  },
  { actor: 'team:{metadata.team}', action: limit(10, 'daily') },
)
const simulated = (asked: Parameters<typeof simulate>[1]) => {
  const simulation = simulate(set, asked)
  expect([...Value.Errors(Simulation, simulation)]).toEqual([])
  return simulation
}

test('a budget that is said to be used up refuses', () => {
  const asked = { identity: { cf: { user: { groups: [] } } }, model: 'openai/gpt-5.5', provider: 'openai' }
  expect(simulated(asked)).toMatchObject({
    evaluation: {
      decision: 'check_limits',
      buckets: [{ bucket: 'company:all *', period: 'monthly', limit: 1_000, spent: 0 }],
      policies: [
        { id: 'p2', outcome: 'other-resource' },
        { id: 'p1', outcome: 'applies', bucket: 'company:all *' },
        { id: 'p3', outcome: 'missing-field' },
      ],
    },
    enforcement: { allowed: true },
    policiesEvaluated: 3,
  })
  for (const key of ['Everyone spend cap', 'p1', 'company:all *'])
    expect(simulated({ ...asked, bucketUsage: { [key]: { spent: 1_000 } } }).enforcement).toEqual({
      allowed: false,
      reason: 'limit_exceeded',
      bucket: 'company:all *',
      spent: 1_000,
      limit: 1_000,
      policyName: 'Everyone spend cap',
    })
  expect(simulated({ ...asked, bucketUsage: { 'Everyone spend cap': { spent: 999.99 } } }).enforcement.allowed).toBe(
    true,
  )
})

test('a block names its policy, and the provider is taken from the model where it is left out', () => {
  const identity = { cf: { user: { groups: ['contractors'] } }, metadata: { team: 'x' } }
  expect(simulated({ identity, model: 'anthropic/claude-opus-4-7' })).toMatchObject({
    evaluation: { decision: 'block', buckets: [] },
    enforcement: { allowed: false, reason: 'blocked', policyName: 'Contractors' },
  })
  expect(simulated({ identity, model: 'anthropic/claude-haiku-4-7' }).evaluation.buckets).toHaveLength(2)
})
