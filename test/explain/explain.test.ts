import { describe, expect, test } from 'bun:test'
import { FormatRegistry } from '@sinclair/typebox'
import { Value } from '@sinclair/typebox/value'
import { explanationText } from '../../src/commands/explain-text.ts'
import { type ExplainedRecord, explain } from '../../src/explain/index.ts'
import { LogExplanation } from '../../src/schemas/management/explain.ts'
import type { Explained, StoredBody, StoredRecord } from '../../src/storage/records/types.ts'
import type { Decision } from '../../src/telemetry/attempt-record.ts'

const AT = Date.parse('2026-11-20T09:00:00Z')
const record = (more: Partial<StoredRecord> = {}): StoredRecord => ({
  id: 'log-1',
  event: 'request-1',
  request: 'request-1',
  gateway: 'default',
  at: AT,
  duration: 100,
  method: 'POST',
  path: '/v1/home/default/compat/chat/completions',
  surface: 'compat',
  provider: 'openai',
  model: 'gpt-4o',
  attempt: 1,
  status: 200,
  success: true,
  stream: false,
  cached: false,
  token: 'laptop',
  estimated: false,
  customCost: false,
  requestSize: 80,
  answerSize: 20,
  ...more,
})
const one = (more: Partial<StoredRecord> = {}, explained?: Explained): ExplainedRecord => ({
  record: record(more),
  explained,
})
const body = (value: unknown, more: Partial<StoredBody> = {}): StoredBody => {
  const bytes = Buffer.from(typeof value === 'string' ? value : JSON.stringify(value))
  return { bytes, size: bytes.length, ...more }
}
FormatRegistry.Set('date-time', text => !Number.isNaN(Date.parse(text)))
const plain = (_: unknown, text: string) => text
const translated = { step: 'translate', what: 'the same dialect', facts: { from: 'openai-chat', to: 'openai-chat' } }

