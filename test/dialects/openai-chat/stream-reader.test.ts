import { describe, expect, test } from 'bun:test'
import type { Event } from '../../../src/conversation/events.ts'
import type { ReadContext } from '../../../src/dialects/dialect.ts'
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts'
import type { Frame } from '../../../src/stream/frame.ts'
import { find, read as readFrames, textOf, types } from '../replay.ts'

const head = { id: 'c1', object: 'chat.completion.chunk', created: 1_790_000_000, model: 'm' }
const delta = (delta: object, finish?: string | null, index = 0) => ({
  ...head,
  choices: [{ index, delta, ...(finish !== undefined && { finish_reason: finish }) }],
})
const frames = (...chunks: unknown[]): Frame[] =>
  chunks.map(chunk => ({ data: typeof chunk === 'string' ? chunk : JSON.stringify(chunk) }))
const read = (chunks: unknown[], context?: Partial<ReadContext>) => readFrames(openaiChat, frames(...chunks), context)

interface Fragment {
  index?: number | null
  id?: string | null
  function?: { name?: string | null; arguments?: unknown }
}
const fragment = (given: [index?: number | null, id?: string | null, name?: string, args?: unknown]): Fragment => {
  const [index, id, name, args] = given
  return {
    ...(index !== undefined && { index }),
    ...(id !== undefined && { id }),
    function: { ...(name !== undefined && { name }), ...(args !== undefined && { arguments: args }) },
  }
}
type Given = Parameters<typeof fragment>[0]

/** The calls that a choice ends up with, one fragment a chunk. */
function calls(fragments: readonly Given[], finish = 'tool_calls'): [number, string, string, string][] {
  const events = read([...fragments.map(each => delta({ tool_calls: [fragment(each)] })), delta({}, finish)])
  return gathered(events)
}
function gathered(events: readonly Event[]): [number, string, string, string][] {
  const seen: [number, string, string, string][] = []
  for (const event of events) {
    if (event.type === 'tool-call') seen[event.call] = [event.call, event.id, event.name, '']
    if (event.type === 'tool-arguments') seen[event.call]![3] += event.text
  }
  return seen
}
const minted = expect.stringMatching(/^call_[0-9a-f]{32}$/)

