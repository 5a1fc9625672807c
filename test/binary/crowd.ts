import type { Socket } from 'bun'

/** One request of a crowd. */
export interface Asking {
  path?: string
  headers: Record<string, string>
  body: unknown
}

/** Servers let no more than 512 wait to be accepted, and lose the others without a word. */
const CONNECT_AT_ONCE = 200

/**
 * Sends requests all at the same moment, each on a connection of its own that stands already; what `fetch` would send
 * one after another, beyond 256. They are spread evenly over the ports.
 * @returns the statuses, 0 for a connection that closed without one
 */
export async function crowd(ports: readonly number[], count: number, asking: Asking): Promise<number[]> {
  const members: Member[] = []
  while (members.length < count) {
    const some = Math.min(CONNECT_AT_ONCE, count - members.length)
    const first = members.length
    members.push(
      ...(await Promise.all(Array.from({ length: some }, (_, n) => connected(ports[(first + n) % ports.length]!)))),
    )
  }
  const text = JSON.stringify(asking.body)
  const head = [
    `POST ${asking.path ?? '/v1/chat/completions'} HTTP/1.1`,
    'host: 127.0.0.1',
    'connection: close',
    'content-type: application/json',
    `content-length: ${Buffer.byteLength(text)}`,
    ...Object.entries(asking.headers).map(([name, value]) => `${name}: ${value}`),
  ]
  const request = `${head.join('\r\n')}\r\n\r\n${text}`
  for (const { socket } of members) socket.write(request)
  return Promise.all(members.map(({ status }) => status))
}

interface Member {
  socket: Socket
  status: Promise<number>
}

async function connected(port: number): Promise<Member> {
  const { promise: status, resolve } = Promise.withResolvers<number>()
  const accepted = Promise.withResolvers<void>()
  let first = ''
  let isOpen = false
  const over = () => resolve(Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? 0))
  const socket = await Bun.connect({
    hostname: '127.0.0.1',
    port,
    socket: {
      data(_, bytes) {
        if (isOpen && first.length < 12) first += bytes.toString('latin1')
        isOpen = true
        accepted.resolve()
      },
      // Only then the whole answer has come.
      close: over,
      error: over,
    },
  })
  // Whoever is answered has been accepted.
  socket.write('GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n')
  await accepted.promise
  return { socket, status }
}

/** How many there are of each. */
export const tally = (statuses: readonly number[]): Record<number, number> => {
  const counts: Record<number, number> = {}
  for (const status of statuses) counts[status] = (counts[status] ?? 0) + 1
  return counts
}
