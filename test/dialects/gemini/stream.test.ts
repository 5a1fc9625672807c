import { expect, test } from 'bun:test'
import { collect } from '../../../src/conversation/collect.ts'
import type { Event } from '../../../src/conversation/events.ts'
import { gemini } from '../../../src/dialects/gemini/index.ts'
import { context, events, read } from './setup.ts'

const types = (list: Event[]) => list.map(event => event.type)
const only = <T extends Event['type']>(list: Event[], type: T) =>
  list.filter((event): event is Extract<Event, { type: T }> => event.type === type)
const reply = async (name: string) => collect(await events(name))

test('a plain answer starts once, says its text and ends', async () => {
  const list = await events('plain-text')
  expect(types(list)).toEqual(['start', 'text', 'usage', 'text', 'usage', 'finish', 'usage', 'end'])
  expect(list[0]).toEqual({ type: 'start', id: 'Rt0plain', model: 'gemini-3-flash-preview' })
  expect(collect(list)).toMatchObject({
    choices: [{ parts: [{ type: 'text', text: 'A gate is a small door.' }], finish: 'stop', nativeFinish: 'STOP' }],
    usage: { input: 11, output: 7 },
  })
})

test('T42 split finish: a call, then an empty chunk with STOP, is tool-calls', async () => {
  const list = await events('tool-call-split-finish')
  expect(types(list)).toEqual(['start', 'tool-call', 'tool-arguments', 'finish', 'usage', 'end'])
  expect(only(list, 'finish')[0]?.finish).toBe('tool-calls')
  expect(only(list, 'tool-call')[0]).toMatchObject({ name: 'get_tide', signature: 'dGlkZS1zaWduYXR1cmU=' })
  expect(only(list, 'usage')[0]?.usage).toMatchObject({ input: 15, output: 18, reasoning: 8 })
})

test('T44 tool index is global over chunks', async () => {
  const calls = only(await events('tool-calls-in-separate-chunks'), 'tool-call')
  expect(calls.map(call => call.call)).toEqual([0, 1, 2])
  // The provider's ids are kept, and one that it gave twice is told apart.
  expect(calls.map(call => call.id).slice(0, 2)).toEqual(['fc-17', 'fc-18'])
  expect(new Set(calls.map(call => call.id)).size).toBe(3)
})

test('T45 half a message is an error, and nothing of it leaks', () => {
  const reader = gemini.reader(context())
  const [event, ...rest] = reader.read({ data: '{"candidates":[{"content":{"parts":[{"thoughtSignature":"c2VjcmV0' })
  expect(event).toMatchObject({
    type: 'error',
    error: { status: 502, type: 'server_error', message: 'the provider sent a frame that is not JSON' },
  })
  expect(rest).toEqual([])
  expect(JSON.stringify(event)).not.toContain('c2VjcmV0')
  expect(reader.end()).toEqual([])
})

test('T46 a signature on an empty text part is kept', async () => {
  const { parts } = (await reply('reasoning-with-signature')).choices[0]!
  expect(parts).toEqual([
    { type: 'reasoning', text: '**Weighing it**\n\nTwo gates, one key.', format: 'google' },
    { type: 'text', text: 'The left one.', signature: 'bGVmdC1nYXRlLXNpZw==' },
  ])
})

test('T48 usage in a chunk after the finish, and chunks that only name the traffic type', async () => {
  const list = await events('usage-after-finish')
  expect(types(list)).toEqual(['start', 'text', 'finish', 'usage', 'end'])
  expect(only(list, 'usage')[0]?.usage).toEqual({
    input: 30,
    output: 7,
    reasoning: 5,
    source: 'reported',
    native: { trafficType: 'ON_DEMAND' },
  })
})