describe('tool calls of many servers', () => {
  const brest = '{"port":"Brest"}'
  const faro = '{"port":"Faro"}'

  test.each<[string, Given[], unknown[]]>([
    [
      'OpenAI’s own: an opening, then fragments by index',
      [
        [0, 'a', 'tide', ''],
        [0, undefined, undefined, '{"port":'],
        [0, undefined, undefined, '"Brest"}'],
      ],
      [[0, 'a', 'tide', brest]],
    ],
    [
      'T24 two at once, their fragments interleaved',
      [
        [0, 'a', 'tide', ''],
        [1, 'b', 'wind', ''],
        [0, undefined, undefined, '{"port":'],
        [1, undefined, undefined, '{"port":'],
        [0, undefined, undefined, '"Brest"}'],
        [1, undefined, undefined, '"Faro"}'],
      ],
      [
        [0, 'a', 'tide', brest],
        [1, 'b', 'wind', faro],
      ],
    ],
    [
      'T05 T44 indices that begin late or leave holes (trap 22)',
      [
        [3, 'a', 'tide', brest],
        [7, 'b', 'wind', faro],
      ],
      [
        [0, 'a', 'tide', brest],
        [1, 'b', 'wind', faro],
      ],
    ],
    [
      'no index, told apart by ids (trap 23)',
      [
        [undefined, 'a', 'tide', '{"port":'],
        [undefined, undefined, undefined, '"Brest"}'],
        [undefined, 'b', 'wind', faro],
      ],
      [
        [0, 'a', 'tide', brest],
        [1, 'b', 'wind', faro],
      ],
    ],
    [
      'null for the index and the id is none',
      [
        [null, null, 'tide', '{"port":'],
        [null, null, undefined, '"Brest"}'],
      ],
      [[0, minted, 'tide', brest]],
    ],
    [
      'index only behind the first fragment',
      [
        [undefined, 'a', 'tide', '{"port":'],
        [0, undefined, undefined, '"Brest"}'],
      ],
      [[0, 'a', 'tide', brest]],
    ],
    [
      'always 0, told apart by ids (trap 23)',
      [
        [0, 'a', 'tide', brest],
        [0, 'b', 'wind', '{"port":'],
        [0, undefined, undefined, '"Faro"}'],
      ],
      [
        [0, 'a', 'tide', brest],
        [1, 'b', 'wind', faro],
      ],
    ],
    [
      'always 0 and no ids, told apart by names',
      [
        [0, undefined, 'tide', brest],
        [0, undefined, 'wind', faro],
      ],
      [
        [0, minted, 'tide', brest],
        [1, minted, 'wind', faro],
      ],
    ],
    [
      'always 0, no ids and one name: whole arguments are not gone on with',
      [
        [0, undefined, 'tide', brest],
        [0, undefined, 'tide', faro],
      ],
      [
        [0, minted, 'tide', brest],
        [1, minted, 'tide', faro],
      ],
    ],
    [
      'the name repeated before a fragment that only looks like a beginning',
      [
        [0, undefined, 'tide', '{"at":'],
        [0, undefined, 'tide', '{"port":"Brest"}}'],
      ],
      [[0, minted, 'tide', '{"at":{"port":"Brest"}}']],
    ],
    [
      'always 0, no ids and no arguments, told apart by names',
      [
        [0, undefined, 'now', ''],
        [0, undefined, 'today', ''],
      ],
      [
        [0, minted, 'now', '{}'],
        [1, minted, 'today', '{}'],
      ],
    ],
    [
      'neither index nor id, one name',
      [
        [undefined, undefined, 'tide', brest],
        [undefined, undefined, 'tide', faro],
      ],
      [
        [0, minted, 'tide', brest],
        [1, minted, 'tide', faro],
      ],
    ],
    [
      'the id used for two calls (trap 24)',
      [
        [0, 'a', 'tide', brest],
        [1, 'a', 'tide', faro],
      ],
      [
        [0, 'a', 'tide', brest],
        [1, minted, 'tide', faro],
      ],
    ],
    [
      'the id and the name repeated on each fragment (trap 27)',
      [
        [0, 'a', 'tide', '{"po'],
        [0, 'a', 'tide', 'rt":"Brest"'],
        [0, 'a', 'tide', '}'],
        [0, 'a', 'tide', ''],
      ],
      [[0, 'a', 'tide', brest]],
    ],
    [
      'the same without an index',
      [
        [undefined, 'a', 'tide', '{"po'],
        [undefined, 'a', 'tide', 'rt":"Brest"}'],
      ],
      [[0, 'a', 'tide', brest]],
    ],
    [
      'an empty id (trap 24)',
      [
        [0, '', 'tide', brest],
        [1, '', 'wind', faro],
      ],
      [
        [0, minted, 'tide', brest],
        [1, minted, 'wind', faro],
      ],
    ],
    [
      'arguments as an object, written once (trap 26)',
      [[0, 'a', 'tide', { port: 'Brest' }]],
      [[0, 'a', 'tide', brest]],
    ],
    [
      'the name late: nothing is lost that came before it',
      [
        [0, 'a', undefined, '{"port":'],
        [0, undefined, undefined, '"Brest"'],
        [0, undefined, 'tide', '}'],
      ],
      [[0, 'a', 'tide', brest]],
    ],
    ['no name at all', [[0, 'a', undefined, brest]], [[0, 'a', 'unknown', brest]]],
    [
      'T03 no arguments, by an empty text, null or nothing (trap 21)',
      [
        [0, 'a', 'now', ''],
        [1, 'b', 'now', null],
        [2, 'c', 'now'],
      ],
      [
        [0, 'a', 'now', '{}'],
        [1, 'b', 'now', '{}'],
        [2, 'c', 'now', '{}'],
      ],
    ],
    [
      'fragments that begin with white space or end in an escape (trap 28)',
      [
        [0, 'a', 'tide', ' {"port":"C:\\'],
        [0, undefined, undefined, '\\"\n}'],
      ],
      [[0, 'a', 'tide', ' {"port":"C:\\\\"\n}']],
    ],
  ])('%s', (_, fragments, expected) => {
    expect(calls(fragments) as unknown[]).toEqual(expected)
  })

  test('two whole calls of index 0 in one delta', () => {
    const tool_calls = [fragment([0, 'a', 'tide', brest]), fragment([0, 'b', 'tide', faro])]
    expect(gathered(read([delta({ tool_calls }, 'tool_calls')])).map(call => call[3])).toEqual([brest, faro])
  })

  test('a whole call in the delta of the finish comes before it (trap 26)', () => {
    const events = read([delta({ tool_calls: [fragment([0, 'a', 'tide', brest])] }, 'tool_calls'), '[DONE]'])
    expect(types(events)).toEqual(['start', 'tool-call', 'tool-arguments', 'finish', 'end'])
  })

  test('T61 T63 a call that the token limit cut off stays as it is', () => {
    expect(calls([[0, 'a', 'tide', '{"port":"Br']], 'length')).toEqual([[0, 'a', 'tide', '{"port":"Br']])
    expect(calls([[0, 'a', 'tide', '']], 'length')).toEqual([[0, 'a', 'tide', '']])
  })

  test('null and empty lists beside text are no calls (trap 27)', () => {
    const events = read([delta({ content: 'a', tool_calls: [] }), delta({ content: 'b', tool_calls: null })])
    expect(types(events)).toEqual(['start', 'text', 'text'])
  })

  test('T43 a word for the finish holds, also beside calls: servers that mean otherwise have a quirk (trap 29)', () => {
    const finishOf = (word: string) =>
      find(read([delta({ tool_calls: [fragment([0, 'a', 'f', '{}'])] }), delta({}, word)]), 'finish')[0]!
    expect(finishOf('stop')).toMatchObject({ finish: 'stop', native: 'stop' })
    expect(finishOf('length').finish).toBe('length')
    expect(finishOf('content_filter').finish).toBe('content-filter')
  })

  test('T56 shortened names come back', () => {
    const memory = { toolNames: new Map([['tide', 'mcp.harbour.tide']]) }
    const events = read([delta({ tool_calls: [fragment([0, 'a', 'tide', '{}'])] })], { memory })
    expect(find(events, 'tool-call')[0]!.name).toBe('mcp.harbour.tide')
  })

  test('T33 calls of each choice are numbered for themselves (trap 47)', () => {
    const call = (id: string) => ({ tool_calls: [fragment([0, id, 'f', '{}'])] })
    const events = read([delta(call('a'), null, 1), delta(call('b'), null, 0), delta({}, 'tool_calls', 1)])
    expect(find(events, 'tool-call').map(({ choice, call, id }) => [choice, call, id])).toEqual([
      [1, 0, 'a'],
      [0, 0, 'b'],
    ])
  })
})

