import { beforeAll, describe, expect, setDefaultTimeout, test } from 'bun:test'
import OpenAI, { AuthenticationError, RateLimitError, toFile } from 'openai'
import type { Seen } from '../support/stand-in.ts'
import { GATEWAY_AUTH, nativeGateway, OWN, STORED, TEXT, TOKEN } from './native-gateway.ts'
import { CALL, callAnswer, response, textAnswer } from './provider-answers.ts'

setDefaultTimeout(30_000)

/** The package `openai` at `/openai`. */

const SOUND = Uint8Array.from({ length: 256 }, (_, at) => at)
function answer(seen: Seen): Response {
  const { path } = seen
  switch (path) {
    case '/v1/chat/completions':
    case '/v1/responses':
      return textAnswer(TEXT, seen)
    case '/v1/responses/resp_heron':
      return Response.json(response(TEXT))
    case '/v1/embeddings':
      return Response.json({
        object: 'list',
        model: 'text-embedding-heron',
        data: [
          {
            object: 'embedding',
            index: 0,
            embedding: Buffer.from(Float32Array.of(0.5, -0.25).buffer).toString('base64'),
          },
        ],
        usage: { prompt_tokens: 3, total_tokens: 3 },
      })
    case '/v1/images/generations':
    case '/v1/images/edits':
      return Response.json({ created: 1_760_000_000, data: [{ b64_json: 'aGVyb24=' }] })
    case '/v1/audio/speech':
      return new Response(SOUND, { headers: { 'content-type': 'audio/mpeg' } })
    case '/v1/audio/transcriptions':
      return Response.json({ text: 'Kraak.' })
    case '/v1/files':
      return Response.json({ id: 'file-heron', object: 'file', bytes: 15, filename: 'herons.jsonl', purpose: 'batch' })
    case '/v1/files/file-heron/content':
      return new Response(SOUND, { headers: { 'content-type': 'application/octet-stream' } })
    case '/v1/models?limit=2':
      return Response.json({ object: 'list', data: [{ id: 'gpt-heron', object: 'model', created: 1, owned_by: 'us' }] })
    default:
      return Response.json({ error: { message: `nothing at ${path}` } }, { status: 404 })
  }
}

const gateway = nativeGateway('openai', upstream => ({ base_url: `${upstream}/v1` }), answer)
let client: OpenAI
beforeAll(() => {
  client = new OpenAI({ apiKey: TOKEN, baseURL: gateway.base(), maxRetries: 0, organization: 'org-heron' })
})

const messages = [{ role: 'user' as const, content: 'Where?' }]
const model = 'gpt-heron'
const key = () => gateway.arrived().headers.get('authorization')

describe('chat', () => {
  test('create: the operator’s key in place of the token, all else as it was', async () => {
    const completion = await client.chat.completions.create({ model, messages, seed: 7 })
    expect(completion.choices[0]).toMatchObject({ message: { content: TEXT }, finish_reason: 'stop' })
    expect(completion.usage).toMatchObject({ total_tokens: 18 })
    const { headers, text, method } = gateway.arrived()
    expect(method).toBe('POST')
    expect(JSON.parse(text)).toEqual({ model, messages, seed: 7 })
    expect(headers.get('authorization')).toBe(`Bearer ${STORED}`)
    expect(headers.get('openai-organization')).toBe('org-heron')
    expect(headers.get('content-type')).toBe('application/json')
    expect(headers.get('x-stainless-lang')).toBe('js')
  })

  test('create with stream', async () => {
    const stream = await client.chat.completions.create({ model, messages, stream: true })
    let text = ''
    for await (const chunk of stream) text += chunk.choices[0]?.delta.content ?? ''
    expect(text).toBe(TEXT)
    // What the caller did not ask for is not put in: this body is theirs.
    expect(gateway.arrived().body).toEqual({ model, messages, stream: true })
  })

  test('a base that ends in /v1, too', async () => {
    const other = new OpenAI({ apiKey: TOKEN, baseURL: `${gateway.base()}/v1`, maxRetries: 0 })
    expect((await other.chat.completions.create({ model, messages })).choices[0]?.message.content).toBe(TEXT)
    expect(gateway.arrived().path).toBe('/v1/chat/completions')
  })
})

