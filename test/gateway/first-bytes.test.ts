import { describe, expect, test } from 'bun:test'
import { firstBytes, peek } from '../../src/gateway/first-bytes.ts'
import { type ByteSource, bytesOf, sourceOf } from '../../src/stream/byte-source.ts'

/** A body of these pieces, each after a pause, that knows how many of them were wanted. */
function bodyOf(pieces: string[], pause = 0, fault?: Error) {
  const left = [...pieces]
  const state = { cancelled: false, taken: 0 }
  const stream = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        await Bun.sleep(pause)
        const piece = left.shift()
        state.taken++
        if (piece !== undefined) controller.enqueue(Buffer.from(piece))
        else if (fault) controller.error(fault)
        else controller.close()
      },
      cancel() {
        state.cancelled = true
      },
    },
    { highWaterMark: 0 },
  )
  return { body: sourceOf(stream), state }
}

const textOf = async (source: ByteSource) => Buffer.from(await bytesOf(source)).toString()

describe('peek', () => {
  test('gives the first read, and the whole from its beginning', async () => {
    const { body, state } = bodyOf(['one ', 'two ', 'three'])
    const { first, rest } = await peek(body)
    expect(Buffer.from(first!).toString()).toBe('one ')
    expect(state.taken).toBe(1)
    expect(await textOf(rest)).toBe('one two three')
  })

  test('does not wait for ever, and loses nothing by that', async () => {
    const { body } = bodyOf(['late ', 'words'], 40)
    const begun = performance.now()
    const { first, rest } = await peek(body, 10)
    expect(performance.now() - begun).toBeLessThan(38)
    expect(first).toBeUndefined()
    expect(await textOf(rest)).toBe('late words')
  })

  test('an end is a first read too, and a fault is thrown', async () => {
    expect((await peek(bodyOf([]).body)).first).toBeNull()
    expect(peek(bodyOf([], 0, new Error('broken')).body)).rejects.toThrow('broken')
  })

  test('cancelling the rest cancels the body', async () => {
    const { body, state } = bodyOf(['one', 'two'])
    const { rest } = await peek(body)
    rest.cancel()
    expect(state.cancelled).toBe(true)
  })
})

describe('firstBytes', () => {
  const answer = (body: ByteSource, headers = new Headers()) => ({
    status: 200,
    headers,
    body,
    bytes: async () => Buffer.from(await textOf(body)),
  })

  test('what is small comes whole, with a length and without', async () => {
    const known = await firstBytes(answer(bodyOf(['ab', 'cd']).body, new Headers({ 'content-length': '4' })), 10)
    const unknown = await firstBytes(answer(bodyOf(['ab', 'cd']).body), 10)
    for (const { bytes, more } of [known, unknown]) {
      expect(Buffer.from(bytes).toString()).toBe('abcd')
      expect(more).toBeUndefined()
    }
  })

  test('of what is large only the beginning is read, and the whole can be had from its beginning', async () => {
    for (const headers of [new Headers(), new Headers({ 'content-length': '12' })]) {
      const { body, state } = bodyOf(['abcd', 'efgh', 'ijkl'])
      const { bytes, more } = await firstBytes(answer(body, headers), 5)
      expect(Buffer.from(bytes).toString()).toBe('abcdefgh')
      expect(state.taken).toBe(2)
      expect(await textOf(more!)).toBe('abcdefghijkl')
    }
  })

  test('a fault before the size is reached is thrown', () => {
    expect(firstBytes(answer(bodyOf(['ab'], 0, new Error('broken')).body), 10)).rejects.toThrow('broken')
  })
})
