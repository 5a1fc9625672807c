import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { compileConditions } from '../../../src/gateway/routes/conditions.ts'
import type { Facts } from '../../../src/gateway/routes/field.ts'
import { facts } from './samples.ts'

function compiled(query: unknown) {
  const faults: string[] = []
  const condition = compileConditions(query, (steps, text) => faults.push(`${steps.join('/')}: ${text}`))
  if (!condition) throw new Error(faults.join('\n'))
  expect(faults).toEqual([])
  return condition
}
const holds = (query: unknown, request: Facts) => compiled(query).holds(request)
const faultsOf = (query: unknown) => {
  const faults: string[] = []
  expect(compileConditions(query, (steps, text) => faults.push(`${steps.join('/')}: ${text}`))).toBeUndefined()
  return faults
}

const request = facts({
  body: {
    model: 'dynamic/x',
    stream: true,
    n: 3,
    nothing: null,
    messages: [{ role: 'user', content: 'Summarise this' }, { role: 'assistant' }],
    'a.b': { c: 1 },
    a: { 'b.c': 2, d: 3 },
    tags: ['x', 7],
  },
  headers: { 'X-Region': 'eu', 'x-tokens': '120', 'x-bool': 'true', 'x-dot.ted': 'yes', 'x-empty': '' },
  metadata: { plan: 'paid', seats: 12, beta: true, 'team.id': 'search', team: { id: 'other', name: 'n' } },
})

