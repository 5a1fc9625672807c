import { describe, expect, test } from 'bun:test'
import type { JsonObject } from '../../../src/conversation/conversation.ts'
import type { Event } from '../../../src/conversation/events.ts'
import type { WriteContext } from '../../../src/dialects/dialect.ts'
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts'
import { encodeFrames } from '../../../src/stream/encode.ts'
import { context } from '../corpus.ts'
import { streamFaults } from '../openai-faults.ts'

interface Chunk extends JsonObject {
  id: string
  created: number
  model: string
  choices: { index: number; delta: JsonObject; finish_reason: string | null; [name: string]: unknown }[]
}

/** The chunks of batches of events, a batch a message of the provider; `[DONE]` and comments as they are. */
function write(batches: Event[][], given: Partial<WriteContext> = {}) {
  const writer = openaiChat.writer(context({ includeUsage: false, ...given }))
  const frames = [...batches.flatMap(batch => writer.write(batch)), ...writer.end()]
  const text = new TextDecoder().decode(encodeFrames(frames, 'sse'))
  const chunks = frames.filter(frame => frame.data.startsWith('{')).map(frame => JSON.parse(frame.data) as Chunk)
  return { frames, text, chunks, deltas: chunks.map(chunk => chunk.choices[0]?.delta) }
}

const start: Event = { type: 'start', id: 'c1', model: 'm1', created: 1_790_000_000 }
const text = (text: string, choice = 0): Event => ({ type: 'text', choice, text })
const finish = (finish: 'stop' | 'tool-calls' | 'length' = 'stop', choice = 0): Event => ({
  type: 'finish',
  choice,
  finish,
})
const usage: Event = { type: 'usage', usage: { input: 15, output: 18, reasoning: 8, source: 'reported' } }
const call = (call: number, choice = 0): Event => ({
  type: 'tool-call',
  choice,
  call,
  id: `id${call}`,
  name: `f${call}`,
})
const args = (call: number, text: string, choice = 0): Event => ({ type: 'tool-arguments', choice, call, text })

test('a text: one head for all, role once, finish once, [DONE] once', () => {
  const { text: wire, chunks } = write([[start], [text('Hel')], [text('lo')], [finish()]])
  expect(streamFaults(wire, false)).toEqual([])
  expect(chunks).toEqual(
    [
      { index: 0, delta: { role: 'assistant', content: 'Hel' }, finish_reason: null },
      { index: 0, delta: { content: 'lo' }, finish_reason: null },
      { index: 0, delta: {}, finish_reason: 'stop' },
    ].map(choice => ({
      id: 'c1',
      object: 'chat.completion.chunk',
      created: 1_790_000_000,
      model: 'm1',
      choices: [choice],
    })),
  )
  expect(wire).toEndWith('data: [DONE]\n\n')
})

describe('T02 the role stands on the first delta of a choice', () => {
  test.each<[string, Event[]]>([
    ['text', [text('a')]],
    ['a call', [call(0), args(0, '{}')]],
    ['reasoning', [{ type: 'reasoning', choice: 0, block: 0, text: 'Hm.' }]],
    ['a refusal', [{ type: 'refusal', choice: 0, text: 'No.' }]],
    ['only a finish', [finish('length')]],
    ['only what nobody knows', [{ type: 'unknown', at: 'choice', choice: 0, fields: { filter: {} } }]],
  ])('%s', (_, events) => {
    const { text: wire, deltas } = write([[start], events, [text('more')]])
    expect(deltas[0]).toMatchObject({ role: 'assistant' })
    expect('content' in deltas[0]!).toBeTrue()
    expect(deltas.filter(delta => delta?.role)).toHaveLength(1)
    if (events.at(-1)!.type !== 'finish') expect(streamFaults(wire, false)).toEqual([])
  })
})

test('T01 a ping is an empty chunk under the stream’s name, and a comment before there is one', () => {
  const ping: Event = { type: 'ping' }
  const { frames, deltas, chunks } = write([[ping], [start], [ping], [ping], [text('Hi')], [finish()]])
  expect(frames[0]).toMatchObject({ comment: true })
  expect(deltas).toEqual([{}, {}, { role: 'assistant', content: 'Hi' }, {}])
  expect(chunks.every(chunk => chunk.id === 'c1')).toBeTrue()
})

test('T42 a call, its finish and the usage are three chunks', () => {
  const { text: wire, chunks } = write(
    [
      [start, call(0), args(0, '{"location":"Paris"}')],
      [finish('tool-calls'), usage],
    ],
    {
      includeUsage: true,
    },
  )
  expect(streamFaults(wire)).toEqual([])
  expect(chunks.map(chunk => [chunk.choices[0]?.finish_reason, chunk.usage])).toEqual([
    [null, null],
    ['tool_calls', null],
    [undefined, expect.objectContaining({ prompt_tokens: 15, completion_tokens: 18, total_tokens: 33 })],
  ])
})

