import { expect, test } from 'bun:test'
import fc from 'fast-check'
import { collect, expand } from '../../../src/conversation/collect.ts'
import type { Conversation, JsonObject, Turn } from '../../../src/conversation/conversation.ts'
import type { Part } from '../../../src/conversation/parts.ts'
import type { Choice, Reply } from '../../../src/conversation/reply.ts'
import { openaiChat } from '../../../src/dialects/openai-chat/index.ts'
import { encodeFrames } from '../../../src/stream/encode.ts'
import { context, sliced, translate } from '../corpus.ts'
import { replyFaults, streamFaults } from '../openai-faults.ts'

/** Members without a value do not count, as they do not on the wire. */
const plain = <T>(value: T): T => JSON.parse(JSON.stringify(value)) as T
const RUNS = { numRuns: 150 }

const word = fc.stringMatching(/^[a-z_]{1,8}$/)
const text = fc.string({ minLength: 1, maxLength: 12, unit: 'grapheme' })
const maybe = <T>(of: fc.Arbitrary<T>) => fc.option(of, { nil: undefined })
const cache = maybe(fc.constantFrom({}, { ttl: '5m' as const }, { ttl: '1h' as const }))
const base64 = fc.constantFrom('aGk=', 'ZG9vcg==', 'AAAA')

const textPart = fc.record({ type: fc.constant('text' as const), text, cache })
const media = fc.oneof(
  fc.record({
    type: fc.constant('image' as const),
    source: fc.oneof(
      fc.record({ kind: fc.constant('url' as const), url: fc.webUrl() }),
      fc.record({ kind: fc.constant('base64' as const), mediaType: fc.constant('image/png'), data: base64 }),
    ),
    detail: maybe(fc.constantFrom('low', 'high')),
    cache,
  }),
  fc.record({
    type: fc.constant('audio' as const),
    source: fc.record({ kind: fc.constant('base64' as const), mediaType: fc.constant('audio/wav'), data: base64 }),
    format: fc.constant('wav'),
    cache,
  }),
  fc.record({
    type: fc.constant('file' as const),
    source: fc.oneof(
      fc.record({ kind: fc.constant('file-id' as const), id: word }),
      fc.record({ kind: fc.constant('text' as const), text, mediaType: fc.constant('text/plain') }),
      fc.record({ kind: fc.constant('base64' as const), mediaType: fc.constant('application/pdf'), data: base64 }),
    ),
    filename: maybe(fc.constant('a.pdf')),
    cache,
  }),
)
const said = fc.array(fc.oneof(textPart, media), { minLength: 1, maxLength: 4 })
const calls = fc.uniqueArray(
  fc.record({
    type: fc.constant('tool-call' as const),
    id: word,
    name: word,
    arguments: fc.constantFrom('{}', '{"a": 1}', '{"cut', '[1]', '"text"'),
    signature: maybe(base64),
  }),
  { selector: call => call.id, maxLength: 3 },
)
const reasoning = fc.constantFrom<Part[]>(
  [],
  [{ type: 'reasoning', text: 'Hm.' }],
  [{ type: 'reasoning', text: 'Hm.', signature: 'c2ln', format: 'anthropic' }],
  [
    { type: 'reasoning', text: 'Hm.', signature: 'c2ln', format: 'bedrock' },
    { type: 'reasoning', text: '', redacted: 'c2VhbA==', format: 'bedrock' },
  ],
)

const turn: fc.Arbitrary<Turn> = fc.oneof(
  fc.record({ role: fc.constantFrom('system' as const, 'user' as const), parts: said, name: maybe(word) }),
  fc.tuple(reasoning, maybe(text), maybe(base64), calls, maybe(text)).map(
    ([thought, text, signature, calls, no]): Turn => ({
      role: 'assistant',
      parts: [
        ...thought,
        ...(text !== undefined ? [{ type: 'text' as const, text, ...(signature && { signature }) }] : []),
        ...(no !== undefined ? [{ type: 'refusal' as const, text: no }] : []),
        ...calls,
      ],
    }),
  ),
  fc
    .record({ id: word, content: fc.array(textPart, { minLength: 1, maxLength: 2 }) })
    .map(({ id, content }): Turn => ({ role: 'tool', parts: [{ type: 'tool-result', id, content }] })),
)