describe('who speaks', () => {
  test('Azure’s first chunk names nobody (trap 16)', () => {
    const events = read([
      { choices: [], created: 0, id: '', model: '', object: '', prompt_filter_results: [] },
      delta({ content: 'Hi' }),
    ])
    expect(find(events, 'start')).toEqual([{ type: 'start', id: 'c1', model: 'm', created: 1_790_000_000 }])
    expect(events.at(-1)).toEqual({ type: 'text', choice: 0, text: 'Hi' })
  })

  test('the first name holds', () => {
    const events = read([delta({ content: 'a' }), { ...delta({ content: 'b' }), id: 'other', model: 'n' }])
    expect(find(events, 'start')).toHaveLength(1)
  })
})

describe('words', () => {
  test.each([
    ['stop', 'stop'],
    ['length', 'length'],
    ['content_filter', 'content-filter'],
    ['function_call', 'function-call'],
    ['eos', 'stop'],
    ['model_length', 'length'],
    ['MAX_TOKENS', 'length'],
    ['end_turn', 'stop'],
    ['tool_use', 'tool-calls'],
    ['a word to come', 'stop'],
  ])('%s is the finish %s (trap 46)', (word, finish) => {
    expect(find(read([delta({}, word)]), 'finish')).toEqual([
      { type: 'finish', choice: 0, finish: finish as 'stop', native: word },
    ])
  })

  test.each(['', null, undefined])('%p is none', word => {
    expect(find(read([delta({ content: 'a' }, word)]), 'finish')).toEqual([])
  })

  test.each(['error', 'insufficient_system_resource'])('%s is a failure, never a finish', word => {
    const events = read([delta({ content: 'Half' }), delta({}, word), delta({ content: 'more' })])
    expect(types(events)).toEqual(['start', 'text', 'error'])
    expect(find(events, 'error')[0]!.error).toMatchObject({ status: 502, code: word })
  })

  test('empty pieces are no words (trap 37)', () => {
    const pieces = [
      { role: 'assistant', content: '' },
      { content: null, reasoning_content: '' },
      { content: '', reasoning_content: null },
    ]
    expect(types(read(pieces.map(piece => delta(piece))))).toEqual(['start'])
  })

  test('a character that is told in two halves comes out whole (trap 7)', () => {
    const events = readFrames(openaiChat, [
      { data: `{"id":"c","choices":[{"delta":{"content":"\\ud83d"}}]}` },
      { data: `{"id":"c","choices":[{"delta":{"content":"\\udc4d"}}]}` },
    ])
    expect(textOf(events)).toBe('👍')
  })

  test('content in parts is text too', () => {
    const content = [{ type: 'text', text: 'a' }, { type: 'reference' }, { type: 'text', text: 'b' }]
    expect(textOf(read([delta({ content })]))).toBe('ab')
  })

  test('T32 reasoning, by itself and in details', () => {
    const detail = (text: string, more = {}) => ({ type: 'reasoning.text', text, index: 2, ...more })
    const events = read([
      delta({ reasoning_content: 'Plain.' }),
      delta({ reasoning_content: 'One', reasoning_details: [detail('One')] }),
      delta({ reasoning_details: [detail('', { signature: 'c2ln', format: 'anthropic-claude-v1' })] }),
    ])
    expect(find(events, 'reasoning').map(({ text, block, signature }) => [text, block, signature])).toEqual([
      ['Plain.', 0, undefined],
      ['One', 2, undefined],
      ['', 2, 'c2ln'],
    ])
  })

  test('T46 a signature on an empty text is kept', () => {
    const extra_content = { google: { thought_signature: 'QWJD' } }
    expect(find(read([delta({ content: '', extra_content })]), 'text')).toEqual([
      { type: 'text', choice: 0, text: '', signature: 'QWJD' },
    ])
  })

  test('refusals, log probabilities and sources', () => {
    const annotation = { type: 'url_citation', url_citation: { url: 'https://a.example', title: 'A', start_index: 0 } }
    const events = read([
      delta({ refusal: 'No' }),
      { ...head, choices: [{ index: 0, delta: { content: 'x' }, logprobs: { content: [{ token: 'x' }] } }] },
      delta({ annotations: [annotation] }),
    ])
    expect(types(events)).toEqual(['start', 'refusal', 'text', 'logprobs', 'citation'])
    expect(find(events, 'citation')[0]!.citation).toMatchObject({ url: 'https://a.example', title: 'A', start: 0 })
  })
})

