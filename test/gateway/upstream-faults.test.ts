import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test'
import type { DialectName } from '../../src/dialects/dialect.ts'
import { openaiChunk, sse, streamPieces } from '../support/answers.ts'
import { type RunningApp, startApp } from '../support/app.ts'
import { type Answer, ask, parseStream, post } from '../support/chat.ts'
import {
  type Connection,
  chunk,
  head,
  LAST_CHUNK,
  type RawUpstream,
  rawUpstream,
  whole,
} from '../support/raw-upstream.ts'

/** What a provider may do instead of answering; on real sockets, passed through and translated. */

let app: RunningApp
let upstream: RawUpstream
let behave: (connection: Connection) => unknown = () => {}

const models = { unchanged: 'custom-same/a-model', translated: 'custom-claude/a-model' } as const
const dialectOf: Record<keyof typeof models, DialectName> = {
  unchanged: 'openai-chat',
  translated: 'anthropic-messages',
}
const ways = ['unchanged', 'translated'] as const
const both = ways.flatMap(way => [
  [way, false],
  [way, true],
]) as [keyof typeof models, boolean][]

beforeAll(async () => {
  upstream = rawUpstream(connection => behave(connection))
  const base_url = upstream.address
  app = await startApp({
    custom_providers: {
      same: { base_url, faithful: true },
      claude: { base_url, dialect: 'anthropic-messages', keys: { default: 'k' } },
      gone: { base_url: 'http://127.0.0.1:1', faithful: true },
      nowhere: { base_url: 'http://no-such-host.invalid', faithful: true },
    },
  })
})
afterAll(async () => {
  await app.stop()
  upstream.stop()
})
afterEach(() => {
  behave = () => {}
})

async function asked(way: keyof typeof models, stream: boolean, headers: Record<string, string> = {}) {
  const response = await post(app.address, ask(models[way], { stream }), { headers })
  const text = await response.text()
  return { status: response.status, headers: response.headers, text }
}

const errorIn = (text: string) => (JSON.parse(text) as Answer).error