describe('whose key', () => {
  test('the caller’s own goes up, with the token in cf-aig-authorization', async () => {
    const own = new OpenAI({ apiKey: OWN, baseURL: gateway.base(), maxRetries: 0, defaultHeaders: GATEWAY_AUTH })
    await own.chat.completions.create({ model, messages })
    expect(key()).toBe(`Bearer ${OWN}`)
  })

  test('a placeholder for a key is none, with the token in cf-aig-authorization', async () => {
    const own = new OpenAI({ apiKey: 'unused', baseURL: gateway.base(), maxRetries: 0, defaultHeaders: GATEWAY_AUTH })
    await own.chat.completions.create({ model, messages })
    expect(key()).toBe(`Bearer ${STORED}`)
  })

  test('without a token: AuthenticationError, and nothing goes up', async () => {
    const before = gateway.count()
    const stranger = new OpenAI({ apiKey: OWN, baseURL: gateway.base(), maxRetries: 0 })
    const fault = await stranger.chat.completions.create({ model, messages }).catch((fault: unknown) => fault)
    expect(fault).toBeInstanceOf(AuthenticationError)
    expect(gateway.count()).toBe(before)
  })
})

describe('responses', () => {
  test('create', async () => {
    const answer = await client.responses.create({ model, input: 'Where?', store: false })
    expect(answer.output_text).toBe(TEXT)
    expect(answer.usage).toMatchObject({ input_tokens: 11, output_tokens: 7, total_tokens: 18 })
    expect(gateway.arrived().body).toEqual({ model, input: 'Where?', store: false })
    expect(key()).toBe(`Bearer ${STORED}`)
  })

  test('create with stream, and the helper', async () => {
    const types: string[] = []
    let text = ''
    for await (const event of await client.responses.create({ model, input: 'Where?', stream: true })) {
      types.push(event.type)
      if (event.type === 'response.output_text.delta') text += event.delta
    }
    expect(text).toBe(TEXT)
    expect(types.at(-1)).toBe('response.completed')
    const final = await client.responses.stream({ model, input: 'Where?' }).finalResponse()
    expect(final.output_text).toBe(TEXT)
  })

  test('retrieve and delete: other methods of the same address', async () => {
    expect((await client.responses.retrieve('resp_heron')).output_text).toBe(TEXT)
    expect(gateway.arrived()).toMatchObject({ method: 'GET', text: '' })
    gateway.next(() => new Response(null, { status: 204 }))
    await client.responses.delete('resp_heron')
    expect(gateway.arrived()).toMatchObject({ method: 'DELETE', path: '/v1/responses/resp_heron' })
    expect(key()).toBe(`Bearer ${STORED}`)
  })
})