describe('what it does not know', () => {
  test('is passed on where it stood, padding apart (trap 14)', () => {
    const events = read([
      {
        ...head,
        obfuscation: 'xyz',
        p: 'abc',
        provider: 'Harbour',
        choices: [{ index: 0, stop_reason: 7, delta: { content: 'a', channel: 'final' } }],
      },
    ])
    expect(find(events, 'unknown')).toEqual([
      { type: 'unknown', at: 'reply', choice: 0, fields: { provider: 'Harbour' } },
      { type: 'unknown', at: 'message', choice: 0, fields: { channel: 'final' } },
      { type: 'unknown', at: 'choice', choice: 0, fields: { stop_reason: 7 } },
    ])
  })

  test('is told again only when it has changed', () => {
    const chunk = (citations: string[]) => ({ ...delta({ content: 'a' }), citations })
    const events = read([chunk(['x']), chunk(['x']), chunk(['x', 'y'])])
    expect(find(events, 'unknown').map(event => event.fields.citations)).toEqual([['x'], ['x', 'y']])
  })
})

describe('usage', () => {
  const usage = { prompt_tokens: 3, completion_tokens: 2, total_tokens: 5 }

  test('T48 T99 in a chunk without choices', () => {
    const events = read([delta({ content: 'a' }, 'stop'), { ...head, choices: [], usage }])
    expect(find(events, 'usage')).toEqual([{ type: 'usage', usage: { input: 3, output: 2, source: 'reported' } }])
  })

  test('beside a finish, and again: the last one holds (trap 41)', () => {
    const events = read([
      { ...delta({}, 'stop'), usage },
      { ...head, choices: [], usage },
    ])
    expect(find(events, 'usage')).toHaveLength(2)
    expect(find(events, 'finish')).toHaveLength(1)
  })

  test('null is none', () => {
    expect(find(read([{ ...delta({ content: 'a' }), usage: null }]), 'usage')).toEqual([])
    expect(
      find(read([{ ...head, choices: null, usage: { prompt_tokens: 3, completion_tokens: null } }]), 'usage'),
    ).toEqual([])
  })

  test('in a chunk of its own it is the last word of servers that never finish', () => {
    expect(types(read([delta({ content: 'a' }), { ...head, choices: [], usage }])).at(-1)).toBe('end')
    expect(types(read([{ ...head, choices: [], usage }, delta({ content: 'a' })]))).not.toContain('end')
  })
})