const streamHead = { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' }
const jsonHead = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' }
const wholeText = (way: keyof typeof models) =>
  way === 'unchanged'
    ? '{"id":"x","object":"chat.completion","choices":[{"index":0,"message":{"role":"assistant","content":"In the reeds."},"finish_reason":"stop"}],"usage":{"prompt_tokens":11,"completion_tokens":7,"total_tokens":18}}'
    : '{"id":"x","type":"message","role":"assistant","model":"m","content":[{"type":"text","text":"In the reeds."}],"stop_reason":"end_turn","usage":{"input_tokens":11,"output_tokens":7}}'

describe('no answer at all', () => {
  test.each([false, true])('a refused connection is a 502 that names the provider; stream %p', async stream => {
    const response = await post(app.address, ask('custom-gone/m', { stream }))
    expect(response.status).toBe(502)
    const { error } = (await response.json()) as Answer
    expect(error).toMatchObject({ type: 'server_error', code: 'upstream_unreachable' })
    expect(error?.message).toBe('no answer from gone: it refused the connection')
  })

  test('an unknown host is a 502 that says so', async () => {
    const response = await post(app.address, ask('custom-nowhere/m'))
    expect(response.status).toBe(502)
    expect(((await response.json()) as Answer).error?.code).toBe('upstream_unreachable')
  })

  test.each(both)('a connection that closes before the status line is a 502: %s, stream %p', async (way, stream) => {
    behave = connection => connection.end()
    const { status, text } = await asked(way, stream)
    expect(status).toBe(502)
    expect(errorIn(text)).toMatchObject({ code: 'upstream_closed' })
  })

  test.each(both)('silence is a 504 after cf-aig-request-timeout: %s, stream %p', async (way, stream) => {
    const closed = Promise.withResolvers<void>()
    behave = connection => connection.closed.then(closed.resolve)
    const begun = performance.now()
    const { status, text } = await asked(way, stream, { 'cf-aig-request-timeout': '150' })
    expect(status).toBe(504)
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect(errorIn(text)).toMatchObject({ type: 'timeout_error', code: 'upstream_timeout' })
    // The provider does not go on working for nobody.
    await closed.promise
  })

  test('server.first_byte_timeout does the same', async () => {
    const hasty = await startApp({
      server: { first_byte_timeout: 0.15 },
      custom_providers: { same: { base_url: upstream.address } },
    })
    expect((await post(hasty.address, ask('custom-same/m'))).status).toBe(504)
    await hasty.stop()
  })

  test('cf-aig-request-timeout: 0 cuts nothing', async () => {
    behave = async connection => {
      await Bun.sleep(30)
      connection.write(whole('200 OK', wholeText('unchanged')))
    }
    expect((await asked('unchanged', false, { 'cf-aig-request-timeout': '0' })).status).toBe(200)
  })

  test('once the answer has begun, it may take longer than the time-out', async () => {
    behave = async connection => {
      const pieces = streamPieces('openai-chat', 'In the reeds.') as string[]
      connection.write(head('200 OK', streamHead) + chunk(pieces[0]!))
      await Bun.sleep(300)
      connection.write(pieces.slice(1).map(chunk).join('') + LAST_CHUNK)
    }
    const { text } = await asked('unchanged', true, { 'cf-aig-request-timeout': '150' })
    expect(parseStream(text)).toMatchObject({ text: 'In the reeds.', done: true })
  })
})

describe('answers that are none', () => {
  test.each(both)('an empty 200 is a 502: %s, stream %p', async (way, stream) => {
    behave = connection => connection.write(whole('200 OK', ''))
    const { status, text } = await asked(way, stream)
    expect(status).toBe(502)
    expect(errorIn(text)?.message).toContain('empty body')
  })

  test.each(ways)('an event stream without an event is a 502: %s', async way => {
    behave = connection => connection.write(head('200 OK', streamHead) + LAST_CHUNK)
    const { status, text } = await asked(way, true)
    expect(status).toBe(502)
    expect(errorIn(text)).toMatchObject({ code: 'upstream_closed' })
  })

  const page = '<!doctype html><html><head><title>Please sign in</title></head><body>…</body></html>'

  test.each(both)('a web page with 200 is a 502, not an answer: %s, stream %p', async (way, stream) => {
    behave = connection => connection.write(whole('200 OK', page, { 'content-type': 'text/html; charset=utf-8' }))
    const { status, text, headers } = await asked(way, stream)
    expect(status).toBe(502)
    expect(headers.get('content-type')).toStartWith('application/json')
    expect(errorIn(text)?.message).toContain('a web page')
  })

  test.each(ways)('a web page that calls itself JSON is a 502 too: %s', async way => {
    behave = connection => connection.write(head('200 OK', jsonHead) + chunk(page) + LAST_CHUNK)
    const { status, text } = await asked(way, false)
    expect(status).toBe(502)
    expect(errorIn(text)?.message).toContain('a web page')
  })

  test.each(both)('T83 a web page with 502 keeps the status and says its title: %s, stream %p', async (way, stream) => {
    const text = page.replace('Please sign in', '502 Bad Gateway')
    behave = connection => connection.write(whole('502 Bad Gateway', text, { 'content-type': 'text/html' }))
    const answer = await asked(way, stream)
    expect(answer.status).toBe(502)
    expect(errorIn(answer.text)).toMatchObject({ message: expect.stringContaining('502 Bad Gateway') })
    expect(answer.text).not.toContain('doctype')
  })

  test.each(both)('a redirect is not followed: %s, stream %p', async (way, stream) => {
    const before = upstream.requests.length
    behave = connection =>
      connection.write(whole('307 Temporary Redirect', '', { location: `${upstream.address}/other` }))
    const { status, text, headers } = await asked(way, stream)
    expect(status).toBe(502)
    expect(errorIn(text)?.message).toContain('redirect')
    expect(headers.get('location')).toBeNull()
    expect(upstream.requests).toHaveLength(before + 1)
  })
})

describe('failures under a status of success', () => {
  const failure = {
    unchanged: '{"error":{"message":"The nest is full","type":"rate_limit_error","code":429}}',
    translated: '{"type":"error","error":{"type":"rate_limit_error","message":"The nest is full"}}',
  }

  test.each(both)('trap 10: an error in JSON: %s, stream %p', async (way, stream) => {
    behave = connection => connection.write(whole('200 OK', failure[way]))
    const { status, text } = await asked(way, stream)
    expect(status).toBe(429)
    expect(errorIn(text)).toMatchObject({ message: 'The nest is full', type: 'rate_limit_error' })
  })

  test.each(ways)('JSON that is cut although its length is right: %s', async way => {
    behave = connection => connection.write(whole('200 OK', wholeText(way).slice(0, -9)))
    expect((await asked(way, false)).status).toBe(502)
  })

  test('an answer with a BOM in front, and one with an empty error, are answers', async () => {
    for (const body of [`\ufeff${wholeText('unchanged')}`, wholeText('unchanged').replace('{', '{"error":null,')]) {
      behave = connection => connection.write(whole('200 OK', body))
      expect((await asked('unchanged', false)).status).toBe(200)
    }
  })
})

describe('answers that break off', () => {
  test.each(ways)('in a JSON body of known length: 502, %s', async way => {
    behave = async connection => {
      const length = Buffer.byteLength(wholeText(way))
      await connection.write(head('200 OK', { 'content-type': 'application/json', 'content-length': length }))
      await connection.write(wholeText(way).slice(0, 60))
      connection.end()
    }
    const { status, text } = await asked(way, false)
    expect(status).toBe(502)
    expect(errorIn(text)).toMatchObject({ code: 'upstream_closed' })
  })

  test.each(ways)('in a JSON body of unknown length: 502, %s', async way => {
    behave = async connection => {
      await connection.write(head('200 OK', jsonHead) + chunk(wholeText(way).slice(0, 60)))
      connection.end()
    }
    const { status, text } = await asked(way, false)
    expect(status).toBe(502)
    expect(errorIn(text)).toMatchObject({ code: 'upstream_closed' })
  })

  test('in a JSON body too large to be held: the client’s connection breaks off as well', async () => {
    behave = async connection => {
      await connection.write(head('200 OK', jsonHead) + chunk(`{"choices":[],"padding":"${'x'.repeat(1_500_000)}`))
      await Bun.sleep(50)
      connection.end()
    }
    const response = await post(app.address, ask(models.unchanged))
    expect(
      await response.text().then(
        () => 'whole',
        () => 'broken',
      ),
    ).toBe('broken')
  })

  test.each([
    ['unchanged', 'between two events'],
    ['unchanged', 'in an event'],
    ['translated', 'between two events'],
    ['translated', 'in an event'],
  ] as const)('T30 in a stream, %s, %s: an error event, no finish, no [DONE]', async (way, where) => {
    const pieces = streamPieces(dialectOf[way], 'In the reeds.') as string[]
    const sent = pieces.slice(0, way === 'unchanged' ? 1 : 3)
    if (where === 'in an event') sent.push(pieces[sent.length]!.slice(0, 30))
    for (const clean of [false, true]) {
      behave = async connection => {
        await connection.write(head('200 OK', streamHead) + sent.map(chunk).join('') + (clean ? LAST_CHUNK : ''))
        // A connection that ended cleanly may serve the next request already.
        if (clean) return
        await Bun.sleep(20)
        // A whole answer leaves the connection to the next request.
        if (!clean) connection.end()
      }
      const { status, text } = await asked(way, true)
      const streamed = parseStream(text)
      expect(status).toBe(200)
      expect(streamed.text).toBe('In the ')
      expect(streamed.error).toMatchObject({ code: 'upstream_closed' })
      expect({ finish: streamed.finish, done: streamed.done }).toEqual({ finish: null, done: false })
      // The error is an event of its own, whatever stood before it.
      expect(text).toContain('\n\ndata: {"error"')
    }
  })
})

describe('compressed answers, although none were asked for', () => {
  const encodings = {
    gzip: (text: string) => Bun.gzipSync(text),
    br: brotli,
    zstd: (text: string) => Bun.zstdCompressSync(text),
  }

  for (const [encoding, pack] of Object.entries(encodings)) {
    test.each(both)(`${encoding}: %s, stream %p`, async (way, stream) => {
      const plain = stream ? (streamPieces(dialectOf[way], 'In the reeds.') as string[]).join('') : wholeText(way)
      behave = connection => {
        const body = pack(plain)
        const type = stream ? 'text/event-stream' : 'application/json'
        connection.write(
          head('200 OK', { 'content-type': type, 'content-encoding': encoding, 'content-length': body.length }),
        )
        connection.write(body)
      }
      const { status, text, headers } = await asked(way, stream)
      expect(status).toBe(200)
      expect(headers.get('content-encoding')).toBeNull()
      if (stream) expect(parseStream(text)).toMatchObject({ text: 'In the reeds.', done: true })
      else expect((JSON.parse(text) as Answer).choices?.[0]?.message.content).toBe('In the reeds.')
    })
  }

  test.each(both)('T82 an error in gzip: %s, stream %p', async (way, stream) => {
    behave = connection => {
      const body = Bun.gzipSync(JSON.stringify({ error: { message: 'Too many herons', type: 'rate_limit_error' } }))
      connection.write(
        head('429 Too Many Requests', {
          'content-type': 'application/json',
          'content-encoding': 'gzip',
          'content-length': body.length,
        }),
      )
      connection.write(body)
    }
    const { status, text, headers } = await asked(way, stream)
    expect(status).toBe(429)
    expect(headers.get('content-encoding')).toBeNull()
    expect(errorIn(text)).toMatchObject({ message: 'Too many herons', type: 'rate_limit_error' })
  })

  test.each(ways)('T16 a gzip stream that is flushed event by event: %s', async way => {
    const { createGzip, constants } = await import('node:zlib')
    behave = async connection => {
      const zip = createGzip()
      zip.on('data', bytes =>
        connection.write(Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, Buffer.from('\r\n')])),
      )
      await connection.write(head('200 OK', { ...streamHead, 'content-encoding': 'gzip' }))
      for (const piece of streamPieces(dialectOf[way], 'In the reeds.')) {
        zip.write(piece)
        await new Promise<void>(done => zip.flush(constants.Z_SYNC_FLUSH, done))
        await Bun.sleep(5)
      }
      zip.on('end', () => connection.write(LAST_CHUNK))
      zip.end()
    }
    expect(parseStream((await asked(way, true)).text)).toMatchObject({ text: 'In the reeds.', done: true })
  })
})

