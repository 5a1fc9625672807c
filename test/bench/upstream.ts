import type { Socket } from 'bun'
import { type Format, streamScript, wholeReply } from './answers.ts'

/**
 * The stand-in provider, a process of its own so that its CPU time is not counted. It speaks HTTP/1.1 over raw
 * sockets, because what it spends is taken from the two cores that the proxies share with it.
 *
 * `GET /bench/plan?chunks=200&pace=15` sets the length of the streams that begin from then on and the milliseconds
 * between two chunks of a stream; `GET /bench/state` tells how many streams are open.
 */

interface Stream {
  socket: Socket<Connection>
  words: Buffer[]
  end: Buffer
  left: number
  next: number
  slot: number
  unsent: Buffer | null
}

interface Connection {
  received: Buffer | null
  stream: Stream | null
}

const chunk = (payload: string) => `${Buffer.byteLength(payload).toString(16)}\r\n${payload}\r\n`
const json = (body: string) =>
  Buffer.from(
    `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nx-request-id: req_bench\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
  )
const streamHead =
  'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8\r\ncache-control: no-cache\r\nx-request-id: req_bench\r\ntransfer-encoding: chunked\r\n\r\n'

function wireOf(format: Format) {
  const script = streamScript[format]
  return {
    whole: json(wholeReply[format]),
    start: Buffer.from(streamHead + chunk(script.start)),
    words: script.words.map(word => Buffer.from(chunk(word))),
    end: Buffer.from(`${chunk(script.end)}0\r\n\r\n`),
    endWithUsage: Buffer.from(`${chunk(script.endWithUsage)}0\r\n\r\n`),
  }
}
const wire = { openai: wireOf('openai'), anthropic: wireOf('anthropic') }
const notFound = Buffer.from('HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n')

let chunks = 200
let pace = 15
let begun = 0
let open = 0
/** Streams by the millisecond of the pace in which they write, so that they do not all write at once. */
let slots: Set<Stream>[] = []

function setPlan(address: string): void {
  const query = new URL(address, 'http://bench').searchParams
  for (const slot of slots) for (const stream of slot) stream.socket.terminate()
  chunks = Number(query.get('chunks') ?? chunks)
  pace = Number(query.get('pace') ?? pace)
  slots = Array.from({ length: pace }, () => new Set<Stream>())
}
setPlan('/')

function close(stream: Stream): void {
  slots[stream.slot]?.delete(stream)
  stream.socket.data.stream = null
  open--
}

function send(stream: Stream, bytes: Buffer): void {
  const sent = stream.socket.write(bytes)
  if (sent < bytes.length) stream.unsent = bytes.subarray(Math.max(sent, 0))
}

function step(stream: Stream): void {
  if (stream.unsent) return // a slow reader: it gets its next chunk when the last one is through
  if (stream.left-- > 0) send(stream, stream.words[stream.next++ % stream.words.length]!)
  else {
    close(stream)
    stream.socket.write(stream.end)
  }
}

let last = 0
let clock: Timer | null = null

function tick(): void {
  const now = Math.floor(performance.now())
  // After a pause a stream writes once and no more: two chunks in one read would count as one.
  const steps = Math.min(now - last, pace)
  for (let at = now - steps + 1; at <= now; at++) for (const stream of slots[at % pace]!) step(stream)
  last = now
  if (open > 0) return
  clearInterval(clock ?? undefined)
  clock = null
}

/** The clock runs only while streams are open: it must not wake this process between two whole answers. */
function startClock(): void {
  last = Math.floor(performance.now())
  clock ??= setInterval(tick, 1)
}

function answer(socket: Socket<Connection>, head: string, body: string): void {
  const path = head.slice(head.indexOf(' ') + 1, head.indexOf(' ', head.indexOf(' ') + 1))
  const format = path.endsWith('/chat/completions') ? 'openai' : path.endsWith('/v1/messages') ? 'anthropic' : null
  if (format && (body.includes('"stream":true') || body.includes('"stream": true'))) {
    const usage = body.includes('"include_usage":true') || body.includes('"include_usage": true')
    const { words, end, endWithUsage, start } = wire[format]
    const slot = begun++ % pace
    const stream: Stream = { socket, words, end: usage ? endWithUsage : end, left: chunks, next: 0, slot, unsent: null }
    socket.data.stream = stream
    open++
    send(stream, start)
    slots[slot]!.add(stream)
    if (!clock) startClock()
  } else if (format) socket.write(wire[format].whole)
  else if (path.startsWith('/bench/plan')) {
    setPlan(path)
    socket.write(json('{}'))
  } else if (path.startsWith('/bench/state')) socket.write(json(JSON.stringify({ open })))
  else socket.write(notFound)
}

/** Where the body ends in `bytes`, given where it begins; -1 while it is not all there. */
function endOfBody(bytes: Buffer, head: string, start: number): number {
  const length = /\r\ncontent-length: *(\d+)/i.exec(head)
  if (length) return bytes.length >= start + Number(length[1]) ? start + Number(length[1]) : -1
  if (!/\r\ntransfer-encoding: *chunked/i.test(head)) return start
  const end = bytes.indexOf('0\r\n\r\n', start)
  return end < 0 ? -1 : end + 5
}

const server = Bun.listen<Connection>({
  hostname: '127.0.0.1',
  port: 0,
  socket: {
    open(socket) {
      socket.data = { received: null, stream: null }
    },
    data(socket, data) {
      let bytes: Buffer | null = socket.data.received ? Buffer.concat([socket.data.received, data]) : data
      while (bytes) {
        const start: number = bytes.indexOf('\r\n\r\n') + 4
        const head: string = start < 4 ? '' : bytes.toString('latin1', 0, start)
        const end: number = head ? endOfBody(bytes, head, start) : -1
        if (end < 0) break
        answer(socket, head, bytes.toString('latin1', start, end))
        bytes = bytes.length > end ? bytes.subarray(end) : null
      }
      // The socket's buffer is used again after this call, so what is kept is copied.
      socket.data.received = bytes ? Buffer.from(bytes) : null
    },
    drain(socket) {
      const stream = socket.data.stream
      if (!stream?.unsent) return
      const rest = stream.unsent
      stream.unsent = null
      send(stream, rest)
    },
    close(socket) {
      if (socket.data.stream) close(socket.data.stream)
    },
    error() {},
  },
})

process.on('disconnect', () => process.exit(0))
process.send?.({ port: server.port })
