import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { BodyDecoder } from '../../../src/gateway/transport/body-decoder.ts'
import { readHead } from '../../../src/gateway/transport/head.ts'
import { rawUpstream } from '../../support/raw-upstream.ts'
import { ask, faultOf, readAll, textOf } from './support.ts'

/** What servers say on the wire, whole, in pieces and wrongly. */

const served = (pieces: (string | Uint8Array)[], end: 'end' | 'reset' | 'stay', pause = false) =>
  rawUpstream(async connection => {
    for (const piece of pieces) {
      await connection.write(piece)
      if (pause) await Bun.sleep(0)
    }
    if (end !== 'stay') connection[end]()
  })

async function answerTo(wire: string | (string | Uint8Array)[], end: 'end' | 'reset' | 'stay' = 'stay') {
  const raw = served(typeof wire === 'string' ? [Buffer.from(wire, 'latin1')] : wire, end, typeof wire !== 'string')
  try {
    const answer = await ask(raw.address)
    return { status: answer.status, headers: answer.headers, text: await readAll(answer.body) }
  } finally {
    raw.stop()
  }
}

const ok = 'HTTP/1.1 200 OK\r\n'
const chunks = 'transfer-encoding: chunked\r\n\r\n'

describe('answers that are read', () => {
  test.each([
    ['a known length', `${ok}Content-Length: 3\r\n\r\nabc`, 'abc'],
    ['a length said twice', `${ok}content-length: 3\r\ncontent-length: 3\r\n\r\nabc`, 'abc'],
    ['chunks', `${ok}${chunks}3\r\nabc\r\n1\r\nd\r\n0\r\n\r\n`, 'abcd'],
    ['chunks with extensions', `${ok}${chunks}3;a=b;c="d"\r\nabc\r\n0;x\r\n\r\n`, 'abc'],
    ['chunk sizes in capitals, with zeros and spaces', `${ok}${chunks}00A  \r\n0123456789\r\n00\r\n\r\n`, '0123456789'],
    ['trailers', `${ok}${chunks}3\r\nabc\r\n0\r\nx-a: b\r\nx-c: d\r\n\r\n`, 'abc'],
    ['"Chunked" in capitals', `${ok}Transfer-Encoding: Chunked\r\n\r\n1\r\na\r\n0\r\n\r\n`, 'a'],
    [
      'continue, early hints, then the answer',
      `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: <a>\r\n\r\n${ok}content-length: 1\r\n\r\na`,
      'a',
    ],
    ['no reason in the status line', 'HTTP/1.1 200\r\ncontent-length: 1\r\n\r\na', 'a'],
    ['an empty reason', 'HTTP/1.1 200 \r\ncontent-length: 1\r\n\r\na', 'a'],
    ['204 that claims a length', 'HTTP/1.1 204 No Content\r\ncontent-length: 5\r\n\r\n', ''],
    ['304 that claims a length', 'HTTP/1.1 304 Not Modified\r\ncontent-length: 5\r\n\r\n', ''],
  ])('%s', async (_, wire, text) => {
    expect((await answerTo(wire)).text).toBe(text)
  })

  test('as far as the connection goes', async () => {
    expect((await answerTo(`${ok}content-type: text/plain\r\n\r\nuntil the end`, 'end')).text).toBe('until the end')
    expect((await answerTo('HTTP/1.0 200 OK\r\n\r\nold', 'end')).text).toBe('old')
  })

  test('headers: case, space around values, empty ones, told twice, bytes beyond ASCII', () => {
    const { headers } = readHead(
      'HTTP/1.1 200 OK\r\nX-A:  b \t\r\nx-b:\r\nX-c: 1\r\nx-C: 2\r\nx-d: a:b\r\nx-e: \xe9\r\n',
    )
    const all: string[] = []
    headers.forEach((value, name) => void all.push(`${name}=${value}`))
    expect(all).toEqual(['x-a=b', 'x-b=', 'x-c=1', 'x-c=2', 'x-d=a:b', 'x-e=\xe9'])
    expect([headers.get('x-c'), headers.get('x-b'), headers.get('x-z')]).toEqual(['1, 2', '', null])
  })

  test('a header block of nearly 64 kB', async () => {
    const { headers } = await answerTo(`${ok}x-long: ${'a'.repeat(65_000)}\r\ncontent-length: 0\r\n\r\n`)
    expect(headers.get('x-long')).toHaveLength(65_000)
  })
})

