import { describe, expect, test } from 'bun:test'
import { rawUpstream } from '../../support/raw-upstream.ts'
import { ask, pipeAll, readAll, until } from './support.ts'

/** A server that is faster than whoever takes its answer. */

const MEGABYTE = 1024 * 1024
const SENT = 64 * MEGABYTE
/** What kernels buffer on both sides of a loopback connection, generously. */
const MOST_UNDER_WAY = 24 * MEGABYTE

const heads = {
  'of known length': `HTTP/1.1 200 OK\r\ncontent-length: ${SENT}\r\n\r\n`,
  'in chunks': 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n',
  'as far as the connection goes': 'HTTP/1.1 200 OK\r\n\r\n',
}

function fast(kind: keyof typeof heads) {
  const piece = Buffer.alloc(MEGABYTE, 'x')
  const sent = { bytes: 0, closed: false }
  const raw = rawUpstream(async connection => {
    void connection.closed.then(() => {
      sent.closed = true
    })
    await connection.write(heads[kind])
    for (; sent.bytes < SENT && !connection.isClosed; sent.bytes += MEGABYTE) {
      if (kind === 'in chunks') await connection.write(`${MEGABYTE.toString(16)}\r\n`)
      await connection.write(piece)
      if (kind === 'in chunks') await connection.write('\r\n')
    }
    if (kind === 'in chunks') await connection.write('0\r\n\r\n')
    if (kind === 'as far as the connection goes') connection.end()
  })
  return { raw, sent }
}

describe.each(Object.keys(heads) as (keyof typeof heads)[])('a body %s', kind => {
  test('is left with the server while nobody reads, and comes whole when somebody does', async () => {
    const { raw, sent } = fast(kind)
    const { body } = await ask(raw.address)
    await Bun.sleep(60)
    expect(sent.bytes).toBeLessThan(MOST_UNDER_WAY)
    const first = await body!.read()
    expect(first!.length + (await readAll(body)).length).toBe(SENT)
    raw.stop()
  })

  test('waits for a sink that has enough', async () => {
    const { raw, sent } = fast(kind)
    const { body } = await ask(raw.address)
    const gate = Promise.withResolvers<void>()
    let taken = 0
    const ended = Promise.withResolvers<unknown>()
    body!.pipe({
      write(bytes) {
        taken += bytes.length
        return taken > MEGABYTE ? gate.promise : undefined
      },
      end: ended.resolve,
    })
    await Bun.sleep(60)
    expect(taken).toBeLessThan(4 * MEGABYTE)
    expect(sent.bytes).toBeLessThan(MOST_UNDER_WAY)
    gate.resolve()
    expect(await ended.promise).toBeUndefined()
    expect(taken).toBe(SENT)
    raw.stop()
  })

  test('that is cancelled while it waits is closed', async () => {
    const { raw, sent } = fast(kind)
    const { body } = await ask(raw.address)
    await Bun.sleep(20)
    body!.cancel()
    await until(() => sent.closed)
    expect(await body!.read()).toBeUndefined()
    raw.stop()
  })
})

test('a connection that had to wait serves the next request', async () => {
  const { raw, sent } = fast('of known length')
  for (let at = 0; at < 2; at++) {
    const { body } = await ask(raw.address)
    let waits = 0
    const length = await new Promise<number>((resolve, reject) => {
      let taken = 0
      body!.pipe({
        write(bytes) {
          taken += bytes.length
          // The last one leaves it waiting when the body ends.
          return taken === SENT || waits++ % 8 === 0 ? Bun.sleep(1) : undefined
        },
        end: fault => (fault === undefined ? resolve(taken) : reject(fault)),
      })
    })
    expect(length).toBe(SENT)
    sent.bytes = 0
  }
  expect([raw.requests.length, raw.connections]).toEqual([2, 1])
  raw.stop()
})

test('a slow reader of an endless stream holds its memory', async () => {
  const { raw } = fast('in chunks')
  const { body } = await ask(raw.address)
  Bun.gc(true)
  const before = process.memoryUsage().rss
  for (let at = 0; at < 20; at++) {
    await body!.read()
    await Bun.sleep(2)
  }
  expect(process.memoryUsage().rss - before).toBeLessThan(48 * MEGABYTE)
  body!.cancel()
  raw.stop()
})

test('a sink sees the whole of many small chunks', async () => {
  const words = Array.from({ length: 5_000 }, (_, at) => `word ${at} `)
  const raw = rawUpstream(async connection => {
    await connection.write('HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n')
    for (const word of words) await connection.write(`${word.length.toString(16)}\r\n${word}\r\n`)
    await connection.write('0\r\n\r\n')
  })
  expect(await pipeAll((await ask(raw.address)).body!)).toBe(words.join(''))
  raw.stop()
})
