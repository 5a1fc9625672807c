import { describe, expect, test } from 'bun:test'
import { policyProblems } from '../../../src/gateway/policies/compile.ts'
import { conditionOf } from '../../../src/gateway/policies/condition.ts'
import { resourceOf } from '../../../src/gateway/policies/resource.ts'
import type { PolicyResource } from '../../../src/schemas/policy.ts'
import { alice, factsOf, noLimit } from './samples.ts'

const holds = (text: string, facts = factsOf({ ...alice, metadata: { n: 5, team: 'x', none: null } })) => {
  const condition = conditionOf(text)
  if (typeof condition === 'string') throw new Error(condition)
  return condition.test(facts)
}

describe('conditions', () => {
  test.each([
    ['"research" in cf.user.groups', true],
    ['cf.user.email.endsWith("@example.com")', true],
    ['cf.user["id"] == "alice" && metadata["team"] == "x"', true],
    ['metadata.n == 5 && metadata.n >= 4.5 && metadata.none == null', true],
    ['cf.user.groups.exists(g, g.startsWith("fin"))', true],
    ['metadata.team.matches("^[xy]$") && !( cf.user.id ) .matches("b")', true],
    ['cf.country == "US"', 'missing'],
    ['cf.user.id == "alice" ? metadata.team == "y" : true', false],
    ['// a comment\ntrue', true],
  ])('%s', (text, verdict) => expect(holds(text)).toBe(verdict as never))

  test.each([
    ['cf.user.id ==', 'at character 14: Unexpected token: EOF'],
    ['cf.usr == "a"', 'at character 4: No such key: usr'],
    ['true &&\n  user.id == "a"', 'at line 2, character 3: Unknown variable: user'],
    ['cf.user.id', 'expected an expression that is true or false; this one is a string'],
    ['1 + 1', 'expected an expression that is true or false; this one is a int'],
    ['cf.user.id + 1 == "a"', 'at character 1: no such overload: string + int'],
    ['cel.bind(a, "x", a == a)', 'at character 1: cel.bind is not supported'],
    [
      'cf.user.groups.all(a, cf.user.groups.exists(b, a == b))',
      'at character 23: exists within another macro is not supported',
    ],
    ['cf.user.id.matches("(")', expect.stringContaining('at character 12: the regular expression is not valid')],
    ['cf.user.id.matches(cf.user.email)', 'at character 1: expected .matches("…") with a pattern that is written out'],
    ['1.matches("a")', expect.stringContaining('matches')],
    [`[${'1,'.repeat(300)}1].size() == 1`, expect.stringContaining('maxListElements')],
    [`${'('.repeat(50)}true${')'.repeat(50)}`, expect.stringContaining('maxDepth')],
    [Array(400).fill('false').join('||'), expect.stringContaining('expected an expression of at most')],
    [Array(270).fill('1>2').join('||'), expect.stringContaining('maxAstNodes')],
  ])('%.60s is refused', (text, reason) => expect(conditionOf(text)).toEqual(reason as never))

  test('a regular expression that would run away elsewhere does not', () => {
    const facts = factsOf({ metadata: { team: `${'a'.repeat(5_000)}!` } })
    expect(holds('metadata.team.matches("^(a+)+$")', facts)).toBe(false)
  })
})

describe('resources', () => {
  const covers = (resource: PolicyResource, provider: string, model: string) =>
    resourceOf(resource).covers(provider, model)

  test('models go by their own id and by that with the provider, whatever the case; * does not cross a slash', () => {
    for (const pattern of ['openai/gpt-*', 'gpt-*', '*-5.5', 'openai/*', '*', 'g*t*5*', 'GPT-5.5', 'gpt-5.5*'])
      for (const model of ['gpt-5.5', 'openai/gpt-5.5', 'GPT-5.5'])
        expect([pattern, model, covers({ model: pattern }, 'openai', model)]).toEqual([pattern, model, true])
    for (const pattern of ['anthropic/gpt-*', 'gpt-*-5', 'gpt', 'openai', '*/*/*', 'gpt-5.5*.5'])
      expect([pattern, covers({ model: pattern }, 'openai', 'gpt-5.5')]).toEqual([pattern, false])
    expect(covers({ model: '*' }, 'workers-ai', '@cf/meta/llama')).toBe(false)
    expect(covers({ model: '@cf/*/llama' }, 'workers-ai', '@cf/meta/llama')).toBe(true)
    expect(covers({ model: 'anthropic/claude-*' }, 'openrouter', 'anthropic/claude-opus')).toBe(true)
    expect(covers({ model: 'a.c' }, 'openai', 'abc')).toBe(false)
  })

  test('both a model and a provider must fit where both are named', () => {
    const resource = { model: ['gpt-5.5', 'b'], provider: ['openai', 'azure-openai'] }
    expect(covers(resource, 'azure-openai', 'gpt-5.5')).toBe(true)
    expect(covers(resource, 'openrouter', 'gpt-5.5')).toBe(false)
    expect(covers(resource, 'openai', 'c')).toBe(false)
    expect(covers({ provider: 'openai' }, 'openai', 'whatever')).toBe(true)
  })
})

test('everything wrong with a list is told, with its place', () => {
  const known = { isProvider: (slug: string) => slug === 'openai', providers: ['openai'] }
  const list = [
    { id: 'a', action: noLimit, condition: 'cf.user.id' },
    {
      id: 'a',
      name: 'Interns',
      action: noLimit,
      actor: 'user:{cf.user.name}',
      resource: { provider: ['openai', 'opnai'] },
    },
    { action: noLimit, actor: 'a}b', resource: { provider: 'open*' } },
    { action: noLimit, actor: 'a{cf.user.id' },
    // The schema tells of these.
    { action: 'block' },
    'nothing',
  ]
  expect(policyProblems(list, known)).toEqual([
    {
      pointer: '/0/condition',
      message: 'policies[0]: condition: expected an expression that is true or false; this one is a string',
    },
    {
      pointer: '/1/actor',
      message:
        'policies[1] "Interns": actor: expected cf.user.id, cf.user.email, cf.user.groups, cf.country, cf.custom.<claim> or metadata.<key> within the braces at character 6',
    },
    {
      pointer: '/1/resource/provider/1',
      message: 'policies[1] "Interns": resource: there is no provider "opnai"; did you mean "openai"?',
    },
    { pointer: '/1/id', message: 'policies[1] "Interns": id: policies[0] has the same id' },
    { pointer: '/2/actor', message: 'policies[2]: actor: "}" at character 2 closes nothing' },
    { pointer: '/2/resource/provider', message: 'policies[2]: resource: providers are named without wildcards' },
    { pointer: '/3/actor', message: 'policies[3]: actor: "{" at character 2 is not closed' },
  ])
  expect(policyProblems(undefined)).toEqual([])
})