describe('what holds', () => {
  test.each<[object, boolean]>([
    [{ 'metadata.plan': 'paid' }, true],
    [{ 'metadata.plan': { $eq: 'free' } }, false],
    [{ 'metadata.beta': true }, true],
    [{ 'body.nothing': null }, true],
    [{ 'body.missing': null }, false],
    [{ 'metadata.seats': { $ne: 12 } }, false],
    [{ 'metadata.seats': { $gt: 11, $lt: 13 } }, true],
    [{ 'metadata.seats': { $gte: 12, $lte: 12 } }, true],
    [{ 'metadata.seats': { $gt: 12 } }, false],
    [{ 'metadata.plan': { $gt: 'free' } }, true],
    [{ 'metadata.plan': { $in: ['free', 'paid'] } }, true],
    [{ 'metadata.plan': { $nin: ['free', 'paid'] } }, false],
    [{ 'body.stream': { $exists: true }, 'body.missing': { $exists: false } }, true],
    [{ 'body.nothing': { $exists: true } }, true],
    [{ 'metadata.plan': { $regex: '^pa' } }, true],
    [{ 'metadata.plan': { $regex: 'PAID' } }, false],
    [{ 'metadata.plan': { $regex: 'PAID', $options: 'i' } }, true],
    [{ 'metadata.plan': { $regex: '(?i)PAID' } }, true],
    [{ 'metadata.plan': { $contains: 'ai' } }, true],
    [{ 'metadata.plan': { $contains: '' } }, true],
    [{ 'body.tags': { $contains: 7 } }, true],
    [{ 'body.tags': { $contains: '7' } }, false],
    [{ 'metadata.seats': { $not: { $gt: 20 } } }, true],
    [{ 'metadata.seats': { $not: { $gt: 10, $lt: 20 } } }, false],
    [{ 'metadata.plan': { $not: 'paid' } }, false],
    [{ $and: [{ 'metadata.plan': 'paid' }, { 'body.stream': { $ne: true } }] }, false],
    [{ $or: [{ 'metadata.plan': 'free' }, { 'body.stream': true }] }, true],
    [{ $or: [{ 'metadata.plan': 'free' }, { 'body.stream': false }] }, false],
    [{ $not: { 'metadata.plan': 'free' } }, true],
    [{ 'metadata.plan': 'paid', 'body.stream': false }, false],
    [{ 'body.a': { $eq: { d: 3, 'b.c': 2 } } }, true],
    [{ 'body.tags': { $eq: ['x', 7] } }, true],
    [{ 'body.tags': { $eq: [7, 'x'] } }, false],
    [{ 'body.messages.1': { $in: [{ role: 'assistant' }] } }, true],
  ])('%j: %p', (query, expected) => {
    expect(holds(query, request)).toBe(expected)
  })

  test('contract 7.3: the example', () => {
    const query = {
      $and: [
        { 'metadata.plan': { $eq: 'paid' } },
        { 'body.stream': { $ne: true } },
        { 'headers.x-region': { $in: ['eu', 'uk'] } },
      ],
    }
    const said = { metadata: { plan: 'paid' }, headers: { 'x-region': 'uk' } }
    expect(holds(query, facts(said))).toBe(true)
    expect(holds(query, facts({ ...said, body: { stream: true } }))).toBe(false)
  })

  test.each([
    ['$eq', 1, false],
    ['$eq', null, false],
    ['$gt', 0, false],
    ['$gte', '', false],
    ['$lt', 9, false],
    ['$lte', 'z', false],
    ['$in', [null, 1], false],
    ['$contains', '', false],
    ['$regex', '', false],
    ['$exists', true, false],
    ['$ne', 1, true],
    ['$ne', null, true],
    ['$nin', [null, 1], true],
    ['$exists', false, true],
    ['$not', { $gt: 0 }, true],
  ])('a missing field and %s %j: %p', (operator, operand, expected) => {
    for (const field of ['body.missing', 'headers.missing', 'metadata.missing', 'body.n.deeper'])
      expect(holds({ [field]: { [operator]: operand } }, request)).toBe(expected)
  })

  test('types are not changed, but for a header that holds a number', () => {
    expect(holds({ 'metadata.seats': '12' }, request)).toBe(false)
    expect(holds({ 'metadata.beta': 1 }, request)).toBe(false)
    expect(holds({ 'metadata.beta': 'true' }, request)).toBe(false)
    expect(holds({ 'metadata.plan': { $gt: 0 } }, request)).toBe(false)
    expect(holds({ 'headers.x-tokens': 120 }, request)).toBe(true)
    expect(holds({ 'headers.x-tokens': '120' }, request)).toBe(true)
    expect(holds({ 'headers.x-tokens': { $gt: 99 } }, request)).toBe(true)
    expect(holds({ 'headers.x-tokens': { $in: [1, 120] } }, request)).toBe(true)
    expect(holds({ 'headers.x-tokens': { $nin: [1, 120] } }, request)).toBe(false)
    // As texts, "120" comes before "99".
    expect(holds({ 'headers.x-tokens': { $gt: '99' } }, request)).toBe(false)
    expect(holds({ 'headers.x-bool': true }, request)).toBe(false)
    expect(holds({ 'headers.x-empty': 0 }, request)).toBe(false)
    expect(holds({ 'headers.x-empty': { $lte: 0 } }, request)).toBe(false)
  })
})