describe('usage', () => {
  test('T48 T99 comes last, in a chunk without choices, and only to who asked', () => {
    const batches = [[start], [usage], [text('a')], [finish(), usage]]
    const asked = write(batches, { includeUsage: true })
    expect(asked.chunks.at(-1)!.choices).toEqual([])
    expect(asked.chunks.filter(chunk => chunk.usage)).toHaveLength(1)
    expect(asked.chunks.slice(0, -1).every(chunk => chunk.usage === null)).toBeTrue()
    const unasked = write(batches)
    expect(unasked.chunks.some(chunk => 'usage' in chunk || !chunk.choices.length)).toBeFalse()
  })

  test('T09 T11 the last one told holds, whenever it comes', () => {
    const first: Event = { type: 'usage', usage: { input: 1, output: 0, source: 'reported' } }
    const { chunks } = write([[start, first], [text('a'), finish()], [usage]], { includeUsage: true })
    expect(chunks.at(-1)!.usage).toMatchObject({ prompt_tokens: 15 })
  })

  test('T96 is a guess that says so, where the provider told none', () => {
    let heard = 0
    const estimate = (answered: number) => {
      heard = answered
      return { input: 4, output: 2, source: 'estimated' as const }
    }
    const { chunks } = write([[start], [text('four'), call(0), args(0, '{}')], [finish()]], {
      includeUsage: true,
      estimate,
    })
    expect(chunks.at(-1)!.usage).toEqual({ prompt_tokens: 4, completion_tokens: 2, total_tokens: 6, estimated: true })
    expect(heard).toBe(6)
  })
})

test('T98 times are in seconds, and never nothing', () => {
  const created = (given: number | undefined) =>
    write([[{ type: 'start', id: 'x', created: given }], [text('a')]]).chunks[0]!.created
  expect(created(1_790_000_000_123)).toBe(1_790_000_000)
  expect(created(1_790_000_000)).toBe(1_790_000_000)
  for (const given of [0, undefined]) expect(Math.abs(created(given) - Date.now() / 1_000)).toBeLessThan(5)
})

test('a name that comes twice changes nothing', () => {
  const again: Event = { type: 'start', id: 'c2', model: 'm2', created: 1_790_000_009 }
  const { text: wire, chunks } = write([[start], [text('a')], [again], [text('b'), finish()]])
  expect(streamFaults(wire, false)).toEqual([])
  expect(chunks.at(-1)).toMatchObject({ id: 'c1', model: 'm1', created: 1_790_000_000 })
})

test('a stream without a name gets one, and the model that was asked for', () => {
  const { chunks } = write([[text('a')], [text('b')], [finish()]])
  expect(new Set(chunks.map(chunk => chunk.id)).size).toBe(1)
  expect(chunks[0]!.id).toMatch(/^chatcmpl-[0-9a-f]{32}$/)
  expect(chunks[0]!.model).toBe('asked/for')
})

test('T33 two answers at once: each with its role, its calls from 0 and its finish (trap 47)', () => {
  const { text: wire, chunks } = write([
    [start],
    [text('a', 1)],
    [text('b', 0), call(0, 1), args(0, '{}', 1)],
    [call(0, 0), args(0, '{}', 0)],
    [finish('tool-calls', 1)],
    [finish('tool-calls', 0)],
  ])
  expect(streamFaults(wire, false)).toEqual([])
  expect(chunks.every(chunk => chunk.choices.length === 1)).toBeTrue()
})

test('T24 fragments of two calls in one message share a delta', () => {
  const { deltas } = write([
    [start],
    [call(0), args(0, '{"a":'), call(1), args(1, '{'), args(0, '1}'), args(1, '}')],
    [args(1, ' ')],
  ])
  expect(deltas[0]!.tool_calls).toEqual([
    { index: 0, id: 'id0', type: 'function', function: { name: 'f0', arguments: '{"a":1}' } },
    { index: 1, id: 'id1', type: 'function', function: { name: 'f1', arguments: '{}' } },
  ])
  expect(deltas[1]!.tool_calls).toEqual([{ index: 1, function: { arguments: ' ' } }])
})

