import { describe, expect, test } from 'bun:test'
import { shortenToolNames } from '../../src/dialects/tool-names.ts'
import { calling, conversation, result, weather } from './conversations.ts'

const RULE = { pattern: /^[a-zA-Z0-9_-]{1,64}$/, max: 64 }
const LONG = 'mcp__plugin_weather_station__readTheBarometerOfTheThirdHarbourTower'

describe('shortenToolNames', () => {
  test('T56 a name too long is shortened everywhere, and its way back is told', () => {
    const given = conversation({
      tools: [{ ...weather, name: LONG }, weather],
      toolChoice: { type: 'named', name: LONG },
      allowedTools: [LONG, 'get_weather'],
      turns: [calling(['c1', LONG]), result('c1', '1013 hPa')],
    })
    const { conversation: short, names } = shortenToolNames(given, RULE)
    const name = short.tools[0]!.name
    expect(name).toMatch(/^mcp__plugin_weather_station__[a-zA-Z0-9_]*_[0-9a-f]{8}$/)
    expect(name.length).toBeLessThanOrEqual(64)
    expect(short.tools[1]!.name).toBe('get_weather')
    expect(short.toolChoice).toEqual({ type: 'named', name })
    expect(short.allowedTools).toEqual([name, 'get_weather'])
    expect(short.turns[0]!.parts[0]).toMatchObject({ type: 'tool-call', name })
    expect(names).toEqual(new Map([[name, LONG]]))
    expect(given.tools[0]!.name).toBe(LONG)
  })

  test('T56 the same name always becomes the same, another with the same beginning does not', () => {
    const short = (name: string) =>
      shortenToolNames(conversation({ tools: [{ name }] }), RULE).conversation.tools[0]!.name
    expect(short(LONG)).toBe(short(LONG))
    expect(short(LONG)).not.toBe(short(`${LONG}s`))
  })

  test.each(['files.read', 'été', 'two words', ''])('characters that the target refuses are replaced: %p', name => {
    const { conversation: short, names } = shortenToolNames(conversation({ tools: [{ name }] }), RULE)
    expect(short.tools[0]!.name).toMatch(RULE.pattern)
    expect(names?.get(short.tools[0]!.name)).toBe(name)
  })

  test('a target whose names begin with a letter gets one', () => {
    const rule = { pattern: /^[a-zA-Z][a-zA-Z0-9_]*$/, max: 24 }
    const name = shortenToolNames(conversation({ tools: [{ name: '1st-tool.of-many-and-more' }] }), rule).conversation
      .tools[0]!.name
    expect(name).toMatch(rule.pattern)
    expect(name.length).toBeLessThanOrEqual(24)
  })

  test('a conversation whose names all fit is given back as it is', () => {
    const given = conversation({ tools: [weather] })
    expect(shortenToolNames(given, RULE)).toEqual({ conversation: given })
    expect(shortenToolNames(given, RULE).conversation).toBe(given)
  })
})
