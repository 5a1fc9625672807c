import { describe, expect, test } from 'bun:test'
import { canBeClosed, closedSchema, objectRoot } from '../../src/dialects/object-schema.ts'

const text = { type: 'string' }

describe('objectRoot', () => {
  test.each([
    ['nothing', undefined, { type: 'object', properties: {} }],
    ['no type', { properties: { a: text } }, { type: 'object', properties: { a: text } }],
    ['a list of types', { type: ['object', 'null'] }, { type: 'object' }],
    [
      'a reference',
      { $ref: '#/$defs/A', $defs: { A: { type: 'object' } } },
      { $defs: { A: { type: 'object' } }, type: 'object' },
    ],
    ['another type is left to the provider', { type: 'array' }, { type: 'array' }],
  ])('%s', (_, given, root) => {
    expect(objectRoot(given)).toEqual(root)
  })

  test('a union at the root becomes one object that requires what all variants do', () => {
    const root = objectRoot({
      oneOf: [
        { type: 'object', properties: { a: text, b: text }, required: ['a', 'b'] },
        { type: 'object', properties: { a: text, c: text }, required: ['a'] },
      ],
    })
    expect(root).toEqual({ type: 'object', properties: { a: text, b: text, c: text }, required: ['a'] })
  })
})

describe('closedSchema', () => {
  test('T50 every object is closed and nothing required is lost', () => {
    const inner = { type: 'object', properties: { n: { type: 'number' } }, required: ['n'] }
    expect(
      closedSchema({ type: 'object', properties: { list: { type: 'array', items: inner } }, required: ['list'] }),
    ).toEqual({
      type: 'object',
      properties: { list: { type: 'array', items: { ...inner, additionalProperties: false } } },
      required: ['list'],
      additionalProperties: false,
    })
  })

  test('T50 bounds that the API refuses are told in the description', () => {
    expect(closedSchema({ type: 'integer', description: 'Age.', minimum: 0, maximum: 120 })).toEqual({
      type: 'integer',
      description: 'Age. (minimum: 0, maximum: 120)',
    })
  })
})

test.each([
  ['closed objects', { type: 'object', properties: { a: text } }, true],
  ['names of the model’s choice', { type: 'object', additionalProperties: text }, false],
  ['an open object', { type: 'object', properties: { a: { type: 'object' } } }, false],
  ['a reference', { type: 'object', properties: { a: { $ref: '#/$defs/A' } }, $defs: { A: text } }, true],
  [
    'a type that holds itself',
    { $ref: '#/$defs/A', $defs: { A: { type: 'object', properties: { a: { $ref: '#/$defs/A' } } } } },
    false,
  ],
])('canBeClosed: %s', (_, schema, expected) => {
  expect(canBeClosed(schema)).toBe(expected)
})
