import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import { brotliCompressSync } from 'node:zlib'
import { wholeAnswer } from '../support/answers.ts'
import { type RunningApp, startApp, TOKEN } from '../support/app.ts'
import { type Answer, ask, COMPAT, post } from '../support/chat.ts'
import { type StandIn, standIn } from '../support/stand-in.ts'

let provider: StandIn
let app: RunningApp
let small: RunningApp

beforeAll(async () => {
  provider = standIn(() => wholeAnswer('openai-chat', 'Yes.'))
  const custom_providers = { mine: { base_url: provider.address, faithful: true } }
  app = await startApp({ custom_providers, providers: { mistral: {} } })
  small = await startApp({ custom_providers, server: { max_body: 100_000 } })
})
afterAll(async () => {
  await app.stop()
  await small.stop()
  provider.stop()
})

async function refused(body: unknown, headers: Record<string, string> = {}, at = app) {
  const before = provider.seen.length
  const response = await post(at.address, body, { headers })
  const { error } = (await response.json()) as Answer
  expect(provider.seen).toHaveLength(before)
  return { status: response.status, kind: response.headers.get('content-type'), ...error }
}

const user = [{ role: 'user', content: 'x' }]

describe('bodies that are refused with a 400', () => {
  test.each([
    ['broken JSON', '{"model":', 'not valid JSON'],
    ['broken JSON in the middle', '{"model":"mine/m",}', 'not valid JSON'],
    ['nothing', '', 'empty'],
    ['white space', ' \n', 'empty'],
    ['a list', '[]', 'must be a JSON object'],
    ['a word', '"hello"', 'must be a JSON object'],
    ['null', 'null', 'must be a JSON object'],
    ['no JSON', 'model=mine/m', 'not valid JSON'],
  ])('%s', async (_, body, words) => {
    const { status, kind, code, message } = await refused(body)
    expect({ status, code }).toEqual({ status: 400, code: 'invalid_json' })
    expect(kind).toBe('application/json')
    expect(message).toContain(words)
  })

  test.each([
    ['no model', { messages: user }, 'model'],
    ['a model that is no text', { model: 5, messages: user }, 'model'],
    ['an empty model', { model: '', messages: user }, 'model'],
    ['no messages', { model: 'mine/m' }, 'messages'],
    ['no message', { model: 'mine/m', messages: [] }, 'messages'],
    ['messages as text', { model: 'mine/m', messages: 'hello' }, 'messages'],
    ['a message without a role', { model: 'mine/m', messages: [{ content: 'x' }] }, 'messages[0].role'],
    [
      'an unknown role',
      { model: 'mine/m', messages: [...user, { role: 'narrator', content: 'x' }] },
      'messages[1].role',
    ],
    ['content of a wrong type', { model: 'mine/m', messages: [{ role: 'user', content: 5 }] }, 'messages[0].content'],
    ['stream as text', { model: 'mine/m', messages: user, stream: 'yes' }, 'stream'],
    ['a temperature as text', { model: 'mine/m', messages: user, temperature: '0.5' }, 'temperature'],
  ])('%s, named by its path', async (_, body, param) => {
    const said = await refused(body)
    expect(said).toMatchObject({ status: 400, type: 'invalid_request_error', param })
    expect(said.message).toStartWith(param)
  })

  test.each([
    ['gpt-5-mini', 'expected "<provider>/<model>"'],
    ['/gpt-5-mini', 'expected "<provider>/<model>"'],
    ['mistral', 'expected "mistral/<model>"'],
    ['mistral/', 'no model is named'],
  ])('the model "%s": %s', async (model, words) => {
    const said = await refused(ask(model))
    expect(said).toMatchObject({ status: 400, param: 'model' })
    expect(said.message).toContain(words)
  })

  test.each([
    ['mistrel/x', 'did you mean "mistral"?'],
    ['gogle/x', 'did you mean "google"?'],
    ['my/x', 'custom_providers'],
  ])('2008 an unknown provider in "%s": %s', async (model, words) => {
    const response = await post(app.address, ask(model))
    const body = (await response.json()) as Answer & { errors?: { code: number }[] }
    expect(response.status).toBe(400)
    expect(body.error).toMatchObject({ param: 'model', code: 'invalid_provider' })
    expect(body.error?.message).toContain(words)
    expect(body.errors?.[0]?.code).toBe(2008)
  })

  test('a provider without a key: where to put one', async () => {
    const { status, message, code } = await refused(ask('mistral/m'))
    expect({ status, code }).toEqual({ status: 400, code: 'no_provider_key' })
    expect(message).toContain('providers.mistral.keys.default in postern.yaml')
    expect(message).toContain('MISTRAL_API_KEY')
  })
})

