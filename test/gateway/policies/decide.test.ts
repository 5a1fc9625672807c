import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { decide } from '../../../src/gateway/policies/decide.ts'
import { anonymous, identityOf, noMetadata } from '../../../src/gateway/policies/facts.ts'
import { alice, block, decided, factsOf, limit, noLimit, setOf } from './samples.ts'

describe('by default', () => {
  test('without policies everything goes; with the first, what none covers is denied', () => {
    expect(decided([])).toBe('no-limit')
    expect(decided([{ action: noLimit, enabled: false }])).toBe('no-limit')
    expect(decided([{ action: noLimit, resource: { provider: 'anthropic' } }])).toBe('block')
    expect(decided([{ action: noLimit, resource: { provider: 'openai' } }])).toBe('no-limit')
    // A block that does not match allows nothing.
    expect(decided([{ action: block, resource: { provider: 'anthropic' } }])).toBe('block')
  })

  test('a matching block wins, wherever it stands', () => {
    const groups = '"research" in cf.user.groups'
    for (const others of [[noLimit], [limit(5)]])
      for (const policies of [
        [{ action: block, condition: groups }, ...others.map(action => ({ action }))],
        [...others.map(action => ({ action })), { action: block, condition: groups }],
      ])
        expect(decided(policies, alice)).toBe('block')
  })

  test('an allowlist: except blocks what its resource does not cover, and allows nothing itself', () => {
    const interns = {
      resource: { model: ['openai/gpt-5.5-mini', 'anthropic/claude-haiku-*'] },
      condition: '"interns" in cf.user.groups',
      action: { type: 'block', except: true } as const,
    }
    const intern = { cf: { user: { groups: ['interns'] } } }
    const mini = { ...intern, model: 'gpt-5.5-mini' }
    expect(decided([interns, { action: noLimit }], { ...intern, model: 'gpt-5.5' })).toBe('block')
    expect(decided([interns, { action: noLimit }], mini)).toBe('no-limit')
    expect(decided([interns], mini)).toBe('block')
    expect(decided([interns, { action: noLimit }], alice)).toBe('no-limit')
  })
})

