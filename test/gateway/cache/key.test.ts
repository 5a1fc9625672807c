import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { canonical } from '../../../src/gateway/cache/canonical-json.ts'
import { type AnswerQuestion, answerKey, namedAnswerKey } from '../../../src/gateway/cache/key.ts'

const question = (more: Partial<AnswerQuestion> = {}): AnswerQuestion => ({
  gateway: 'default',
  provider: 'openai',
  method: 'POST',
  path: 'chat/completions',
  model: 'gpt-5-mini',
  credential: { kind: 'declared', alias: 'default' },
  surface: 'openai-chat',
  body: '{"model":"gpt-5-mini","messages":[]}',
  ...more,
})

const keyOf = (body: AnswerQuestion['body']) => answerKey(question({ body }))

const formOf = (text: string) => {
  let form = ''
  return canonical(text, { update: piece => (form += piece) }) ? form : undefined
}

/** A value as text, with members in any order and any whitespace between tokens. */
function written(value: unknown, next: () => number): string {
  const space = () => ['', '', ' ', '\n\t', '\r\n  '][next() % 5]!
  if (Array.isArray(value)) return `[${value.map(item => space() + written(item, next)).join(`${space()},`)}${space()}]`
  if (!value || typeof value !== 'object') return JSON.stringify(value)
  const members = Object.entries(value).map(([name, item]) => ({ name, item, at: next() }))
  members.sort((one, other) => one.at - other.at)
  const texts = members.map(
    ({ name, item }) => `${space()}${JSON.stringify(name)}${space()}:${space()}${written(item, next)}`,
  )
  return `{${texts.join(`${space()},`)}${space()}}`
}

const anyOrder = () => fc.infiniteStream(fc.nat(1_000)).map(stream => () => stream.next().value as number)
const container = () => fc.oneof(fc.array(fc.jsonValue()), fc.dictionary(fc.string(), fc.jsonValue()))

describe('the body in the key', () => {
  test('neither the order of members nor whitespace matters', () => {
    fc.assert(
      fc.property(container(), anyOrder(), (value, next) => {
        expect(keyOf(written(value, next))).toBe(keyOf(JSON.stringify(value)))
      }),
      { numRuns: 500 },
    )
  })

  test('a body that says something else has another key', () => {
    const small = fc.letrec(tie => ({
      value: fc.oneof({ maxDepth: 3 }, fc.constantFrom(0, 1, '', '0', 'a', null, true), tie('list'), tie('object')),
      list: fc.array(tie('value'), { maxLength: 3 }),
      object: fc.dictionary(fc.constantFrom('a', 'b', ''), tie('value'), { maxKeys: 2 }),
    }))
    const body = fc.oneof(small.list, small.object)
    fc.assert(
      fc.property(body, body, (one, other) => {
        expect(keyOf(JSON.stringify(one)) === keyOf(JSON.stringify(other))).toBe(Bun.deepEquals(one, other, true))
      }),
      { numRuns: 2_000 },
    )
  })

  test('no single character can be left out, changed or added without another key, unless it is a space between tokens', () => {
    const change = fc.record({
      at: fc.nat(),
      drop: fc.nat(1),
      put: fc.constantFrom('', '"', ',', ':', '{', '}', '[', ']', ' ', '0', '1', '\\', '-', '.', 'e'),
    })
    fc.assert(
      fc.property(container(), change, (value, { at, drop, put }) => {
        const text = JSON.stringify(value)
        const place = at % (text.length + 1)
        const changed = text.slice(0, place) + put + text.slice(place + drop)
        let same = changed === text
        try {
          same ||=
            Bun.deepEquals(JSON.parse(changed), value, true) && changed.replaceAll(' ', '') === text.replaceAll(' ', '')
        } catch {}
        expect(keyOf(changed) === keyOf(text)).toBe(same)
      }),
      { numRuns: 3_000 },
    )
  })

  test('many members are put in order, however deep they are', () => {
    const names = Array.from({ length: 300 }, (_, at) => `m${(at * 7919) % 300}`)
    const members = names.map(name => `"${name}":{"b":[1,{"d":1,"c":2}],"a":"${name}"}`)
    const others = names.toSorted().map(name => `"${name}":{"a":"${name}","b":[1,{"c":2,"d":1}]}`)
    expect(keyOf(`{${members.join()}}`)).toBe(keyOf(`{${others.join()}}`))
    // Larger than the lists that are kept, and after it they serve small bodies as before.
    const large = (order: string) => `[${Array.from({ length: 9_000 }, () => order).join()}]`
    expect(keyOf(large('{"b":1,"a":2}'))).toBe(keyOf(large('{"a":2,"b":1}')))
    expect(keyOf('{"b":1,"a":2}')).toBe(keyOf('{"a":2,"b":1}'))
  })

  test('numbers count as they are written, beyond double precision too', () => {
    expect(keyOf('{"seed":9007199254740993}')).not.toBe(keyOf('{"seed":9007199254740992}'))
    expect(keyOf('[1e400]')).not.toBe(keyOf('[1e401]'))
    expect(keyOf('[0.10000000000000000001]')).not.toBe(keyOf('[0.1]'))
  })

  test('members that occur twice count in their order, in whichever spelling', () => {
    const last = (value: string) => [keyOf(`{"a":1,"a":${value}}`), keyOf(`{"a":${value},"a":1}`), keyOf('{"a":1}')]
    expect(new Set(last('2')).size).toBe(3)
    const one = '{"a":1,"\\u0061":2}'
    const other = '{"\\u0061":2,"a":1}'
    expect(JSON.parse(one)).not.toEqual(JSON.parse(other))
    expect(keyOf(one)).not.toBe(keyOf(other))
    expect(keyOf('{"z":0,"\\u0061":2,"a":1}')).toBe(keyOf('{"\\u0061":2,"a":1,"z":0}'))
  })

  test('text that is no JSON counts as it stands', () => {
    const pairs = [
      ['[1 2]', '[12]'],
      ['{"a" 1}', '{"a":1}'],
      ['{"a":1,}', '{"a":1}'],
      ['[1,]', '[1]'],
      ['{"a":1} x', '{"a":1}x'],
      ['["a" "b"]', '["a""b"]'],
      ['{"b":1 "a":2}', '{"a":2 "b":1}'],
      ['a b', 'ab'],
      ['{"a":"x', '{ "a":"x'],
      ['{"a\\":1}', '{ "a\\":1}'],
      ['\ufeff{"a":1}', '{"a":1}'],
      ['"a"', ' "a"'],
    ] as const
    for (const [one, other] of pairs) expect(keyOf(one)).not.toBe(keyOf(other))
    const deep = (levels: number, space: string) => `${'['.repeat(levels)}${space}${']'.repeat(levels)}`
    expect(keyOf(deep(150, ' '))).toBe(keyOf(deep(150, '')))
    expect(keyOf(deep(50_000, ' '))).not.toBe(keyOf(deep(50_000, '')))
  })

  test('bytes and their text are one; other bytes count one by one', () => {
    const bytes = new TextEncoder().encode(' {"b":"é","a":1}')
    expect(keyOf(bytes)).toBe(keyOf('{"a":1,"b":"é"}'))
    const upload = (last: number) => new Uint8Array([0xff, 0x20, 0x00, last])
    expect(keyOf(upload(1))).not.toBe(keyOf(upload(2)))
    expect(keyOf(upload(1))).toBe(keyOf(upload(1)))
    // Invalid UTF-8 in what looks like JSON is not mended.
    const broken = (byte: number) => new Uint8Array([...Buffer.from('{"a":"'), byte, ...Buffer.from('"}')])
    expect(keyOf(broken(0xc0))).not.toBe(keyOf(broken(0xc1)))
    expect(keyOf(undefined)).not.toBe(keyOf(''))
  })

  test('no bytes pass for the form of a JSON', () => {
    const form = formOf('{"b":1, "a":2}')!
    expect(form).toBe('{"a":2"b":1}')
    expect(keyOf(form)).not.toBe(keyOf('{"b":1,"a":2}'))
    expect(keyOf(`${form};json`)).not.toBe(keyOf('{"b":1,"a":2}'))
  })
})

