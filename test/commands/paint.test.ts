import { describe, expect, test } from 'bun:test'
import { cutTo, paintFor, wrapTo } from '../../src/commands/paint.ts'

describe('colours', () => {
  test.each([
    [{ isTTY: true }, {}, '\u001b[31mred\u001b[0m'],
    [{ isTTY: true }, { NO_COLOR: '' }, '\u001b[31mred\u001b[0m'],
    [{ isTTY: true }, { NO_COLOR: '1' }, 'red'],
    [{ isTTY: true }, { TERM: 'dumb' }, 'red'],
    [{ isTTY: false }, {}, 'red'],
    [{}, {}, 'red'],
  ])('%j with %j', (stream, env, text) => {
    expect(paintFor(stream, env)('red', 'red')).toBe(text)
  })
})

describe('lines', () => {
  test('are cut by columns, not by characters', () => {
    expect(cutTo('a heron', 7)).toBe('a heron')
    expect(cutTo('a heron\nin the reeds', 10)).toBe('a heron i…')
    expect(cutTo('蒼鷺蒼鷺', 6)).toBe('蒼鷺…')
  })

  test('are wrapped at words, and a word that is too long is broken', () => {
    expect(wrapTo('the heron stands in the reeds', 11)).toEqual(['the heron', 'stands in', 'the reeds'])
    expect(wrapTo('a herononeleg', 6)).toEqual(['a', 'herono', 'neleg'])
    expect(wrapTo('蒼鷺', 1)).toHaveLength(2)
    expect(wrapTo('one\ntwo', 9)).toEqual(['one', 'two'])
  })
})
