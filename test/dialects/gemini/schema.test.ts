import { expect, test } from 'bun:test'
import fc from 'fast-check'
import type { JsonObject } from '../../../src/conversation/conversation.ts'
import { jsonSchema } from '../../../src/dialects/gemini/json-schema.ts'
import { openApiSchema } from '../../../src/dialects/gemini/openapi-schema.ts'
import { at, write } from './setup.ts'

const property = (schema: JsonObject) =>
  at(openApiSchema({ type: 'object', properties: { x: schema } }), 'schema.properties.x')
const text = { type: 'string' }

test.each<[string, JsonObject, JsonObject]>([
  ['const is an enum of one', { const: 'open' }, { type: 'string', enum: ['open'] }],
  ['oneOf is anyOf', { oneOf: [text, { type: 'integer' }] }, { anyOf: [text, { type: 'integer' }] }],
  ['null in a type', { type: ['string', 'null'] }, { type: 'string', nullable: true }],
  [
    'null in an anyOf',
    { anyOf: [text, { type: 'null' }], description: 'd' },
    { type: 'string', nullable: true, description: 'd' },
  ],
  ['null in an enum', { type: 'string', enum: ['a', null] }, { type: 'string', nullable: true, enum: ['a'] }],
  [
    'several types',
    { type: ['string', 'integer'], minLength: 1 },
    {
      anyOf: [
        { type: 'string', minLength: 1 },
        { type: 'integer', minLength: 1 },
      ],
    },
  ],
  [
    'numbers in an enum are told',
    { type: 'integer', enum: [1, 2], description: 'Size.' },
    { type: 'integer', description: 'Size. One of: 1, 2.' },
  ],
  [
    'bounds beyond the range',
    { type: 'integer', exclusiveMinimum: 0, exclusiveMaximum: 10 },
    { type: 'integer', minimum: 1, maximum: 9 },
  ],
  [
    'unknown formats go, known ones stay',
    {
      anyOf: [
        { type: 'string', format: 'uri' },
        { type: 'string', format: 'date-time' },
      ],
    },
    { anyOf: [text, { type: 'string', format: 'date-time' }] },
  ],
  [
    'what stands beside an anyOf goes into it',
    { description: 'd', anyOf: [text, { type: 'number', description: 'own' }] },
    {
      anyOf: [
        { ...text, description: 'd' },
        { type: 'number', description: 'own' },
      ],
    },
  ],
  [
    'types in capitals',
    { type: 'OBJECT', properties: { a: { type: 'STRING' } } },
    { type: 'object', properties: { a: text } },
  ],
  ['an array says what it holds', { type: 'array' }, { type: 'array', items: text }],
  [
    'allOf is merged',
    {
      allOf: [
        { properties: { a: text }, required: ['a'] },
        { properties: { b: text }, required: ['b'] },
      ],
    },
    { type: 'object', properties: { a: text, b: text }, required: ['a', 'b'] },
  ],
  [
    'other keywords go',
    {
      type: 'object',
      $id: 'x',
      additionalProperties: false,
      patternProperties: {},
      properties: { a: { ...text, $comment: 'c' } },
      required: ['a'],
    },
    { type: 'object', properties: { a: text }, required: ['a'] },
  ],
])('T50 schema cleaning: %s', (_, given, wanted) => {
  expect(property(given)).toEqual(wanted)
})

test('T50 schema cleaning: references are inlined, members beside them win, required survives', () => {
  const { schema, lossy } = openApiSchema({
    type: 'object',
    properties: { from: { $ref: '#/$defs/Place', description: 'start' }, to: { $ref: '#/definitions/a~1b%20c' } },
    required: ['from', 'to'],
    $defs: { Place: { type: 'object', description: 'p', properties: { name: text }, required: ['name'] } },
    definitions: { 'a/b c': text },
  })
  expect(schema).toEqual({
    type: 'object',
    properties: {
      from: { type: 'object', description: 'start', properties: { name: text }, required: ['name'] },
      to: text,
    },
    required: ['from', 'to'],
  })
  expect(lossy).toBe(false)
})

const tree = {
  type: 'object',
  properties: { root: { $ref: '#/$defs/Node' } },
  required: ['root'],
  $defs: { Node: { type: 'object', properties: { next: { $ref: '#/$defs/Node' }, label: text } } },
}

test('T50 schema cleaning: cycles are cut where the model knows no better, and kept where it does', () => {
  const tools = [{ name: 'walk', parameters: tree }]
  const older = at(write({ tools }, 'gemini-2.0-flash').body, 'tools.0.functionDeclarations.0')
  expect(older.parameters).toEqual({
    type: 'object',
    properties: { root: { type: 'object', properties: { next: { type: 'object' }, label: text } } },
    required: ['root'],
  })
  const newer = at(write({ tools }, 'gemini-2.5-flash').body, 'tools.0.functionDeclarations.0')
  expect(newer).toEqual({ name: 'walk', parametersJsonSchema: tree })
})

