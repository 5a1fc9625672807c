import { describe, expect, test } from 'bun:test'
import { collect, expand } from '../../src/conversation/collect.ts'
import { ProviderFailure } from '../../src/conversation/errors.ts'
import type { Event } from '../../src/conversation/events.ts'
import { thrown } from '../dialects/conversations.ts'
import { eventsOf, label, streams } from '../dialects/corpus.ts'

const start: Event = { type: 'start', id: 'r1', model: 'm', created: 1 }
const text = (text: string, choice = 0): Event => ({ type: 'text', choice, text })
const finish: Event = { type: 'finish', choice: 0, finish: 'stop', native: 'end_turn' }
const only = (...events: Event[]) => collect(events).choices[0]!

test('a whole stream', () => {
  expect(
    collect([
      start,
      text('Hel'),
      text('lo'),
      finish,
      { type: 'usage', usage: { input: 1, output: 2, source: 'reported' } },
      { type: 'end' },
    ]),
  ).toEqual({
    id: 'r1',
    model: 'm',
    created: 1,
    choices: [{ index: 0, parts: [{ type: 'text', text: 'Hello' }], finish: 'stop', nativeFinish: 'end_turn' }],
    usage: { input: 1, output: 2, source: 'reported' },
  })
})

describe('pieces', () => {
  test('text is joined until something else is said', () => {
    const call: Event = { type: 'tool-call', choice: 0, call: 0, id: 'a', name: 'f' }
    expect(only(text('a'), text('b'), call, text('c')).parts).toMatchObject([
      { text: 'ab' },
      { id: 'a' },
      { text: 'c' },
    ])
  })

  test('a signature closes its text', () => {
    const signed: Event = { type: 'text', choice: 0, text: '', signature: 's' }
    expect(only(text('a'), signed, text('b')).parts).toEqual([
      { type: 'text', text: 'a', signature: 's' },
      { type: 'text', text: 'b' },
    ])
  })

  test('arguments of interleaved calls go to their calls', () => {
    const call = (call: number): Event => ({ type: 'tool-call', choice: 0, call, id: `${call}`, name: 'f' })
    const args = (call: number, text: string): Event => ({ type: 'tool-arguments', choice: 0, call, text })
    expect(only(call(0), args(0, '{'), call(1), args(1, '['), args(0, '}'), args(1, ']')).parts).toMatchObject([
      { arguments: '{}' },
      { arguments: '[]' },
    ])
  })

  test('reasoning by blocks, whose numbers may stand for more than one kind', () => {
    const reason = (text: string, more: object = {}): Event => ({
      type: 'reasoning',
      choice: 0,
      block: 0,
      text,
      ...more,
    })
    const summary = (text: string) => reason(text, { native: { type: 'reasoning.summary', summary: text } })
    const sealed = reason('', { redacted: 'x', native: { type: 'reasoning.encrypted', data: 'x' } })
    expect(only(reason('a'), reason('b'), reason('', { signature: 's' })).parts).toEqual([
      { type: 'reasoning', text: 'ab', signature: 's' },
    ])
    expect(only(summary('a'), summary('b'), sealed).parts).toMatchObject([{ text: 'ab' }, { text: '', redacted: 'x' }])
    expect(only(summary('a'), sealed).parts[0]).not.toHaveProperty('redacted')
  })

  test('refusals and log probabilities are joined, sources stand on the text', () => {
    const refusal = (text: string): Event => ({ type: 'refusal', choice: 0, text })
    const logprobs = (token: string): Event => ({ type: 'logprobs', choice: 0, logprobs: { content: [{ token }] } })
    const citation = (url: string): Event => ({ type: 'citation', choice: 0, citation: { url } })
    const choice = only(
      text('t'),
      citation('u'),
      citation('v'),
      refusal('N'),
      refusal('o'),
      logprobs('a'),
      logprobs('b'),
    )
    expect(choice.parts).toEqual([
      { type: 'text', text: 't', citations: [{ url: 'u' }, { url: 'v' }] },
      { type: 'refusal', text: 'No' },
    ])
    expect(choice.logprobs).toEqual({ content: [{ token: 'a' }, { token: 'b' }] })
    expect(only(citation('u')).parts).toEqual([{ type: 'text', text: '', citations: [{ url: 'u' }] }])
  })

  test('what nobody knows, by its place', () => {
    const unknown = (at: 'reply' | 'choice' | 'message', fields: Record<string, unknown>): Event => ({
      type: 'unknown',
      at,
      choice: 0,
      fields,
    })
    const reply = collect([
      unknown('reply', { a: 1 }),
      unknown('reply', { b: 2 }),
      unknown('choice', { c: 3 }),
      unknown('message', { d: 4 }),
    ])
    expect(reply.unknown).toEqual({ a: 1, b: 2 })
    expect(reply.choices[0]).toMatchObject({ unknown: { c: 3 }, unknownMessage: { d: 4 } })
  })
})

test('T33 answers in the order of their numbers', () => {
  const { choices } = collect([text('b', 1), text('a', 0), text('c', 1)])
  expect(choices.map(({ index, parts }) => [index, parts])).toEqual([
    [0, [{ type: 'text', text: 'a' }]],
    [1, [{ type: 'text', text: 'bc' }]],
  ])
})

test('the last usage holds', () => {
  const usage = (input: number): Event => ({ type: 'usage', usage: { input, output: 0, source: 'reported' } })
  expect(collect([usage(1), text('a'), usage(2)]).usage!.input).toBe(2)
})

test('calls are the reason for an end that has none', () => {
  expect(only({ type: 'tool-call', choice: 0, call: 0, id: 'a', name: 'f' }, { type: 'end' }).finish).toBe('tool-calls')
  expect(only({ type: 'tool-call', choice: 0, call: 0, id: 'a', name: 'f' }, finish).finish).toBe('stop')
})

test('T07 an error is thrown, whatever came before it', () => {
  const error: Event = { type: 'error', error: { status: 529, message: 'Overloaded', type: 'overloaded_error' } }
  const fault = thrown(() => collect([start, text('Half'), error]))
  expect(fault).toBeInstanceOf(ProviderFailure)
  expect((fault as ProviderFailure).error.status).toBe(529)
})

describe('an answer told as events and collected is the same (trap 9)', () => {
  test.each(streams.map(each => [label(each), each] as const))('%s', (_, recorded) => {
    const events = eventsOf(recorded)
    if (events.some(event => event.type === 'error')) return
    const reply = collect(events)
    expect(collect(expand(reply))).toEqual(reply)
  })
})
