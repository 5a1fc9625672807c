import { describe, expect, test } from 'bun:test'
import { Value } from '@sinclair/typebox/value'
import fc from 'fast-check'
import { pointerOf, readYaml } from '../../../src/config/positions.ts'
import type { PercentageNode, RateNode } from '../../../src/gateway/routes/graph.ts'
import { readGraph } from '../../../src/gateway/routes/read-graph.ts'
import { writeElements } from '../../../src/gateway/routes/write-elements.ts'
import { CreateRoute, FileRoute, RouteElements } from '../../../src/schemas/route.ts'
import { elements, end, graphOf, model, start, support, to } from './samples.ts'

const providers = ['openai', 'anthropic', 'workers-ai', 'custom-rack']
const known = { isProvider: (slug: string) => providers.includes(slug), providers }

/** Every message, in order. */
const faults = (list: unknown) => {
  const read = readGraph(list, known)
  return 'problems' in read ? read.problems.map(({ message }) => message) : []
}
const pointers = (list: unknown) => {
  const read = readGraph(list, known)
  return 'problems' in read ? read.problems.map(({ pointer }) => pointer) : []
}

/** A graph with this element between the start and the end. */
const around = (element: object) => [start('x'), { id: 'x', ...element }, end]
const rate = (properties: object) => around({ type: 'rate', properties, outputs: { success: 'end' } })
const when = (conditions: unknown) =>
  around({ type: 'conditional', properties: { conditions }, outputs: { true: 'end', false: 'end' } })
const split = (outputs: object) => around({ type: 'percentage', outputs })

describe('a graph that is right', () => {
  test('the example of the contract is read, and written as it was', () => {
    const read = readGraph(support, known)
    if ('problems' in read) throw new Error(JSON.stringify(read.problems))
    const { graph } = read
    expect(graph.start.outputs.next.id).toBe('c')
    expect(graph.nodes.map(({ id }) => id)).toEqual(['s', 'c', 'r', 'p', 'big', 'small', 'e'])
    const written = structuredClone(support) as Record<string, unknown>[]
    // Ours, with the default.
    Object.assign(written[2]!.properties as object, { technique: 'sliding' })
    expect(writeElements(graph)).toEqual(written as never)
  })

  test('older names: rate_limit with interval and technique, condition, else, a missing fallback, an end without outputs', () => {
    const graph = graphOf([
      start('if'),
      {
        id: 'if',
        type: 'conditional',
        properties: { condition: { 'metadata.plan': 'free' } },
        outputs: { true: to('limit'), false: to('ab') },
      },
      {
        id: 'limit',
        type: 'rate_limit',
        properties: { limitType: 'count', key: 'metadata.user_id', limit: 100, interval: 3_600, technique: 'fixed' },
        outputs: { success: to('a') },
      },
      { id: 'ab', type: 'percentage', outputs: { '10%': to('a'), '50%': to('b'), else: to('a') } },
      { id: 'a', type: 'model', properties: { provider: 'openai', model: 'a' }, outputs: { success: to('b') } },
      { ...model('b'), outputs: { success: to('end') } },
      { id: 'end', type: 'end' },
    ])
    expect(graph.nodes.find(({ id }) => id === 'limit')).toMatchObject({
      type: 'rate',
      window: 3_600,
      technique: 'fixed',
      limit: 100,
      limitType: 'count',
    })
    const ab = graph.nodes.find(({ id }) => id === 'ab') as PercentageNode
    expect(ab.branches.map(({ share }) => share)).toEqual([10, 50, 40])
    const written = writeElements(graph)
    expect([...Value.Errors(RouteElements, written)]).toEqual([])
    expect(written[2]).toEqual({
      id: 'limit',
      type: 'rate',
      properties: { limitType: 'count', key: 'metadata.user_id', limit: 100, window: 3_600, technique: 'fixed' },
      outputs: { success: to('a'), fallback: to('end') },
    })
    expect(written[3]!.outputs).toEqual({ '10%': to('a'), '50%': to('b'), '40%': to('a') })
    expect(written[4]).toMatchObject({ properties: { timeout: 0, retries: 0 }, outputs: { fallback: to('end') } })
  })

  test('a fallback that is missing where there is no end gets one', () => {
    const graph = graphOf([
      start('a'),
      { id: 'a', type: 'model', properties: { provider: 'openai', model: 'm' }, outputs: { success: 'b' } },
      { id: 'b', type: 'percentage', outputs: { '100%': 'stop' } },
      { id: 'stop', type: 'end' },
    ])
    expect(writeElements(graph)[1]!.outputs).toMatchObject({ fallback: to('stop') })
  })

  test('two branches of one share, one of them by else, are both written', () => {
    const graph = graphOf(split({ '50%': 'end', else: 'end' }))
    expect(writeElements(graph)[1]!.outputs).toEqual({ '50%': to('end'), '50.0%': to('end') })
  })

  test('a limit without a key has one counter for all, and 1 is a limit', () => {
    const graph = graphOf(rate({ limitType: 'count', limit: 1, window: 1, key: '' }))
    expect(graph.nodes[1]).not.toHaveProperty('key')
    expect((graph.nodes[1] as RateNode).technique).toBe('sliding')
  })

  test('property: what is written is strict, and reads as the same route', () => {
    fc.assert(
      fc.property(elements, list => {
        const graph = graphOf(list)
        const written = writeElements(graph)
        expect([...Value.Errors(RouteElements, written)]).toEqual([])
        expect(writeElements(graphOf(written))).toEqual(written)
      }),
    )
  })
})

