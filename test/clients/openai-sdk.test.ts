import { afterAll, beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import OpenAI, {
  APIConnectionTimeoutError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  PermissionDeniedError,
  RateLimitError,
} from 'openai'
import { endAll, folder, type Running, start } from '../binary/executable.ts'
import { awsFrame, openaiChunk, slowAnswer, sse, streamedAnswer, wholeAnswer } from '../support/answers.ts'
import { type Seen, type StandIn, standIn } from '../support/stand-in.ts'
import { expectNoSecrets, expectNothingOfOurs } from './leaks.ts'
import { type Relay, relay } from './relay.ts'

setDefaultTimeout(30_000)

/** The official client against the executable, with providers of several dialects behind it. */

const TEXT = 'In the reeds, 日本の鷺 👩‍👩‍👧.'
const TOKEN = 'a-token-for-the-sdk'
const STORED = 'a-key-of-the-operator'
const here = folder()

type Answer = (seen: Seen) => Response | Promise<Response>
const answers: Record<string, Answer> = {}
const standIns: Record<string, StandIn> = {}
let server: Running
let between: Relay
let client: OpenAI

const speakers = {
  same: 'openai-chat',
  like: 'openai-chat',
  claude: 'anthropic-messages',
  gem: 'gemini',
  rock: 'bedrock-converse',
} as const
type Name = keyof typeof speakers
const names = Object.keys(speakers) as Name[]

const streams = ({ path, body }: Seen) => body.stream === true || /stream/i.test(path)
const usual =
  (name: Name): Answer =>
  seen =>
    streams(seen) ? streamedAnswer(speakers[name], TEXT) : wholeAnswer(speakers[name], TEXT)

beforeAll(async () => {
  const providers: string[] = []
  for (const name of names) {
    answers[name] = usual(name)
    standIns[name] = standIn(seen =>
      /\/models(\?|$)/.test(seen.path)
        ? Response.json({ data: [{ id: 'heron-1', created: 1_760_000_000 }] })
        : answers[name]!(seen),
    )
    providers.push(
      `  ${name}: { base_url: "${standIns[name]?.address}", dialect: ${speakers[name]}, faithful: ${name === 'same'}, keys: { default: ${STORED} } }`,
    )
  }
  const file = [
    'storage: { database: "sqlite::memory:" }',
    `tokens: [{ name: sdk, token: ${TOKEN} }, { name: other, token: another-token, gateways: [team] }]`,
    'gateways: { team: {} }',
    'providers: { ollama: { base_url: "http://127.0.0.1:1" }, lmstudio: { base_url: "http://127.0.0.1:1" }, vllm: { base_url: "http://127.0.0.1:1" }, llamacpp: { base_url: "http://127.0.0.1:1" } }',
    'custom_providers:',
    ...providers,
  ].join('\n')
  await Bun.write(`${here.path}/postern.yaml`, file)
  server = await start([], here.path)
  between = await relay(server.port)
  client = new OpenAI({ apiKey: TOKEN, baseURL: `${between.address}/v1/home/default/compat`, maxRetries: 0 })
})
afterAll(async () => {
  try {
    for (const { seen, address } of Object.values(standIns))
      for (const each of seen) expectNothingOfOurs(each, address, TOKEN)
    await expectNoSecrets(server, between, { stored: [STORED], shown: [TOKEN, 'another-token'] })
  } finally {
    await endAll()
    between.stop()
    for (const each of Object.values(standIns)) each.stop()
    here.remove()
  }
})

/** Answers otherwise for one test. */
async function answering<T>(name: Name, answer: Answer, act: () => Promise<T>): Promise<T> {
  answers[name] = answer
  try {
    return await act()
  } finally {
    answers[name] = usual(name)
  }
}

const user = (content: string) => [{ role: 'user' as const, content }]

describe.each(names)('%s', name => {
  test('create', async () => {
    const completion = await client.chat.completions.create({ model: `${name}/m`, messages: user('Where?') })
    expect(completion.choices[0]).toMatchObject({
      index: 0,
      message: { role: 'assistant', content: TEXT },
      finish_reason: 'stop',
    })
    expect(completion.usage).toMatchObject({ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 })
    expect(completion.object).toBe('chat.completion')
    expect(completion.id).toBeString()
  })

  test('create with stream, and usage when it is asked for', async () => {
    const stream = await client.chat.completions.create({
      model: `${name}/m`,
      messages: user('Where?'),
      stream: true,
      stream_options: { include_usage: true },
    })
    let text = ''
    let roles = 0
    const usages: unknown[] = []
    for await (const chunk of stream) {
      text += chunk.choices[0]?.delta.content ?? ''
      if (chunk.choices[0]?.delta.role) roles++
      if (chunk.usage) usages.push(chunk.usage)
    }
    expect({ text, roles }).toEqual({ text: TEXT, roles: 1 })
    expect(usages).toHaveLength(1)
    expect(usages[0]).toMatchObject({ prompt_tokens: 11, completion_tokens: 7, total_tokens: 18 })
  })

  test('the stream helper gathers the same', async () => {
    const stream = client.chat.completions.stream({ model: `${name}/m`, messages: user('Where?') })
    const deltas: string[] = []
    stream.on('content', delta => deltas.push(delta))
    const completion = await stream.finalChatCompletion()
    expect(completion.choices[0]?.message.content).toBe(TEXT)
    expect(completion.choices[0]?.finish_reason).toBe('stop')
    expect(deltas.length).toBeGreaterThan(1)
  })

  test('a stream that the client aborts is closed at the provider', async () => {
    await answering(
      name,
      () => slowAnswer(speakers[name], TEXT, 150),
      async () => {
        const stream = await client.chat.completions.create({ model: `${name}/m`, messages: user('?'), stream: true })
        const { signal } = standIns[name]!.last()
        const closed = new Promise<void>(resolve => signal.addEventListener('abort', () => resolve(), { once: true }))
        for await (const chunk of stream) if (chunk.choices[0]?.delta.content) break
        const begun = performance.now()
        stream.controller.abort()
        await closed
        expect(performance.now() - begun).toBeLessThan(1_000)
      },
    )
  })
})

describe('runTools', () => {
  const tools = [
    {
      type: 'function' as const,
      function: {
        name: 'look',
        description: 'Looks at a place.',
        parameters: { type: 'object', properties: { place: { type: 'string' } }, required: ['place'] },
        parse: JSON.parse as (text: string) => { place: string },
        function: ({ place }: { place: string }) => `${place}: one heron`,
      },
    },
  ]
  const SIGNATURE = 'c2lnbmF0dXJlIHRoYXQgbXVzdCBjb21lIGJhY2s='
  const claudeStep = (id: string, place: string) => ({
    id: 'msg_1',
    type: 'message',
    role: 'assistant',
    model: 'm',
    content: [
      { type: 'thinking', thinking: `I look at the ${place}.`, signature: SIGNATURE + id },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id, name: 'look', input: { place } },
    ],
    stop_reason: 'tool_use',
    usage: { input_tokens: 11, output_tokens: 7 },
  })

  interface ClaudeTurn {
    role: string
    content: { type: string; [member: string]: unknown }[]
  }

  const twoSteps = async (act: () => Promise<string | null>) => {
    const steps = [claudeStep('toolu_1', 'pond'), claudeStep('toolu_2', 'river')]
    const said = await answering(
      'claude',
      () => (steps.length ? Response.json(steps.shift()) : wholeAnswer('anthropic-messages', 'Two herons.')),
      act,
    )
    expect(said).toBe('Two herons.')
    const { body } = standIns.claude!.last()
    return { body, turns: body.messages as ClaudeTurn[] }
  }
  const question = { model: 'claude/claude-sonnet-4-5', tools, reasoning_effort: 'low' as const }
  const ROLES = ['user', 'assistant', 'user', 'assistant', 'user']

  test('Claude: two steps; what the helper does not give back does not break the loop', async () => {
    const { body, turns } = await twoSteps(() =>
      client.chat.completions.runTools({ ...question, messages: user('How many herons?') }).finalContent(),
    )
    expect(turns.map(({ role }) => role)).toEqual(ROLES)
    // The helper keeps words and calls only. With thinking on, Claude would refuse such a history.
    expect(turns[1]!.content).toMatchObject([
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'toolu_1', name: 'look', input: { place: 'pond' } },
    ])
    expect(body).not.toHaveProperty('thinking')
    expect(turns[4]!.content[0]).toMatchObject({ type: 'tool_result', tool_use_id: 'toolu_2' })
    expect(JSON.stringify(turns[4]!.content[0])).toContain('river: one heron')
  })

  test('T17 Claude: messages that are given back as they came keep thinking and its signatures', async () => {
    const { body, turns } = await twoSteps(async () => {
      const messages: OpenAI.ChatCompletionMessageParam[] = user('How many herons?')
      for (;;) {
        const { choices } = await client.chat.completions.create({ ...question, messages })
        const { message } = choices[0]!
        messages.push(message)
        if (!message.tool_calls?.length) return message.content
        for (const { id } of message.tool_calls) messages.push({ role: 'tool', tool_call_id: id, content: 'one heron' })
      }
    })
    expect(turns.map(({ role }) => role)).toEqual(ROLES)
    expect(turns[1]!.content).toMatchObject([
      { type: 'thinking', thinking: 'I look at the pond.', signature: `${SIGNATURE}toolu_1` },
      { type: 'text', text: 'Let me look.' },
      { type: 'tool_use', id: 'toolu_1', name: 'look', input: { place: 'pond' } },
    ])
    expect(turns[3]!.content[0]).toMatchObject({ type: 'thinking', signature: `${SIGNATURE}toolu_2` })
    expect(body.thinking).toMatchObject({ type: 'enabled' })
  })

  const toolStream: Record<Exclude<Name, 'like'>, () => Response> = {
    same: () => {
      const call = { index: 0, id: 'call_1', type: 'function', function: { name: 'look', arguments: '' } }
      const piece = (text: string) => openaiChunk({ tool_calls: [{ index: 0, function: { arguments: text } }] })
      const chunks = [
        openaiChunk({ role: 'assistant', content: null, tool_calls: [call] }),
        piece('{"pla'),
        piece('ce":"pond"}'),
        openaiChunk({}, 'tool_calls'),
        '[DONE]',
      ]
      return new Response(chunks.map(each => sse(each)).join(''), { headers: { 'content-type': 'text/event-stream' } })
    },
    claude: () => {
      const start = (index: number, content_block: object) => ({ type: 'content_block_start', index, content_block })
      const delta = (index: number, delta: object) => ({ type: 'content_block_delta', index, delta })
      const events = [
        {
          type: 'message_start',
          message: {
            id: 'msg_1',
            role: 'assistant',
            model: 'm',
            content: [],
            usage: { input_tokens: 11, output_tokens: 1 },
          },
        },
        start(0, { type: 'text', text: '' }),
        delta(0, { type: 'text_delta', text: 'Let me look.' }),
        { type: 'content_block_stop', index: 0 },
        start(1, { type: 'tool_use', id: 'toolu_1', name: 'look', input: {} }),
        delta(1, { type: 'input_json_delta', partial_json: '{"pla' }),
        delta(1, { type: 'input_json_delta', partial_json: 'ce":"pond"}' }),
        { type: 'content_block_stop', index: 1 },
        { type: 'message_delta', delta: { stop_reason: 'tool_use' }, usage: { output_tokens: 7 } },
        { type: 'message_stop' },
      ]
      const text = events.map(event => sse(event, event.type)).join('')
      return new Response(text, { headers: { 'content-type': 'text/event-stream' } })
    },
    gem: () => {
      const call = { functionCall: { name: 'look', args: { place: 'pond' } }, thoughtSignature: 'dGhvdWdodA==' }
      const chunk = { candidates: [{ content: { role: 'model', parts: [call] }, finishReason: 'STOP', index: 0 }] }
      return new Response(sse(chunk), { headers: { 'content-type': 'text/event-stream' } })
    },
    rock: () => {
      const frames = [
        awsFrame('messageStart', { role: 'assistant' }),
        awsFrame('contentBlockStart', {
          contentBlockIndex: 0,
          start: { toolUse: { toolUseId: 'tu_1', name: 'look' } },
        }),
        awsFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: '{"pla' } } }),
        awsFrame('contentBlockDelta', { contentBlockIndex: 0, delta: { toolUse: { input: 'ce":"pond"}' } } }),
        awsFrame('contentBlockStop', { contentBlockIndex: 0 }),
        awsFrame('messageStop', { stopReason: 'tool_use' }),
        awsFrame('metadata', { usage: { inputTokens: 11, outputTokens: 7, totalTokens: 18 } }),
      ]
      return new Response(Buffer.concat(frames), { headers: { 'content-type': 'application/vnd.amazon.eventstream' } })
    },
  }

  test.each(Object.keys(toolStream) as (keyof typeof toolStream)[])('%s: streamed, one call', async name => {
    let asked = 0
    const [content, seen] = await answering(
      name,
      () => (asked++ ? streamedAnswer(speakers[name], 'One heron.') : toolStream[name]()),
      async () => {
        const runner = client.chat.completions.runTools({
          model: `${name}/m`,
          messages: user('How many herons?'),
          tools,
          stream: true,
        })
        return [await runner.finalContent(), standIns[name]!.last()] as const
      },
    )
    expect(content).toBe('One heron.')
    expect(asked).toBe(2)
    expect(seen.text).toContain('pond: one heron')
    // The helper does not give signatures back, and Gemini 3 wants something in their place.
    if (name === 'gem') expect(seen.text).toContain('"thoughtSignature":"')
  })
})