describe('the key', () => {
  const other: Partial<AnswerQuestion>[] = [
    { gateway: 'lab' },
    { provider: 'groq' },
    { method: 'GET' },
    { path: 'chat/completions?api-version=1' },
    { model: 'gpt-5' },
    { surface: 'anthropic-messages' },
    { headers: [['anthropic-beta', 'x']] },
    { headers: [['anthropic-beta', 'y']] },
    { credential: { kind: 'none' } },
    { credential: { kind: 'declared', alias: 'research' } },
    { credential: { kind: 'own', key: 'default' } },
    { credential: { kind: 'own', key: 'sk-heron' } },
    { credential: { kind: 'stored', id: 'default', modified: 1 } },
    { credential: { kind: 'stored', id: 'default', modified: 2 } },
    { body: '{}' },
  ]

  test('two tenants never share: each thing that decides over an answer makes another key', () => {
    const keys = [{}, ...other].map(more => answerKey(question(more)))
    expect(new Set(keys).size).toBe(keys.length)
  })

  test('is the gateway and a SHA-256, and shows nothing else', () => {
    const key = answerKey(question({ gateway: 'my-lab', credential: { kind: 'own', key: 'sk-heron' } }))
    expect(key).toMatch(/^my-lab:[0-9a-f]{64}$/)
    expect(namedAnswerKey('my-lab', 'faq')).toMatch(/^my-lab:[0-9a-f]{64}$/)
  })

  test('what stands in one part never passes for another', () => {
    const text = fc.string({ maxLength: 4, unit: fc.constantFrom('a', '1', ':', ';', 'none', 'own1:') })
    const parts = fc.record({
      provider: text,
      path: text,
      model: text,
      surface: text,
      credential: fc.oneof(
        fc.constant({ kind: 'none' } as const),
        text.map(key => ({ kind: 'own', key }) as const),
        text.map(alias => ({ kind: 'declared', alias }) as const),
      ),
      headers: fc.array(fc.tuple(text, text), { maxLength: 2 }),
      body: text,
    })
    fc.assert(
      fc.property(parts, parts, (one, other) => {
        const sorted = (asked: typeof one) => ({ ...asked, headers: asked.headers.toSorted() })
        const same = Bun.deepEquals(sorted(one), sorted(other), true)
        expect(answerKey(question(one)) === answerKey(question(other))).toBe(same)
      }),
      { numRuns: 1_000 },
    )
  })

  test('the order of headers does not matter', () => {
    const headers: [string, string][] = [
      ['anthropic-version', '1'],
      ['anthropic-beta', 'x'],
    ]
    expect(answerKey(question({ headers }))).toBe(answerKey(question({ headers: headers.toReversed() })))
  })

  test('one that the client names replaces everything but the gateway', () => {
    expect(namedAnswerKey('default', 'faq')).not.toBe(namedAnswerKey('lab', 'faq'))
    expect(namedAnswerKey('default', 'faq')).not.toBe(namedAnswerKey('default', 'faq2'))
    const exact = answerKey(question({ provider: '', body: undefined }))
    expect(namedAnswerKey('default', '')).not.toBe(exact)
  })
})
