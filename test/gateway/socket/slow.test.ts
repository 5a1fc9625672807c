import { afterAll, beforeAll, describe, expect, test } from 'bun:test'
import type { Socket as TcpSocket } from 'bun'
import { type RunningApp, startApp, TOKEN } from '../../support/app.ts'
import { openSocket } from '../../support/socket-client.ts'
import { holds, type SocketStandIn, socketStandIn } from '../../support/socket-stand-in.ts'
import { type StandIn, standIn } from '../../support/stand-in.ts'

/** One side of a socket reads slowly, or not at all: what waits here has a bound. */

const KEY = 'key-of-the-operator-4711'
const PIECE = Buffer.alloc(256 * 1024, 'x')
const MB = 1024 * 1024
/** What a test wants to get through: much more than any buffer of the system or of ours. */
const FLOOD = 192 * MB
/** So much may wait in the system's buffers of two connections and in ours. */
const BOUND = 48 * MB

let flooding: SocketStandIn
let streaming: StandIn
let app: RunningApp
/** Bytes that the flooding provider could get rid of. */
let flooded = 0
let streamed = 0

beforeAll(async () => {
  flooding = socketStandIn({
    message(socket, text) {
      if (text !== 'flood') return
      const pour = () => {
        while (flooded < FLOOD && socket.readyState === 1) {
          flooded += PIECE.length
          if (socket.send(PIECE) < 0) break
        }
        if (flooded < FLOOD && socket.readyState === 1) setTimeout(wait, 1)
      }
      const wait = () => (socket.getBufferedAmount() ? setTimeout(wait, 1) : pour())
      pour()
    },
  })
  const event = Buffer.from(`data: ${JSON.stringify({ text: 'x'.repeat(64 * 1024) })}\n\n`)
  streaming = standIn(
    () =>
      new Response(
        new ReadableStream<Uint8Array>(
          {
            async pull(controller) {
              await undefined
              streamed += event.length
              controller.enqueue(event)
              if (streamed >= FLOOD) controller.close()
            },
          },
          { highWaterMark: 0 },
        ),
        { headers: { 'content-type': 'text/event-stream' } },
      ),
  )
  app = await startApp({
    providers: {
      openai: { base_url: flooding.address, keys: { default: KEY } },
      groq: { base_url: streaming.address, keys: { default: KEY } },
    },
  })
})
afterAll(async () => {
  await app.stop()
  flooding.stop()
  streaming.stop()
})

/** A client that is a TCP socket, and reads only when it is told to. */
async function rawSocket(path: string): Promise<{ tcp: TcpSocket; received(): number; send(text: string): void }> {
  let received = 0
  const opened = Promise.withResolvers<void>()
  const tcp = await Bun.connect({
    hostname: '127.0.0.1',
    port: app.port,
    socket: {
      data(_, bytes) {
        received += bytes.length
        opened.resolve()
      },
    },
  })
  tcp.write(
    `GET ${path} HTTP/1.1\r\nhost: a\r\nconnection: Upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\ncf-aig-authorization: ${TOKEN}\r\n\r\n`,
  )
  await opened.promise
  return {
    tcp,
    received: () => received,
    send(text) {
      const payload = Buffer.from(text)
      // A mask of zeros is a mask.
      const head =
        payload.length < 126 ? [0x81, 0x80 | payload.length] : [0x81, 0xfe, payload.length >> 8, payload.length & 255]
      tcp.write(Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), payload]))
    },
  }
}

/** The count when it has stood still for a while. */
async function settled(count: () => number): Promise<number> {
  let last = -1
  while (count() !== last) {
    last = count()
    await Bun.sleep(300)
  }
  return last
}

describe('a client that does not read', () => {
  test('stops the provider of its socket, and gets everything once it reads', async () => {
    flooded = 0
    const { tcp, received, send } = await rawSocket('/v1/home/default/openai')
    tcp.pause()
    send('flood')
    const before = process.memoryUsage().rss
    await holds(() => flooded > 0)
    expect(await settled(() => flooded)).toBeLessThan(BOUND)
    expect(process.memoryUsage().rss - before).toBeLessThan(2 * BOUND)
    tcp.resume()
    await holds(() => received() >= FLOOD)
    tcp.end()
  })

  test('stops the stream of a step, and gets everything once it reads', async () => {
    streamed = 0
    const { tcp, received, send } = await rawSocket('/v1/home/default')
    tcp.pause()
    send(
      JSON.stringify({
        type: 'universal.create',
        request: { eventId: 'a', provider: 'groq', endpoint: 'chat/completions', headers: {}, query: { model: 'm' } },
      }),
    )
    await holds(() => streamed > 0)
    expect(await settled(() => streamed)).toBeLessThan(BOUND)
    tcp.resume()
    await holds(() => received() >= FLOOD)
    tcp.end()
  })

  test('and asks again and again for what is refused is sent away', async () => {
    const { tcp, send } = await rawSocket('/v1/home/default')
    const before = app.requests().length
    tcp.pause()
    const nothing = '{}'.padEnd(100)
    for (let sent = 0; sent < 100_000 && app.requests().length === before; sent++) {
      send(nothing)
      if (sent % 500 === 499) await Bun.sleep(1)
    }
    tcp.resume()
    expect(await app.record(before + 1)).toMatchObject({ path: '/v1/home/default', status: 101 })
    tcp.end()
  })
})

test('a provider that does not read has the client’s socket closed with 1013, which says why', async () => {
  // It accepts the socket and reads nothing from then on.
  const deaf = Bun.listen({
    hostname: '127.0.0.1',
    port: 0,
    socket: {
      data(socket, bytes) {
        const key = /sec-websocket-key: (\S+)/i.exec(bytes.toString())?.[1]
        const accept = new Bun.CryptoHasher('sha1')
          .update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
          .digest('base64')
        socket.write(
          `HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: ${accept}\r\n\r\n`,
        )
        socket.pause()
      },
    },
  })
  const other = await startApp({
    providers: { openai: { base_url: `http://127.0.0.1:${deaf.port}`, keys: { default: KEY } } },
  })
  const client = await openSocket(`${other.address}/v1/home/default/openai`)
  let ended: { code: number; reason: string } | undefined
  void client.ended.then(how => {
    ended = how
  })
  let sent = 0
  for (; sent < FLOOD && !ended; sent += PIECE.length) {
    client.socket.send(PIECE)
    await Bun.sleep(1)
  }
  expect(await client.ended).toEqual({
    code: 1013,
    reason: 'the provider takes too slowly what is sent: 16 MB are waiting',
  })
  expect(sent).toBeLessThan(BOUND)
  expect(await other.record(1)).toMatchObject({ status: 101, error: 'upstream_slow' })
  await other.stop()
  deaf.stop(true)
})
