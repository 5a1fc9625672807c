import { describe, expect, test } from 'bun:test'
import type { Turn } from '../../src/conversation/conversation.ts'
import {
  alternate,
  argumentsObject,
  callNames,
  hoistSystem,
  mentionsTools,
  textOf,
} from '../../src/conversation/turns.ts'
import { assistant, calling, result, system, user } from '../dialects/conversations.ts'

describe('T65 the system’s words', () => {
  test('leave their places in order; the others stay', () => {
    const turns = [system('TOP'), user('a'), system('MIDDLE'), assistant('b')]
    const { system: hoisted, rest } = hoistSystem(turns)
    expect(hoisted.map(part => part.text)).toEqual(['TOP', 'MIDDLE'])
    expect(rest).toEqual([user('a'), assistant('b')])
  })

  test('keep their cache marks, and the request stays as it was', () => {
    const turns: Turn[] = [{ role: 'system', parts: [{ type: 'text', text: 'a', cache: { ttl: '1h' } }] }]
    const before = structuredClone(turns)
    expect(hoistSystem(turns).system[0]!.cache).toEqual({ ttl: '1h' })
    expect(turns).toEqual(before)
  })

  test('that say nothing are none', () => {
    expect(hoistSystem([system(' \n')])).toEqual({ system: [], rest: [] })
  })
})

describe('turns that alternate', () => {
  const shape = (turns: readonly Turn[]) =>
    alternate(turns).map(({ role, parts }) => [role, ...parts.map(part => ('id' in part ? part.id : part.type))])

  test('T53 results of one turn are one turn of the user’s', () => {
    expect(
      shape([user('a'), calling(['x', 'f'], ['y', 'g']), result('x', '1'), result('y', '2', true), assistant('b')]),
    ).toEqual([
      ['user', 'text'],
      ['assistant', 'x', 'y'],
      ['user', 'x', 'y'],
      ['assistant', 'text'],
    ])
  })

  test('T47 results stand in the order of their calls, unknown ones last', () => {
    const turns = [calling(['x', 'f'], ['y', 'f']), result('?', '3'), result('y', '2'), result('x', '1')]
    expect(shape(turns)[1]).toEqual(['user', 'x', 'y', '?'])
  })

  test('T70 results stand before the words of the same turn', () => {
    expect(shape([calling(['x', 'f']), user('and now?'), result('x', '1')])[1]).toEqual(['user', 'x', 'text'])
  })

  test('T52 a turn without parts vanishes, and its neighbours meet', () => {
    expect(shape([user('a'), { role: 'assistant', parts: [] }, user('b')])).toEqual([['user', 'text', 'text']])
  })

  test('T84 the turns given stay as they were', () => {
    const turns = [calling(['x', 'f'], ['y', 'f']), result('y', '2'), result('x', '1'), user('a'), user('b')]
    const before = structuredClone(turns)
    alternate(turns)
    expect(turns).toEqual(before)
  })
})

test('names of calls by their ids (trap 30)', () => {
  expect([...callNames({ turns: [calling(['x', 'f'], ['y', 'g'])] })]).toEqual([
    ['x', 'f'],
    ['y', 'g'],
  ])
})

test('T54 whether tools are spoken of', () => {
  expect(mentionsTools({ turns: [user('a')] })).toBeFalse()
  expect(mentionsTools({ turns: [calling(['x', 'f'])] })).toBeTrue()
  expect(mentionsTools({ turns: [result('x', '1')] })).toBeTrue()
})

test('T57 T64 arguments that are no object are an empty one', () => {
  for (const text of ['', 'null', '[1]', '"abc"', '7', '{"cut', 'abc']) expect(argumentsObject(text)).toEqual({})
  expect(argumentsObject(' {"a": [1]} ')).toEqual({ a: [1] })
})

test('the text of parts, without a seam', () => {
  const parts: Turn['parts'] = [
    { type: 'text', text: 'a' },
    { type: 'reasoning', text: 'no' },
    { type: 'refusal', text: 'b' },
    { type: 'text', text: ' c' },
  ]
  expect(textOf(parts)).toBe('ab c')
})
