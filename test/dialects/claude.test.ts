import { describe, expect, test } from 'bun:test'
import type { Conversation } from '../../src/conversation/conversation.ts'
import { claudeOf } from '../../src/dialects/claude.ts'
import { planThinking } from '../../src/dialects/claude-thinking.ts'
import { calling, conversation, result, user } from './conversations.ts'

test.each([
  ['claude-3-haiku-20240307', 'none', 'free', false, 4_096],
  ['anthropic.claude-3-5-sonnet-20241022-v2:0', 'none', 'free', false, 8_192],
  ['claude-3-7-sonnet-latest', 'budget', 'free', false, 128_000],
  ['claude-sonnet-4-20250514', 'budget', 'free', false, 64_000],
  ['claude-opus-4-1@20250805', 'budget', 'one', true, 32_000],
  ['us.anthropic.claude-sonnet-4-5-20250929-v1:0', 'budget', 'one', true, 64_000],
  ['claude-haiku-4-5', 'budget', 'one', true, 64_000],
  ['claude-opus-4-6', 'adaptive', 'one', true, 128_000],
  ['anthropic.claude-opus-4-7', 'adaptive', 'none', true, 128_000],
  ['claude-sonnet-5', 'adaptive', 'none', true, 128_000],
  ['claude-haiku-5-5', 'adaptive', 'none', true, 128_000],
  ['anthropic.claude-fable-5-1', 'adaptive', 'none', true, 128_000],
  ['claude-4.6-opus', 'adaptive', 'one', true, 128_000],
  ['claude-2.1', 'none', 'free', false, 4_096],
  ['kimi-k2', 'budget', 'free', false, undefined],
] as const)('what %s can do', (model, thinking, sampling, structured, maxTokens) => {
  expect(claudeOf(model)).toMatchObject({ thinking, sampling, structured })
  expect(claudeOf(model).maxTokens).toBe(maxTokens)
})

test.each([
  ['claude-sonnet-5', 'disabled', true],
  ['claude-sonnet-5-5', 'between-tools', false],
  ['claude-opus-5', 'disabled', true],
  ['claude-opus-5-5', 'low-effort', false],
  ['claude-fable-5', 'low-effort', true],
] as const)('how %s stops thinking, and whether a tool can be forced', (model, thinkingOff, forcedTool) => {
  expect(claudeOf(model)).toMatchObject({ thinkingOff, forcedTool })
})

describe('planThinking', () => {
  const plan = (model: string, given: Partial<Conversation>, forced = false) =>
    planThinking(conversation(given), claudeOf(model), forced)

  test.each([
    [2_000, 1_600],
    [10_000, 8_000],
    [1_025, 1_024],
  ])('T71 a budget stays below a bound of %p and at least 1024', (maxTokens, budget) => {
    const { thinking, maxTokens: bound } = plan('claude-sonnet-4-5', { reasoning: { effort: 'high' }, maxTokens })
    expect(bound).toBe(maxTokens)
    expect(thinking).toEqual({ type: 'enabled', budget_tokens: budget })
  })

  test('T71 no room for a budget: no thinking, and that is said', () => {
    expect(plan('claude-sonnet-4-5', { reasoning: { effort: 'low' }, maxTokens: 1_024 })).toEqual({
      on: false,
      maxTokens: 1_024,
      dropped: ['reasoning_effort'],
    })
  })

  test('T71 a budget larger than the bound is cut', () => {
    const { thinking } = plan('claude-sonnet-4-5', { reasoning: { budget: 9_000 }, maxTokens: 5_000 })
    expect(thinking).toEqual({ type: 'enabled', budget_tokens: 4_000 })
  })

  test('a bound is made to hold the thinking where the caller gave none', () => {
    const { thinking, maxTokens } = plan('claude-haiku-4-5', { reasoning: { budget: 20_000 } })
    expect(thinking).toEqual({ type: 'enabled', budget_tokens: 20_000 })
    expect(maxTokens).toBe(52_000)
  })

  test.each([
    ['claude-opus-4-6', 'medium', 'medium'],
    ['claude-opus-4-6', 'minimal', 'low'],
    ['claude-opus-4-6', 'xhigh', 'high'],
    ['claude-opus-4-7', 'xhigh', 'xhigh'],
    ['claude-sonnet-5', 'max', 'max'],
  ] as const)('%s decides itself at effort %s', (model, effort, wire) => {
    expect(plan(model, { reasoning: { effort } })).toEqual({
      on: true,
      thinking: { type: 'adaptive' },
      effort: wire,
      maxTokens: undefined,
      dropped: [],
    })
  })

  test.each([
    ['claude-sonnet-4-5', { thinking: { type: 'disabled' } }],
    ['claude-sonnet-5-5', { thinking: { type: 'between_tools' } }],
    ['claude-fable-5', { effort: 'low' }],
    ['claude-3-5-haiku', {}],
  ])('T71 effort none on %s', (model, wire) => {
    expect(plan(model, { reasoning: { effort: 'none' } })).toEqual({
      on: false,
      maxTokens: undefined,
      dropped: [],
      ...wire,
    })
  })

  test('a forced tool, and a model that cannot think, leave the effort out', () => {
    expect(plan('claude-opus-4-6', { reasoning: { effort: 'high' } }, true).dropped).toEqual(['reasoning_effort'])
    expect(plan('claude-3-5-sonnet', { reasoning: { effort: 'high' } }).dropped).toEqual(['reasoning_effort'])
  })

  test('a tool loop whose thinking was not given back cannot go on thinking on budget models', () => {
    const turns = [user('Hi'), calling(['c1', 'look']), result('c1', 'seen')]
    expect(plan('claude-sonnet-4-5', { reasoning: { effort: 'high' }, turns }).dropped).toEqual(['reasoning_effort'])
    expect(plan('claude-opus-4-6', { reasoning: { effort: 'high' }, turns }).on).toBe(true)
    turns[1]!.parts.unshift({ type: 'reasoning', text: 'Hm.', signature: 'c2ln' })
    expect(plan('claude-sonnet-4-5', { reasoning: { effort: 'high' }, turns }).on).toBe(true)
  })

  test("the caller's own thinking goes on as it is", () => {
    const thinking = { type: 'enabled', budget_tokens: 2_048 }
    expect(plan('claude-sonnet-4-5', { unknown: { thinking } })).toMatchObject({
      on: true,
      thinking,
      maxTokens: 34_048,
    })
  })
})