describe('fields', () => {
  test.each<[string, unknown]>([
    ['headers.X-REGION', 'eu'],
    ['headers.x-dot.ted', 'yes'],
    ['body.messages.0.content', 'Summarise this'],
    ['body.a.d', 3],
    // The longest name that fits is taken, and there is no way back from it.
    ['body.a.b.c', 1],
    ['metadata.team.id', 'search'],
    ['metadata.team.name', 'n'],
  ])('%s', (field, value) => {
    expect(holds({ [field]: value }, request)).toBe(true)
  })

  test.each([
    'body.messages.2',
    'body.messages.-1',
    'body.messages.00',
    'body.messages.length',
    'body.model.length',
    'body.constructor',
    'body.__proto__',
    'metadata.toString',
  ])('%s is not there', field => {
    expect(holds({ [field]: { $exists: false } }, request)).toBe(true)
  })

  test('the body is parsed only when it is asked for', () => {
    let parsed = 0
    const lazy: Facts = {
      ...request,
      body: () => {
        parsed++
        return { n: 1 }
      },
    }
    expect(holds({ 'metadata.plan': 'free', 'body.n': 1 }, lazy)).toBe(false)
    expect(parsed).toBe(0)
    expect(holds({ 'body.n': 1 }, lazy)).toBe(true)
    expect(parsed).toBe(1)
  })

  test.each<[unknown, string]>([
    [{ plan: 'x' }, 'plan: expected a field below body, headers or metadata'],
    [{ 'header.x': 1 }, 'header.x: expected a field below body, headers or metadata; did you mean "headers"?'],
    [{ body: 1 }, 'body: expected a field below body, such as body.model'],
    [{ 'body..x': 1 }, 'body..x: expected a name between the dots'],
    [{ metadata: { plan: 'x' } }, 'metadata: expected the field\'s name in one piece; did you mean "metadata.plan"?'],
    [{ [`body${'.a'.repeat(33)}`]: 1 }, `body${'.a'.repeat(33)}: expected at most 32 steps`],
    [{ [`body.${'a'.repeat(300)}`]: 1 }, `body.${'a'.repeat(300)}: expected a field of at most 256 characters`],
  ])('%j', (query, fault) => {
    expect(faultsOf(query)).toEqual([fault])
  })
})

describe('a faulty query', () => {
  test.each<[unknown, string]>([
    [null, ': expected a mapping of fields, found nothing'],
    [[{ 'body.a': 1 }], ': expected a mapping of fields, found a list'],
    [{ $and: [] }, '$and: expected a list of conditions, found an empty list'],
    [{ $or: { 'body.a': 1 } }, '$or: expected a list of conditions, found a mapping'],
    [{ $not: [] }, '$not: expected a mapping of fields, found an empty list'],
    [{ $eq: 1 }, '$eq: $eq belongs under a field, as in {"metadata.plan": {"$eq": …}}'],
    [{ $nor: [] }, '$nor: unknown operator; around fields there are $and, $or and $not; did you mean "$or"?'],
    [{ 'body.a': { $or: [] } }, 'body.a/$or: $or belongs around fields, as in {"$or": [{"body.a": …}, …]}'],
    [{ 'body.a': ['x'] }, 'body.a: expected a value or operators, found a list; "$in" takes one'],
    [{ 'body.a': { $in: [] } }, 'body.a/$in: expected a list of 1 to 1000 values, found an empty list'],
    [{ 'body.a': { $in: 'x' } }, 'body.a/$in: expected a list of 1 to 1000 values, found a string'],
    [{ 'body.a': { $lt: null } }, 'body.a/$lt: expected a number or a string, found nothing'],
    [{ 'body.a': { $exists: 1 } }, 'body.a/$exists: expected true or false, found a number'],
    [{ 'body.a': { $regex: 1 } }, 'body.a/$regex: expected a string, found a number'],
    [{ 'body.a': { $regex: 'a', $options: 'g' } }, 'body.a/$regex: expected $options of the letters i, m and s'],
    [{ 'body.a': { $eq: 'a', $options: 'i' } }, 'body.a/$options: expected a string, beside "$regex"'],
    [
      { 'body.a': { $not: { $not: { $lt: [] } } } },
      'body.a/$not/$not/$lt: expected a number or a string, found an empty list',
    ],
  ])('%j', (query, fault) => {
    expect(faultsOf(query)).toEqual([fault])
  })

  test('nesting and number have bounds', () => {
    let deep: unknown = { 'body.a': 1 }
    for (let level = 0; level < 40; level++) deep = { $not: deep }
    expect(faultsOf(deep)[0]).toContain('nested less deeply')
    const many = { $or: Array.from({ length: 1_001 }, (_, n) => ({ 'body.a': n })) }
    expect(faultsOf(many)).toEqual(['$or/1000/body.a/$eq: expected at most 1000 comparisons'])
  })
})

