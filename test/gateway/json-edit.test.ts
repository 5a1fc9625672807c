import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { editJson, elementTexts, memberText } from '../../src/gateway/json-edit.ts'

describe('editJson', () => {
  test.each([
    ['{"model":"a/b","x":1}', '{"model":"★","x":1}'],
    [' {\n\t"x" : [1.0, 1e3],\r\n "model" : "a/b" }\n', ' {\n\t"x" : [1.0, 1e3],\r\n "model" : "★" }\n'],
    ['{"seed":12345678901234567890,"model":"a"}', '{"seed":12345678901234567890,"model":"★"}'],
    ['{"messages":[{"model":"inner"}],"model":"a"}', '{"messages":[{"model":"inner"}],"model":"★"}'],
    ['{"a":"\\"model\\":\\"x\\"","model":"a"}', '{"a":"\\"model\\":\\"x\\"","model":"★"}'],
    ['{"a":"ends in \\\\","model":"a"}', '{"a":"ends in \\\\","model":"★"}'],
    ['{"model":"a\\"b\\\\"}', '{"model":"★"}'],
    ['{"model":{"nested":["]}",1]},"z":2}', '{"model":"★","z":2}'],
    ['{"model":null ,"z":2}', '{"model":"★" ,"z":2}'],
    ['{"mod\\u0065l":"a","z":"model"}', '{"mod\\u0065l":"★","z":"model"}'],
    // Of a member that is there twice, parsers take one or the other.
    ['{"model":"a","z":1,"model":"b"}', '{"model":"★","z":1,"model":"★"}'],
    ['{"model":"a","mod\\u0065l":"b"}', '{"model":"★","mod\\u0065l":"★"}'],
  ])('%j', (text, expected) => {
    expect(editJson(text, { model: '★' })).toBe(expected)
  })

  test('nothing when the member is not there', () => {
    expect(editJson('{"a":{"model":"x"},"b":["model"]}', { model: '★' })).toBeUndefined()
  })

  const space = fc.constantFrom('', ' ', '\n', '\r\n\t', '  ')
  /** JSON text with whitespace anywhere, members twice, and names written in escapes. */
  const { value } = fc.letrec<{ value: string; object: string; array: string }>(tie => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constantFrom('null', 'true', '0', '-0', '1.0', '12345678901234567890', '1E+2', '"model"', '"\\"model\\":1"'),
      fc.string({ unit: 'binary' }).map(text => JSON.stringify(text)),
      fc.string().map(text => `"${[...text].map(escaped).join('')}"`),
      tie('object'),
      tie('array'),
    ),
    object: fc
      .array(fc.tuple(space, name(), space, space, tie('value'), space), { maxLength: 4 })
      .map(members => `{${members.map(([a, key, b, c, inner, d]) => `${a}${key}${b}:${c}${inner}${d}`).join(',')}}`),
    array: fc
      .array(fc.tuple(space, tie('value'), space), { maxLength: 4 })
      .map(items => `[${items.map(item => item.join('')).join(',')}]`),
  }))

  function escaped(char: string): string {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`
  }

  function name() {
    return fc.constantFrom(
      '"model"',
      '"mod\\u0065l"',
      '"Model"',
      '"model "',
      '"models"',
      '"a"',
      '"\\\\"',
      '""',
      '"\\"model"',
    )
  }

  test('property: only the values of the member change, and every reader finds the new one', () => {
    const member = fc.tuple(space, name(), space, space, value, space)
    const text = fc
      .tuple(space, fc.array(member, { minLength: 1, maxLength: 5 }), space)
      .map(([before, members, after]) => {
        const parts = members.map(([a, key, b, c, inner, d]) => ({ head: `${a}${key}${b}:${c}`, inner, tail: d, key }))
        return { before, parts, after }
      })
    fc.assert(
      fc.property(text, ({ before, parts, after }) => {
        const written = (model?: string) =>
          `${before}{${parts
            .map(({ head, inner, tail, key }) => head + (model && JSON.parse(key) === 'model' ? model : inner) + tail)
            .join(',')}}${after}`
        const edited = editJson(written(), { model: '★' })
        if (!parts.some(({ key }) => JSON.parse(key) === 'model')) return edited === undefined
        expect(edited).toBe(written('"★"'))
        expect((JSON.parse(edited!) as { model: string }).model).toBe('★')
        return true
      }),
      { numRuns: 400 },
    )
  })
})

describe('cutting', () => {
  test('a member and the elements of a list, as they were written', () => {
    const text =
      ' [ {"a" : [1, {"query": 1}], "qu\\u0065ry":{"n": 12345678901234567890, "s":"]}\\""} } , {"query":7}, [ ] ] '
    const [first, second, third, ...more] = elementTexts(text)
    expect([second, third, more]).toEqual(['{"query":7}', '[ ]', []])
    expect(memberText(first!, 'query')).toBe('{"n": 12345678901234567890, "s":"]}\\""}')
    expect(memberText(second!, 'query')).toBe('7')
    expect(memberText(second!, 'a')).toBeUndefined()
    expect(memberText('{}', 'a')).toBeUndefined()
    expect(memberText('{"a":1,"a":2}', 'a')).toBe('2')
    expect(elementTexts(' [ ] ')).toEqual([])
  })

  test('property: the pieces are what JSON.parse gives', () => {
    const spaces = fc.constantFrom('', ' ', '\n\t ')
    fc.assert(
      fc.property(fc.array(fc.jsonValue()), spaces, (values, space) => {
        const text = `${space}[${space}${values.map(value => JSON.stringify(value, null, space.trim() ? 2 : 1)).join(`${space},${space}`)}${space}]`
        expect(elementTexts(text).map(piece => JSON.parse(piece) as unknown)).toEqual(JSON.parse(text))
      }),
    )
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), spaces, (object, space) => {
        const text = `${space}${JSON.stringify(object, null, space)}`
        for (const [name, value] of Object.entries(JSON.parse(text) as object))
          expect(JSON.parse(memberText(text, name)!)).toEqual(value)
      }),
    )
  })
})