test('T49 parallel calls without ids get unique ids, the same at every reading', async () => {
  const [first, again] = await Promise.all([reply('parallel-tool-calls'), reply('parallel-tool-calls')])
  expect(first).toEqual(again)
  const calls = first.choices[0]!.parts.filter(part => part.type === 'tool-call')
  expect(calls.map(call => call.arguments)).toEqual([
    '{"from":"Bern","to":"Basel"}',
    '{"from":"Basel","to":"Olten","via":[1,2.5]}',
  ])
  for (const call of calls) expect(call.id).toMatch(/^call_[a-zA-Z0-9_-]{3,35}$/)
  expect(new Set(calls.map(call => call.id)).size).toBe(2)
  expect(calls.map(call => call.signature)).toEqual(['U2lnbmVkLXRyYWluLTE=', undefined])
})

test('T03 a call without arguments has empty ones', async () => {
  const list = await events('no-argument-tool')
  expect(only(list, 'tool-arguments').map(event => event.text)).toEqual(['{}'])
})

test('T89 cached tokens are inside the prompt, tool use is added to it', async () => {
  const { usage, unknown } = await reply('usage-with-cache')
  expect(usage).toEqual({ input: 26336, output: 6, cacheRead: 25795, audioInput: 96, tier: 'flex', source: 'reported' })
  expect(unknown).toEqual({ service_tier: 'flex' })
})

test('trap 31: arguments in pieces are one call, closed by an empty one', async () => {
  const calls = (await reply('streamed-arguments')).choices[0]!.parts.filter(part => part.type === 'tool-call')
  expect(calls.map(call => call.name)).toEqual(['plan_tour', 'ring_bell'])
  expect(JSON.parse(calls[0]!.arguments)).toEqual({
    tour: { stops: [{ name: 'Old gate' }, { name: 'Wall', minutes: 12.5 }] },
    'by bus': false,
    guide: null,
  })
})

test('a call in pieces that is cut by the token limit is still given, with finish length', async () => {
  const { parts, finish } = (await reply('length-in-tool-call')).choices[0]!
  expect(finish).toBe('length')
  expect(parts).toMatchObject([{ name: 'plan_tour', arguments: '{"tour":{"title":"Seven ga"}}' }])
})

test('a call in pieces that the connection cuts pretends nothing', () => {
  const list = read([
    { candidates: [{ content: { parts: [{ functionCall: { name: 'plan', willContinue: true } }] } }] },
  ])
  expect(types(list)).toEqual(['start', 'tool-call'])
})

test('pieces with odd paths harm nobody', () => {
  const pieces = ['$.__proto__.polluted', '$.list[4000000000]', '$', '', '$.list.deep[0]'].map(jsonPath => ({
    jsonPath,
    numberValue: 1,
  }))
  const parts = [{ functionCall: { name: 'odd', partialArgs: pieces } }]
  const [text] = only(read([{ candidates: [{ content: { parts }, finishReason: 'STOP' }] }]), 'tool-arguments')
  expect(Object.keys(JSON.parse(text!.text))).toContain('list')
  expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  expect(text!.text.length).toBeLessThan(200)
})

test('text beyond ASCII stays as it is', async () => {
  expect((await reply('non-ascii')).choices[0]!.parts).toEqual([{ type: 'text', text: 'é 日本 👩‍👩‍👧 naïve' }])
})

test('citations count UTF-16 units and come once', async () => {
  const list = only(await events('citations'), 'citation').map(({ citation: { native: _, ...rest } }) => rest)
  expect(list).toEqual([
    { url: 'https://example.org/pforte', title: 'Die Pforte', start: 13, end: 34 },
    { url: 'https://example.org/tor', title: 'Das Tor', start: 13, end: 34 },
    { url: 'https://example.org/tor', title: 'Das Tor', start: 5, end: 11 },
    { url: 'gs://bucket/plan.txt', title: 'Plan', quote: 'Nordtor' },
  ])
})

test('an error in mid-stream ends the stream, with the status that it names', async () => {
  const list = await events('error-in-mid-stream')
  expect(types(list)).toEqual(['start', 'text', 'error'])
  expect(list.at(-1)).toMatchObject({
    error: { status: 503, type: 'server_error', code: 'UNAVAILABLE', message: 'The model is overloaded.' },
  })
})

