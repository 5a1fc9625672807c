import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { membersInHead, membersInTail } from '../../../src/dialects/watched/json-members.ts'

/** Members of a JSON text of which a part is there. */

const NAMES = ['usage', 'model'] as const
const usage = { input_tokens: 3, details: { text: 'a "}]{[" b\\' } }
const trap = { text: 'he said "usage":{"input_tokens":99} and \\"model\\":"no"', usage: { input_tokens: 77 } }

describe.each(['', ' ', '\n  '])('with %j between the words', gap => {
  const indent = gap === '\n  ' ? 2 : undefined
  const textOf = (value: unknown) => `${gap}${JSON.stringify(value, null, indent)}${gap}`

  test('what stands behind a large value is found in any end that has it whole', () => {
    const text = textOf({ data: [trap, 'x'.repeat(5_000)], model: 'm-1', usage, after: [1, 'x', null] })
    const last = text.lastIndexOf('"model"')
    for (let from = 0; from <= last; from += 17)
      expect(membersInTail(text.slice(from), NAMES, 1)).toEqual({ usage, model: 'm-1' })
    expect(membersInTail(text.slice(last + 3), NAMES, 1)).toEqual({ usage })
  })

  test('what stands before it is found in any beginning that has it whole', () => {
    const text = textOf({ before: ['"', {}], model: 'm-1', usage, data: [trap, 'x'.repeat(5_000)] })
    const end = text.indexOf('"data"')
    for (let to = end; to <= text.length; to += 17)
      expect(membersInHead(text.slice(0, to), NAMES, 1)).toEqual({ usage, model: 'm-1' })
    expect(membersInHead(text.slice(0, text.indexOf('"text"') + 9), NAMES, 1)).toEqual({ model: 'm-1' })
  })
})

test('values of every kind', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  const value = { a: 1.5e3, b: null, c: 'x\\"', d: [{}], e: false, f: -2 }
  expect(membersInTail(JSON.stringify(value), names, 1)).toEqual(value)
  expect(membersInHead(JSON.stringify(value), names, 1)).toEqual(value)
})

test('a member deeper than asked for, a word that is a value, and half a value are none', () => {
  for (const read of [membersInHead, membersInTail]) {
    expect(read('{"a":{"usage":{"x":1}}}', NAMES, 1)).toEqual({})
    expect(read('{"a":{"usage":{"x":1}}}', NAMES, 2)).toEqual({ usage: { x: 1 } })
    expect(read('{"a":"usage","b":["model"]}', NAMES, 3)).toEqual({})
  }
  expect(membersInHead('{"model":"m-', NAMES, 1)).toEqual({})
  expect(membersInHead('{"usage":{"a":1', NAMES, 1)).toEqual({})
})

test('nothing makes them throw, and what they find is what the value has', () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.jsonValue(), fc.nat(), (before, after, cut) => {
      const text = JSON.stringify({ before, usage, after })
      membersInHead(text.slice(0, cut % text.length), NAMES, 1)
      expect(membersInHead(text, NAMES, 1)).toEqual({ usage })
      expect(membersInTail(text, NAMES, 1)).toEqual({ usage })
      const start = text.indexOf('"usage":{"input_tokens"', JSON.stringify({ before }).length - 1)
      expect(membersInTail(text.slice(cut % start), NAMES, 1)).toEqual({ usage })
    }),
  )
})

test('bytes that are no JSON', () => {
  fc.assert(
    fc.property(fc.string(), text => {
      membersInHead(text, NAMES, 3)
      membersInTail(text, NAMES, 3)
    }),
  )
})
