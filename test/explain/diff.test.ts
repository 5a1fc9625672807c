import { describe, expect, test } from 'bun:test'
import { diffBodies } from '../../src/explain/diff.ts'
import type { BodyChange } from '../../src/schemas/management/explain.ts'

/** `~ model`, `> messages[0].content → system[0].text`, … */
const SIGNS = { changed: '~', moved: '>', dropped: '-', added: '+', kept: '=' }
const told = (before: unknown, after: unknown) =>
  diffBodies(before, after).changes.map(
    ({ change, path, to }: BodyChange) => `${SIGNS[change]} ${path}${to === undefined ? '' : ` → ${to}`}`,
  )

describe('two bodies side by side', () => {
  test('what is kept, changed, dropped and added, with the values', () => {
    const { changes, omitted } = diffBodies(
      { model: 'openai/gpt-4o', temperature: 0.5, seed: 7 },
      { model: 'gpt-4o', temperature: 0.5, stream: true },
    )
    expect(changes).toEqual([
      { change: 'changed', path: 'model', before: '"openai/gpt-4o"', after: '"gpt-4o"' },
      { change: 'dropped', path: 'seed', before: '7' },
      { change: 'added', path: 'stream', after: 'true' },
      { change: 'kept', path: 'temperature', before: '0.5' },
    ])
    expect(omitted).toBe(0)
  })

  test('a system message that is a member of its own now leaves the others with each other', () => {
    const before = {
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Where?' },
      ],
    }
    const after = {
      system: [{ type: 'text', text: 'Be brief.' }],
      messages: [{ role: 'user', content: [{ type: 'text', text: 'Where?' }] }],
    }
    expect(told(before, after)).toEqual([
      '> messages[0].content → system[0].text',
      '> messages[1].content → messages[0].content[0].text',
      '- messages[0].role',
      '+ messages[0].content[0].type',
      '+ system[0].type',
      '= messages[1].role → messages[0].role',
    ])
  })

  test('what has another name is found by its value, and only where that tells it', () => {
    expect(told({ max_tokens: 40, a: true }, { generationConfig: { maxOutputTokens: 40 }, b: true })).toEqual([
      '> max_tokens → generationConfig.maxOutputTokens',
      '- a',
      '+ b',
    ])
    // Either could have become either.
    expect(told({ a: 1, b: 1 }, { c: 1, d: 1 })).toEqual(['- a', '- b', '+ c', '+ d'])
  })

  test('what is gone as a whole is told as a whole', () => {
    expect(told({ tools: [{ name: 'a', x: 1 }, { name: 'b' }], n: 0 }, { n: 0 })).toEqual(['- tools', '= n'])
  })

  test('null, lists of texts, and names that are none', () => {
    expect(told({ stop: ['a', 'b'], user: null, 'x-y z': 1 }, { stop: ['a'], user: 'u', 'x-y z': 2 })).toEqual([
      '~ user',
      '~ ["x-y z"]',
      '- stop[1]',
      '= stop[0]',
    ])
  })

  test('long values are cut, many changes counted, and a long body takes no time to speak of', () => {
    const { changes } = diffBodies({ text: 'a'.repeat(5_000_000) }, {})
    expect(changes[0]!.before!.length).toBeLessThanOrEqual(300)
    expect(changes[0]!.before).toEndWith('…')
    const numbers = Array.from({ length: 30_000 }, (_, index) => index)
    const { omitted, changes: many } = diffBodies({ input: numbers }, { input: numbers.map(number => -number - 1) })
    expect(many).toHaveLength(300)
    expect(omitted).toBe(60_000 - 300)
  })
})