describe('bodies that are taken', () => {
  test('unknown members, at any depth, and a BOM in front', async () => {
    const body = ask('mine/m', { x_new: { deep: [1] }, messages: [{ role: 'user', content: 'x', x_mark: true }] })
    expect((await post(app.address, `\ufeff${JSON.stringify(body)}`)).status).toBe(200)
    expect(provider.last().body).toEqual({ ...body, model: 'm' })
  })

  test('any content type, as long as it is JSON', async () => {
    for (const type of ['text/plain', 'application/json; charset=utf-8', 'application/x-www-form-urlencoded'])
      expect((await post(app.address, ask('mine/m'), { headers: { 'content-type': type } })).status).toBe(200)
  })

  test('one of 50 MB, with its length and in chunks', async () => {
    const text = JSON.stringify(ask('mine/m', { padding: 'x'.repeat(50_000_000) }))
    expect((await post(app.address, text)).status).toBe(200)
    expect(provider.last().text).toBe(text.replace('mine/m', 'm'))
    expect((await post(app.address, inChunks(text))).status).toBe(200)
    expect(provider.last().text.length).toBe(text.length - 5)
    provider.seen.length = 0
  })

  const packings: Record<string, (text: string) => Uint8Array> = {
    gzip: text => Bun.gzipSync(text),
    'x-gzip': text => Bun.gzipSync(text),
    deflate: text => new Uint8Array(require('node:zlib').deflateSync(text)),
    br: text => brotliCompressSync(text),
    zstd: text => Bun.zstdCompressSync(text),
    identity: text => Buffer.from(text),
    GZIP: text => Bun.gzipSync(text),
  }

  test.each(Object.keys(packings))('T81 packed with %s', async encoding => {
    const body = ask('mine/m', { note: 'é 日本 👩‍👩‍👧' })
    const packed = packings[encoding]!(JSON.stringify(body))
    const response = await post(app.address, packed, { headers: { 'content-encoding': encoding } })
    expect(response.status).toBe(200)
    expect(provider.last().body).toEqual({ ...body, model: 'm' })
    expect(provider.last().headers.get('content-encoding')).toBeNull()
  })
})

/** The same bytes without a length. */
function inChunks(text: string): ReadableStream<Uint8Array> {
  const bytes = Buffer.from(text)
  let at = 0
  return new ReadableStream({
    pull(controller) {
      if (at >= bytes.length) return controller.close()
      controller.enqueue(bytes.subarray(at, at + 1_000_000))
      at += 1_000_000
    },
  })
}

describe('bodies that are too large or cannot be unpacked', () => {
  const large = JSON.stringify(ask('mine/m', { padding: 'x'.repeat(200_000) }))

  test('413 by the length that is said, in JSON, with the setting', async () => {
    const said = await refused(large, {}, small)
    expect(said).toMatchObject({ status: 413, code: 'request_too_large' })
    expect(said.message).toContain('server.max_body')
  })

  test('413 in chunks', async () => {
    expect(await refused(inChunks(large), {}, small)).toMatchObject({ status: 413, code: 'request_too_large' })
  })

  test('T81 413 by what it unpacks to: a bomb costs no memory', async () => {
    const bomb = Bun.gzipSync(Buffer.alloc(80_000_000, 'x'))
    expect(bomb.length).toBeLessThan(100_000)
    const before = process.memoryUsage().rss
    for (let n = 0; n < 3; n++)
      expect(await refused(bomb, { 'content-encoding': 'gzip' }, small)).toMatchObject({ status: 413 })
    expect(process.memoryUsage().rss - before).toBeLessThan(120_000_000)
  })

  test('a length that is far too large is refused before it comes, and the server goes on', async () => {
    const { promise, resolve } = Promise.withResolvers<string>()
    let text = ''
    const socket = await Bun.connect({
      hostname: '127.0.0.1',
      port: small.port,
      socket: {
        data(_, bytes) {
          text += bytes.toString()
          if (text.includes('}')) resolve(text)
        },
        close: () => resolve(text),
      },
    })
    const lines = [
      `POST ${COMPAT} HTTP/1.1`,
      'host: x',
      `authorization: Bearer ${TOKEN}`,
      'content-length: 99999999999',
      '',
      '{"model":',
    ]
    socket.write(lines.join('\r\n'))
    expect(await promise).toStartWith('HTTP/1.1 413')
    expect(text).toContain('request_too_large')
    socket.end()
    expect((await post(small.address, ask('mine/m'))).status).toBe(200)
  })

  test('an unknown encoding is a 415 that lists the known ones', async () => {
    const said = await refused(JSON.stringify(ask('mine/m')), { 'content-encoding': 'lzma' })
    expect(said).toMatchObject({ status: 415, param: 'content-encoding' })
    expect(said.message).toContain('zstd')
    expect((await refused('{}', { 'content-encoding': 'gzip, br' })).status).toBe(415)
  })

  test.each(['gzip', 'br', 'zstd', 'deflate'])('what is not %s although it says so is a 400', async encoding => {
    const said = await refused(JSON.stringify(ask('mine/m')), { 'content-encoding': encoding })
    expect(said).toMatchObject({ status: 400, code: 'invalid_json' })
  })

  test('a packed body that is cut short is a 400', async () => {
    const packed = Bun.gzipSync(JSON.stringify(ask('mine/m')))
    expect((await refused(packed.subarray(0, 40), { 'content-encoding': 'gzip' })).status).toBe(400)
  })

  test('a client that leaves in the middle of its body leaves no error in the log', async () => {
    const before = app.requests().length
    const socket = await Bun.connect({ hostname: '127.0.0.1', port: app.port, socket: { data() {} } })
    const lines = [
      `POST ${COMPAT} HTTP/1.1`,
      'host: x',
      `authorization: Bearer ${TOKEN}`,
      'content-length: 500',
      '',
      '{"mo',
    ]
    socket.write(lines.join('\r\n'))
    await Bun.sleep(100)
    socket.terminate()
    await app.record(before + 1)
    expect(app.logged()).not.toContain('"level":"error"')
  })
})