const number = maybe(fc.constantFrom(0, 1, 0.5))
const named = fc.record({
  name: word,
  description: maybe(text),
  parameters: maybe(fc.constant<JsonObject>({ type: 'object', properties: {}, additionalProperties: false })),
  strict: maybe(fc.boolean()),
  cache,
})
const conversation: fc.Arbitrary<Conversation> = fc
  .record({
    turns: fc.array(turn, { minLength: 1, maxLength: 5 }),
    tools: fc.array(named, { minLength: 1, maxLength: 2 }),
    toolChoice: maybe(
      fc.oneof(
        fc.record({ type: fc.constantFrom('auto' as const, 'none' as const, 'required' as const) }),
        fc.record({ type: fc.constant('named' as const), name: word }),
      ),
    ),
    parallelToolCalls: maybe(fc.boolean()),
    output: fc.constantFrom<Conversation['output']>(
      { type: 'text' },
      { type: 'json' },
      { type: 'schema', name: 'a', schema: { type: 'object' }, strict: true },
    ),
    sampling: fc.record({
      temperature: number,
      topP: number,
      topK: number,
      minP: number,
      seed: number,
      presencePenalty: number,
      frequencyPenalty: number,
      logitBias: maybe(fc.constant({ 7: -1 })),
      logprobs: maybe(fc.constant(true)),
    }),
    reasoning: maybe(
      fc.constantFrom<NonNullable<Conversation['reasoning']>>(
        { effort: 'high' },
        { budget: 2_048 },
        { effort: 'low', visible: false },
        { budget: 0, visible: true },
      ),
    ),
    maxTokens: maybe(fc.nat(9)),
    stop: maybe(fc.array(text, { minLength: 1, maxLength: 2 })),
    count: maybe(fc.constantFrom(1, 2)),
    stream: fc.boolean(),
    user: maybe(word),
    metadata: maybe(fc.constant({ a: 'b' })),
    serviceTier: maybe(word),
    promptCacheKey: maybe(word),
    verbosity: maybe(word),
    unknown: fc.constantFrom<JsonObject>({}, { store: true, safety: { level: 1 } }),
  })
  .chain(given => fc.boolean().map(usage => ({ ...given, includeUsage: usage && given.stream })))

test('a request that is written and read again is the same', () => {
  fc.assert(
    fc.property(conversation, given => {
      const { body, dropped } = openaiChat.writeRequest(given, { model: 'm' })
      expect(dropped).toEqual([])
      const { role: _, ...again } = { role: '', ...openaiChat.readRequest(plain(body)) }
      expect(withoutNative(plain(again))).toEqual(marked(plain(given)))
    }),
    RUNS,
  )
})

/** What a reader keeps of the wire's own entry is no part of the request. */
function withoutNative(conversation: Conversation): Conversation {
  for (const { parts } of conversation.turns) for (const part of parts) if ('native' in part) delete part.native
  return conversation
}

/** A mark in a tool's result counts for the whole of it (T67). */
function marked(conversation: Conversation): Conversation {
  for (const { parts } of conversation.turns)
    for (const part of parts) {
      if (part.type !== 'tool-result') continue
      const last = part.content.findLast(each => 'cache' in each && each.cache)
      if (last && 'cache' in last) part.cache = last.cache
    }
  return conversation
}

const answer: fc.Arbitrary<Choice[]> = fc
  .array(
    fc.tuple(reasoning, maybe(text), maybe(text), calls, fc.constantFrom('length' as const, 'content-filter' as const)),
    { minLength: 1, maxLength: 3 },
  )
  .map(list =>
    list.map(([thought, text, refusal, calls, cut], index) => ({
      index,
      parts: [
        ...thought,
        ...(text !== undefined ? [{ type: 'text' as const, text }] : []),
        ...(refusal !== undefined ? [{ type: 'refusal' as const, text: refusal }] : []),
        ...calls,
      ],
      // Half arguments exist only where the model was stopped.
      finish: calls.length ? cut : ('stop' as const),
    })),
  )
const reply: fc.Arbitrary<Reply> = answer.map(choices => ({
  id: 'r-1',
  model: 'm-1',
  created: 1_790_000_000,
  choices,
  usage: { input: 9, output: 5, cacheRead: 4, reasoning: 2, source: 'reported', native: { cost: 1 } },
  unknown: { system_fingerprint: 'fp' },
}))

const comparable = (given: Reply): unknown => {
  const copy = plain(given)
  for (const choice of copy.choices) {
    delete choice.nativeFinish
    for (const part of choice.parts) if ('native' in part) delete part.native
  }
  return copy
}

test('an answer that is written and read again is the same', () => {
  fc.assert(
    fc.property(reply, given => {
      const written = plain(openaiChat.writeReply(given, context()))
      expect(replyFaults(written)).toEqual([])
      expect(comparable(openaiChat.readReply(written, { memory: {}, quirks: [] }))).toEqual(comparable(given))
    }),
    RUNS,
  )
})

test('an answer told as a stream and collected is the same (trap 9)', () => {
  fc.assert(
    fc.property(reply, given => {
      expect(collect(expand(given))).toEqual(given)
    }),
    RUNS,
  )
})

test('an answer told as a stream is a faultless one, and reads as the same', async () => {
  await fc.assert(
    fc.asyncProperty(reply, fc.integer({ min: 1, max: 300 }), async (given, size) => {
      const writer = openaiChat.writer(context())
      const frames = [...expand(given).flatMap(event => writer.write([event])), ...writer.end()]
      const bytes = encodeFrames(frames, 'sse')
      expect(streamFaults(new TextDecoder().decode(bytes))).toEqual([])
      const again = await translate({ dialect: openaiChat, quirks: [] }, sliced(bytes, size))
      expect(streamFaults(again.text)).toEqual([])
      const reader = openaiChat.reader({ memory: {}, quirks: [] })
      const read = collect(frames.flatMap(frame => reader.read(frame)))
      const texts = (reply: Reply) =>
        reply.choices.map(choice => ({
          finish: choice.finish,
          text: choice.parts.map(part => (part.type === 'text' ? part.text : '')).join(''),
          refusal: choice.parts.map(part => (part.type === 'refusal' ? part.text : '')).join(''),
          calls: choice.parts.filter(part => part.type === 'tool-call'),
        }))
      expect(texts(read)).toEqual(texts(plain(given)))
    }),
    { numRuns: 60 },
  )
})
