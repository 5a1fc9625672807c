import { expect, test } from 'bun:test'
import { ProviderFailure } from '../../../src/conversation/errors.ts'
import { gemini } from '../../../src/dialects/gemini/index.ts'
import { context, json } from './setup.ts'

const reply = async (name: string) => gemini.readReply(await json(name), context())
const failure = (body: unknown) => {
  try {
    gemini.readReply(body, context())
  } catch (error) {
    if (error instanceof ProviderFailure) return error.error
  }
  return undefined
}

test('T98 created is in seconds', async () => {
  expect(await reply('plain-text')).toEqual({
    id: 'Rt0plain',
    model: 'gemini-3-flash-preview',
    created: 1772600767,
    choices: [
      {
        index: 0,
        parts: [{ type: 'text', text: 'A gate is a small door.' }],
        finish: 'stop',
        nativeFinish: 'STOP',
        unknown: { avgLogprobs: -0.21 },
      },
    ],
    usage: { input: 11, output: 7, source: 'reported' },
  })
})

test('T43 finish is tool-calls in a whole answer too', async () => {
  const [choice] = (await reply('parallel-tool-calls')).choices
  expect(choice?.finish).toBe('tool-calls')
  expect(choice?.parts.map(part => part.type)).toEqual(['text', 'tool-call', 'tool-call'])
  expect(choice?.unknown).toBeUndefined()
})

test('T43 even where a proxy left out the reason', () => {
  const body = { candidates: [{ content: { parts: [{ functionCall: { name: 'lock' } }] } }] }
  expect(gemini.readReply(body, context()).choices[0]).toMatchObject({
    finish: 'tool-calls',
    parts: [{ arguments: '{}' }],
  })
})

test('T51 a refused prompt has a choice, empty and withheld', async () => {
  expect((await reply('prompt-blocked')).choices).toEqual([
    { index: 0, parts: [], finish: 'content-filter', nativeFinish: 'PROHIBITED_CONTENT' },
  ])
})

test('an array of chunks is one answer', async () => {
  expect(await reply('array-of-chunks')).toMatchObject({
    choices: [{ parts: [{ text: 'one two' }], finish: 'stop' }],
    usage: { input: 4, output: 2 },
  })
})

test('several candidates keep their index and their own finish', async () => {
  const { choices } = await reply('two-candidates')
  expect(choices.map(choice => [choice.index, choice.finish])).toEqual([
    [0, 'stop'],
    [1, 'tool-calls'],
  ])
})

test('pictures and what code execution did are kept beside the text', async () => {
  expect((await reply('images')).choices[0]?.unknownMessage).toEqual({
    images: [
      { type: 'image_url', image_url: { url: 'data:image/png;base64,ZG9vci0x' } },
      {
        type: 'image_url',
        image_url: { url: 'data:image/png;base64,ZG9vci0y' },
        extra_content: { google: { thought_signature: 'ZG9vcnM=' } },
      },
    ],
  })
  const [choice] = (await reply('code-execution')).choices
  expect(choice?.parts).toEqual([{ type: 'text', text: 'It is 42.' }])
  expect(choice?.unknownMessage).toEqual({
    google_parts: [
      { executableCode: { language: 'PYTHON', code: 'print(6*7)' } },
      { codeExecutionResult: { outcome: 'OUTCOME_OK', output: '42\n' } },
    ],
  })
})

test('log probabilities are in OpenAI’s shape', async () => {
  expect((await reply('logprobs')).choices[0]?.logprobs?.content).toEqual([
    {
      token: 'n',
      logprob: -0.2,
      bytes: [110],
      top_logprobs: [
        { token: 'n', logprob: -0.2, bytes: [110] },
        { token: 'm', logprob: -1.9, bytes: [109] },
      ],
    },
    { token: 'é', logprob: -0.3, bytes: [195, 169], top_logprobs: [{ token: 'é', logprob: -0.3, bytes: [195, 169] }] },
  ])
})

test('quotations are cited with offsets in UTF-16 units', async () => {
  const [part] = (await reply('citation-sources')).choices[0]!.parts
  expect(part).toMatchObject({ citations: [{ url: 'https://example.org/sesam', start: 0, end: 17 }] })
})

test.each([
  ['an error under 200', { error: { code: 429, message: 'slow down', status: 'RESOURCE_EXHAUSTED' } }, 429],
  ['the same in an array', [{ error: { code: 400, message: 'no', status: 'INVALID_ARGUMENT' } }], 400],
  ['no candidate at all', { usageMetadata: { promptTokenCount: 3 } }, 502],
  ['a malformed call', { candidates: [{ finishReason: 'MALFORMED_FUNCTION_CALL' }] }, 502],
  ['an array cut short', [{ candidates: [{ content: { parts: [{ text: 'a' }] } }] }], 502],
  ['nothing', null, 502],
])('%s is a failure', (_, body, status) => {
  expect(failure(body)?.status).toBe(status)
})