test.each<[string, JsonObject]>([
  ['free member names', { type: 'object', additionalProperties: text }],
  ['tuples', { type: 'array', prefixItems: [text, { type: 'number' }] }],
  ['numbers in an enum', { type: 'integer', enum: [1, 2] }],
  ['untyped values', { description: 'anything' }],
])('T50 schema cleaning: %s go into the full JSON Schema', (_, schema) => {
  const parameters = { type: 'object', properties: { x: schema } }
  const declaration = at(write({ tools: [{ name: 't', parameters }] }).body, 'tools.0.functionDeclarations.0')
  expect(declaration.parametersJsonSchema).toEqual(parameters)
})

test('a schema whose references multiply is cut, not followed for ever', () => {
  const $defs: JsonObject = { d0: text }
  for (let n = 1; n < 40; n++) {
    const twice = { $ref: `#/$defs/d${n - 1}` }
    $defs[`d${n}`] = { type: 'object', properties: { a: twice, b: twice } }
  }
  const { schema, lossy } = openApiSchema({ $ref: '#/$defs/d39', $defs })
  expect(lossy).toBe(true)
  expect(JSON.stringify(schema).length).toBeLessThan(500_000)
})

test('the full JSON Schema keeps references and says the rest in words that Gemini takes', () => {
  expect(
    jsonSchema({
      $schema: 'http://json-schema.org/draft-07/schema#',
      type: 'object',
      properties: {
        const: { const: 3 },
        place: { $ref: '#/definitions/P', description: 'where' },
        both: { allOf: [{ $ref: '#/definitions/P' }] },
      },
      definitions: { P: { type: 'object', additionalProperties: false } },
    }),
  ).toEqual({
    type: 'object',
    properties: {
      const: { enum: [3] },
      place: { description: 'where', anyOf: [{ $ref: '#/$defs/P' }] },
      both: { $ref: '#/$defs/P' },
    },
    $defs: { P: { type: 'object', additionalProperties: false } },
  })
})

const ALLOWED =
  'type format title description nullable enum maxItems minItems properties required minProperties maxProperties minLength maxLength pattern example anyOf propertyOrdering default items minimum maximum'.split(
    ' ',
  )

test('T50 schema cleaning: whatever the schema, only allowed keywords come out and required names exist', () => {
  const { node: schema } = fc.letrec<{ node: JsonObject }>(tie => {
    const several = fc.array(tie('node'), { maxLength: 2 })
    const members = {
      type: fc.oneof(fc.constantFrom('string', 'object', 'array', 'null', 'integer'), fc.constant(['object', 'null'])),
      properties: fc.dictionary(fc.constantFrom('a', 'b', 'const', '$ref'), tie('node'), { maxKeys: 2 }),
      required: fc.array(fc.constantFrom('a', 'b', 'c'), { maxLength: 2 }),
      items: fc.oneof(tie('node'), several, fc.boolean()),
      anyOf: several,
      oneOf: several,
      allOf: several,
      $ref: fc.constantFrom('#', '#/$defs/D', '#/nowhere', 'http://elsewhere', '#/properties/a'),
      enum: fc.array(fc.oneof(fc.string(), fc.integer(), fc.constant(null)), { maxLength: 2 }),
      const: fc.oneof(fc.string(), fc.integer()),
      additionalProperties: fc.oneof(fc.boolean(), tie('node')),
      $defs: fc.record({ D: tie('node') }),
      if: tie('node'),
    }
    const branch = fc
      .subarray(Object.keys(members), { maxLength: 4 })
      .chain(keys => fc.record(Object.fromEntries(keys.map(key => [key, members[key as keyof typeof members]]))))
    return {
      node: fc.oneof({ maxDepth: 4 }, fc.constant<JsonObject>({ type: 'string' }), branch as fc.Arbitrary<JsonObject>),
    }
  })
  const check = (node: JsonObject) => {
    for (const key of Object.keys(node)) expect(ALLOWED).toContain(key)
    const properties = (node.properties ?? {}) as Record<string, JsonObject>
    for (const name of (node.required ?? []) as string[]) expect(Object.keys(properties)).toContain(name)
    for (const inner of Object.values(properties)) check(inner)
    for (const inner of (node.anyOf ?? []) as JsonObject[]) check(inner)
    if (node.items) check(node.items as JsonObject)
  }
  fc.assert(
    fc.property(schema, given => {
      const before = JSON.stringify(given)
      check(openApiSchema(given).schema)
      jsonSchema(given)
      expect(JSON.stringify(given)).toBe(before)
    }),
    { numRuns: 300 },
  )
})