describe('regular expressions', () => {
  test.each(['(', 'a(?=b)', '(a)\\1', '(?<!x)y', 'x{1001}', '*'])('%s is refused', pattern => {
    expect(faultsOf({ 'body.a': { $regex: pattern } })[0]).toContain('the regular expression is not valid')
  })

  test('too long, and too large', () => {
    expect(faultsOf({ 'body.a': { $regex: 'a'.repeat(1_001) } })[0]).toContain('at most 1000 characters')
    expect(faultsOf({ 'body.a': { $regex: '(?:a?){900}a{900}' } })[0]).toContain('too large')
  })

  test.each(['(a+)+$', '(a|aa)+$', '(.*?a){20}b', '([a-z]+)*\\d'])('%s does not run away', pattern => {
    // A backtracking engine would not come back from this before the test's own time is over.
    expect(holds({ 'body.a': { $regex: pattern } }, facts({ body: { a: `${'a'.repeat(65_535)}!` } }))).toBe(false)
  })

  test('what stands behind the first 65,536 characters is not looked at', () => {
    const at = (place: number) => facts({ body: { a: `${'.'.repeat(place)}needle` } })
    expect(holds({ 'body.a': { $regex: 'needle' } }, at(65_530))).toBe(true)
    expect(holds({ 'body.a': { $regex: 'needle' } }, at(65_531))).toBe(false)
  })
})

describe('why', () => {
  test.each<[object, string]>([
    [{ 'metadata.plan': 'paid' }, 'metadata.plan $eq holds'],
    [{ 'metadata.plan': 'free' }, 'metadata.plan $eq does not hold'],
    [{ 'body.missing': 1 }, 'body.missing $eq does not hold: it is not there'],
    [{ 'metadata.plan': 'paid', 'body.n': { $gt: 5 } }, 'body.n $gt does not hold'],
    [{ 'metadata.plan': 'paid', 'body.n': { $gt: 2, $lt: 4 } }, 'all 2 conditions hold'],
    [{ $or: [{ 'body.n': 1 }, { 'body.n': 2 }] }, 'none of 2 conditions holds'],
    [{ $or: [{ 'body.n': 1 }, { 'body.n': 3 }] }, 'body.n $eq holds'],
    [{ $not: { 'body.n': 1 } }, '$not: body.n $eq does not hold'],
    [{ 'body.n': { $not: { $gt: 1 } } }, 'body.n $not $gt does not hold'],
  ])('%j', (query, reason) => {
    expect(compiled(query).why(request)).toBe(reason)
  })
})

