import { describe, expect, test } from 'bun:test'
import type { Conversation } from '../../src/conversation/conversation.ts'
import { alphanumericId, fitToolIds, readableId, uniqueIds } from '../../src/dialects/tool-ids.ts'
import { calling, conversation, result } from './conversations.ts'

const RULE = { pattern: /^[a-zA-Z0-9_-]{1,64}$/, make: readableId(64) }
const idsOf = ({ turns }: Conversation) =>
  turns.flatMap(turn => turn.parts.flatMap(part => ('id' in part && part.id !== undefined ? part.id : [])))

describe('fitToolIds', () => {
  test('an id outside the alphabet is rewritten in call and result alike', () => {
    const given = conversation({ turns: [calling(['functions.find:0', 'find']), result('functions.find:0', 'found')] })
    const [call, answer] = idsOf(fitToolIds(given, RULE))
    expect(call).toMatch(/^functions_find_0_[0-9a-f]{8}$/)
    expect(answer).toBe(call!)
    expect(idsOf(given)).toEqual(['functions.find:0', 'functions.find:0'])
  })

  test('an id that two calls share is told apart, results in order', () => {
    const given = conversation({
      turns: [calling(['same', 'a'], ['same', 'b']), result('same', '1'), result('same', '2')],
    })
    const [a, b, first, second] = idsOf(fitToolIds(given, RULE))
    expect(a).toBe('same')
    expect(b).not.toBe('same')
    expect([first, second]).toEqual([a, b])
  })

  test('T76 nine letters and digits for Mistral, the same every time', () => {
    const rule = { pattern: /^[a-zA-Z0-9]{9}$/, make: alphanumericId(9) }
    const given = conversation({ turns: [calling(['call_1', 'a'], ['abcDEF123', 'b']), result('call_1', 'x')] })
    const ids = idsOf(fitToolIds(given, rule))
    for (const id of ids) expect(id).toMatch(rule.pattern)
    expect(ids[1]).toBe('abcDEF123')
    expect(ids[2]).toBe(ids[0]!)
    expect(idsOf(fitToolIds(given, rule))).toEqual(ids)
  })

  test('ids that fit leave the conversation as it is', () => {
    const given = conversation({ turns: [calling(['toolu_1', 'a']), result('toolu_1', 'x')] })
    expect(fitToolIds(given, RULE)).toBe(given)
  })
})

test('uniqueIds mints what is missing and tells repeated ids apart', () => {
  const unique = uniqueIds('call_')
  const ids = [unique('a'), unique('a'), unique(undefined), unique('')]
  expect(ids[0]).toBe('a')
  expect(new Set(ids).size).toBe(4)
  expect(ids.every(Boolean)).toBe(true)
})
