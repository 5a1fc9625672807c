import { describe, expect, test } from 'bun:test'
import { decide, decideAgain } from '../../../src/gateway/policies/decide.ts'
import { alice, block, factsOf, limit, noLimit, setOf } from './samples.ts'

const unheard = () => {
  throw new Error('nothing fails here')
}

describe('a decision that is kept', () => {
  const set = setOf(
    { actor: '{cf.user.id}', action: limit(5) },
    { resource: { model: ['gpt-5.5-pro'] }, action: block },
    { condition: 'cf.user.id == "bob"', action: noLimit },
  )
  const bob = { cf: { user: { id: 'bob' } } }

  test('is the same object for the same caller, provider and model', () => {
    const facts = factsOf(alice)
    const first = decideAgain(set, facts, unheard)
    expect(first).toEqual(decide(set, facts))
    expect(decideAgain(set, { ...facts }, unheard)).toBe(first)
  })

  test.each([
    ['caller', factsOf(bob)],
    ['model', { ...factsOf(alice), model: 'gpt-5.5-pro' }],
    ['model that is not known', { ...factsOf(alice), model: undefined }],
    ['provider', { ...factsOf(alice), provider: 'groq' }],
  ])('is nobody else’s: another %s', (_what, facts) => {
    decideAgain(set, factsOf(alice), unheard)
    for (let round = 0; round < 2; round++) expect(decideAgain(set, facts, unheard)).toEqual(decide(set, facts))
  })

  test('a long model is decided each time', () => {
    const facts = { ...factsOf(alice), model: 'm'.repeat(513) }
    expect(decideAgain(set, facts, unheard)).not.toBe(decideAgain(set, facts, unheard))
  })

  test('beyond the bound all are decided anew, and alike', () => {
    const facts = factsOf(alice)
    const first = decideAgain(set, facts, unheard)
    for (let at = 0; at < 10_001; at++) decideAgain(set, { ...facts, model: `m${at}` }, unheard)
    const again = decideAgain(set, facts, unheard)
    expect(again).not.toBe(first)
    expect(again).toEqual(first)
  })
})

test.each([
  ['condition', { condition: 'metadata.team == "search"', action: limit(5) }],
  ['condition, by its key', { condition: 'metadata["team"] == "search"', action: limit(5) }],
  ['actor', { actor: '{metadata.team}', action: limit(5) }],
])('what the metadata says is looked at for each request: in a %s', (_where, policy) => {
  const set = setOf(policy)
  const facts = factsOf(alice)
  const other = factsOf({ metadata: { team: 'search' } }).metadata
  expect(decideAgain(set, facts, unheard).decision).toBe('block')
  expect(decideAgain(set, { ...facts, metadata: other }, unheard).decision).toBe('check_limits')
  expect(decideAgain(set, facts, unheard).decision).toBe('block')
})

test('a policy that cannot be evaluated is told of each time', () => {
  const set = setOf({ condition: 'cf.custom.age > 1', action: limit(5) })
  const facts = factsOf({ cf: { custom: { age: 'old' } } })
  const told: string[] = []
  for (let round = 0; round < 2; round++)
    expect(decideAgain(set, facts, policy => told.push(policy.id)).decision).toBe('no-limit')
  expect(told).toEqual(['p1', 'p1'])
})