describe('budgets', () => {
  const groups = (name: string) => `"${name}" in cf.user.groups`

  test('a request has to fit in every bucket that it draws on', () => {
    const policies = [
      { actor: 'company:example', action: limit(20_000) },
      { actor: 'team:finance', condition: groups('finance'), action: limit(10_000) },
      { actor: 'user:{cf.user.email}', condition: groups('finance'), action: limit(400) },
    ]
    expect(decided(policies, alice)).toEqual([
      'p1: 20000 monthly of company:example *',
      'p2: 10000 monthly of team:finance *',
      'p3: 400 monthly of user:alice@example.com *',
    ])
    expect(decided(policies, { cf: { user: { groups: [] } } })).toEqual(['p1: 20000 monthly of company:example *'])
  })

  test('in a bucket the highest amount of each period holds, and no limit is the highest', () => {
    const bucket = { actor: 'user:{cf.user.id}', resource: { model: ['b', 'gpt-5.5'] } }
    const same = { actor: 'user:{cf.user.id}', resource: { model: ['GPT-5.5', 'b'] } }
    const policies = [
      { ...bucket, action: limit(400) },
      { ...same, action: limit(600) },
      { ...bucket, action: limit(30, 'daily') },
      { ...same, action: limit(20, 'daily') },
    ]
    const name = 'user:alice {"model":["b","gpt-5.5"]}'
    expect(decided(policies, alice)).toEqual([`p2: 600 monthly of ${name}`, `p3: 30 daily of ${name}`])
    expect(decided([...policies, { ...bucket, action: noLimit }], alice)).toBe('no-limit')
    // Another bucket is not concerned.
    expect(decided([...policies, { actor: 'x', action: noLimit }], alice)).toHaveLength(2)
  })

  test('the value of a claim cannot be made to look like a resource', () => {
    const policies = [{ actor: 'a {metadata.x}', resource: { provider: 'openai' }, action: limit(1) }]
    const one = decided(policies, { metadata: { x: '*' } })
    expect(one).toEqual(['p1: 1 monthly of a * {"provider":["openai"]}'])
    const long = decided(policies, { metadata: { x: 'y'.repeat(5_000) } }) as string[]
    expect(long[0]).toMatch(/^p1: 1 monthly of sha256:[0-9a-f]{64} \{/)
  })

  test('amounts are exact, and large ones near enough', () => {
    const amount = (dollars: number) => decide(setOf({ action: limit(dollars) }), factsOf()).limits[0]!.amountPico
    expect(amount(0.1)).toBe(100_000_000_000)
    expect(amount(25)).toBe(25_000_000_000_000)
    expect(amount(9_000_000)).toBe(9e18)
  })
})

describe('what is missing, and what fails', () => {
  test('a block that asks for a missing field blocks; anything else that does is not about the request', () => {
    const condition = 'metadata.team == "x"'
    expect(decided([{ action: block, condition }, { action: noLimit }])).toBe('block')
    expect(decided([{ action: block, condition }, { action: noLimit }], { metadata: { team: 'y' } })).toBe('no-limit')
    expect(decided([{ action: noLimit, condition }])).toBe('block')
    expect(
      decided([
        { action: limit(1), condition },
        { actor: 'z', action: limit(2) },
      ]),
    ).toEqual(['p2: 2 monthly of z *'])
    expect(decided([{ action: limit(1), actor: 'user:{cf.user.id}' }])).toBe('block')
    // Only what has to be known is missed.
    expect(decided([{ action: block, condition: `has(metadata.team) && ${condition}` }, { action: noLimit }])).toBe(
      'no-limit',
    )
    expect(decided([{ action: noLimit, condition: `${condition} || cf.user.id == "alice"` }], alice)).toBe('no-limit')
    expect(decided([{ action: noLimit, condition: `!(cf.user.id == "x" && ${condition})` }], alice)).toBe('no-limit')
  })

  test('a policy that cannot be evaluated opens and is told of; the others hold all the same', () => {
    const failures: string[] = []
    const watching = {
      failed: (policy: { id: string }, reason: string) => failures.push(`${policy.id}: ${reason}`),
    }
    const condition = 'metadata.age > 18'
    const young = { metadata: { age: 'a secret' } }
    expect(decided([{ action: noLimit, condition }], young, watching)).toBe('no-limit')
    expect(decided([{ action: block, condition }], young, watching)).toBe('no-limit')
    expect(decided([{ action: block, condition }, { action: limit(1) }], young, watching)).toEqual([
      'p2: 1 monthly of * *',
    ])
    expect(decided([{ action: noLimit, condition }, { action: block }], young, watching)).toBe('block')
    expect(failures[0]).toBe('p1: the condition cannot be evaluated: no_such_overload')
    expect(failures.join()).not.toContain('secret')
    expect(failures).toHaveLength(3)
    // One that was no good from the beginning does the same.
    expect(decided([{ action: block, condition: 'cf.' }], {}, watching)).toBe('no-limit')
    expect(failures[3]).toStartWith('p1: condition: at character 4')
  })
})

test('what a token says of its holder', () => {
  const at = (cf: ReturnType<typeof identityOf>) => ({ cf, metadata: noMetadata, provider: 'openai', model: 'x' })
  const holds = (condition: string, cf: ReturnType<typeof identityOf>) =>
    decide(setOf({ action: noLimit, condition }), at(cf)).decision === 'no-limit'
  const laptop = identityOf({ name: 'laptop' })
  const full = identityOf({ name: 'a@b.example', groups: ['g'], claims: { level: 3, roles: ['r'] } })
  expect(holds('cf.user.id == "laptop" && size(cf.user.groups) == 0', laptop)).toBe(true)
  expect(holds('has(cf.user.email)', laptop)).toBe(false)
  expect(holds('cf.user.email.endsWith("@b.example") && cf.custom.level > 2 && "r" in cf.custom.roles', full)).toBe(
    true,
  )
  expect(holds('has(cf.country) || has(cf.custom.constructor)', full)).toBe(false)
  expect(holds('has(cf.user.id) || has(cf.user.groups)', anonymous)).toBe(false)
})

test('the order of policies is of no account, and watching changes nothing', () => {
  const action = fc.constantFrom(block, noLimit, limit(1), limit(2), limit(3, 'daily'), {
    type: 'block',
    except: true,
  } as const)
  const policy = fc.record({
    action,
    actor: fc.constantFrom('*', 'user:{cf.user.id}', '{metadata.team}'),
    resource: fc.constantFrom('*' as const, { provider: 'openai' }, { model: 'openai/gpt-*' }, { model: 'x' }),
    condition: fc.constantFrom(
      'true',
      'metadata.team == "a"',
      'cf.user.id == "alice" && metadata.team > 1',
      'metadata.team == "b" || has(cf.user.id)',
    ),
  })
  const stated = fc.constantFrom({}, alice, { metadata: { team: 'a' } }, { ...alice, metadata: { team: 2 } })
  const plain = ({ decision, limits }: ReturnType<typeof decide>) => ({
    decision,
    limits: limits.map(one => `${one.bucket} ${one.period} ${one.amountPico}`).toSorted(),
  })
  fc.assert(
    fc.property(fc.array(policy, { maxLength: 8 }), stated, (policies, facts) => {
      const once = plain(decide(setOf(...policies), factsOf(facts)))
      expect(plain(decide(setOf(...policies.toReversed()), factsOf(facts)))).toEqual(once)
      const traced: unknown[] = []
      expect(plain(decide(setOf(...policies), factsOf(facts), { traced: one => traced.push(one) }))).toEqual(once)
      expect(traced).toHaveLength(policies.length)
    }),
    { numRuns: 300 },
  )
})