test('OpenRouter’s second finish is none (trap 41)', () => {
  const finished = { ...delta({ role: 'assistant', content: '' }, 'stop') }
  const events = read([delta({ content: 'a' }), finished, finished, '[DONE]'])
  expect(types(events)).toEqual(['start', 'text', 'finish', 'end'])
})

describe('failures', () => {
  const after = delta({ content: 'later' })
  const errorOf = (chunk: unknown, event?: string) => {
    const given: Frame[] = [
      { data: JSON.stringify(delta({ content: 'a' })) },
      { data: typeof chunk === 'string' ? chunk : JSON.stringify(chunk), ...(event && { event }) },
      { data: JSON.stringify(after) },
      { data: '[DONE]' },
    ]
    const events = readFrames(openaiChat, given)
    expect(types(events)).toEqual(['start', 'text', 'error'])
    return find(events, 'error')[0]!.error
  }

  test('T07 OpenAI’s own object', () => {
    expect(errorOf({ error: { message: 'It broke', type: 'server_error', code: null } })).toMatchObject({
      status: 502,
      message: 'It broke',
      type: 'server_error',
    })
  })

  test.each<[unknown, number]>([
    [{ error: { message: 'x', code: 429 } }, 429],
    [{ error: { message: 'x', code: '503' } }, 503],
    [{ error: { message: 'x', status_code: 400, code: 'tool_use_failed' } }, 400],
    [{ error: { message: 'x', type: 'rate_limit_error' } }, 429],
    [{ error: { message: 'x', type: 'tokens', code: 'rate_limit_exceeded' } }, 429],
    [{ error: { message: 'x', type: 'invalid_request_error', code: 'context_length_exceeded' } }, 400],
    [{ object: 'error', message: 'x', type: 'InternalServerError', code: 500 }, 500],
    [{ message: 'x', type: 'too_many_requests_error', param: 'quota', code: 'queue_exceeded' }, 502],
    [{ error: 'x' }, 502],
  ])('T08 %j stands for status %d', (chunk, status) => {
    expect(errorOf(chunk)).toMatchObject({ status, message: 'x' })
  })

  test('beside choices (OpenRouter, trap 49)', () => {
    expect(errorOf({ ...delta({ content: '' }, 'error'), error: { code: 502, message: 'gone' } })).toMatchObject({
      status: 502,
      message: 'gone',
    })
  })

  test('by the name of the event', () => {
    expect(errorOf({ message: 'gone' }, 'error').message).toBe('gone')
  })

  test('bytes that are no JSON', () => {
    expect(errorOf('{"id":"c1","cho')).toMatchObject({
      status: 502,
      message: 'the provider sent a frame that is not JSON',
    })
    expect(errorOf('<html>')).toMatchObject({ status: 502 })
  })

  test('JSON that is no chunk says nothing', () => {
    expect(read(['null', '7', '"x"', {}, { choices: [] }])).toEqual([])
  })
})

test('T06 [DONE] is the end, also with a space behind it; nothing comes after it', () => {
  expect(types(read([delta({ content: 'a' }), '[DONE] ', delta({ content: 'b' }), '[DONE]']))).toEqual([
    'start',
    'text',
    'end',
  ])
})

test('T30 a stream that was cut off has neither finish nor end', () => {
  expect(types(read([delta({ content: 'Half' })]))).toEqual(['start', 'text'])
})