function brotli(text: string): Uint8Array {
  const { brotliCompressSync } = require('node:zlib') as typeof import('node:zlib')
  return brotliCompressSync(text)
}

describe('another kind of answer than asked for', () => {
  test.each(ways)('trap 9: JSON to a stream request becomes a stream: %s', async way => {
    behave = connection => connection.write(whole('200 OK', wholeText(way)))
    const { status, text, headers } = await asked(way, true)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toStartWith('text/event-stream')
    expect(parseStream(text)).toMatchObject({ text: 'In the reeds.', finish: 'stop', done: true })
  })

  test.each(ways)('trap 9: a stream to a JSON request becomes JSON: %s', async way => {
    const body = (streamPieces(dialectOf[way], 'In the reeds.') as string[]).join('')
    behave = connection => connection.write(whole('200 OK', body, { 'content-type': 'text/event-stream' }))
    const { status, text } = await asked(way, false)
    expect(status).toBe(200)
    expect(JSON.parse(text)).toMatchObject({
      choices: [{ message: { content: 'In the reeds.' }, finish_reason: 'stop' }],
      usage: { prompt_tokens: 11, completion_tokens: 7 },
    })
  })

  test.each(ways)('a stream to a JSON request that never closes is over when the answer is: %s', async way => {
    const body = (streamPieces(dialectOf[way], 'In the reeds.') as string[]).map(chunk).join('')
    behave = connection => connection.write(head('200 OK', streamHead) + body)
    const begun = performance.now()
    const { status, text } = await asked(way, false)
    expect(performance.now() - begun).toBeLessThan(2_000)
    expect(status).toBe(200)
    expect((JSON.parse(text) as Answer).choices?.[0]?.message.content).toBe('In the reeds.')
  })

  test.each(ways)('a stream to a JSON request that is cut off is a 502: %s', async way => {
    const pieces = streamPieces(dialectOf[way], 'In the reeds.') as string[]
    behave = connection =>
      connection.write(whole('200 OK', pieces.slice(0, 2).join(''), { 'content-type': 'text/event-stream' }))
    expect((await asked(way, false)).status).toBe(502)
  })
})