describe('answers that are refused', () => {
  test.each([
    ['not HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['HTTP/2', 'HTTP/2 200\r\n\r\n'],
    ['HTTP/0.9', '<html></html>'],
    ['no status', 'HTTP/1.1 OK\r\n\r\n'],
    ['a status of four digits', 'HTTP/1.1 2000 OK\r\n\r\n'],
    ['a status below 100', 'HTTP/1.1 099 OK\r\n\r\n'],
    ['a switch of protocols', 'HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\n\r\n'],
    ['a folded header', `${ok}x-a: b\r\n c\r\ncontent-length: 0\r\n\r\n`],
    ['a header that begins with a tab', `${ok}\tx-a: b\r\ncontent-length: 0\r\n\r\n`],
    ['a line without a colon', `${ok}nonsense\r\ncontent-length: 0\r\n\r\n`],
    ['a header without a name', `${ok}: b\r\ncontent-length: 0\r\n\r\n`],
    ['space before the colon', `${ok}content-length : 0\r\n\r\n`],
    ['bare line feeds', 'HTTP/1.1 200 OK\ncontent-length: 1\n\na\r\n\r\n'],
    ['a bare line feed in a header', `${ok}x-a: b\nx-b: c\r\ncontent-length: 0\r\n\r\n`],
    ['a bare carriage return in a header', `${ok}x-a: b\rx-b: c\r\ncontent-length: 0\r\n\r\n`],
    ['a NUL in a header', `${ok}x-a: b\0\r\ncontent-length: 0\r\n\r\n`],
    ['two lengths', `${ok}content-length: 3\r\ncontent-length: 4\r\n\r\nabc`],
    ['two lengths in one line', `${ok}content-length: 3, 4\r\n\r\nabc`],
    ['a length with a sign', `${ok}content-length: +3\r\n\r\nabc`],
    ['a negative length', `${ok}content-length: -3\r\n\r\nabc`],
    ['a length in hexadecimal', `${ok}content-length: 0x3\r\n\r\nabc`],
    ['an empty length', `${ok}content-length:\r\n\r\nabc`],
    ['a length beyond all numbers', `${ok}content-length: 99999999999999999999\r\n\r\nabc`],
    ['a length beside chunks', `${ok}content-length: 3\r\n${chunks}0\r\n\r\n`],
    ['another transfer coding', `${ok}transfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n`],
    ['chunked said twice', `${ok}transfer-encoding: chunked\r\n${chunks}0\r\n\r\n`],
    ['chunks in HTTP/1.0', `HTTP/1.0 200 OK\r\n${chunks}0\r\n\r\n`],
    ['a chunk without a size', `${ok}${chunks}\r\nabc\r\n0\r\n\r\n`],
    ['a size that is no number', `${ok}${chunks}xyz\r\nabc\r\n0\r\n\r\n`],
    ['a size with a sign', `${ok}${chunks}-3\r\nabc\r\n0\r\n\r\n`],
    ['a size beyond all numbers', `${ok}${chunks}fffffffffffffffff\r\nabc\r\n0\r\n\r\n`],
    ['a bare line feed after a size', `${ok}${chunks}3\nabc\r\n0\r\n\r\n`],
    ['a bare line feed in an extension', `${ok}${chunks}3;a\nabc\r\n0\r\n\r\n`],
    ['a chunk longer than it said', `${ok}${chunks}3\r\nabcd\r\n0\r\n\r\n`],
    ['a bare line feed in a trailer', `${ok}${chunks}0\r\nx-a: b\n\r\n\r\n`],
    ['an endless extension', `${ok}${chunks}3;${'a'.repeat(70_000)}`],
    ['endless trailers', `${ok}${chunks}0\r\n${'x-a: b\r\n'.repeat(9_000)}`],
    ['an endless header block', ok + 'x-a: b\r\n'.repeat(9_000)],
    ['a header block that is too long, and ends', `${ok}x-a: ${'b'.repeat(66_000)}\r\n\r\n`],
  ])('%s, and the connection is gone', async (_, wire) => {
    let closed = false
    const raw = rawUpstream(connection => {
      void connection.closed.then(() => (closed = true))
      return connection.write(Buffer.from(wire, 'latin1'))
    })
    const fault = await faultOf(ask(raw.address).then(answer => readAll(answer.body)))
    expect(fault).toMatchObject({ code: 'ERR_HTTP_ANSWER' })
    expect(fault.message).not.toContain('127.0.0.1')
    await Bun.sleep(2)
    expect(closed).toBeTrue()
    raw.stop()
  })
})

describe('answers that break off', () => {
  test.each(['end', 'reset'] as const)('by %s', async end => {
    const broken = [
      '',
      'HTTP/1.1 20',
      `${ok}content-length: 3\r\n`,
      `${ok}content-length: 3\r\n\r\nab`,
      `${ok}${chunks}3\r\nab`,
      `${ok}${chunks}3\r\nabc\r\n`,
      `${ok}${chunks}3\r\nabc\r\n0\r\n`,
    ]
    for (const wire of broken) {
      // A turn between, for a reset also takes what has not been read.
      const raw = rawUpstream(async connection => {
        await connection.write(wire)
        await Bun.sleep(10)
        connection[end]()
      })
      expect(await faultOf(ask(raw.address).then(it => readAll(it.body)))).toMatchObject({ code: 'ECONNRESET' })
      raw.stop()
    }
  })

  test('a reset where the end would have been the end', async () => {
    const raw = rawUpstream(async connection => {
      await connection.write(`${ok}\r\nabc`)
      await Bun.sleep(10)
      connection.reset()
    })
    await faultOf(ask(raw.address).then(it => readAll(it.body)))
    raw.stop()
  })

  test('what came before is given first', async () => {
    const raw = rawUpstream(async connection => {
      await connection.write(`${ok}content-length: 9\r\n\r\nabc`)
      await Bun.sleep(5)
      connection.end()
    })
    const { body } = await ask(raw.address)
    await Bun.sleep(20)
    expect(textOf((await body!.read())!)).toBe('abc')
    await faultOf(body!.read())
    await faultOf(body!.read())
    raw.stop()
  })
})

describe('wherever the reads cut it', () => {
  const wire = Buffer.from(
    `HTTP/1.1 100 Continue\r\n\r\n${ok}Content-Type: text/plain\r\n${chunks}5;x=y\r\nhello\r\nb\r\n, wörld 🦜\r\n0\r\nx-a: b\r\n\r\n`.replace(
      '\r\nb\r\n',
      `\r\n${Buffer.byteLength(', wörld 🦜').toString(16)}\r\n`,
    ),
  )

  test('at every single place', async () => {
    const every = Array.from({ length: wire.length - 1 }, (_, at) => [wire.subarray(0, at + 1), wire.subarray(at + 1)])
    for (const pieces of every) expect((await answerTo(pieces)).text).toBe('hello, wörld 🦜')
  })

  test('one byte at a time', async () => {
    expect((await answerTo([...wire].map(byte => new Uint8Array([byte])))).text).toBe('hello, wörld 🦜')
  })

  test('the decoder gives the same bytes for any chunks and any cuts', () => {
    const body = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { maxLength: 8 })
    fc.assert(
      fc.property(body, fc.array(fc.nat(400), { maxLength: 12 }), fc.boolean(), (parts, cuts, chunked) => {
        const whole = Buffer.concat(parts)
        const sent = chunked
          ? Buffer.concat([
              ...parts.map(part =>
                Buffer.concat([Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from('\r\n')]),
              ),
              Buffer.from('0\r\n\r\nNEXT'),
            ])
          : Buffer.concat([whole, Buffer.from('NEXT')])
        const got: Uint8Array[] = []
        const decoder = new BodyDecoder(chunked ? 'chunked' : whole.length, { push: bytes => got.push(bytes) })
        const places = [...new Set(cuts.map(cut => cut % sent.length)), 0, sent.length].sort((a, b) => a - b)
        let end = -1
        for (let at = 1; at < places.length && end < 0; at++) {
          const piece = new Uint8Array(sent.subarray(places[at - 1], places[at]))
          const ended = decoder.take(piece, 0)
          if (ended >= 0) end = places[at - 1]! + ended
        }
        expect(Buffer.concat(got).equals(whole)).toBeTrue()
        expect(end).toBe(sent.length - 'NEXT'.length)
      }),
    )
  })

  test('and no bytes whatever make it hang or throw anything else', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'HTP/1. 20\r\n:abc;0f'.split('')), maxLength: 60 }), text => {
        const head = (() => {
          try {
            return readHead(`${text}\r\n`)
          } catch (fault) {
            return (fault as { code: string }).code
          }
        })()
        expect(typeof head === 'string' ? head : 'ERR_HTTP_ANSWER').toBe('ERR_HTTP_ANSWER')
        const decoder = new BodyDecoder('chunked', { push() {} })
        try {
          decoder.take(new Uint8Array(Buffer.from(text, 'latin1')), 0)
        } catch (fault) {
          expect((fault as { code: string }).code).toBe('ERR_HTTP_ANSWER')
        }
      }),
      { numRuns: 500 },
    )
  })
})