describe('beside the text', () => {
  test('log probabilities, refusals, sources and signatures', () => {
    const citation = { url: 'https://a.example', title: 'A', start: 1, end: 4, quote: 'said' }
    const { chunks, deltas } = write([
      [start],
      [text('x'), { type: 'logprobs', choice: 0, logprobs: { content: [{ token: 'x' }] } }],
      [{ type: 'refusal', choice: 0, text: 'No' }],
      [{ type: 'citation', choice: 0, citation }],
      [{ type: 'text', choice: 0, text: '', signature: 'QWJD' }],
      [{ type: 'logprobs', choice: 0, logprobs: { content: [{ token: 'y' }] } }],
    ])
    expect(chunks[0]!.choices[0]!.logprobs).toEqual({ content: [{ token: 'x' }] })
    expect(deltas[1]).toEqual({ refusal: 'No' })
    expect(deltas[2]!.annotations).toEqual([
      {
        type: 'url_citation',
        url_citation: { url: 'https://a.example', title: 'A', start_index: 1, end_index: 4, content: 'said' },
      },
    ])
    expect(deltas[3]).toEqual({ content: '', extra_content: { google: { thought_signature: 'QWJD' } } })
    expect(chunks[4]!.choices[0]).toMatchObject({ delta: {}, logprobs: { content: [{ token: 'y' }] } })
  })

  test('T17 a signature comes with the whole text of its block, so that it can go back', () => {
    const thought = (text: string, more = {}, block = 0): Event => ({
      type: 'reasoning',
      choice: 0,
      block,
      text,
      format: 'anthropic',
      ...more,
    })
    const { deltas } = write([
      [start],
      [thought('One ')],
      [thought('two.')],
      [thought('', { signature: 'c2ln' })],
      [thought('', { redacted: 'c2VhbA==' }, 1)],
    ])
    expect(deltas.slice(0, 2).map(delta => delta!.reasoning_content)).toEqual(['One ', 'two.'])
    expect(deltas[2]).toEqual({
      reasoning_details: [
        { type: 'reasoning.text', text: 'One two.', signature: 'c2ln', format: 'anthropic-claude-v1', index: 0 },
      ],
    })
    expect(deltas[3]).toEqual({
      reasoning_details: [{ type: 'reasoning.encrypted', data: 'c2VhbA==', format: 'anthropic-claude-v1', index: 1 }],
    })
  })

  test('entries of the provider’s own go on as they came', () => {
    const native = {
      type: 'reasoning.summary',
      summary: 'In short',
      format: 'openai-responses-v1',
      index: 0,
      id: 'rs_1',
    }
    const { deltas } = write([[start], [{ type: 'reasoning', choice: 0, block: 0, text: 'In short', native }]])
    expect(deltas[0]).toMatchObject({ reasoning_content: 'In short', reasoning_details: [native] })
  })
})

describe('what nobody knows', () => {
  const unknown = (at: 'reply' | 'choice' | 'message', fields: JsonObject): Event => ({
    type: 'unknown',
    at,
    choice: 0,
    fields,
  })

  test('plain words of the answer stand on every chunk from then on, lists and objects only once', () => {
    const { chunks } = write([
      [start, unknown('reply', { system_fingerprint: 'fp', citations: ['a'] })],
      [text('a')],
      [unknown('reply', { service_tier: 'default' }), text('b')],
      [finish()],
    ])
    expect(chunks.map(chunk => [chunk.system_fingerprint, chunk.citations, chunk.service_tier])).toEqual([
      ['fp', ['a'], undefined],
      ['fp', undefined, 'default'],
      ['fp', undefined, 'default'],
    ])
  })

  test('what came behind the last chunk stands on the usage', () => {
    const { chunks } = write([[start], [text('a'), finish()], [usage, unknown('reply', { timings: { n: 1 } })]], {
      includeUsage: true,
    })
    expect(chunks.at(-1)).toMatchObject({ choices: [], timings: { n: 1 } })
  })

  test('members of the delta stay in it; those of the choice stand beside the reason for its end', () => {
    const { chunks } = write([
      [start],
      [text('a'), unknown('message', { channel: 'final' })],
      [unknown('choice', { native_finish_reason: 'end_turn' }), finish()],
    ])
    expect(chunks.map(chunk => chunk.choices[0]!)).toEqual([
      { index: 0, delta: { role: 'assistant', content: 'a', channel: 'final' }, finish_reason: null },
      { index: 0, delta: {}, finish_reason: 'stop', native_finish_reason: 'end_turn' },
    ])
  })

  test('text, finish and a member of the choice in one message: the finish still comes in a chunk of its own', () => {
    const { text: wire, chunks } = write([[start, text('a'), unknown('choice', { stop_reason: 7 }), finish()]])
    expect(streamFaults(wire, false)).toEqual([])
    expect(chunks).toHaveLength(2)
    expect(chunks[1]!.choices[0]).toMatchObject({ finish_reason: 'stop', stop_reason: 7 })
  })
})

describe('the end', () => {
  test('T06 without a reason is an ordinary stop', () => {
    const { text: wire } = write([[start], [text('a')], [{ type: 'end' }]])
    expect(streamFaults(wire, false)).toEqual([])
    expect(wire).toContain('"finish_reason":"stop"')
  })

  test('T77 of an answer without a word has a choice all the same', () => {
    const { text: wire } = write([[start]])
    expect(streamFaults(wire, false)).toEqual([])
  })

  test('T07 by a failure is an error frame, with neither finish nor [DONE]', () => {
    const writer = openaiChat.writer(context())
    writer.write([start, text('a')])
    const frames = writer.fail({ status: 529, message: 'Overloaded', type: 'overloaded_error', unknown: { extra: 1 } })
    expect(frames.map(frame => JSON.parse(frame.data))).toEqual([
      { error: { message: 'Overloaded', type: 'overloaded_error', param: null, code: null, extra: 1 } },
    ])
  })

  test('a second finish of a choice is none', () => {
    const { text: wire } = write([[start], [text('a')], [finish()], [finish('length')]])
    expect(streamFaults(wire, false)).toEqual([])
    expect(wire).not.toContain('length')
  })
})