describe('a faulty graph', () => {
  test.each<[string, unknown, string[]]>([
    ['no list', { start: 1 }, ['elements: expected a list of 1 to 200 elements, found a mapping']],
    ['an empty list', [], ['elements: expected a list of 1 to 200 elements, found an empty list']],
    ['too many', Array(201).fill(end), ['elements: expected a list of 1 to 200 elements, found 201']],
    ['no mapping', [start('end'), 'x', end], ['elements[1]: expected a mapping with id, type and outputs']],
    ['no start', [end], ['elements: expected one element of type "start", found none']],
    [
      'two starts',
      [start('end'), { ...start('end'), id: 'again' }, end],
      ['elements[1] "again": type: elements[0] "start" is the start already; there is only one'],
    ],
    [
      'an unknown type',
      around({ type: 'modle', outputs: { success: 'end' } }),
      [
        'elements[1] "x": type: expected "start", "conditional", "percentage", "rate", "model" or "end", found "modle"; did you mean "model"?',
      ],
    ],
    ['a duplicate id', [start('a'), model('a'), model('a'), end], ['elements[2] "a": id: elements[1] has the same id']],
    [
      'an edge to nowhere',
      [start('big'), model('big', 'ende'), end],
      ['elements[1] "big": outputs.success leads to "ende", which is not there; did you mean "end"?'],
    ],
    [
      'a missing output',
      around({ type: 'conditional', properties: { conditions: { 'body.a': 1 } }, outputs: { true: 'end' } }),
      ['elements[1] "x": outputs.false is missing: it says which element follows'],
    ],
    [
      'no outputs',
      [{ id: 'start', type: 'start' }],
      ['elements[0] "start": outputs.next is missing: it says which element follows'],
    ],
    [
      'a misspelt output',
      around({ type: 'model', properties: { provider: 'openai', model: 'm' }, outputs: { sucess: 'end' } }),
      ['elements[1] "x": outputs.sucess: not an output of a model element; did you mean "success"?'],
    ],
    [
      'outputs of an end',
      [start('end'), { id: 'end', type: 'end', outputs: { next: 'start' } }],
      ['elements[1] "end": outputs.next: not an output of an end; there are: none'],
    ],
    [
      'a target without an id',
      [{ id: 'start', type: 'start', outputs: { next: { element: 'end' } } }],
      ['elements[0] "start": outputs.next: the key "elementId" is missing'],
    ],
    [
      'an element that nothing leads to',
      [start('end'), model('idle'), end],
      ['elements[1] "idle": nothing leads here from the start'],
    ],
    [
      'a circle',
      [start('a'), model('a', 'end', 'b'), model('b', 'end', 'c'), model('c', 'end', 'a'), end],
      ['elements[3] "c": outputs.fallback closes a circle: a → b → c → a'],
    ],
    [
      'an element that leads to itself',
      [start('a'), model('a', 'end', 'a'), end],
      ['elements[1] "a": outputs.fallback leads back to its own element'],
    ],
    [
      'a model without provider and model',
      around({ type: 'model', outputs: { success: 'end' } }),
      ['elements[1] "x": properties.model is missing', 'elements[1] "x": properties.provider is missing'],
    ],
    [
      'a model that names its provider',
      around({ type: 'model', properties: { model: 'openai/gpt-5' }, outputs: { success: 'end' } }),
      ['elements[1] "x": properties.provider is missing (the provider "openai" is named in properties.model?)'],
    ],
    [
      'an unknown provider',
      [start('a'), model('a', 'end', 'end', { provider: 'opena' }), end],
      ['elements[1] "a": properties.provider: there is no provider "opena"; did you mean "openai"?'],
    ],
    [
      'a time and a number of tries out of bounds',
      [start('a'), model('a', 'end', 'end', { timeout: -1, retries: 6 }), end],
      [
        'elements[1] "a": properties.timeout: expected an integer from 0 to 2147483647, found -1',
        'elements[1] "a": properties.retries: expected an integer from 0 to 5, found 6',
      ],
    ],
    [
      'an unknown property',
      [start('a'), model('a', 'end', 'end', { timeOut: 1 }), end],
      ['elements[1] "a": properties.timeOut: unknown key; did you mean "timeout"?'],
    ],
    [
      'an unknown key',
      [start('end'), { ...end, output: {} }],
      ['elements[1] "end": output: unknown key; did you mean "outputs"?'],
    ],
    [
      'limits that are not positive',
      rate({ limitType: 'count', limit: 0, window: 0 }),
      [
        'elements[1] "x": properties.limit: expected an integer of at least 1, found 0',
        'elements[1] "x": properties.window: expected an integer from 1 to 31536000, found 0',
      ],
    ],
    [
      'a budget that is not positive',
      rate({ limitType: 'cost', limit: -2.5, window: 60 }),
      ['elements[1] "x": properties.limit: expected a number above 0, found -2.5'],
    ],
    [
      'a limit of nothing',
      rate({ key: 'metdata.user_id', technique: 'rolling' }),
      [
        'elements[1] "x": properties.limitType is missing: "count" or "cost"',
        'elements[1] "x": properties.technique: expected "fixed" or "sliding", found "rolling"',
        'elements[1] "x": properties.key: expected a field below body, headers or metadata; did you mean "metadata"?',
        'elements[1] "x": properties.limit is missing',
        'elements[1] "x": properties.window is missing',
      ],
    ],
    [
      'shares that do not come to 100%',
      split({ '20%': 'end', '70%': 'end' }),
      [
        'elements[1] "x": outputs: expected shares that come to 100%, found 90% (two equal shares are written "50%" and "50.0%"; "else" takes the rest)',
      ],
    ],
    [
      'shares above 100%',
      split({ '60%': 'end', '50%': 'end', else: 'end' }),
      ['elements[1] "x": outputs: expected shares that come to 100%, found 110%'],
    ],
    [
      'six shares',
      split({ '10%': 'end', '11%': 'end', '12%': 'end', '13%': 'end', '14%': 'end', '40%': 'end' }),
      ['elements[1] "x": outputs: expected at most 5 shares, found 6'],
    ],
    [
      'no share',
      split({ half: 'end', '150%': 'end' }),
      [
        'elements[1] "x": outputs.half: expected a share from "0%" to "100%", or "else"',
        'elements[1] "x": outputs.150%: expected a share from "0%" to "100%", or "else"',
      ],
    ],
    [
      'no shares',
      split({}),
      [
        'elements[1] "x": outputs: expected shares such as "20%" and "80%", found none',
        'elements[2] "end": nothing leads here from the start',
      ],
    ],
    [
      'no condition',
      around({ type: 'conditional', properties: {}, outputs: { true: 'end', false: 'end' } }),
      ['elements[1] "x": properties.conditions is missing'],
    ],
    [
      'an empty condition',
      when({}),
      [
        'elements[1] "x": properties.conditions: expected at least one field; an empty mapping would hold for every request',
      ],
    ],
    [
      'faults deep in conditions, all of them',
      when({
        $and: [{ 'metadata.plan': { $eqq: 'paid' } }, { 'body.n': { $gt: true } }],
        'headers.x': { $regex: '(' },
        'meta.plan': 1,
      }),
      [
        'elements[1] "x": properties.conditions.$and[0].metadata.plan.$eqq: unknown operator; there are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $exists, $contains, $regex or $not; did you mean "$eq"?',
        'elements[1] "x": properties.conditions.$and[1].body.n.$gt: expected a number or a string, found a boolean',
        'elements[1] "x": properties.conditions.headers.x.$regex: the regular expression is not valid: missing closing ) (look-around and back-references are not supported)',
        'elements[1] "x": properties.conditions.meta.plan: expected a field below body, headers or metadata; did you mean "metadata"?',
      ],
    ],
  ])('%s', (_, list, expected) => {
    expect(faults(list)).toEqual(expected)
  })

  test('everything at once, in the order of the elements', () => {
    const list = [
      model('lost'),
      start('big'),
      model('big', 'ende', 'big', { provider: 'acme' }),
      { id: 'p', type: 'percentage', outputs: { '99%': 'end' } },
      end,
    ]
    expect(pointers(list)).toEqual([
      '/0',
      '/2/outputs/success/elementId',
      '/2/properties/provider',
      '/2/outputs/fallback/elementId',
      '/3/outputs',
      '/3',
    ])
  })

  test('a misspelt edge is one fault: what it means is not out of reach for it', () => {
    expect(faults([start('bigg'), model('big'), end])).toHaveLength(1)
  })

  test('operands are not repeated: they may be secret', () => {
    const secret = 'hunter2-hunter2'
    const list = when({ 'headers.x-key': { $gt: { secret }, $in: secret, $regex: `(${secret}`, $exists: secret } })
    expect(faults(list).length).toBeGreaterThan(3)
    expect(faults(list).join()).not.toContain(secret)
  })

  test('a flood of faults is cut short, and says so', () => {
    const list = when({ $and: Array(5_000).fill({}) })
    expect(faults(list)).toHaveLength(101)
    expect(faults(list).at(-1)).toBe('elements: and 4900 more problems')
  })

  test('pointers lead to the line and column of the file', () => {
    const text = [
      'elements:',
      '  - {id: s, type: start, outputs: {next: p}}',
      '  - id: p',
      '    type: percentage',
      '    outputs:',
      '      10%: {elementId: ende}',
      '      else: end',
      '  - {id: end, type: end}',
      '',
    ].join('\n')
    const reading = readYaml(text, { env: {}, folder: '.' })
    const { elements: list } = reading.value as { elements: unknown }
    expect(Value.Check(FileRoute, reading.value)).toBe(true)
    const read = readGraph(list, known)
    if (!('problems' in read)) throw new Error('expected a problem')
    expect(read.problems).toEqual([
      {
        pointer: '/1/outputs/10%/elementId',
        message: 'elements[1] "p": outputs.10% leads to "ende", which is not there; did you mean "end"?',
      },
    ])
    expect(reading.at(pointerOf(['elements']) + read.problems[0]!.pointer)).toEqual({ line: 6, column: 24 })
  })

  test('property: whatever stands there, it is read or refused with reasons, and never throws', () => {
    const junk = fc.oneof(
      fc.anything({ maxDepth: 3 }),
      fc.record(
        {
          id: fc.constantFrom('a', 'b', 'start', 'end', '', '__proto__'),
          type: fc.constantFrom('start', 'conditional', 'percentage', 'rate', 'rate_limit', 'model', 'end', 'toString'),
          properties: fc.anything({ maxDepth: 3 }),
          outputs: fc.dictionary(
            fc.constantFrom('next', 'true', 'success', 'fallback', '50%', 'else', '__proto__'),
            fc.constantFrom('a', 'b', 'end', 'start', { elementId: 'a' }, { elementId: 3 }, null),
          ),
        },
        { requiredKeys: [] },
      ),
    )
    fc.assert(
      fc.property(fc.array(junk, { maxLength: 6 }), list => {
        const read = readGraph(list)
        if ('problems' in read) expect(read.problems.length).toBeGreaterThan(0)
        else expect(read.graph.nodes).toHaveLength(list.length)
      }),
    )
  })
})

describe('schemas', () => {
  test('what is sent passes as a list, whatever stands in it: the reader says what is wrong', () => {
    expect(Value.Check(CreateRoute, { name: 'support', elements: support })).toBe(true)
    expect(Value.Check(CreateRoute, { name: 'support', elements: [{ type: 'rate_limit' }] })).toBe(true)
    expect(Value.Check(CreateRoute, { name: 'support', elements: {} })).toBe(false)
  })

  test.each([
    ['support', true],
    ['Route Name', true],
    ['größe-2.1', true],
    ['x', true],
    ['', false],
    ['a/b', false],
    ['a@v2', false],
    [' a', false],
    ['a\nb', false],
    ['a'.repeat(129), false],
  ])('the name %j: %p', (name, good) => {
    expect(Value.Check(CreateRoute, { name, elements: [] })).toBe(good)
  })

  test('the strict schema refuses older names', () => {
    expect(Value.Check(RouteElements, support)).toBe(true)
    expect(Value.Check(RouteElements, [{ ...support[2], type: 'rate_limit' }])).toBe(false)
  })
})