test('a stream that just stops has neither finish nor end', async () => {
  expect(types(await events('truncated'))).toEqual(['start', 'text', 'usage'])
})

test('T51 a refused prompt is an empty answer with finish content-filter', async () => {
  const list = await events('prompt-blocked')
  expect(only(list, 'finish')).toEqual([
    { type: 'finish', choice: 0, finish: 'content-filter', native: 'PROHIBITED_CONTENT' },
  ])
  expect(list.at(-1)?.type).toBe('end')
})

test('T51 SAFETY in the middle is content-filter, with the ratings kept', async () => {
  const choice = (await reply('safety')).choices[0]!
  expect(choice.finish).toBe('content-filter')
  expect(choice.unknown).toHaveProperty('safetyRatings')
})

test('T51 a malformed call is an error, unless a whole call came with it', async () => {
  const list = await events('malformed-function-call')
  expect(list.at(-1)).toMatchObject({ type: 'error', error: { status: 502, code: 'MALFORMED_FUNCTION_CALL' } })
  expect(types(list)).not.toContain('finish')
  expect((await reply('unexpected-tool-call-with-call')).choices[0]!.finish).toBe('tool-calls')
})

test.each<[string, string, string]>([
  ['STOP', 'hi', 'stop'],
  ['MAX_TOKENS', '', 'length'],
  ['RECITATION', 'hi', 'content-filter'],
  ['IMAGE_PROHIBITED_CONTENT', '', 'content-filter'],
  ['OTHER', 'hi', 'stop'],
  ['OTHER', '', 'error'],
  ['A_NEW_WORD', 'hi', 'stop'],
])('finishReason %s after "%s" is %s', (finishReason, text, wanted) => {
  const last = read([{ candidates: [{ content: { parts: [{ text }] }, finishReason }] }]).findLast(
    event => event.type === 'finish' || event.type === 'error',
  )!
  expect<string>(last.type === 'finish' ? last.finish : last.type).toBe(wanted)
})

test('a call that stands in for a JSON schema is text, and its finish is stop (T73)', () => {
  const parts = [{ functionCall: { name: 'json_answer', args: { gate: 'left' } } }]
  const list = read(
    [{ candidates: [{ content: { parts }, finishReason: 'STOP' }] }],
    context({ jsonTool: 'json_answer' }),
  )
  expect(collect(list).choices[0]).toMatchObject({ parts: [{ type: 'text', text: '{"gate":"left"}' }], finish: 'stop' })
})

test('shortened tool names are restored (T56)', () => {
  const parts = [{ functionCall: { name: 'short_1', args: {} } }]
  const list = read(
    [{ candidates: [{ content: { parts }, finishReason: 'STOP' }] }],
    context({ toolNames: new Map([['short_1', 'a much longer name']]) }),
  )
  expect(only(list, 'tool-call')[0]?.name).toBe('a much longer name')
})

test('keep-alives are pings, an array is read like its members, and [DONE] ends', () => {
  const reader = gemini.reader(context())
  expect(reader.read({ comment: true, data: '' })).toEqual([{ type: 'ping' }])
  const list = reader.read({
    data: '[{"candidates":[{"content":{"parts":[{"text":"a"}]}}]},{"candidates":[{"finishReason":"STOP"}]}]',
  })
  expect(types(list)).toEqual(['start', 'text', 'finish'])
  expect(types(reader.read({ data: '[DONE]' }))).toEqual(['end'])
  expect(reader.end()).toEqual([])
})

test('quirks correct each message before it is read', () => {
  const chunks = () => (chunk: Record<string, unknown>) => {
    chunk.responseId = 'corrected'
  }
  const [start] = read([{ candidates: [] }], { memory: {}, quirks: [{ name: 'test', chunks }] })
  expect(start).toMatchObject({ id: 'corrected' })
})