describe('a tool', () => {
  const parameters = { type: 'object', properties: { place: { type: 'string' } } }
  const look = ({ place }: { place: string }) => `${place}: one heron`

  test('runTools: called, and its result goes up', async () => {
    const definition = {
      name: CALL.name,
      description: 'Looks at a place.',
      parameters,
      function: look,
      parse: JSON.parse,
    }
    gateway.next(callAnswer)
    const runner = client.chat.completions.runTools({
      model,
      messages,
      tools: [{ type: 'function', function: definition as never }],
    })
    expect(await runner.finalContent()).toBe(TEXT)
    const sent = gateway.arrived().body.messages as { role: string }[]
    expect(sent.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool'])
    expect(sent[2]).toMatchObject({ tool_call_id: 'call_1', content: 'pond: one heron' })
  })

  test('a call in a stream of Responses', async () => {
    gateway.next(callAnswer)
    const tools = [{ type: 'function' as const, name: CALL.name, parameters, strict: false }]
    const { output } = await client.responses.stream({ model, input: 'Where?', tools }).finalResponse()
    expect(output).toMatchObject([{ type: 'function_call', call_id: 'call_1', arguments: JSON.stringify(CALL.input) }])
  })
})

test('embeddings', async () => {
  const { data, usage } = await client.embeddings.create({ model: 'text-embedding-heron', input: 'heron' })
  expect(data[0]?.embedding).toEqual([0.5, -0.25])
  expect(usage.total_tokens).toBe(3)
  expect(gateway.arrived().body).toMatchObject({ input: 'heron', encoding_format: 'base64' })
})

test('images.generate', async () => {
  const { data } = await client.images.generate({ model: 'gpt-image-1', prompt: 'a heron' })
  expect(data?.[0]?.b64_json).toBe('aGVyb24=')
  expect(gateway.arrived().body).toMatchObject({ prompt: 'a heron' })
})

test('audio.speech: the sound byte for byte', async () => {
  const answer = await client.audio.speech.create({ model: 'tts-1', voice: 'alloy', input: 'Kraak' })
  expect(answer.headers.get('content-type')).toBe('audio/mpeg')
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(SOUND)
})

/** The parts of a form as the provider reads them. */
const formOf = async () => {
  const { headers, text } = gateway.arrived()
  return new Response(text, { headers: { 'content-type': headers.get('content-type') ?? '' } }).formData()
}

test('audio.transcriptions: the form reaches the provider', async () => {
  const file = await toFile(Buffer.from('RIFF of a heron'), 'kraak.wav', { type: 'audio/wav' })
  const { text } = await client.audio.transcriptions.create({ model: 'whisper-1', file, language: 'nl' })
  expect(text).toBe('Kraak.')
  const form = await formOf()
  expect([form.get('model'), form.get('language')]).toEqual(['whisper-1', 'nl'])
  const part = form.get('file') as File
  expect([part.name, await part.text()]).toEqual(['kraak.wav', 'RIFF of a heron'])
  expect(key()).toBe(`Bearer ${STORED}`)
})

test('images.edit: two images and a prompt in a form', async () => {
  const images = ['heron.png', 'reed.png'].map(name => toFile(SOUND, name, { type: 'image/png' }))
  const image = await Promise.all(images)
  const { data } = await client.images.edit({ model: 'gpt-image-1', image, prompt: 'both' })
  expect(data?.[0]?.b64_json).toBe('aGVyb24=')
  const { path, text } = gateway.arrived()
  expect(path).toBe('/v1/images/edits')
  expect(text.match(/filename="[a-z.]+"/g)).toEqual(['filename="heron.png"', 'filename="reed.png"'])
  expect(text).toContain('name="prompt"')
})

test('files.content: the bytes', async () => {
  const answer = await client.files.content('file-heron')
  expect(new Uint8Array(await answer.arrayBuffer())).toEqual(SOUND)
})

test('files.create', async () => {
  const file = await toFile(Buffer.from('{"heron":"grey"}'), 'herons.jsonl')
  expect((await client.files.create({ file, purpose: 'batch' })).id).toBe('file-heron')
  const form = await formOf()
  expect(form.get('purpose')).toBe('batch')
  expect(await (form.get('file') as File).text()).toBe('{"heron":"grey"}')
})

test('a GET with a query: it arrives as it was', async () => {
  const page = await client.models.list({ query: { limit: 2 } })
  expect(page.data.map(({ id }) => id)).toEqual(['gpt-heron'])
  expect(gateway.arrived()).toMatchObject({ method: 'GET', text: '' })
})

test('an error of the provider is the one that the client knows', async () => {
  const error = { message: 'Too many herons.', type: 'requests', code: 'rate_limit_exceeded' }
  gateway.next(() =>
    Response.json({ error }, { status: 429, headers: { 'x-request-id': 'req_heron', 'retry-after': '3' } }),
  )
  const fault = await client.chat.completions.create({ model, messages }).catch((fault: unknown) => fault)
  expect(fault).toBeInstanceOf(RateLimitError)
  const { message, code, requestID, headers } = fault as RateLimitError
  expect({ message, code, requestID }).toEqual({
    message: '429 Too many herons.',
    code: 'rate_limit_exceeded',
    requestID: 'req_heron',
  })
  expect(headers?.get('retry-after')).toBe('3')
})