describe('parse', () => {
  test.each(['same', 'claude', 'gem', 'rock'] as const)('%s: an answer by a schema', async name => {
    const said = '{"count":2,"places":["pond","river"]}'
    const completion = await answering(
      name,
      () => wholeAnswer(speakers[name], said),
      () =>
        client.chat.completions.parse({
          model: `${name}/${name === 'rock' ? 'anthropic.claude-sonnet-4-5-20250929-v1:0' : 'claude-sonnet-4-5'}`,
          messages: user('Count the herons.'),
          response_format: {
            type: 'json_schema',
            json_schema: {
              name: 'herons',
              strict: true,
              schema: {
                type: 'object',
                properties: { count: { type: 'integer' }, places: { type: 'array', items: { type: 'string' } } },
                required: ['count', 'places'],
                additionalProperties: false,
              },
            },
          },
        }),
    )
    expect(completion.choices[0]?.message.parsed as unknown).toEqual({ count: 2, places: ['pond', 'river'] })
    expect(standIns[name]!.last().text).toContain('places')
  })
})

describe('errors are those that the client knows', () => {
  const caught = async (act: () => Promise<unknown>): Promise<unknown> =>
    act().then(
      () => 'no error',
      fault => fault,
    )
  const ask =
    (model: string, by = client) =>
    () =>
      by.chat.completions.create({ model, messages: user('?') })
  const failing = (name: Name, status: number, body: unknown, headers = {}) =>
    answering(
      name,
      () => Response.json(body, { status, headers }),
      () => caught(ask(`${name}/m`)),
    ) as Promise<{ message: string; code?: string; type?: string; headers?: Headers; requestID?: string }>

  const message = (text: string) => ({ message: expect.stringContaining(text) })

  test('a wrong token: AuthenticationError', async () => {
    const fault = await caught(ask('same/m', client.withOptions({ apiKey: 'wrong' })))
    expect(fault).toBeInstanceOf(AuthenticationError)
    expect(fault).toMatchObject(message('Unauthorized'))
  })

  test('a token of another gateway: PermissionDeniedError', async () => {
    const fault = await caught(ask('same/m', client.withOptions({ apiKey: 'another-token' })))
    expect(fault).toBeInstanceOf(PermissionDeniedError)
    expect(fault).toMatchObject(message('does not open the gateway'))
  })

  test('a wrong body: BadRequestError with the field', async () => {
    const fault = await caught(() =>
      client.chat.completions.create({ model: 'same/m', messages: user('?'), temperature: 'hot' as never }),
    )
    expect(fault).toBeInstanceOf(BadRequestError)
    expect(fault).toMatchObject({ ...message('temperature'), param: 'temperature', type: 'invalid_request_error' })
  })

  test('what a dialect cannot express: BadRequestError that names it', async () => {
    const fault = await caught(() => client.chat.completions.create({ model: 'claude/m', messages: user('?'), n: 2 }))
    expect(fault).toBeInstanceOf(BadRequestError)
    expect(fault).toMatchObject({ param: 'n', code: 'unsupported_value' })
  })

  test('errors of providers in their own shapes', async () => {
    const limited = await failing(
      'claude',
      429,
      { type: 'error', error: { type: 'rate_limit_error', message: 'Slowly!' } },
      { 'retry-after': '9', 'x-request-id': 'req_9' },
    )
    expect(limited).toBeInstanceOf(RateLimitError)
    expect(limited).toMatchObject({ ...message('Slowly!'), requestID: 'req_9' })
    expect(limited.headers?.get('retry-after')).toBe('9')
    const missing = await failing('gem', 404, { error: { code: 404, message: 'no such heron', status: 'NOT_FOUND' } })
    expect(missing).toBeInstanceOf(NotFoundError)
    expect(missing).toMatchObject(message('no such heron'))
    const refused = await failing(
      'rock',
      403,
      { message: 'not yours' },
      { 'x-amzn-errortype': 'AccessDeniedException' },
    )
    expect(refused).toBeInstanceOf(PermissionDeniedError)
    expect(refused).toMatchObject(message('not yours'))
    const broken = await failing('same', 500, { error: { message: 'broken', type: 'server_error', code: null } })
    expect(broken).toBeInstanceOf(InternalServerError)
    expect(broken).toMatchObject(message('broken'))
  })

  test('an error in the middle of a stream is thrown, after the words before it', async () => {
    const pieces = [
      sse(openaiChunk({ role: 'assistant', content: 'In the ' })),
      sse({ error: { message: 'The nest fell', type: 'server_error', code: 'x' } }),
    ]
    const body = new ReadableStream<Uint8Array>({
      async pull(controller) {
        const piece = pieces.shift()
        if (!piece) return controller.close()
        if (pieces.length === 0) await Bun.sleep(50)
        controller.enqueue(Buffer.from(piece))
      },
    })
    let text = ''
    const fault = await answering(
      'like',
      () => new Response(body, { headers: { 'content-type': 'text/event-stream' } }),
      () =>
        caught(async () => {
          const stream = await client.chat.completions.create({ model: 'like/m', messages: user('?'), stream: true })
          for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
        }),
    )
    expect(text).toBe('In the ')
    expect(fault).toMatchObject(message('The nest fell'))
  })

  test('the client’s own time-out closes the call at the provider', async () => {
    const fault = await answering(
      'same',
      async seen => {
        await new Promise<void>(resolve => seen.signal.addEventListener('abort', () => resolve(), { once: true }))
        return new Response()
      },
      () => caught(ask('same/m', client.withOptions({ timeout: 200 }))),
    )
    expect(fault).toBeInstanceOf(APIConnectionTimeoutError)
    const { signal } = standIns.same!.last()
    for (let tries = 0; tries < 100 && !signal.aborted; tries++) await Bun.sleep(10)
    expect(signal.aborted).toBe(true)
  })
})

test('models.list() gives ids that can be asked for', async () => {
  const models = await Array.fromAsync(client.models.list())
  const ids = models.map(({ id }) => id)
  expect(ids).toContain('custom-same/heron-1')
  expect(ids).toContain('custom-claude/heron-1')
  expect(models.find(({ id }) => id === 'custom-same/heron-1')).toMatchObject({
    object: 'model',
    created: 1_760_000_000,
  })
})