describe('an explanation', () => {
  test('places attempts on one clock, and tells of the one that the client got', () => {
    const told = explain({
      attempts: [
        one({ id: 'request-1', status: 529, success: false, firstByte: 90, error: { code: 'overloaded' } }),
        one({ id: 'log-2', attempt: 2, at: AT + 600, duration: 250, firstByte: 200, cost: 4_000_000 }),
      ],
      told: 1,
    })
    expect(
      told.attempts.map(({ started, first_byte, ended, answered }) => [started, first_byte, ended, answered]),
    ).toEqual([
      [0, 90, 100, false],
      [600, 800, 850, true],
    ])
    expect(told.duration).toBe(850)
    expect(told.summary).toBe('openai/gpt-4o answered after 2 attempts in 850 ms for $0.000004.')
    expect(Value.Check(LogExplanation, told)).toBe(true)
  })

  test.each([
    [{ status: 499, success: false }, 'The client left before openai/gpt-4o had answered, after 100 ms.'],
    [{ cached: true }, 'The cache answered for openai/gpt-4o in 100 ms.'],
    [
      { status: 429, success: false, error: { code: 'rate_limited', number: 2003 } },
      'The gateway refused it on the way to openai/gpt-4o in 100 ms: 429 rate_limited.',
    ],
    [
      { status: 401, success: false, provider: undefined, model: undefined, error: { code: 'unauthorized' } },
      'The gateway refused it in 100 ms: 401 unauthorized.',
    ],
    [
      { status: 504, success: false, error: { code: 'timeout', number: 2005 } },
      'openai/gpt-4o came to 504 in 100 ms: timeout (2005).',
    ],
  ])('says in one sentence what became of it: %j', (more, summary) => {
    expect(explain({ attempts: [one(more as Partial<StoredRecord>)], told: 0 }).summary).toBe(summary)
  })

  test('tells what bodies cannot tell', () => {
    const bodiesOf = (parts: object, more: Partial<StoredRecord> = {}, decisions = [translated]) =>
      explain({ attempts: [one(more, { decisions })], told: 0, ...parts }).bodies
    expect(bodiesOf({})).toMatchObject({ kept: false, note: expect.stringContaining('collect_log_payload') })
    expect(bodiesOf({ request: body('{"a', { cut: true }) }).note).toContain('too long')
    expect(bodiesOf({ request: body('plain text'), upstream: body('other') }).note).toContain('no JSON')
    expect(bodiesOf({ request: body({ model: 'x' }) }, { firstByte: 5 }, []).note).toBe('It went on byte for byte.')
    // The provider's body is not kept where only the model is another.
    expect(bodiesOf({ request: body({ model: 'openai/gpt-4o', n: 1 }) }).changes).toEqual([
      { change: 'changed', path: 'model', before: '"openai/gpt-4o"', after: '"gpt-4o"' },
      { change: 'kept', path: 'n', before: '1' },
    ])
  })

  test('adds up a cost exactly, and says why there is none', () => {
    const cost = {
      pico: 138_000_000,
      source: 'list' as const,
      parts: [
        { what: 'input' as const, units: 11, each: 3_000_000, pico: 33_000_000 },
        { what: 'output' as const, units: 7, each: 15_000_000, pico: 105_000_000 },
      ],
    }
    const told = explain({ attempts: [one({ cost: cost.pico }, { decisions: [translated], cost })], told: 0 })
    expect(told.cost.lines).toEqual([
      { what: 'input', units: 11, each: '0.000003', amount: '0.000033' },
      { what: 'output', units: 7, each: '0.000015', amount: '0.000105' },
    ])
    const text = explanationText(told, plain, 80).join('\n')
    expect(text).toContain('11 × $3.00 / 1M   = $0.000033')
    expect(text).toContain('sum  = $0.000138')
    expect(explain({ attempts: [one({ tokensIn: 5 })], told: 0 }).cost.note).toContain('openai/gpt-4o')
    expect(explain({ attempts: [one({ cached: true })], told: 0 }).cost.note).toContain('cache')
  })

  test.each([
    [
      {
        choices: [{ message: { content: 'Hi', tool_calls: [{ function: { name: 'find' } }] }, finish_reason: 'stop' }],
      },
    ],
    [
      {
        content: [
          { type: 'text', text: 'Hi' },
          { type: 'tool_use', name: 'find' },
        ],
        stop_reason: 'stop',
      },
    ],
    [
      {
        candidates: [
          { content: { parts: [{ text: 'Hi' }, { functionCall: { name: 'find' } }] }, finishReason: 'stop' },
        ],
      },
    ],
  ])('reads an answer: %j', answer => {
    expect(explain({ attempts: [one()], told: 0, answer: body(answer) }).answer).toEqual({
      text: 'Hi',
      finish: 'stop',
      tool_calls: ['find'],
      assembled: false,
    })
  })

  test('fits 80 columns whatever is in it, and no byte of it moves a cursor', () => {
    const evil = `\u001b[2J\u0007${'x'.repeat(300)} 蒼鷺${'蒼'.repeat(90)}`
    const decisions: Decision[] = [
      { step: 'setting', what: 'cache_ttl', facts: { value: evil, from: 'file', at: evil } },
      { step: 'route', what: evil, facts: { node: evil, type: 'model', output: evil, why: evil } },
      { step: 'cache', what: 'a miss', facts: { key: evil, ttl: 5, hit: false, named: false, model: evil } },
      { step: 'limits', what: evil, facts: { counts: 'cost', limit: 1_000_000_000_000, taken: 5, window: '5 s' } },
      { step: 'key', what: evil },
      { step: 'translate', what: evil, facts: { from: 'openai-chat', to: 'gemini', dropped: evil } },
    ]
    const told = explain({
      attempts: [
        one(
          { event: evil, userAgent: evil, model: evil, asked: evil, path: evil, metadata: { [evil]: evil } },
          { decisions },
        ),
      ],
      told: 0,
      request: body({ [evil]: evil, long: { nested: evil } }),
      upstream: body({ [`${evil}2`]: evil, other: evil }),
      answer: body({ choices: [{ message: { content: evil }, finish_reason: evil }] }),
    })
    const lines = explanationText(told, plain, 80)
    for (const line of lines) {
      expect(Bun.stringWidth(line)).toBeLessThanOrEqual(80)
      // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
      expect(line).not.toMatch(/[\u0000-\u001f]/)
    }
  })

  test('a record without its decisions is told as far as it goes', () => {
    const told = explain({ attempts: [one()], told: 0 })
    expect(told).toMatchObject({ settings: [], route: [], cache: { hit: false }, authentication: 'the token "laptop"' })
    expect(explanationText(told, plain, 80).join('\n')).toContain('openai/gpt-4o')
  })
})