describe('errors of the provider', () => {
  test.each(both)('529 keeps its status and its retry-after: %s, stream %p', async (way, stream) => {
    const body = JSON.stringify({ type: 'error', error: { type: 'overloaded_error', message: 'Overloaded' } })
    behave = connection =>
      connection.write(whole('529 Site is overloaded', body, { 'retry-after': '7', 'x-request-id': 'req_9' }))
    const { status, text, headers } = await asked(way, stream)
    expect(status).toBe(529)
    expect(headers.get('retry-after')).toBe('7')
    expect(headers.get('x-request-id')).toBe('req_9')
    expect(errorIn(text)).toMatchObject({ message: 'Overloaded', type: 'overloaded_error' })
  })

  test('in OpenAI’s own shape the bytes stay', async () => {
    const body =
      '{ "error": {"message":"No such model","type":"invalid_request_error","param":null,"code":"model_not_found","hint":1.0} }'
    behave = connection => connection.write(whole('404 Not Found', body))
    expect(await asked('unchanged', false)).toMatchObject({ status: 404, text: body })
  })

  const before = {
    unchanged: sse({ error: { message: 'The nest is full', type: 'server_error', code: 'overloaded' } }),
    translated: sse({ type: 'error', error: { type: 'overloaded_error', message: 'The nest is full' } }, 'error'),
  }

  test.each(ways)('T08 an error event before anything else is an answer with a status: %s', async way => {
    behave = connection => connection.write(whole('200 OK', before[way], { 'content-type': 'text/event-stream' }))
    const { status, text, headers } = await asked(way, true)
    expect(status).toBeGreaterThanOrEqual(500)
    expect(headers.get('content-type')).toStartWith('application/json')
    expect(errorIn(text)).toMatchObject({ message: 'The nest is full' })
  })

  test.each(ways)('T07 an error event after the first words ends the stream with an error: %s', async way => {
    const pieces = streamPieces(dialectOf[way], 'In the reeds.') as string[]
    const body = [...pieces.slice(0, way === 'unchanged' ? 1 : 3), before[way]]
    behave = async connection => {
      await connection.write(head('200 OK', streamHead) + body.slice(0, -1).map(chunk).join(''))
      await Bun.sleep(20)
      await connection.write(chunk(body.at(-1)!) + LAST_CHUNK)
    }
    const { status, text } = await asked(way, true)
    expect(status).toBe(200)
    const streamed = parseStream(text)
    expect(streamed).toMatchObject({ text: 'In the ', finish: null, done: false })
    expect(streamed.chunks.filter(each => each.error)).toHaveLength(1)
    expect(streamed.error?.message).toBe('The nest is full')
  })

  test('a stream that says nothing for a while goes out all the same', async () => {
    behave = async connection => {
      await connection.write(head('200 OK', streamHead) + chunk(': waiting\n\n'))
      await Bun.sleep(200)
      const pieces = [
        sse(openaiChunk({ role: 'assistant', content: 'Yes.' })),
        sse(openaiChunk({}, 'stop')),
        sse('[DONE]'),
      ]
      await connection.write(pieces.map(chunk).join('') + LAST_CHUNK)
    }
    expect(parseStream((await asked('unchanged', true)).text)).toMatchObject({ text: 'Yes.', done: true })
  })
})