/** The same language, as slowly and plainly as it can be said. */
const naive = {
  read(field: string, { body, metadata, header }: Facts): unknown {
    const [root, ...steps] = field.split('.')
    if (root === 'headers') return header(steps.join('.')) ?? undefined
    let value: unknown = root === 'body' ? body : metadata
    for (const step of steps) value = (value as Record<string, unknown> | undefined | null)?.[step]
    return value
  },
  query(query: Record<string, unknown>, request: Facts): boolean {
    return Object.entries(query).every(([name, said]) => {
      if (name === '$and') return (said as []).every(part => naive.query(part, request))
      if (name === '$or') return (said as []).some(part => naive.query(part, request))
      if (name === '$not') return !naive.query(said as Record<string, unknown>, request)
      return naive.field(naive.read(name, request), said, name.startsWith('headers.'))
    })
  },
  field(value: unknown, said: unknown, header: boolean): boolean {
    if (typeof said !== 'object' || said === null) return naive.equal(value, said, header)
    return Object.entries(said).every(([operator, operand]) => {
      const number = typeof operand === 'number'
      const seen = header && number && value !== undefined && value !== '' ? Number(value) : value
      const alike = number ? typeof seen === 'number' && !Number.isNaN(seen) : typeof seen === 'string'
      switch (operator) {
        case '$eq':
          return naive.equal(value, operand, header)
        case '$ne':
          return !naive.equal(value, operand, header)
        case '$gt':
          return alike && (seen as number) > operand
        case '$gte':
          return alike && (seen as number) >= operand
        case '$lt':
          return alike && (seen as number) < operand
        case '$lte':
          return alike && (seen as number) <= operand
        case '$in':
          return operand.some((one: unknown) => naive.equal(value, one, header))
        case '$nin':
          return !operand.some((one: unknown) => naive.equal(value, one, header))
        case '$exists':
          return operand === (value !== undefined)
        case '$contains':
          if (Array.isArray(value)) return value.includes(operand)
          return typeof value === 'string' && typeof operand === 'string' && value.includes(operand)
        case '$regex':
          return typeof value === 'string' && new RegExp(operand).test(value)
        case '$not':
          return !naive.field(value, operand, header)
        default:
          throw new Error(operator)
      }
    })
  },
  equal(value: unknown, operand: unknown, header: boolean): boolean {
    if (header && typeof operand === 'number') return value !== undefined && value !== '' && Number(value) === operand
    return value !== undefined && JSON.stringify(value) === JSON.stringify(operand)
  },
}

test('property: conditions agree with a naive reading of them', () => {
  const scalar = fc.constantFrom<unknown>('a', 'ab', 'b', '', '1', '2', 1, 2, 0, true, false, null)
  const order = fc.constantFrom<string | number>('a', 'ab', '1', 0, 1, 2)
  const field = fc.constantFrom(
    ...['body.a', 'body.l', 'body.l.0', 'body.o.a', 'headers.a', 'headers.b', 'metadata.a', 'metadata.b'],
  )
  const { query } = fc.letrec<{ operators: object; query: Record<string, unknown> }>(tie => ({
    operators: fc
      .record(
        {
          $eq: fc.oneof(scalar, fc.array(scalar, { maxLength: 1 })),
          $ne: scalar,
          $gt: order,
          $gte: order,
          $lt: order,
          $lte: order,
          $in: fc.array(fc.oneof(scalar, fc.constant(['a'])), { minLength: 1, maxLength: 3 }),
          $nin: fc.array(scalar, { minLength: 1, maxLength: 3 }),
          $exists: fc.boolean(),
          $contains: scalar,
          $regex: fc.constantFrom('a', '^a', 'b$', '[0-9]', '^(?:a|b)+$', ''),
          $not: fc.oneof({ maxDepth: 2 }, scalar, tie('operators')),
        },
        { requiredKeys: [] },
      )
      .map(all => Object.fromEntries(Object.entries(all).slice(0, 2)))
      .filter(some => Object.keys(some).length > 0),
    query: fc.oneof(
      { maxDepth: 3 },
      fc.dictionary(field, fc.oneof(scalar, tie('operators')), { minKeys: 1, maxKeys: 2 }),
      fc.record({ $and: fc.array(tie('query'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ $or: fc.array(tie('query'), { minLength: 1, maxLength: 3 }) }),
      fc.record({ $not: tie('query') }),
    ) as fc.Arbitrary<Record<string, unknown>>,
  }))
  const some = { requiredKeys: [] }
  const said = fc.record({
    body: fc.record({ a: scalar, l: fc.array(scalar, { maxLength: 2 }), o: fc.record({ a: scalar }, some) }, some),
    headers: fc.record({ a: fc.constantFrom('a', 'ab', '1', '2', ''), b: fc.constantFrom('b', '0') }, some),
    metadata: fc.record({ a: scalar, b: scalar }, some),
  })
  fc.assert(
    fc.property(query, said, (asked, words) => {
      const request = facts(words as never)
      expect(holds(asked, request)).toBe(naive.query(asked, request))
    }),
    { numRuns: 1_000 },
  )
})
